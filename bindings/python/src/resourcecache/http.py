"""A collection of an HTTP API, for those who just want it; needs the extra ``http`` (httpx).

>>> import httpx
>>> served = httpx.MockTransport(lambda request: httpx.Response(200, json=[{"id": "a"}, {"id": "b"}]))
>>> zones = SyncCollection[JsonObject]("https://api/zones", client=httpx.Client(transport=served))
>>> _ = zones.refresh()
>>> zones.delete("a")
>>> _ = zones.refresh()  # the server still lists it
>>> [zone["id"] for zone in zones.cache]
['b']
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator, Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Generic, TypeVar, Union, cast
from urllib.parse import quote

import anyio
import httpx

from ._cache import ResourceCache
from ._codec import Codec, codec_of, to_bytes
from ._errors import BadInputError, ResourceCacheError
from ._names import Json, JsonObject, Kind, ResourceId, id_text
from ._outbox import Attempt, Create, Delete, Update
from ._rows import Changes
from ._settings import Config, Schema
from ._verbs import ByStatus

T = TypeVar("T")
R = TypeVar("R")

# What a plan asks of whoever drives it: a request to send, or seconds to wait.
_Ask = Union[httpx.Request, float]
_Answer = Union[httpx.Response, httpx.TransportError, None]
_Plan = Generator[_Ask, _Answer, T]


class RequestFailed(ResourceCacheError):
    """The server refused an operation, or could not be reached often enough."""

    def __init__(self, problem: str, id: str = "", operation: int = 0) -> None:
        super().__init__(problem)
        self.args = (problem, id, operation)
        self.id = id
        self.operation = operation


class _Plans(Generic[T]):
    """What to ask of the server, without asking it."""

    def __init__(
        self,
        url: str,
        resource_type: type[T] | None = None,
        *,
        id: str = "/id",
        items: str = "",
        version: str | None = None,
        codec: Codec[T] | None = None,
        config: Config | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = dict(headers or {})
        self._items = [
            name.replace("~1", "/").replace("~0", "~") for name in items.split("/")[1:]
        ]
        schema = Schema(id=id, items=items, version=version)
        chosen: Codec[T] = codec if codec is not None else codec_of(resource_type)
        self.cache: ResourceCache[T] = ResourceCache(codec=chosen, config=config, schema=schema)
        """What is shown, and why."""
        self._etag: str | None = None
        self._last: bytes | None = None

    def _request(self, method: str, url: str, content: bytes | None, **headers: str) -> httpx.Request:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            named.setdefault("Content-Type", "application/json")
        return httpx.Request(
            method, url, content=content, headers={**self._headers, **named}
        )

    def _refreshing(self) -> _Plan[Changes[T]]:
        """Lists: every page, by the links of the answers; what is as it was is not sent again."""
        token = self.cache.begin_fetch()
        headers = {"If_None_Match": self._etag} if self._etag and self._last is not None else {}
        response = _good((yield self._request("GET", self._url, None, **headers)))
        if response.status_code == 304 and self._last is not None:
            # An answer like any other: it was taken now.
            return self.cache.merge(self._last, token=token)
        answer = response.content
        etag = response.headers.get("ETag")
        pages: list[Json] = []
        while "next" in response.links:
            # The tag is one page's, and says nothing of the others.
            etag = None
            if not pages:
                pages += self._items_of(response)
            url = response.url.join(response.links["next"]["url"])
            response = _good((yield self._request("GET", str(url), None)))
            pages += self._items_of(response)
            answer = self._list(pages)
        changes = self.cache.merge(answer, token=token)
        self._etag, self._last = etag, answer if etag else None
        return changes

    def _items_of(self, response: httpx.Response) -> list[Json]:
        value: Any = response.json()
        for name in self._items:
            value = value[name]
        items: list[Json] = value or []
        return items

    def _list(self, items: list[Json]) -> bytes:
        value: Json = items
        for name in reversed(self._items):
            value = {name: value}
        return to_bytes(value)

    def _asking(self, attempt: Attempt[T]) -> httpx.Request:
        url = f"{self._url}/{quote(attempt.id, safe='')}"
        body = None if attempt.body is None else attempt.body.encode()
        key = {"Idempotency_Key": attempt.key}
        if attempt.kind is Kind.CREATE:
            return self._request("POST", self._url, body, **key)
        if attempt.kind is Kind.DELETE:
            return self._request("DELETE", url, None, **key)
        if attempt.patch is not None:
            key["Content_Type"] = "application/merge-patch+json"
            return self._request("PATCH", url, to_bytes(attempt.patch), **key)
        return self._request("PUT", url, body, **key)

    def _answered(self, attempt: Attempt[T], answer: _Answer) -> None:
        """Tells the cache what came of an attempt."""
        if not isinstance(answer, httpx.Response):
            problem = str(answer) or type(answer).__name__
            self.cache.fail(attempt.operation, problem, retry=True)
            return
        gone = attempt.kind is Kind.DELETE and answer.status_code in (404, 410)
        if answer.is_success or gone:
            body = b"" if attempt.kind is Kind.DELETE else _object_of(answer)
            try:
                self.cache.acknowledge(attempt.operation, body or None)
            except BadInputError:
                self.cache.acknowledge(attempt.operation)  # it answered, but with no resource
            return
        problem = f"{answer.status_code} {answer.reason_phrase}"
        again = ByStatus(answer.status_code, retry_after(answer))
        self.cache.fail(attempt.operation, problem, retry=again)

    def _driving(self, id: str, operation: int) -> _Plan[None]:
        """Sends what the outbox hands out, until this operation is answered."""
        while True:
            while (attempt := self.cache.poll_attempt()) is not None:
                self._answered(attempt, (yield self._asking(attempt)))
            state = {o.number: o.state for o in self.cache.operations(id)}.get(operation)
            if state == "failed":
                row = self.cache.row(id)
                error = row.meta.error if row is not None and row.meta is not None else None
                raise RequestFailed(f"{id}: {error or 'failed'}", id, operation)
            if state not in ("creating", "updating", "deleting", "retrying"):
                failed = [o for o in self.cache.outcomes() if o.operation == operation and o.error]
                if failed:
                    raise RequestFailed(f"{id}: {failed[-1].error}", id, operation)
                return
            at = self.cache.next_timeout
            now = self.cache.now
            yield 0.05 if at is None else min(max((at - now).total_seconds(), 0.001), 60.0)

    def _deleting(self, id: ResourceId) -> _Plan[None]:
        return self._begun(id_text(id), self.cache.queue(Delete(id)))

    def _updating(self, id: ResourceId, patch: Mapping[str, Json]) -> _Plan[None]:
        return self._begun(id_text(id), self.cache.queue(Update(id, patch)))

    def _creating(self, resource: T) -> _Plan[None]:
        changes = self.cache.queue(Create(resource))
        return self._begun(changes.upserted[0].id, changes)

    def _begun(self, id: str, changes: Changes[T]) -> _Plan[None]:
        operation = changes.operation
        assert operation is not None  # a verb that begins one answers it
        return self._driving(id, operation)


class Collection(_Plans[T]):
    """A collection of an HTTP API, for asyncio and trio.

    ``refresh`` lists; ``create``, ``update`` and ``delete`` show at once, and return when the server has
    answered: refused, or not reached often enough, they raise `RequestFailed`, and the row says so. What
    is retried, and when, is the ``config``'s ``retry``.
    """

    def __init__(
        self,
        url: str,
        resource_type: type[T] | None = None,
        *,
        id: str = "/id",
        items: str = "",
        version: str | None = None,
        codec: Codec[T] | None = None,
        config: Config | None = None,
        headers: Mapping[str, str] | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            url,
            resource_type,
            id=id,
            items=items,
            version=version,
            codec=codec,
            config=config,
            headers=headers,
        )
        self._client = client or httpx.AsyncClient()
        self._turn = anyio.Lock()

    async def refresh(self) -> Changes[T]:
        """Lists, and merges what is new."""
        return await self._run(self._refreshing())

    async def delete(self, id: ResourceId) -> None:
        """Deletes a resource: hidden at once, and until lists agree."""
        await self._in_turn(self._deleting(id))

    async def update(self, id: ResourceId, patch: Mapping[str, Json]) -> None:
        """Updates a resource by a JSON merge patch: shown at once, and until lists agree."""
        await self._in_turn(self._updating(id, patch))

    async def create(self, resource: T) -> None:
        """Creates a resource, under a temporary id or its own: shown at once, and until lists have it."""
        await self._in_turn(self._creating(resource))

    async def _in_turn(self, plan: _Plan[None]) -> None:
        async with self._turn:
            await self._run(plan)

    async def _run(self, plan: Generator[_Ask, _Answer, R]) -> R:
        answer: _Answer = None
        try:
            while True:
                asked = plan.send(answer)
                answer = None
                if isinstance(asked, httpx.Request):
                    try:
                        answer = await self._client.send(asked)
                    except httpx.TransportError as error:
                        answer = error
                else:
                    await anyio.sleep(asked)
        except StopIteration as stop:
            return cast(R, stop.value)

    async def __aenter__(self) -> Collection[T]:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.aclose()


class SyncCollection(_Plans[T]):
    """The same for plain code, from any thread."""

    def __init__(
        self,
        url: str,
        resource_type: type[T] | None = None,
        *,
        id: str = "/id",
        items: str = "",
        version: str | None = None,
        codec: Codec[T] | None = None,
        config: Config | None = None,
        headers: Mapping[str, str] | None = None,
        client: httpx.Client | None = None,
    ) -> None:
        super().__init__(
            url,
            resource_type,
            id=id,
            items=items,
            version=version,
            codec=codec,
            config=config,
            headers=headers,
        )
        self._client = client or httpx.Client()
        self._turn = threading.Lock()

    def refresh(self) -> Changes[T]:
        """Lists, and merges what is new."""
        return self._run(self._refreshing())

    def delete(self, id: ResourceId) -> None:
        """Deletes a resource: hidden at once, and until lists agree."""
        self._in_turn(self._deleting(id))

    def update(self, id: ResourceId, patch: Mapping[str, Json]) -> None:
        """Updates a resource by a JSON merge patch: shown at once, and until lists agree."""
        self._in_turn(self._updating(id, patch))

    def create(self, resource: T) -> None:
        """Creates a resource, under a temporary id or its own: shown at once, and until lists have it."""
        self._in_turn(self._creating(resource))

    def _in_turn(self, plan: _Plan[None]) -> None:
        with self._turn:
            self._run(plan)

    def _run(self, plan: Generator[_Ask, _Answer, R]) -> R:
        answer: _Answer = None
        try:
            while True:
                asked = plan.send(answer)
                answer = None
                if isinstance(asked, httpx.Request):
                    try:
                        answer = self._client.send(asked)
                    except httpx.TransportError as error:
                        answer = error
                else:
                    time.sleep(asked)
        except StopIteration as stop:
            return cast(R, stop.value)

    def __enter__(self) -> SyncCollection[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()


def _good(answer: _Answer) -> httpx.Response:
    """A list's answer; what is none raises httpx's own error."""
    if isinstance(answer, httpx.TransportError):
        raise answer
    assert answer is not None  # a request was asked for
    if answer.status_code != 304:
        answer.raise_for_status()
    return answer


def _object_of(answer: httpx.Response) -> bytes:
    """The body, where it is a JSON object."""
    try:
        parsed: JsonObject | Json = json.loads(answer.content)
    except ValueError:
        return b""
    return answer.content if isinstance(parsed, dict) else b""


def retry_after(answer: httpx.Response) -> timedelta | None:
    """``Retry-After``: seconds, or a date."""
    text = answer.headers.get("Retry-After", "")
    if text.isdecimal():
        return timedelta(seconds=int(text))
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if until.tzinfo is None:
        return None
    return max(until - datetime.now(timezone.utc), timedelta(0))
