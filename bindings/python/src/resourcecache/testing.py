"""Verifies your own merge rules and API client; needs the extra ``testing`` (Hypothesis).

`resources` and `patches` draw bodies and edits. `LaggingServer` accepts every change at once and lists it
later. `CacheMachine` plays random histories between the two, and holds after every step that the user
sees what was asked for: subclass it, and pytest runs it.

>>> class TestZones(CacheMachine.TestCase):
...     pass
"""

from __future__ import annotations

import copy
from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ._cache import ResourceCache
from ._clock import ManualClock
from ._codec import to_bytes
from ._names import Json, JsonObject

IDS = ("a", "b", "c", "d")


def ids() -> st.SearchStrategy[str]:
    """A few ids, so that what happens meets what happened."""
    return st.sampled_from(IDS)


def values() -> st.SearchStrategy[Json]:
    """Values of a field: plain ones, and an object with one of its own."""
    plain: st.SearchStrategy[Json] = st.one_of(
        st.integers(-3, 3), st.booleans(), st.text(max_size=3), st.none()
    )
    return st.one_of(plain, st.fixed_dictionaries({"inner": st.integers(0, 3)}).map(_object))


def _object(fields: dict[str, int]) -> Json:
    return {name: value for name, value in fields.items()}


def patches() -> st.SearchStrategy[JsonObject]:
    """JSON merge patches (RFC 7396) of a field or two; none touches the id."""
    names = st.sampled_from(["n", "note", "spec"])
    return st.dictionaries(names, values(), min_size=1, max_size=2)


def resources(id: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[JsonObject]:
    """Resources: an id, and fields that patches change."""

    def made(id: str, n: int) -> JsonObject:
        return {"id": id, "n": n}

    return st.builds(made, id if id is not None else ids(), st.integers(0, 3))


def patched(body: JsonObject, patch: JsonObject) -> JsonObject:
    """A body with a JSON merge patch laid over it, by the letter of RFC 7396.

    >>> patched({"id": "a", "n": 1}, {"n": None, "spec": {"ttl": 60}})
    {'id': 'a', 'spec': {'ttl': 60}}
    """
    result = dict(body)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            old = result.get(name)
            result[name] = patched(old if isinstance(old, dict) else {}, value)
        else:
            result[name] = value
    return result


class LaggingServer:
    """A server in memory that accepts a change at once, and lists it when its replica catches up.

    >>> server = LaggingServer([{"id": "a"}, {"id": "b"}])
    >>> server.delete("a")
    >>> server.list()
    b'[{"id":"a"},{"id":"b"}]'
    >>> server.catch_up()
    >>> server.list()
    b'[{"id":"b"}]'
    """

    def __init__(self, items: list[JsonObject] | None = None) -> None:
        self.truth: dict[str, JsonObject] = {str(item["id"]): item for item in items or []}
        """What is so, by id."""
        self._behind: list[dict[str, JsonObject]] = []
        self._shown = dict(self.truth)

    def _changed(self) -> None:
        self._behind.append(copy.deepcopy(self.truth))

    def create(self, item: JsonObject) -> JsonObject:
        """Creates a resource; KeyError when there is one by its id."""
        id = str(item["id"])
        if id in self.truth:
            raise KeyError(f"{id}: exists")
        self.truth[id] = item
        self._changed()
        return item

    def update(self, id: str, patch: JsonObject) -> JsonObject:
        """Lays a JSON merge patch over a resource; KeyError when there is none."""
        self.truth[id] = patched(self.truth[id], patch)
        self._changed()
        return self.truth[id]

    def delete(self, id: str) -> None:
        """Deletes a resource; KeyError when there is none."""
        del self.truth[id]
        self._changed()

    def catch_up(self, changes: int | None = None) -> None:
        """The replica takes in so many of the changes that it lacks; all by default."""
        count = len(self._behind) if changes is None else min(changes, len(self._behind))
        if count:
            self._shown = self._behind[count - 1]
            del self._behind[:count]

    @property
    def behind(self) -> int:
        """How many changes the replica lacks."""
        return len(self._behind)

    def list(self) -> bytes:
        """The answer of a list call, as the replica has it."""
        return to_bytes([*self._shown.values()])


class CacheMachine(RuleBasedStateMachine):
    """Random histories of one client and a lagging server, within the TTL of what the client asks for.

    After every step the user sees what was asked for, however old the lists are (``expected``). Override
    `make_cache` for your own settings and codec, `make_server` for your own API client.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(datetime(2025, 1, 19, tzinfo=timezone.utc))
        self.server = self.make_server()
        self.cache = self.make_cache(self.clock)
        self.cache.merge(self.server.list())
        self.expected: dict[str, JsonObject] = copy.deepcopy(self.server.truth)

    def make_server(self) -> LaggingServer:
        """The server; with two resources."""
        return LaggingServer([{"id": "a", "n": 0}, {"id": "b", "n": 0}])

    def make_cache(self, clock: ManualClock) -> ResourceCache[JsonObject]:
        """The cache, by this clock."""
        return ResourceCache(clock=clock)

    def _known(self, id: str) -> bool:
        return id in self.expected

    @rule(item=resources())
    def create(self, item: JsonObject) -> None:
        """The user creates a resource, under its final id, and the server accepts it."""
        if self._known(str(item["id"])) or self.cache.row(str(item["id"])) is not None:
            return
        with self.cache.creating(item) as creation:
            creation.answer = self.server.create(dict(item))
        self.expected[str(item["id"])] = item

    @rule(id=ids(), patch=patches())
    def update(self, id: str, patch: JsonObject) -> None:
        """The user edits a resource, and the server accepts it."""
        if not self._known(id):
            return
        with self.cache.updating(id, patch) as update:
            update.answer = self.server.update(id, patch)
        self.expected[id] = patched(self.expected[id], patch)

    @rule(id=ids(), patch=patches())
    def refused_update(self, id: str, patch: JsonObject) -> None:
        """The user edits a resource, and the server refuses it: the old value shows again."""
        if not self._known(id):
            return
        try:
            with self.cache.updating(id, patch):
                raise PermissionError("refused")
        except PermissionError:
            pass

    @rule(id=ids())
    def delete(self, id: str) -> None:
        """The user deletes a resource, and the server accepts it."""
        if not self._known(id):
            return
        with self.cache.deleting(id):
            self.server.delete(id)
        del self.expected[id]

    @rule(changes=st.integers(1, 3))
    def replica_catches_up(self, changes: int) -> None:
        """The replica takes in some changes."""
        self.server.catch_up(changes)

    @rule()
    def refresh(self) -> None:
        """The client lists."""
        token = self.cache.begin_fetch()
        self.cache.merge(self.server.list(), token=token)

    @precondition(lambda self: self.clock.now.minute == 0)
    @rule(ms=st.integers(0, 900))
    def time_passes(self, ms: int) -> None:
        """A moment passes."""
        self.clock.advance(timedelta(milliseconds=ms))
        self.cache.handle_timeout()

    @invariant()
    def the_user_sees_what_was_asked_for(self) -> None:
        """The visible list has what is expected, and nothing else."""
        shown = {row.id: row.body for row in self.cache.rows()}
        assert shown == self.expected, (shown, self.expected)

    @invariant()
    def rows_are_unique(self) -> None:
        """No id and no key stands in the list twice."""
        rows = self.cache.rows()
        assert len({row.id for row in rows}) == len(rows)
        assert len({row.key for row in rows}) == len(rows)
