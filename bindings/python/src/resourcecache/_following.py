"""Following a cache: callbacks, a stream of changes, and the timer of its deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from ._base import logger
from ._border import native
from ._errors import call
from ._rows import Changes
from ._waking import Waker

if TYPE_CHECKING:
    from ._cache import ResourceCache

T = TypeVar("T")


class _Callback(native.ChangeObserver):
    def __init__(self, function: Callable[[int], object]) -> None:
        self._function = function

    def changed(self, revision: int) -> None:
        try:
            self._function(revision)
        except Exception:
            logger.exception("an observer raised, and is called again nevertheless")


class Subscription:
    """A callback that is told of every change, until it is closed; a context manager."""

    def __init__(self, cache: ResourceCache[T], observer: native.ChangeObserver) -> None:
        self._native = cache._native
        self._number = call(self._native.subscribe, observer)

    def close(self) -> None:
        """Ends it. Twice is once."""
        call(self._native.unsubscribe, self._number)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def subscription(cache: ResourceCache[T], function: Callable[[int], object]) -> Subscription:
    return Subscription(cache, _Callback(function))


class ChangeStream(Generic[T]):
    """The changes of a cache from when it was made, for ``async for``; close it with ``aclose`` or by
    ``async with``. A slow reader gets several changes as one."""

    def __init__(self, cache: ResourceCache[T], since: int | None) -> None:
        self._cache = cache
        self._waker = Waker()
        self._subscription: Subscription | None = Subscription(cache, self._waker)
        self._revision = cache.revision if since is None else since

    def __aiter__(self) -> ChangeStream[T]:
        return self

    async def __anext__(self) -> Changes[T]:
        while self._subscription is not None:
            if self._cache.revision > self._revision:
                changes = self._cache.changes_since(self._revision)
                self._revision = changes.revision
                if changes or changes.whole:
                    return changes
                continue
            await self._waker.wait()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Ends it; who waits for the next change is told that there is none."""
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
            self._waker.set()

    async def __aenter__(self) -> ChangeStream[T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


async def run_deadlines(cache: ResourceCache[T]) -> NoReturn:
    """Does what is due when it is due, for ever."""
    waker = Waker()
    with Subscription(cache, waker):
        while True:
            at = cache.next_timeout
            wait = None if at is None else (at - cache.now).total_seconds()
            if wait is not None and wait <= 0:
                cache.handle_timeout()
                again = cache.next_timeout
                if again is None or again > cache.now:
                    continue
                # A deadline that only the caller's own action moves: a retry that is due.
                wait = 1.0
            await waker.wait(wait)


@asynccontextmanager
async def deadlines(cache: ResourceCache[T]) -> AsyncGenerator[None, None]:
    """Runs the deadlines while the block runs."""
    try:
        loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    if loop is not None:
        task = loop.create_task(run_deadlines(cache))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return
    import anyio

    async with anyio.create_task_group() as group:
        group.start_soon(run_deadlines, cache)
        try:
            yield
        finally:
            group.cancel_scope.cancel()
