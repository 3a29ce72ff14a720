"""The verbs: what the user asks for, what the server says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from ._base import Base, Bytes, as_bytes
from ._border import native, refuse_copies
from ._codec import to_bytes
from ._errors import BadInputError, call
from ._names import Json, Kind, ResourceId, id_text, to_ms
from ._rows import Changes

T = TypeVar("T")


class FetchToken:
    """Taken before a list call starts and handed in with its answer: it tells when the answer was
    taken, so that answers which arrive out of order are applied in the right one."""

    __slots__ = ("_native",)

    def __init__(self, token: native.FetchToken) -> None:
        self._native = token


refuse_copies(FetchToken)


@dataclass(frozen=True)
class Ids:
    """A list call that was about these ids alone."""

    ids: Iterable[ResourceId]


@dataclass(frozen=True)
class Page:
    """A list call's page, between two resources that are not in it; ``None`` for an end."""

    after: ResourceId | None = None
    before: ResourceId | None = None


@dataclass(frozen=True)
class After:
    """Another attempt follows this much later."""

    wait: timedelta


@dataclass(frozen=True)
class ByStatus:
    """Whether another attempt follows is what the retry policy says of an HTTP status."""

    status: int
    retry_after: timedelta | None = None
    """The answer's ``Retry-After``."""


def native_coverage(coverage: Ids | Page | None) -> native.Coverage | None:
    if coverage is None:
        return None
    if isinstance(coverage, Ids):
        return native.Coverage.IDS([id_text(id) for id in coverage.ids])
    ends = (None if end is None else id_text(end) for end in (coverage.after, coverage.before))
    return native.Coverage.PAGE(*ends)


def native_retry(retry: bool | After | ByStatus) -> native.Retry:
    if isinstance(retry, After):
        return native.Retry.AFTER(to_ms(retry.wait) or 0)
    if isinstance(retry, ByStatus):
        return native.Retry.BY_STATUS(retry.status, to_ms(retry.retry_after))
    return native.Retry.BACKOFF() if retry else native.Retry.NO()


class Verbs(Base[T]):
    """The verbs. All raise a `ResourceCacheError` when they are refused; then nothing has changed."""

    def begin_fetch(self) -> FetchToken:
        """A list call is about to start: hand the token in with its answer."""
        started = call(self._native.begin_fetch)
        self._told(started.applied)
        return FetchToken(started.token)

    def merge(
        self,
        response: Bytes,
        *,
        token: FetchToken | None = None,
        coverage: Ids | Page | None = None,
    ) -> Changes[T]:
        """Takes the answer of a list call: its bytes, of all of the list unless a part is named.

        The bytes are read once; what is as it was is passed over by comparing them. What has changed
        is parsed when it is looked at.
        """
        handle = token._native if token else None
        part = native_coverage(coverage)
        return self._told(call(self._native.merge, as_bytes(response), handle, part))

    def merge_items(
        self,
        items: Iterable[T],
        *,
        token: FetchToken | None = None,
        coverage: Ids | Page | None = None,
    ) -> Changes[T]:
        """The same, of values that were parsed already. Slower: they are written as JSON again."""
        return self.merge(self._list(items), token=token, coverage=coverage)

    def observe(self, event: Bytes) -> Changes[T]:
        """Takes a watch event as Kubernetes writes it: an object of ``type`` and ``object``."""
        return self._told(call(self._native.observe, as_bytes(event)))

    def observe_deleted(self, id: ResourceId, version: str | None = None) -> Changes[T]:
        """A stream told that a resource is gone, and not what it was."""
        return self._told(call(self._native.observe_deleted, id_text(id), version))

    def observe_failed(
        self, *, error: str, id: ResourceId | None = None, key: str | None = None
    ) -> Changes[T]:
        """A stream told that the server gave up work that it had accepted: by the resource's id, or by
        the idempotency key or token that was sent with it. One that is not known stays as it is."""
        named: native.NamedOperation
        if id is not None and key is None:
            named = native.NamedOperation.ID(id_text(id))
        elif key is not None and id is None:
            named = native.NamedOperation.KEY(key)
        else:
            raise BadInputError("name the operation by id or by key, one of them", "operation")
        return self._told(call(self._native.observe_failed, named, error))

    def import_v1(self, list: Bytes) -> Changes[T]:
        """Takes a list that version 1.0 saved, with its marks; only into an empty collection."""
        return self._told(call(self._native.import_v1, as_bytes(list)))

    def mark_as_deleting(
        self, id: ResourceId, *, min_ttl: timedelta | float | None = None
    ) -> Changes[T]:
        """Hides a resource that is about to be deleted."""
        name = id if type(id) is str else id_text(id)
        return self._told(call(self._native.mark_as_deleting, name, to_ms(min_ttl)))

    def mark_as_processing(self, id: ResourceId, operation: Kind = Kind.PROCESS) -> Changes[T]:
        """Marks a resource as undergoing an operation."""
        kind = native.Kind[operation.name]
        return self._told(call(self._native.mark_as_processing, id_text(id), kind))

    def mark_as_updating(
        self,
        id: ResourceId,
        patch: Mapping[str, Json] | Bytes,
        *,
        min_ttl: timedelta | float | None = None,
    ) -> Changes[T]:
        """Shows a resource with a JSON merge patch (RFC 7396) laid over it until the server has it."""
        fields = _object(patch)
        return self._told(
            call(self._native.mark_as_updating, id_text(id), fields, to_ms(min_ttl))
        )

    def add_as_creating(
        self, resource: T | Bytes, *, min_ttl: timedelta | float | None = None
    ) -> Changes[T]:
        """Shows a new resource before the server has it, under a temporary or its final id."""
        body = self._body(resource)
        return self._told(call(self._native.add_as_creating, body, to_ms(min_ttl)))

    def replace_created(self, temp_id: ResourceId, resource: T | Bytes) -> Changes[T]:
        """The server answered the creation of ``temp_id`` with this resource."""
        body = self._body(resource)
        return self._told(call(self._native.replace_created, id_text(temp_id), body))

    def update_in_place(self, id: ResourceId, fields: Mapping[str, Json] | Bytes) -> Changes[T]:
        """The server answered with some fields of a resource; each replaces the whole's."""
        return self._told(call(self._native.update_in_place, id_text(id), _object(fields)))

    def update_metadata(self, id: ResourceId, **fields: Json) -> Changes[T]:
        """Changes the metadata fields that are named, by the document's names (``retryCount``);
        ``None`` takes one away."""
        return self._told(call(self._native.update_metadata, id_text(id), to_bytes(fields)))

    def acknowledge(self, operation: int, answer: T | Bytes | None = None) -> Changes[T]:
        """The server accepted an operation, and answered with the resource as it now is, if it did."""
        body = b"" if answer is None else self._body(answer)
        return self._told(call(self._native.acknowledge, operation, body))

    def fail(
        self, operation: int, error: str, *, retry: bool | After | ByStatus = False
    ) -> Changes[T]:
        """An attempt failed; ``retry`` says whether another follows, by default none."""
        return self._told(call(self._native.fail, operation, error, native_retry(retry)))

    def attempt(self, operation: int) -> Changes[T]:
        """The next attempt starts."""
        return self._told(call(self._native.attempt, operation))

    def cancel(self, operation: int) -> Changes[T]:
        """Takes one operation back."""
        return self._told(call(self._native.cancel, operation))

    def complete(self, id: ResourceId) -> Changes[T]:
        """The newest operation of a resource is done."""
        return self._told(call(self._native.complete, id_text(id)))

    def revert(self, id: ResourceId) -> Changes[T]:
        """Ends every unsettled operation of a resource; what the server has answered stays."""
        return self._told(call(self._native.revert, id_text(id)))

    def cancel_operation(self, id: ResourceId) -> Changes[T]:
        """The same as `revert`."""
        return self._told(call(self._native.cancel_operation, id_text(id)))

    def remove(self, id: ResourceId) -> Changes[T]:
        """Drops a resource; a deletion of it counts as confirmed."""
        return self._told(call(self._native.remove, id_text(id)))

    def cleanup_stale_operations(
        self, older_than: timedelta | float = timedelta(minutes=5)
    ) -> Changes[T]:
        """Gives up every operation older than this that no live guard protects."""
        return self._told(call(self._native.cleanup_stale_operations, to_ms(older_than) or 0))

    def batch_mark_as_processing(
        self,
        ids: Iterable[ResourceId],
        operation: Kind,
        *,
        min_ttl: timedelta | float | None = None,
    ) -> Changes[T]:
        """Marks several resources, all or none."""
        names, kind = [id_text(id) for id in ids], native.Kind[operation.name]
        return self._told(
            call(self._native.batch_mark_as_processing, names, kind, to_ms(min_ttl))
        )

    def batch_remove(self, ids: Iterable[ResourceId]) -> Changes[T]:
        """Removes several resources, all or none."""
        return self._told(call(self._native.batch_remove, [id_text(id) for id in ids]))

    def handle_timeout(self) -> Changes[T]:
        """Does all that is due. Every other call does so, too."""
        return self._told(call(self._native.handle_timeout))

    def replay(self, journal: Bytes) -> None:
        """Applies the lines of a journal, each at its own time."""
        call(self._native.replay, as_bytes(journal))

    def apply_event(self, event: Bytes) -> Changes[T]:
        """Applies one event as a journal writes it."""
        return self._told(call(self._native.apply_event, as_bytes(event)))


def _object(fields: Mapping[str, Json] | Bytes) -> bytes:
    if isinstance(fields, (bytes, bytearray, memoryview, str)):
        return as_bytes(fields)
    return to_bytes(dict(fields))
