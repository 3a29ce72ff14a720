"""Collections in stores: opened anew, shared, refused without harm."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from resourcecache import (
    BadInputError,
    Config,
    CustomStore,
    Delete,
    ForkedError,
    ResourceCache,
    Store,
    StoreError,
)

LIST = b'[{"id": "a"}, {"id": "b"}]'
SAME = Config(seed=1)


def test_what_was_answered_is_there_in_another_process(tmp_path: Path) -> None:
    address = f"sqlite:{tmp_path / 'zones.sqlite'}"
    code = (
        "import os, sys\n"
        "from resourcecache import ResourceCache\n"
        "zones = ResourceCache.open(sys.argv[1], key='zones')\n"
        "zones.merge(b'[{\"id\": \"a\"}, {\"id\": \"b\"}]')\n"
        "with zones.deleting('a'):\n"
        "    pass\n"
        "os._exit(7)\n"  # nothing is closed, as when it is killed
    )
    ended = subprocess.run([sys.executable, "-c", code, address], check=False)
    assert ended.returncode == 7
    with ResourceCache.open(address, key="zones") as zones:
        assert [zone["id"] for zone in zones] == ["b"]
        zones.merge(LIST)
        assert [zone["id"] for zone in zones] == ["b"]
        assert zones.key == "zones"
    with pytest.raises(StoreError) as refused:
        zones.mark_as_deleting("b")
    assert (refused.value.kind, refused.value.key, refused.value.retryable) == ("closed", "zones", False)
    assert [zone["id"] for zone in zones] == ["b"]  # what is in memory can be read


def test_several_share_a_collection(tmp_path: Path) -> None:
    with Store(f"sqlite:{tmp_path / 'zones.sqlite'}") as store:
        here = ResourceCache.open(store, config=SAME)
        there = ResourceCache.open(store, config=SAME)
        here.merge(LIST)
        assert [row.id for row in there.sync().upserted] == ["a", "b"]
        here.mark_as_deleting("a")
        changes = there.mark_as_deleting("b")
        assert [row.id for row in changes.removed] == ["a", "b"]
        here.sync()
        assert here.save() == there.save()
        here.close()  # which is not the store's
        assert store.keys() == ["default"]
        assert store.delete("default") and not store.delete("default")
        assert len(here.sync().removed) == 0 and len(here) == 0


def test_commits_of_others_are_waited_for(tmp_path: Path) -> None:
    with Store(f"sqlite:{tmp_path / 'zones.sqlite'}") as store:
        here, there = (ResourceCache.open(store, config=SAME) for _ in range(2))
        assert not there.wait_for_commits(0)
        here.merge(LIST)
        assert there.wait_for_commits(timedelta(seconds=10))
        there.sync()
        assert len(there) == 2


def test_one_of_several_sends() -> None:
    store = Store("memory:")
    here, there = (ResourceCache.open(store, config=SAME) for _ in range(2))
    assert here.lead("here", timedelta(minutes=1)) and not there.lead("there", 60)
    here.merge(LIST)
    there.queue(Delete("a"))
    assert there.poll_attempt() is None
    here.sync()
    sent = here.poll_attempt()
    assert sent is not None and sent.id == "a"
    here.step_down("here")
    assert there.lead("there", 60)


class Dictionary(CustomStore):
    """A store as one writes it."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, dict[str, bytes]]] = {}
        self.fault: Exception | None = None

    def load(self, key: str) -> tuple[str, Mapping[str, bytes]] | None:
        return self.kept.get(key)

    def revision(self, key: str) -> str | None:
        return self.kept[key][0] if key in self.kept else None

    def commit(
        self, key: str, expected: str | None, revision: str, parts: Mapping[str, bytes | None]
    ) -> bool:
        if self.fault is not None:
            raise self.fault
        if self.revision(key) != expected:
            return False
        now = dict(self.kept[key][1]) if expected is not None else {}
        for name, part in parts.items():
            if part is None:
                now.pop(name, None)
            else:
                now[name] = part
        self.kept[key] = (revision, now)
        return True

    def keys(self) -> Iterable[str]:
        return self.kept

    def delete(self, key: str) -> bool:
        return self.kept.pop(key, None) is not None


def test_a_store_written_in_python() -> None:
    own = Dictionary()
    store = Store.hosted(own)
    here, there = (ResourceCache.open(store, config=SAME) for _ in range(2))
    here.merge(LIST)
    assert [row.id for row in there.mark_as_deleting("a").upserted] == ["b"]
    here.sync()
    assert here.save() == there.save() == ResourceCache.open(store, config=SAME).save()
    before = here.save()
    own.fault = OSError("the disk is full")
    with pytest.raises(StoreError, match="the disk is full") as refused:
        here.mark_as_deleting("b")
    assert refused.value.kind == "other"
    assert here.save() == before
    own.fault = None
    here.mark_as_deleting("b")
    with pytest.raises(StoreError, match="no leases"):
        here.lead("here", 60)
    assert here.wait_for_commits(0)  # it cannot tell
    assert store.keys() == ["default"] and store.delete("default")


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="write sqlite:PATH"):
        ResourceCache.open("zones.sqlite")
    with pytest.raises(BadInputError, match="in memory alone"):
        ResourceCache().sync()
    foreign = tmp_path / "notes.txt"
    foreign.write_text("not a database")
    with pytest.raises(StoreError, match="no SQLite database") as refused:
        ResourceCache.open(f"sqlite:{foreign}")
    assert refused.value.kind == "foreign"
    assert ResourceCache().key is None
    ResourceCache().close()  # there is nothing to close


UNPACKED = Path(__file__).parents[3] / "target/tools/redis"
"""Where `cargo xtask redis` unpacks the distribution's package."""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The address of a server of its own."""
    unpacked = UNPACKED / "usr/bin/redis-server"
    program = str(unpacked) if unpacked.exists() else shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("there is no redis-server")
        pytest.skip("there is no redis-server: `cargo xtask redis` gets one")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    libraries = [str(path.parent) for path in (UNPACKED / "usr/lib").glob("*/*.so*")]
    server = subprocess.Popen(
        [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--loglevel", "warning"],
        cwd=tmp_path,
        env={**os.environ, "LD_LIBRARY_PATH": ":".join(sorted(set(libraries)))},
    )
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert server.poll() is None, "the server has ended"
                time.sleep(0.1)
        yield f"redis://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait()


def test_several_share_a_redis(redis: str) -> None:
    here, there = (ResourceCache.open(redis, key="zones", config=SAME) for _ in range(2))
    there.wait_for_commits(0)  # from here on it is told
    here.merge(LIST)
    assert there.wait_for_commits(timedelta(seconds=10))
    there.sync()
    with there.deleting("a"):
        pass
    here.merge(LIST)
    assert [zone["id"] for zone in here] == ["b"]
    assert here.lead("here", 60) and not there.lead("there", 60)
    there.sync()
    assert here.save() == there.save()


def test_a_redis_that_does_not_answer() -> None:
    with pytest.raises(StoreError) as refused:
        ResourceCache.open("redis://127.0.0.1:9/")
    assert refused.value.kind == "unavailable"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_leaves_the_parents_file_alone(tmp_path: Path) -> None:
    address = f"sqlite:{tmp_path / 'zones.sqlite'}"
    store = Store(address)
    cache = ResourceCache.open(store)
    cache.merge(LIST)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            store.close()
        except ForkedError:
            code = 0 if len(ResourceCache.open(address)) == 2 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    cache.mark_as_deleting("a")
    assert len(ResourceCache.open(address)) == 1
