"""A watch over HTTP, against a server of the test's own that breaks, forgets and lags."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from urllib.parse import parse_qsl, urlsplit

import anyio
import httpx
import pytest

from resourcecache import Config, JsonObject, Linear, ManualClock, ResourceCache, VersionOrder
from resourcecache.watching import (
    Feed,
    FeedWords,
    Kubernetes,
    ServerSentEvents,
    WatchSettings,
    kubernetes_schema,
    watching,
)

pytestmark = pytest.mark.anyio
QUICK = WatchSettings(
    backoff=Linear(timedelta(milliseconds=5)), list_interval=timedelta(milliseconds=5)
)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pod(name: str, version: int) -> JsonObject:
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


class Server:
    """Lists ``items`` at ``version``, and streams what is put into ``events``: bytes, an HTTP status to
    refuse the stream by, or ``None`` to break it off."""

    def __init__(self) -> None:
        self.items: list[JsonObject] = []
        self.version = 1
        self.events: Queue[bytes | int | None] = Queue()
        self.asked: list[dict[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = dict(parse_qsl(url.query))
                server.asked.append({**query, "last": self.headers.get("Last-Event-ID", "")})
                if query.get("watch") == "true" or url.path == "/events":
                    self._stream(url.path == "/events")
                else:
                    self._list(url.path == "/zones")

            def _list(self, plain: bool) -> None:
                listed: object = server.items
                if not plain:
                    listed = {
                        "metadata": {"resourceVersion": str(server.version)},
                        "items": server.items,
                    }
                self._answer(200, json.dumps(listed).encode())

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _stream(self, sse: bool) -> None:
                event = server.events.get(timeout=30)
                if isinstance(event, int):
                    gone = {"kind": "Status", "code": event, "message": "too old"}
                    return self._answer(event, json.dumps(gone).encode())
                self.send_response(200)
                if sse:
                    self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                while isinstance(event, bytes):
                    self.wfile.write(event)
                    self.wfile.flush()
                    event = server.events.get(timeout=30)
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def tell(self, kind: str, resource: JsonObject) -> None:
        self.events.put(json.dumps({"type": kind, "object": resource}).encode() + b"\n")

    def close(self) -> None:
        self.events.put(None)
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


async def until(cache: ResourceCache[JsonObject], *names: str, at: str = "name") -> None:
    with anyio.fail_after(20):
        while True:
            rows = [row.id for row in cache.rows()]
            if rows == list(names):
                return
            await anyio.sleep(0.005)


def pods() -> ResourceCache[JsonObject]:
    return ResourceCache(
        config=Config(version_order=VersionOrder.INTEGER), schema=kubernetes_schema()
    )


async def test_kubernetes_lists_streams_goes_on_and_lists_again(server: Server) -> None:
    server.items, server.version = [pod("a", 1), pod("b", 2)], 2
    cache = pods()
    source = Kubernetes(f"{server.url}/pods", {"labelSelector": "app=web"})
    async with httpx.AsyncClient() as client:
        async with watching(cache, source, client, settings=QUICK) as watch:
            await until(cache, "a", "b")
            cache.mark_as_deleting("a")
            # A line in two parts, with what `splitlines` would take for its end within.
            line = json.dumps(
                {"type": "ADDED", "object": {**pod("c", 3), "note": "one\u2028two"}},
                ensure_ascii=False,
            ).encode()
            server.events.put(line[:20])
            server.events.put(line[20:] + b"\n\n")
            await until(cache, "b", "c")
            await watch.synced()
            assert watch.state == "watching" and watch.failure is None
            assert watch.position is not None and watch.position.version == "3"
            assert cache["c"]["note"] == "one\u2028two"
            server.tell("DELETED", pod("a", 4))
            await until(cache, "b", "c")
            server.events.put(None)  # it breaks off, and goes on from there
            server.tell("MODIFIED", {**pod("b", 5), "seen": True})
            with anyio.fail_after(20):
                while cache["b"].get("seen") is not True:
                    await anyio.sleep(0.005)
            server.items, server.version = [pod("d", 9)], 9
            server.events.put(None)
            server.events.put(410)
            await until(cache, "d")
    watches = [asked for asked in server.asked if "watch" in asked]
    lists = [asked for asked in server.asked if "watch" not in asked]
    assert [asked["resourceVersion"] for asked in watches][:3] == ["2", "4", "5"]
    assert all(asked["labelSelector"] == "app=web" for asked in server.asked)
    assert len(lists) == 2 and lists[0]["limit"] == "500"


async def test_server_sent_events_by_their_own_words(server: Server) -> None:
    server.items = [{"id": "a"}]
    cache = ResourceCache()
    words = FeedWords(modified=["set"], deleted=["del"], failed=["gave_up"])
    feed = Feed(resource="/doc", id="/key", error="/why", words=words)
    source = ServerSentEvents(f"{server.url}/zones", f"{server.url}/events", feed)
    async with httpx.AsyncClient() as client:
        async with watching(cache, source, client, settings=QUICK) as watch:
            server.events.put(b": hello\n\n")
            await watch.synced()
            await until(cache, "a")
            server.events.put(b'event: set\ndata: {"doc": {"id": "b"}}\n\n')
            await until(cache, "a", "b")
            server.events.put(b'event: del\ndata: {"key": "a"}\n\n')
            await until(cache, "b")
            cache.mark_as_deleting("b")
            server.events.put(b'event: gave_up\ndata: {"key": "b", "why": "locked"}\n\n')
            await until(cache, "b")
            row = cache.row("b")
            assert row is not None and row.meta is not None and row.meta.error == "locked"
            server.items = [{"id": "b"}, {"id": "c"}]
            server.events.put(None)  # a new stream tells only what is new: it lists again
            server.events.put(b": hello again\n\n")
            await until(cache, "b", "c")


async def test_failures_are_told_and_waited_for(server: Server) -> None:
    cache = pods()
    async with httpx.AsyncClient() as client:
        nobody = Kubernetes("http://127.0.0.1:9/pods")
        async with watching(cache, nobody, client, settings=QUICK) as watch:
            with anyio.fail_after(20):
                while watch.failure is None:
                    await anyio.sleep(0.005)
            assert not watch.is_synced and watch.position is None
            watch.set_online(False)
            assert watch.state == "offline" and not cache.online
    server.items = [pod("a", 1)]
    async with httpx.AsyncClient() as client:
        source = Kubernetes(f"{server.url}/pods")
        async with watching(cache, source, client, settings=QUICK) as watch:
            await until(cache, "a")
            server.items = [pod("a", 1), pod("b", 2)]
            watch.relist()
            server.tell("BOOKMARK", pod("", 2))
            await until(cache, "a", "b")


def test_what_a_stream_tells_without_bodies() -> None:
    cache = ResourceCache(clock=ManualClock(ResourceCache().now))
    cache.merge(b'[{"id": "a"}, {"id": "b"}]')
    assert [row.id for row in cache.observe_deleted("a").removed] == ["a"]
    cache.mark_as_deleting("b")
    assert [o.error for o in cache.observe_failed(id="b", error="locked").outcomes] == ["locked"]
    assert not cache.observe_failed(key="unknown", error="locked")
    with pytest.raises(ValueError, match="one of them"):
        cache.observe_failed(error="locked")
