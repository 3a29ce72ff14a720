"""Keeps a cache right by a list and a stream of events, over HTTP; needs the extra ``watch`` (httpx,
httpx-sse).

``async with watching(cache, Kubernetes(url), client):`` lists, opens the stream, goes on from the last
version when it breaks, lists again when that is forgotten, and waits after failures, for as long as the
block runs; in asyncio and (by anyio) in trio. It decides nothing itself: a session of the native side
says what to ask for next, and is handed what came of it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, Union

import anyio
import anyio.abc
import httpx
from httpx_sse import EventSource, SSEError

from ._base import logger
from ._border import native
from ._cache import ResourceCache
from ._errors import call
from ._names import to_ms
from ._settings import Schema, schema_of
from ._watch_settings import Feed, FeedWords, Position, WatchSettings, native_watch
from .http import retry_after

__all__ = [
    "Feed",
    "FeedWords",
    "Kubernetes",
    "Position",
    "ServerSentEvents",
    "Watch",
    "WatchSettings",
    "kubernetes_schema",
    "watching",
]

T = TypeVar("T")

MAX_MESSAGE = 64 * 1024 * 1024
"""How many bytes one line of a stream may have; a longer one breaks it."""


@dataclass(frozen=True)
class Kubernetes:
    """A collection of Kubernetes' API, or of one that is made like it: one URL for the list and, with
    ``watch=true``, for a stream of JSON texts, one a line."""

    url: str
    params: Mapping[str, str] | None = None
    """What to select by, such as ``labelSelector``."""


@dataclass(frozen=True)
class ServerSentEvents:
    """A list at one URL, and a stream of server-sent events at another. The last version or sequence
    number goes into ``Last-Event-ID`` where the settings say that the stream goes on from it."""

    list_url: str
    events_url: str
    feed: Feed = Feed()
    """How the events' data are read. The word is that of ``event:``, unless the feed has its own."""


Source = Union[Kubernetes, ServerSentEvents]


def kubernetes_schema() -> Schema:
    """Where Kubernetes keeps things, in resources of one namespace, or of none. Its versions are
    integers: ``Config(version_order=VersionOrder.INTEGER)``."""
    return schema_of(call(native.kubernetes_schema))


class Watch(Generic[T]):
    """A watch that runs; made by `watching`."""

    def __init__(
        self,
        cache: ResourceCache[T],
        source: Source,
        client: httpx.AsyncClient,
        settings: WatchSettings,
        position: Position | None,
    ) -> None:
        self._cache = cache
        self._source = source
        self._client = client
        feed = source.feed if isinstance(source, ServerSentEvents) else None
        start = None
        if position is not None:
            start = native.WatchPosition(version=position.version, sequence=position.sequence)
        self._session = call(
            native.WatchSession, cache._native, native_watch(settings, feed), start
        )
        self._calls: dict[int, anyio.CancelScope] = {}
        self._woken = anyio.Event()
        self._told = anyio.Event()

    @property
    def state(self) -> Literal["listing", "watching", "backing_off", "offline"]:
        """What it is about."""
        names: dict[str, Literal["listing", "watching", "backing_off", "offline"]] = {
            "LISTING": "listing",
            "WATCHING": "watching",
            "BACKING_OFF": "backing_off",
            "OFFLINE": "offline",
        }
        return names[call(self._session.state).name]

    @property
    def is_synced(self) -> bool:
        """Whether all that the server has told so far is in the cache, and nothing was missed."""
        return call(self._session.is_synced)

    @property
    def failure(self) -> str | None:
        """Why it last failed, until something goes well."""
        failure = call(self._session.failure)
        if failure is None:
            return None
        status = "" if failure.status is None else f"HTTP {failure.status}: "
        return status + failure.problem

    @property
    def position(self) -> Position | None:
        """From where another watch could go on, with the cache as it is now; ``None`` when it would
        have to begin with a list."""
        at = call(self._session.position)
        return None if at is None else Position(at.version, at.sequence)

    async def synced(self) -> None:
        """Waits until `is_synced`."""
        while not self.is_synced:
            await self._told.wait()

    def set_online(self, online: bool) -> None:
        """Whether there is a network: the watch is told, and the cache's outbox."""
        self._cache.online = online
        call(self._session.set_online, online)
        self._woken.set()

    def relist(self) -> None:
        """Lists again, as soon as the settings allow: something may have been missed."""
        call(self._session.relist)
        self._woken.set()

    async def _run(self) -> None:
        async with anyio.create_task_group() as group:
            while True:
                self._woken = anyio.Event()
                self._act(group)
                at = call(self._session.poll_timeout_ms)
                now = call(self._cache._native.now_ms)
                # At least a little, so that a clock that stands does not make it spin.
                wait = float("inf") if at is None else max((at - now) / 1000, 0.001)
                with anyio.move_on_after(wait):
                    await self._woken.wait()

    def _act(self, group: anyio.abc.TaskGroup) -> None:
        """Does what the session asks for."""
        while (action := call(self._session.poll)) is not None:
            if isinstance(action, native.WatchAction.APPLIED):
                self._cache._told(action.applied)
            elif isinstance(action, native.WatchAction.REFUSED):
                logger.warning("a watch's event was refused: %s", action.problem)
            elif isinstance(action, native.WatchAction.LIST_CALL):
                group.start_soon(self._list, action, self._scope(action.call))
            elif isinstance(action, native.WatchAction.WATCH_CALL):
                group.start_soon(self._stream, action, self._scope(action.call), group)
            elif isinstance(action, native.WatchAction.CLOSE):
                scope = self._calls.pop(action.call, None)
                if scope is not None:
                    scope.cancel()
        told, self._told = self._told, anyio.Event()
        told.set()

    def _scope(self, number: int) -> anyio.CancelScope:
        scope = self._calls[number] = anyio.CancelScope()
        return scope

    async def _list(self, action: native.WatchAction.LIST_CALL, scope: anyio.CancelScope) -> None:
        source = self._source
        with scope:
            try:
                if isinstance(source, Kubernetes):
                    answer = await self._client.get(source.url, params=_query(source, action.query))
                else:
                    answer = await self._client.get(source.list_url)
            except httpx.HTTPError as error:
                self._failed(action.call, error)
            else:
                if answer.status_code == 200:
                    problem = call(self._session.handle_list, action.call, answer.content)
                    if problem is not None:
                        logger.warning("a list cannot be read: %s", problem)
                else:
                    self._refused(action.call, answer, answer.content)
        self._ended(action.call)

    async def _stream(
        self,
        action: native.WatchAction.WATCH_CALL,
        scope: anyio.CancelScope,
        group: anyio.abc.TaskGroup,
    ) -> None:
        with scope:
            try:
                async with self._open(action) as answer:
                    if answer.status_code != 200:
                        self._refused(action.call, answer, await answer.aread())
                    else:
                        call(self._session.handle_opened, action.call)
                        self._act(group)
                        async for word, message in self._messages(answer):
                            self._heard(action.call, word, message)
                            self._act(group)
                        call(self._session.handle_closed, action.call)
            except (httpx.HTTPError, SSEError, _TooLong) as error:
                self._failed(action.call, error)
        self._ended(action.call)

    @asynccontextmanager
    async def _open(self, action: native.WatchAction.WATCH_CALL) -> AsyncGenerator[httpx.Response, None]:
        """Opens the stream; that it may be silent is the session's matter."""
        timeout = httpx.Timeout(**{**self._client.timeout.as_dict(), "read": None})
        source = self._source
        if isinstance(source, Kubernetes):
            opened = self._client.stream(
                "GET", source.url, params=_query(source, action.query), timeout=timeout
            )
        else:
            headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
            last = action.version if action.sequence is None else str(action.sequence)
            if last is not None:
                headers["Last-Event-ID"] = last
            opened = self._client.stream(
                "GET", source.events_url, headers=headers, timeout=timeout
            )
        async with opened as answer:
            yield answer

    async def _messages(self, answer: httpx.Response) -> AsyncIterator[tuple[str | None, bytes]]:
        """The messages of a stream, each with the word beside it, if it has one."""
        if isinstance(self._source, Kubernetes):
            async for line in _lines(answer):
                yield None, line
            return
        own = self._source.feed.word is not None
        async for event in EventSource(answer).aiter_sse():
            beside = None if own or event.event == "message" else event.event
            yield beside, event.data.encode()

    def _heard(self, number: int, word: str | None, message: bytes) -> None:
        if not message.strip():  # a heartbeat
            return call(self._session.handle_heard, number)
        problem = call(self._session.handle_message, number, message, word)
        if problem is not None:
            logger.warning("a message of a stream cannot be read: %s", problem)

    def _refused(self, number: int, answer: httpx.Response, body: bytes) -> None:
        wait = to_ms(retry_after(answer))
        call(self._session.handle_status, number, answer.status_code, body, wait)

    def _failed(self, number: int, error: Exception) -> None:
        problem = str(error) or type(error).__name__
        call(self._session.handle_failed, number, native.WatchFailure(problem=problem))

    def _ended(self, number: int) -> None:
        self._calls.pop(number, None)
        self._woken.set()


class _TooLong(Exception):
    """A line of a stream that has no end."""


async def _lines(answer: httpx.Response) -> AsyncIterator[bytes]:
    """The lines of a body as JSON has them: ended by line feeds alone, as httpx' own are not."""
    parts: list[bytes] = []
    size = 0
    async for chunk in answer.aiter_bytes():
        *ended, rest = chunk.split(b"\n")
        for line in ended:
            whole = b"".join([*parts, line])
            parts, size = [], 0
            yield whole
        parts.append(rest)
        size += len(rest)
        if size > MAX_MESSAGE:
            raise _TooLong(f"a message of the stream is longer than {MAX_MESSAGE} bytes")
    # What a stream breaks off within a line is no message.


def _query(source: Kubernetes, query: list[native.QueryParameter]) -> dict[str, str]:
    return {**(source.params or {}), **{parameter.name: parameter.value for parameter in query}}


@asynccontextmanager
async def watching(
    cache: ResourceCache[T],
    source: Source,
    client: httpx.AsyncClient,
    *,
    settings: WatchSettings | None = None,
    position: Position | None = None,
) -> AsyncGenerator[Watch[T], None]:
    """Keeps the cache right while the block runs. What the server answers is read by the cache's schema
    (see `kubernetes_schema`). From a ``position`` that was saved with the cache's state, it goes on
    with the stream; otherwise it begins with a list."""
    watch = Watch(cache, source, client, settings or WatchSettings(), position)
    async with anyio.create_task_group() as group:
        group.start_soon(watch._run)
        try:
            yield watch
        finally:
            group.cancel_scope.cancel()
