"""The native handle: made once, never copied, not taken across a fork."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Generic, TypeVar, cast

from ._border import native, refuse_copies
from ._clock import ManualClock
from ._codec import Codec, codec_of, to_bytes
from ._errors import call
from ._forks import not_after_fork
from ._names import Json, Settlement
from ._rows import SEPARATOR, Changes
from ._settings import Config, Schema, native_config, native_schema
from ._store import Store

T = TypeVar("T")

logger = logging.getLogger("resourcecache")
"""What was odd in a list is a warning; what failed or was not confirmed, an info; the rest, debug."""
logger.addHandler(logging.NullHandler())

Bytes = bytes | bytearray | memoryview | str


class Base(Generic[T]):
    """What all parts of a cache share."""

    def __init__(
        self,
        resource_type: type[T] | None = None,
        *,
        codec: Codec[T] | None = None,
        config: Config | None = None,
        schema: Schema | None = None,
        clock: ManualClock | None = None,
        _saved: bytes | None = None,
        _kept: tuple[Store, str] | None = None,
    ) -> None:
        self._codec: Codec[T] = codec if codec is not None else codec_of(resource_type)
        self._schema = schema or Schema()
        self._clock = clock
        settings = native_config(config or Config())
        pointers = native_schema(self._schema)
        manual = clock._native if clock else None
        if _kept is not None:
            store, key = _kept
            self._native = call(
                native.JsonCache.open, store._native, key, settings, pointers, manual
            )
        elif _saved is not None:
            self._native = call(native.JsonCache.restore, _saved, settings, pointers, manual)
        else:
            self._native = call(native.JsonCache, settings, pointers, manual)
        not_after_fork(self)

    def _told(self, applied: native.Applied) -> Changes[T]:
        """The changes; what there is to log of them is logged."""
        changes: Changes[T] = Changes(applied, self._codec)
        text = applied.text
        if text and text[0] != SEPARATOR:
            self._log(changes)
        return changes

    def _log(self, changes: Changes[T]) -> None:
        if logger.isEnabledFor(logging.WARNING):
            for warning in changes.warnings:
                logger.warning("%s: %s", warning.kind, dict(warning.details))
        if logger.isEnabledFor(logging.INFO):
            for outcome in changes.outcomes:
                good = outcome.settlement in (Settlement.CONFIRMED, Settlement.CANCELLED)
                level = logging.DEBUG if good else logging.INFO
                error = f": {outcome.error}" if outcome.error else ""
                logger.log(
                    level, "%s of %s: %s%s", outcome.kind, outcome.id, outcome.settlement, error
                )

    def _body(self, resource: T | Bytes) -> bytes:
        """The JSON of a resource, given as a value of the user's type or as JSON."""
        if isinstance(resource, (bytes, bytearray, memoryview, str)):
            return as_bytes(cast(Bytes, resource))
        return to_bytes(self._codec.encode(resource))

    def _list(self, items: Iterable[T]) -> bytes:
        """The answer of a list call that has these items, where the schema looks for them."""
        value: Json = [self._codec.encode(item) for item in items]
        names = self._schema.items.split("/")[1:]
        for name in reversed(names):
            value = {name.replace("~1", "/").replace("~0", "~"): value}
        return to_bytes(value)


def as_bytes(data: Bytes) -> bytes:
    """The native side takes bytes and nothing else."""
    if isinstance(data, bytes):
        return data
    return data.encode() if isinstance(data, str) else bytes(data)


refuse_copies(Base)
