"""asyncio and trio: blocks, the stream of changes, the timer of deadlines."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import anyio
import pytest

from resourcecache import Config, ResourceCache, Status

pytestmark = pytest.mark.anyio
LIST = b'[{"id": "a"}, {"id": "b"}]'


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_blocks_around_calls() -> None:
    cache = ResourceCache()
    cache.merge(LIST)
    async with cache.deleting("a"):
        await anyio.sleep(0)
        assert cache.status("a") is Status.DELETING
    assert cache.state("a") == "deleted"
    with pytest.raises(RuntimeError):
        async with cache.updating("b", {"n": 1}):
            raise RuntimeError("no")
    assert cache.state("b") == "failed"


async def test_a_cancelled_block_decides_nothing() -> None:
    cache = ResourceCache()
    cache.merge(LIST)
    with anyio.move_on_after(0.01):
        async with cache.deleting("a"):
            await anyio.sleep(5)
    assert cache.state("a") == "deleting"


async def test_changes_of_other_threads_arrive() -> None:
    cache = ResourceCache()
    cache.merge(LIST)
    seen: list[str] = []
    async with cache.changes() as changes:
        timer = threading.Timer(0.2, lambda: cache.mark_as_deleting("a"))
        timer.start()  # while the loop sleeps, and nothing else would wake it
        start = time.monotonic()
        with anyio.fail_after(20):
            async for change in changes:
                seen += [row.id for row in change.removed]
                if seen == ["a"]:
                    cache.mark_as_deleting("b")
                if seen == ["a", "b"]:
                    break
        assert time.monotonic() - start < 15
        timer.join()
    with pytest.raises(StopAsyncIteration):
        await changes.__anext__()


async def test_changes_since_a_revision_come_at_once() -> None:
    cache = ResourceCache()
    cache.merge(LIST)
    async with cache.changes(since=0) as changes:
        with anyio.fail_after(5):
            change = await changes.__anext__()
    assert [row.id for row in change.upserted] == ["a", "b"]


async def test_deadlines_pass_by_themselves() -> None:
    cache = ResourceCache(config=Config(error_shown=timedelta(milliseconds=30)))
    cache.merge(LIST)
    async with cache.deadline_timer():
        operation = cache.mark_as_deleting("a").operation
        assert operation is not None
        cache.fail(operation, "no")
        with anyio.fail_after(5):
            async for change in cache.changes():
                if any(row.id == "a" and row.state == "idle" for row in change.upserted):
                    break
    assert cache.state("a") == "idle"


def test_outside_an_event_loop_it_says_so() -> None:
    with pytest.raises(RuntimeError, match="no event loop runs here|must be called from async"):
        ResourceCache().changes()
