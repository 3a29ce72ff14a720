"""Many threads, and many calls: nothing is lost, and memory stays flat."""

from __future__ import annotations

import os
import random
import threading
from datetime import datetime, timezone
from pathlib import Path

import pytest

from resourcecache import JsonObject, ManualClock, ResourceCache, ResourceCacheError


def test_many_threads() -> None:
    """Each thread creates resources of its own, and edits and deletes those; lists come meanwhile."""
    cache = ResourceCache()
    threads, each = 8, 60
    failures: list[BaseException] = []
    heard: list[int] = []

    def work(number: int) -> None:
        draw = random.Random(number)
        try:
            for i in range(each):
                id = f"{number}-{i}"
                with cache.creating({"id": id, "n": 0}) as creation:
                    creation.answer = {"id": id, "n": 0}
                with cache.updating(id, {"n": i}):
                    pass
                assert cache[id]["n"] == i
                if draw.random() < 0.5:
                    with cache.deleting(id):
                        pass
                    assert id not in cache
                if i % 10 == 0:
                    len(cache.rows()), cache.outcomes(), cache.save()
        except BaseException as error:
            failures.append(error)

    def list_again() -> None:
        try:
            for _ in range(100):
                cache.merge(b"[]")
                cache.handle_timeout()
        except BaseException as error:
            failures.append(error)

    with cache.subscribe(heard.append):
        running = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
        running.append(threading.Thread(target=list_again))
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(60)
    assert not failures, failures[0]
    kept = 0
    for number in range(threads):
        draw = random.Random(number)
        kept += sum(draw.random() >= 0.5 for _ in range(each))
    assert len(cache) == kept
    assert max(heard) == cache.revision


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells its memory so")
def test_memory_is_flat() -> None:
    """A tenth of a million calls each way, after as many to warm up; MEMORY_CALLS says more."""
    calls = int(os.environ.get("MEMORY_CALLS", "100000"))
    clock = ManualClock(datetime(2025, 1, 19, tzinfo=timezone.utc))
    cache: ResourceCache[JsonObject] = ResourceCache(clock=clock)
    cache.merge(b'[{"id": "a", "n": 1}, {"id": "b", "n": 1}]')

    def some(count: int) -> None:
        for i in range(count // 10):
            clock.advance(700)  # what was asked for before is settled, and forgotten
            operation = cache.mark_as_updating("a", {"n": i % 5}).operation
            assert operation is not None
            cache.acknowledge(operation, {"id": "a", "n": i % 5})
            with cache.deleting("b"):
                pass
            cache.revert("b")
            assert cache["a"]["n"] == i % 5
            cache.merge(b'[{"id": "a", "n": %d}, {"id": "b", "n": 1}]' % (i % 5))
            try:
                cache.mark_as_updating("x y z", b"no JSON")
            except ResourceCacheError:
                pass
            cache.changes_since(cache.revision - 1), cache.explain("a")

    some(calls)
    before = _resident()
    some(calls)
    assert _resident() - before < 2_000_000
