"""Reading: what is shown, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from ._base import Base, Bytes, as_bytes
from ._border import native
from ._errors import NotFoundError, call
from ._names import Json, JsonObject, Kind, ResourceId, Status, from_epoch_ms, id_text
from ._rows import Badge, Changes, Outcome, Progress, Row, Rows, rows_of
from ._settings import Labels

T = TypeVar("T")


@dataclass(frozen=True)
class Operation:
    """One unsettled operation."""

    number: int
    kind: Kind
    state: str
    """``creating``, ``created``, ``retrying`` and so on."""


@dataclass(frozen=True)
class Deadline:
    """When the cache wants to be woken, and why."""

    at: datetime
    id: str
    operation: int
    reason: str


@dataclass(frozen=True)
class Explanation:
    """Why a row is hidden, shown, or not what the server says. Printed, it is a few sentences."""

    id: str
    state: str | None
    visible: bool
    operation: int | None
    rule: str | None
    """The rule of the model that decides, if more than the server's word does."""
    why: str
    next: tuple[Json, ...]
    """What would change it."""
    text: str

    def __str__(self) -> str:
        return self.text


class View(Base[T]):
    """Reading. Nothing here changes anything."""

    def __iter__(self) -> Iterator[T]:
        """The visible resources, in order, as they are when the iteration begins."""
        return (row.resource for row in self.rows())

    def __len__(self) -> int:
        return call(self._native.visible_count)

    def __contains__(self, id: object) -> bool:
        if isinstance(id, bool) or not isinstance(id, (str, int)):
            return False
        return call(self._native.is_visible, id_text(id))

    def __getitem__(self, id: ResourceId) -> T:
        """The resource of an id, hidden or not."""
        text = call(self._native.get_one, id if type(id) is str else id_text(id))
        if text is None:
            raise NotFoundError(f"{id}: no such resource here", id_text(id))
        parsed: dict[str, Any] = json.loads(text)
        return self._codec.decode(parsed["body"])

    def get(self, id: ResourceId) -> T | None:
        """The same; ``None`` where there is none."""
        row = self.row(id)
        return None if row is None else row.resource

    def row(self, id: ResourceId) -> Row[T] | None:
        """The row of an id, hidden or not: the resource, and how it is."""
        text = call(self._native.get_one, id_text(id))
        return None if text is None else Row(text, self._codec)

    def row_of_key(self, key: int) -> Row[T] | None:
        """The row of a key, hidden or not."""
        text = call(self._native.row, key)
        return None if text is None else Row(text, self._codec)

    @property
    def row_count(self) -> int:
        """How many rows are held, hidden ones included."""
        return call(self._native.row_count)

    def rows(self) -> Rows[T]:
        """The visible rows, in order."""
        return rows_of(call(self._native.visible), self._codec)

    def all(self) -> Rows[T]:
        """All rows, hidden ones included; those without a place come last."""
        return rows_of(call(self._native.all), self._codec)

    def by_status(self, status: Status) -> Rows[T]:
        """The rows with this status, hidden ones included."""
        kind = native.Status[status.name]
        return rows_of(call(self._native.get_by_status, kind), self._codec)

    def status(self, id: ResourceId) -> Status | None:
        """What goes on with a resource; ``None`` for nothing."""
        row = self.row(id)
        return None if row is None else row.status

    def state(self, id: ResourceId) -> str | None:
        """Where it is in the lifecycle: ``idle``, ``creating``, ``created`` and so on; ``None`` when
        nothing is known of it."""
        return call(self._native.state, id_text(id))

    def is_processing(self, id: ResourceId) -> bool:
        """Whether an operation on it is unsettled."""
        return call(self._native.is_processing, id_text(id))

    def operations(self, id: ResourceId) -> tuple[Operation, ...]:
        """The unsettled operations on a resource, oldest first."""
        operations = call(self._native.operations, id_text(id))
        return tuple(Operation(o.operation, Kind[o.kind.name], o.state) for o in operations)

    def badge(self, id: ResourceId) -> Badge | None:
        """Its status badge; ``None`` when nothing goes on that a user need know of."""
        row = self.row(id)
        return None if row is None else row.badge

    def progress(self, id: ResourceId) -> Progress | None:
        """Its progress bar; ``None`` when no progress was reported."""
        row = self.row(id)
        return None if row is None else row.progress

    def set_labels(self, labels: Labels) -> None:
        """The words of all badges from now on."""
        given = {name: value for name, value in vars(labels).items() if value is not None}
        call(self._native.set_labels, native.Labels(**given))

    def explain(self, id: ResourceId) -> Explanation:
        """Why a row is hidden, shown, or not what the server says.

        >>> from resourcecache import ResourceCache
        >>> print(ResourceCache().explain("a"))
        a is unknown: no list had it, and no operation is on it. What would change it: a list that has it.
        """
        parsed: dict[str, Any] = json.loads(call(self._native.explain, id_text(id)))
        parsed["next"] = tuple(parsed["next"])
        return Explanation(**parsed)

    @property
    def revision(self) -> int:
        """The collection's change counter; it only grows."""
        return call(self._native.revision)

    def changes_since(self, revision: int) -> Changes[T]:
        """What has changed in the list since a revision; the whole list, where that far back is no
        longer known."""
        applied = call(self._native.changes_since, revision)
        if applied is not None:
            return Changes(applied, self._codec)
        # What came between the two calls is in the list, and comes once more.
        whole = native.Applied.__new__(native.Applied)
        whole.revision = self.revision
        whole.operations = []
        whole.text = call(self._native.visible)
        whole.upserted = whole.text.count("\x1e")
        whole.removed = 0
        return Changes(whole, self._codec, whole=True)

    def outcomes(self) -> tuple[Outcome, ...]:
        """How operations settled, the oldest first; as many as the config says."""
        return tuple(map(Outcome.of, json.loads(call(self._native.outcomes))))

    def deadlines(self) -> tuple[Deadline, ...]:
        """Every deadline that is ahead, the earliest first."""
        parsed = json.loads(call(self._native.deadlines))
        return tuple(
            Deadline(from_epoch_ms(d["at"]), d["id"], d["operation"], d["reason"]) for d in parsed
        )

    @property
    def next_timeout(self) -> datetime | None:
        """When something is due next."""
        ms = call(self._native.poll_timeout_ms)
        return None if ms is None else from_epoch_ms(ms)

    @property
    def should_poll(self) -> bool:
        """Whether asking the server again is of use."""
        return call(self._native.should_poll)

    @property
    def next_poll(self) -> datetime | None:
        """The soonest time at which asking the server can decide something."""
        ms = call(self._native.next_poll_ms)
        return None if ms is None else from_epoch_ms(ms)

    @property
    def now(self) -> datetime:
        """The time by the cache's clock."""
        return from_epoch_ms(call(self._native.now_ms))

    @property
    def config(self) -> JsonObject:
        """The settings as they are in effect, the seed left out; durations in milliseconds."""
        config: JsonObject = json.loads(call(self._native.config))
        return config

    def count(self, response: Bytes) -> int:
        """Checks the answer of a list call without keeping any of it: how many resources it holds."""
        return call(self._native.count, as_bytes(response))

    def save(self) -> str:
        """The whole state but the settings, as JSON, for ``ResourceCache.restore``."""
        return call(self._native.save)

    def list_v1(self) -> str:
        """All rows, hidden ones included, as a list that version 1.0 reads."""
        return call(self._native.list_v1)

    def keep_journal(self, keep: bool = True) -> None:
        """Whether every accepted call is written down from now on, for `take_journal`."""
        call(self._native.keep_journal, keep)

    def take_journal(self) -> str:
        """What was written down since the last time: one JSON text a line."""
        return call(self._native.take_journal)
