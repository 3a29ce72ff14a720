"""``with`` blocks around a call to the server: what comes of the block is what is reported."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from ._base import Bytes, logger
from ._errors import ResourceCacheError
from ._rows import Changes

if TYPE_CHECKING:
    from ._cache import ResourceCache

T = TypeVar("T")


class Scope(Generic[T]):
    """One operation, from its mark to its answer; for ``with`` and ``async with``.

    The block calls the server. When it ends well, the operation is acknowledged, with `answer` if the
    block set it; when it raises, the operation has failed, and the exception goes on. When it is
    cancelled or interrupted, nobody knows whether the server was reached: then the next lists decide.
    """

    def __init__(self, cache: ResourceCache[T], changes: Changes[T], id: str) -> None:
        self._cache = cache
        self.changes = changes
        """What the mark changed."""
        self.operation = changes.operations[0]
        """The operation's number."""
        self.id = id
        """The resource's id; a temporary one, for a creation."""
        self.answer: T | Bytes | None = None
        """The resource as the server answered it: set it within the block."""

    def __enter__(self) -> Scope[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self._cache.acknowledge(self.operation, self.answer)
        elif isinstance(error, Exception):
            try:
                self._cache.fail(self.operation, str(error) or type(error).__name__)
            except ResourceCacheError as refused:
                # The block's own exception is the one to be seen.
                logger.warning("%s: the failure could not be noted: %s", self.id, refused)

    async def __aenter__(self) -> Scope[T]:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __repr__(self) -> str:
        return f"<Scope: operation {self.operation} on {self.id!r}>"
