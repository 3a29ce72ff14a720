"""The collection of an HTTP API, against a server that lags behind its own answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio
import httpx
import pytest

from resourcecache import Config, JsonObject, Linear, RetryPolicy
from resourcecache.http import Collection, RequestFailed, SyncCollection

QUICK = Config(retry=RetryPolicy(backoff=Linear(timedelta(milliseconds=5))))


class Lagging:
    """Accepts every change, and goes on listing what there was, until `catch_up`."""

    def __init__(self, *ids: str) -> None:
        self.truth = {id: {"id": id, "n": 1} for id in ids}
        self.listed = dict(self.truth)
        self.asked: list[httpx.Request] = []
        self.faults: list[Callable[[], httpx.Response]] = []
        self.page_size: int | None = None

    def catch_up(self) -> None:
        self.listed = dict(self.truth)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.method == "GET":
            return self._list(request)
        if self.faults:
            return self.faults.pop(0)()
        body: Any = json.loads(request.content) if request.content else None
        if request.method == "POST":
            made = {**body, "id": f"z{len(self.truth)}"}
            self.truth[made["id"]] = made
            return httpx.Response(201, json=made)
        id = request.url.path.rsplit("/", 1)[1]
        if id not in self.truth:
            return httpx.Response(404)
        if request.method == "DELETE":
            del self.truth[id]
            return httpx.Response(204)
        self.truth[id] = {**self.truth[id], **body}
        return httpx.Response(200, json=self.truth[id])

    def _list(self, request: httpx.Request) -> httpx.Response:
        items = list(self.listed.values())
        if self.page_size is not None:
            at = int(request.url.params.get("from", "0"))
            to = at + self.page_size
            links: dict[str, str] = {"Link": f'</zones?from={to}>; rel="next"'} if to < len(items) else {}
            tagged = {"ETag": '"page"', **links}
            return httpx.Response(200, json={"data": items[at:to]}, headers=tagged)
        tag = f'"{hash(json.dumps(items))}"'
        if request.headers.get("If-None-Match") == tag:
            return httpx.Response(304)
        return httpx.Response(200, json=items, headers={"ETag": tag})

    def zones(self, **more: Any) -> SyncCollection[JsonObject]:
        client = httpx.Client(transport=httpx.MockTransport(self))
        return SyncCollection("https://api/zones", config=QUICK, client=client, **more)


def ids(zones: SyncCollection[JsonObject] | Collection[JsonObject]) -> list[object]:
    return [zone["id"] for zone in zones.cache]


def test_nothing_flickers() -> None:
    server = Lagging("a", "b")
    with server.zones() as zones:
        zones.refresh()
        zones.delete("a")
        zones.update("b", {"n": 2})
        zones.create({"id": "tmp", "n": 3})
        for _ in range(2):
            assert ids(zones) == ["b", "z1"]
            assert zones.cache["b"]["n"] == 2
            zones.refresh()
        server.catch_up()
        zones.refresh()
        assert ids(zones) == ["b", "z1"] and not zones.cache.should_poll
    keys = [request.headers.get("Idempotency-Key") for request in server.asked]
    assert len({key for key in keys if key}) == 3


def test_what_is_as_it_was_is_not_sent_again() -> None:
    server = Lagging("a")
    zones = server.zones()
    zones.refresh()
    assert not zones.refresh()
    assert [r.headers.get("If-None-Match") is not None for r in server.asked] == [False, True]


def test_pages_are_followed() -> None:
    server = Lagging("a", "b", "c", "d", "e")
    server.page_size = 2
    zones = server.zones(items="/data")
    zones.refresh()
    assert ids(zones) == ["a", "b", "c", "d", "e"]
    assert len(server.asked) == 3
    zones.refresh()  # the tag of a page says nothing of the others
    assert len(server.asked) == 6
    assert not any("If-None-Match" in request.headers for request in server.asked)


def test_busy_servers_are_asked_again_with_the_same_key() -> None:
    server = Lagging("a")
    zones = server.zones()
    zones.refresh()

    def unreachable() -> httpx.Response:
        raise httpx.ConnectError("no route")

    server.faults = [lambda: httpx.Response(503, headers={"Retry-After": "0"}), unreachable]
    zones.update("a", {"n": 2})
    asked = [r for r in server.asked if r.method == "PATCH"]
    assert len(asked) == 3 and len({r.headers["Idempotency-Key"] for r in asked}) == 1
    assert asked[0].headers["Content-Type"] == "application/merge-patch+json"
    assert zones.cache["a"]["n"] == 2


def test_refusals_are_raised_and_shown() -> None:
    server = Lagging("a")
    zones = server.zones()
    zones.refresh()
    server.faults = [lambda: httpx.Response(403)]
    with pytest.raises(RequestFailed, match="a: 403 Forbidden") as refused:
        zones.delete("a")
    assert refused.value.id == "a"
    assert ids(zones) == ["a"]
    badge = zones.cache.badge("a")
    assert badge is not None and badge.label == "403 Forbidden"
    server.faults = [lambda: httpx.Response(503)] * 3
    with pytest.raises(RequestFailed, match="503"):
        zones.update("a", {"n": 5})
    assert zones.cache["a"]["n"] == 1


def test_what_is_gone_already_was_deleted() -> None:
    server = Lagging("a")
    zones = server.zones()
    zones.refresh()
    del server.truth["a"]
    zones.delete("a")
    assert ids(zones) == []


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_the_async_twin() -> None:
    server = Lagging("a", "b", "c")
    client = httpx.AsyncClient(transport=httpx.MockTransport(server))
    async with Collection[JsonObject]("https://api/zones", config=QUICK, client=client) as zones:
        await zones.refresh()
        async with anyio.create_task_group() as group:
            group.start_soon(zones.delete, "a")
            group.start_soon(zones.update, "b", {"n": 2})
            new: JsonObject = {"id": "tmp"}
            group.start_soon(zones.create, new)
        await zones.refresh()
        # Which of the three is sent first is the scheduler's choice, and so is the number of the new one.
        assert [zone["id"] for zone in zones.cache] in (["b", "c", "z2"], ["b", "c", "z3"])


def test_lists_that_fail_raise_and_change_nothing() -> None:
    zones = SyncCollection[JsonObject](
        "https://api/zones",
        client=httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(500))),
    )
    with pytest.raises(httpx.HTTPStatusError):
        zones.refresh()
    assert len(zones.cache) == 0
