"""The cache as a user of Python has it."""

from __future__ import annotations

import gc
import logging
import pickle
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TypedDict

import pydantic
import pytest

from resourcecache import (
    DNS_ZONES,
    After,
    AlreadyExistsError,
    BadInputError,
    BadSnapshotError,
    BatchError,
    ByStatus,
    Config,
    Create,
    Delete,
    Ids,
    JsonObject,
    Kind,
    Labels,
    ManualClock,
    NotFoundError,
    Page,
    ResourceCache,
    ResourceCacheError,
    RetryPolicy,
    Schema,
    Settlement,
    Status,
    TransitionError,
    Update,
    lifecycle_diagram,
)

START = datetime(2025, 1, 19, tzinfo=timezone.utc)
LIST = b'[{"id": "a", "n": 1}, {"id": "b", "n": 1}]'


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def cache(clock: ManualClock) -> ResourceCache[JsonObject]:
    cache = ResourceCache(clock=clock)
    cache.merge(LIST)
    return cache


def ids(cache: ResourceCache[JsonObject]) -> list[object]:
    return [resource["id"] for resource in cache]


def test_a_deletion(cache: ResourceCache[JsonObject], clock: ManualClock) -> None:
    with cache.deleting("a") as deletion:
        assert ids(cache) == ["b"] and len(cache) == 1
        assert "a" not in cache and "b" in cache
        assert cache.status("a") is Status.DELETING
        assert cache["a"] == {"id": "a", "n": 1}
        assert cache.is_processing("a")
    assert cache.state("a") == "deleted"
    clock.advance(2)
    assert not cache.merge(LIST)
    assert ids(cache) == ["b"]
    changes = cache.merge(b'[{"id": "b", "n": 2}]')
    assert changes.resources == [{"id": "b", "n": 2}]
    [outcome] = changes.outcomes
    assert (outcome.operation, outcome.settlement) == (deletion.operation, Settlement.CONFIRMED)
    assert outcome.at == START + timedelta(seconds=2)
    assert cache.outcomes() == (outcome,)


def test_a_failure_is_told_and_goes_on(cache: ResourceCache[JsonObject]) -> None:
    with pytest.raises(RuntimeError, match="no"), cache.deleting("a"):
        raise RuntimeError("no")
    assert ids(cache) == ["a", "b"]
    row = cache.row("a")
    assert row is not None and row.meta is not None and row.meta.error == "no"
    assert row.badge is not None and (row.badge.label, row.badge.icon) == ("no", "cross")


def test_an_interruption_decides_nothing(cache: ResourceCache[JsonObject]) -> None:
    with pytest.raises(KeyboardInterrupt), cache.deleting("a"):
        raise KeyboardInterrupt
    assert cache.state("a") == "deleting"


def test_a_blocks_own_exception_is_the_one_to_be_seen(cache: ResourceCache[JsonObject]) -> None:
    with pytest.raises(RuntimeError, match="own"), cache.deleting("a") as deletion:
        cache.cancel(deletion.operation)
        cache.remove("a")
        raise RuntimeError("own")


def test_an_update_and_a_creation(cache: ResourceCache[JsonObject]) -> None:
    with cache.updating("a", {"n": 2}) as update:
        assert cache["a"]["n"] == 2
        update.answer = b'{"id": "a", "n": 2, "serial": 7}'
    assert cache["a"] == {"id": "a", "n": 2, "serial": 7}
    with cache.creating({"id": "tmp", "n": 3}) as creation:
        assert ids(cache) == ["a", "b", "tmp"]
        key = creation.changes.upserted[0].key
        creation.answer = {"id": "c", "n": 3}
    assert ids(cache) == ["a", "b", "c"]
    row = cache.row("tmp")
    assert row is not None and (row.key, row.id) == (key, "c")
    with cache.processing("b", Kind.PROCESS):
        cache.update_metadata("b", progress=0, stage="verifying", team="dns")
        row = cache.row("b")
        assert row is not None and row.meta is not None and row.progress is not None
        assert (row.progress.percent, row.meta.stage) == (0, "verifying")
        assert row.meta.extra == {"team": "dns"} and row.meta.started_at == START
        assert repr(row) == f"<Row {row.key}: 'b' processing>"


@dataclass
class Soa:
    serial: int


@dataclass
class Zone:
    id: str
    n: int
    soa: Soa | None = None
    tags: list[str] | None = None


class ZoneDict(TypedDict):
    id: str
    n: int


class ZoneModel(pydantic.BaseModel):
    id: str
    n: int = pydantic.Field(alias="count", default=0)


def test_dataclasses(clock: ManualClock) -> None:
    zones = ResourceCache(Zone, clock=clock)
    zones.merge(b'[{"id": "a", "n": 1, "soa": {"serial": 7}, "more": true}]')
    assert list(zones) == [Zone("a", 1, Soa(7))]
    with zones.creating(Zone("b", 2, tags=["x"])):
        pass
    assert zones["b"] == Zone("b", 2, None, ["x"])
    zones.merge_items([Zone("a", 1, Soa(8))])
    assert zones["a"].soa == Soa(8)


def test_typed_dicts_and_models(clock: ManualClock) -> None:
    typed = ResourceCache(ZoneDict, clock=clock)
    typed.merge(LIST)
    assert typed["a"]["n"] == 1
    models = ResourceCache(ZoneModel, clock=clock, schema=Schema(items="/data/zones"))
    models.merge_items([ZoneModel(id="a", count=5)])
    assert models["a"].n == 5
    assert models.row("a") is not None
    with pytest.raises(TypeError, match="give a codec of your own"):
        ResourceCache(int)


class Upper:
    """A codec of one's own."""

    def decode(self, body: JsonObject) -> str:
        return str(body["id"]).upper()

    def encode(self, value: str) -> JsonObject:
        return {"id": value.lower()}


def test_a_codec_of_ones_own() -> None:
    cache = ResourceCache(codec=Upper())
    cache.merge_items(["A", "B"])
    assert list(cache) == ["A", "B"]
    assert cache.mark_as_deleting("a").removed[0].id == "a"


def test_errors_have_a_hierarchy_and_attributes(cache: ResourceCache[JsonObject]) -> None:
    cache.mark_as_deleting("a")
    before = cache.save()
    with pytest.raises(TransitionError) as transition:
        cache.mark_as_updating("a", {"n": 2})
    assert (transition.value.id, transition.value.state) == ("a", "deleting")
    assert transition.value.trigger == "begin update"
    with pytest.raises(KeyError) as missing:
        cache["x"]
    assert isinstance(missing.value, NotFoundError) and missing.value.id == "x"
    assert str(missing.value) == "x: no such resource here"
    with pytest.raises(NotFoundError) as unknown:
        cache.acknowledge(99)
    assert (unknown.value.id, unknown.value.operation) == (None, 99)
    with pytest.raises(AlreadyExistsError):
        cache.add_as_creating({"id": "b"})
    with pytest.raises(ValueError) as progress:
        cache.update_metadata("a", progress=101)
    assert isinstance(progress.value, BadInputError) and progress.value.subject == "progress"
    with pytest.raises(BadSnapshotError) as snapshot:
        cache.merge(b'[{"id": "a"}, {}]')
    assert snapshot.value.position == 1
    with pytest.raises(BatchError) as batch:
        cache.batch_mark_as_processing(["b", "a"], Kind.UPDATE)
    assert [(r.position, r.id, r.kind) for r in batch.value.refusals] == [(1, "a", "transition")]
    for caught in (transition, missing, unknown, progress, snapshot, batch):
        error = caught.value
        assert isinstance(error, ResourceCacheError)
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))
        assert {**vars(again)} == {**vars(error)}
    assert cache.save() == before


def test_ids_may_be_numbers() -> None:
    cache = ResourceCache()
    cache.merge(b'[{"id": 7}, {"id": "8"}]')
    assert 7 in cache and "7" in cache and 8 in cache and 9 not in cache and 7.0 not in cache
    assert cache[7] == {"id": 7}
    cache.mark_as_deleting(8)
    assert [row.id for row in cache.by_status(Status.DELETING)] == ["8"]
    with pytest.raises(TypeError):
        cache.mark_as_deleting(True)


def test_bytes_of_all_sorts(cache: ResourceCache[JsonObject]) -> None:
    for given in (LIST, bytearray(LIST), memoryview(LIST), LIST.decode()):
        assert not cache.merge(given)
        assert cache.count(given) == 2


def test_pages_and_tokens(cache: ResourceCache[JsonObject]) -> None:
    old = cache.begin_fetch()
    cache.merge(b'[{"id": "b", "n": 1}]')
    cache.merge(LIST, token=old)
    assert ids(cache) == ["b"]
    cache.merge(b'[{"id": "c"}]', coverage=Page(after="b"))
    assert ids(cache) == ["b", "c"]
    cache.merge(b"[]", coverage=Ids(["c"]))
    assert ids(cache) == ["b"]
    cache.observe(b'{"type": "ADDED", "object": {"id": "d"}}')
    assert "d" in cache


def test_the_outbox(cache: ResourceCache[JsonObject], clock: ManualClock) -> None:
    cache.queue(Update("a", {"n": 5}), send_after=timedelta(seconds=1))
    assert cache.poll_attempt() is None and cache.queued == 1
    clock.advance(1)
    attempt = cache.poll_attempt()
    assert attempt is not None
    assert (attempt.kind, attempt.id, attempt.number) == (Kind.UPDATE, "a", 1)
    assert attempt.patch == {"n": 5} and attempt.resource == {"id": "a", "n": 5}
    assert len(attempt.key) == 32
    cache.fail(attempt.operation, "503", retry=ByStatus(503, timedelta(seconds=7)))
    assert cache.next_timeout == clock.now + timedelta(seconds=7)
    assert [d.reason for d in cache.deadlines()][0] == "retry"
    clock.advance(timedelta(seconds=7))
    again = cache.poll_attempt()
    assert again is not None and (again.number, again.key) == (2, attempt.key)
    under_way = cache.attempt_of(again.operation)
    assert under_way is not None and under_way.key == again.key
    cache.acknowledge(again.operation, {"id": "a", "n": 5})
    assert cache.queued == 0 and cache.poll_attempt() is None
    cache.online = False
    assert not cache.online
    marked = cache.mark_as_deleting("b").operation
    assert marked is not None
    cache.fail(marked, "busy", retry=After(timedelta(seconds=9)))
    assert cache.status("b") is Status.RETRYING


def test_undo_and_redo(cache: ResourceCache[JsonObject]) -> None:
    cache.perform("Delete both", Delete("a"), Delete("b"))
    assert ids(cache) == [] and cache.undo_label == "Delete both"
    cache.undo()
    assert ids(cache) == ["a", "b"] and cache.redo_labels == ["Delete both"]
    cache.redo()
    assert ids(cache) == []
    cache.clear_history()
    assert cache.undo_labels == [] and cache.redo_label is None
    created = cache.perform("Create c", Create({"id": "c", "n": 1})).operation
    assert created is not None
    cache.acknowledge(created)
    inverse = cache.undo().operation
    assert inverse is not None
    request = cache.request_of(inverse)
    assert request is not None and (request.kind, request.id) == (Kind.DELETE, "c")
    assert request.patch is None and request.resource == {"id": "c", "n": 1}


def test_what_others_changed_is_left_alone(cache: ResourceCache[JsonObject]) -> None:
    operation = cache.perform("Edit a", Update("a", {"n": 2})).operation
    assert operation is not None
    cache.acknowledge(operation, {"id": "a", "n": 2})
    cache.observe(b'{"type": "MODIFIED", "object": {"id": "a", "n": 3}}')
    [conflict] = cache.undo().conflicts
    assert conflict.id == "a" and "changed since" in conflict.text


def test_saving_and_restoring(cache: ResourceCache[JsonObject], clock: ManualClock) -> None:
    cache.mark_as_deleting("a")
    restored = ResourceCache.restore(cache.save(), clock=clock)
    assert [row.id for row in restored.rows()] == ["b"]
    with pytest.raises(BadInputError):
        ResourceCache.restore(b"{")
    assert '"_meta":{"status":"deleting"' in cache.list_v1()
    imported = ResourceCache(clock=clock)
    imported.import_v1(cache.list_v1())
    assert [row.id for row in imported.rows()] == ["b"]


def test_a_journal_leads_to_the_same_state(clock: ManualClock) -> None:
    cache = ResourceCache(clock=clock, config=Config(seed=1))
    cache.keep_journal()
    cache.merge(LIST)
    cache.queue(Delete("a"))
    cache.poll_attempt()
    twin = ResourceCache(clock=clock, config=Config(seed=1))
    twin.replay(cache.take_journal())
    assert twin.save() == cache.save()
    assert cache.apply_event(b'{"remove": {"id": "b"}}').removed[0].id == "b"


def test_changes_since_rebuild_the_list(
    cache: ResourceCache[JsonObject], clock: ManualClock
) -> None:
    since = cache.revision
    cache.mark_as_deleting("a")
    cache.add_as_creating({"id": "c"})
    changes = cache.changes_since(since)
    assert [row.id for row in changes.upserted] == ["c"] and not changes.whole
    assert [row.id for row in changes.removed] == ["a"]
    assert changes.upserted[0].after == cache.rows()[0].key
    whole = ResourceCache.restore(cache.save(), clock=clock).changes_since(0)
    assert whole.whole and [row.id for row in whole.upserted] == ["b", "c"]
    assert [row.id for row in whole.upserted[0:1]] == ["b"]


def test_settings_are_in_effect(clock: ManualClock) -> None:
    config = Config(ttl=timedelta(seconds=30), retry=RetryPolicy(max_attempts=0))
    cache = ResourceCache(config=config, clock=clock)
    assert cache.config["ttl_ms"] == 30_000
    retry = cache.config["retry"]
    assert isinstance(retry, dict) and retry["max_attempts"] is None
    with pytest.raises(ValueError, match="negative"):
        ResourceCache(config=Config(ttl=timedelta(seconds=-1)))
    with pytest.raises(BadInputError, match="schema"):
        ResourceCache(schema=Schema(id="no pointer"))
    with pytest.raises(ValueError, match="time zone"):
        ManualClock(datetime(2025, 1, 19))
    cache.merge(LIST)
    cache.set_labels(Labels(deleting="Wird gelöscht"))
    cache.mark_as_deleting("a")
    badge = cache.badge("a")
    assert badge is not None and badge.label == "Wird gelöscht" and badge.animate
    assert cache.progress("a") is None
    assert cache.should_poll and cache.next_poll is not None


def test_explanations_are_sentences(cache: ResourceCache[JsonObject]) -> None:
    cache.mark_as_deleting("a")
    why = cache.explain("a")
    assert (why.rule, why.state, why.visible) == ("D1", "deleting", False)
    assert str(why).startswith("a is deleting, and hidden")


def test_observers_harm_nobody(
    cache: ResourceCache[JsonObject], caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    def listen(revision: int) -> None:
        heard.append(revision)
        assert cache.revision == revision  # it may call the cache
        raise RuntimeError("on purpose")

    with cache.subscribe(listen) as subscription:
        cache.mark_as_deleting("a")
        cache.revert("a")
    subscription.close()
    cache.mark_as_deleting("a")
    assert heard == [2, 3]
    assert "an observer raised" in caplog.text


def test_logging(cache: ResourceCache[JsonObject], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "resourcecache"):
        cache.merge(b'[{"id": "a", "n": 1}, {"id": "a", "n": 2}]')
        operation = cache.mark_as_deleting("a").operation
        assert operation is not None
        cache.fail(operation, "no")
    told = [(r.levelname, r.getMessage()) for r in caplog.records]
    assert ("WARNING", "duplicate_id: {'id': 'a', 'position': 1}") in told
    assert ("INFO", "delete of a: failed: no") in told


def test_reprs(cache: ResourceCache[JsonObject]) -> None:
    assert repr(cache) == "<ResourceCache: 2 visible, revision 1>"
    changes = cache.mark_as_deleting("a")
    assert repr(changes) == "<Changes to revision 2: 0 upserted, 1 removed, operations [1]>"
    assert repr(cache.rows()) == "<Rows: 1>"
    assert repr(cache.deleting("b")) == "<Scope: operation 2 on 'b'>"


def test_keys_and_the_diagram() -> None:
    assert DNS_ZONES.cache_key("a:b") == "dns-zones:a%3Ab"
    assert DNS_ZONES.schema() == Schema(id="/id")
    assert lifecycle_diagram().startswith("stateDiagram-v2")


def test_a_cache_is_freed() -> None:
    import weakref

    cache = ResourceCache()
    cache.merge(LIST)
    gone = weakref.ref(cache)
    del cache
    gc.collect()
    assert gone() is None
