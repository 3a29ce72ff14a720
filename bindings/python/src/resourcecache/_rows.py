"""Rows, and what a call changed: texts that are taken apart when they are looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar, overload

from ._border import native
from ._codec import Codec
from ._names import (
    Json,
    JsonObject,
    Kind,
    Settlement,
    Status,
    from_epoch_ms,
    from_rfc3339,
)

T = TypeVar("T")

SEPARATOR = "\x1e"

_TIMES = {
    "startedAt": "started_at",
    "completedAt": "completed_at",
    "deletedAt": "deleted_at",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "expectedAt": "expected_at",
    "nextAttemptAt": "next_attempt_at",
}
_OTHERS = {
    "progress": "progress",
    "stage": "stage",
    "stageProgress": "stage_progress",
    "stalled": "stalled",
    "error": "error",
    "retryCount": "retry_count",
    "maxRetries": "max_retries",
    "message": "message",
    "ttl": "ttl_ms",
    "minTtl": "min_ttl_ms",
}


def _object(text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(text)
    return parsed


@dataclass(frozen=True)
class Metadata:
    """What a user is told about a resource's operation."""

    status: Status | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    deleted_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    progress: float | None = None
    """How far it is, 0 to 100."""
    stage: str | None = None
    stage_progress: float | None = None
    expected_at: datetime | None = None
    """When it will be done, if its stages take as long as they are said to."""
    stalled: bool | None = None
    error: str | None = None
    retry_count: int | None = None
    max_retries: int | None = None
    message: str | None = None
    next_attempt_at: datetime | None = None
    ttl_ms: int | None = None
    min_ttl_ms: int | None = None
    extra: Mapping[str, Json] = field(default_factory=lambda: dict[str, Json]())
    """Fields of the user's own."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Metadata:
        """Reads the JSON form, which is the document's ``CacheMetadata``."""
        known: dict[str, Any] = {}
        extra: dict[str, Json] = {}
        for name, value in fields.items():
            if name == "status":
                known["status"] = Status(value)
            elif name in _TIMES:
                known[_TIMES[name]] = from_rfc3339(value)
            elif name in _OTHERS:
                known[_OTHERS[name]] = value
            else:
                extra[name] = value
        return cls(**known, extra=extra)


@dataclass(frozen=True)
class Badge:
    """What a row's status badge shows."""

    label: str
    variant: str
    """``default``, ``secondary`` or ``destructive``."""
    icon: str
    """``spinner``, ``check`` or ``cross``."""
    animate: bool
    progress: float | None = None
    """0 to 100; 0 is shown."""
    retry: tuple[int, int] | None = None
    """How many attempts failed, of how many."""


@dataclass(frozen=True)
class Progress:
    """What a row's progress bar shows."""

    label: str
    percent: float
    expected_at: datetime | None
    """When it will be done; ``None`` when nobody knows."""
    stalled: bool


class Row(Generic[T]):
    """One row as the user sees it."""

    __slots__ = ("_text", "_parsed", "_codec")

    def __init__(self, text: str, codec: Codec[T]) -> None:
        self._text = text
        self._codec = codec
        self._parsed: dict[str, Any] | None = None

    @property
    def _fields(self) -> dict[str, Any]:
        parsed = self._parsed
        if parsed is None:
            parsed = self._parsed = _object(self._text)
        return parsed

    @property
    def key(self) -> int:
        """The row's key, which never changes: what a user interface keys its list by."""
        return int(self._fields["key"])

    @property
    def id(self) -> str:
        """The resource's id; after its creation was answered, the real one."""
        return str(self._fields["id"])

    @property
    def after(self) -> int | None:
        """Of changes: the key of the visible row before it; ``None`` at the head of the list."""
        after: int | None = self._fields.get("after")
        return after

    @property
    def state(self) -> str:
        """Where it is in the lifecycle: ``idle``, ``creating``, ``created`` and so on."""
        return str(self._fields["state"])

    @property
    def visible(self) -> bool:
        """Whether it is in the visible list."""
        return bool(self._fields["visible"])

    @property
    def meta(self) -> Metadata | None:
        """What to tell the user about its operation; ``None`` when there is none."""
        meta = self._fields.get("meta")
        return None if meta is None else Metadata.of(meta)

    @property
    def status(self) -> Status | None:
        """What goes on; ``None`` for nothing."""
        meta: dict[str, Any] = self._fields.get("meta") or {}
        status: str | None = meta.get("status")
        return None if status is None else Status(status)

    @property
    def badge(self) -> Badge | None:
        """Its status badge; ``None`` when nothing goes on that a user need know of."""
        badge = self._fields.get("badge")
        if badge is None:
            return None
        retry = badge["retry"]
        return Badge(
            badge["label"],
            badge["variant"],
            badge["icon"],
            badge["animate"],
            badge["progress"],
            None if retry is None else (retry[0], retry[1]),
        )

    @property
    def progress(self) -> Progress | None:
        """Its progress bar; ``None`` when no progress was reported. 0 is progress."""
        bar = self._fields.get("progress")
        if bar is None:
            return None
        at = bar["expected_at"]
        return Progress(
            bar["label"],
            bar["percent"],
            None if at is None else from_epoch_ms(at),
            bar["stalled"],
        )

    @property
    def body(self) -> JsonObject:
        """The resource as parsed JSON, as shown: the server's copy with the operations laid over."""
        body: JsonObject = self._fields["body"]
        return body

    @property
    def resource(self) -> T:
        """The same, as a value of the user's type."""
        return self._codec.decode(self.body)

    def __repr__(self) -> str:
        return f"<Row {self.key}: {self.id!r} {self.state}{'' if self.visible else ', hidden'}>"


class Rows(Sequence[Row[T]]):
    """Rows in list order, each taken apart when it is looked at."""

    __slots__ = ("_texts", "_codec")

    def __init__(self, texts: list[str], codec: Codec[T]) -> None:
        self._texts = texts
        self._codec = codec

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, index: int) -> Row[T]: ...
    @overload
    def __getitem__(self, index: slice) -> Rows[T]: ...
    def __getitem__(self, index: int | slice) -> Row[T] | Rows[T]:
        if isinstance(index, slice):
            return Rows(self._texts[index], self._codec)
        return Row(self._texts[index], self._codec)

    def __iter__(self) -> Iterator[Row[T]]:
        for text in self._texts:
            yield Row(text, self._codec)

    def __repr__(self) -> str:
        return f"<Rows: {len(self)}>"


def rows_of(text: str, codec: Codec[T]) -> Rows[T]:
    """The rows of a text in which each stands behind a separator."""
    return Rows(text.split(SEPARATOR)[1:] if text else [], codec)


@dataclass(frozen=True)
class Removed:
    """A row that is no longer visible."""

    key: int
    id: str


@dataclass(frozen=True)
class Outcome:
    """How an operation settled."""

    operation: int
    id: str
    kind: Kind
    settlement: Settlement
    error: str | None
    at: datetime

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Outcome:
        return cls(
            fields["operation"],
            fields["id"],
            Kind(fields["kind"]),
            Settlement(fields["settlement"]),
            fields["error"],
            from_epoch_ms(fields["at"]),
        )


@dataclass(frozen=True)
class Warned:
    """Something odd in the input that was taken nevertheless."""

    kind: str
    """``duplicate_id``, ``skipped_item`` or ``unknown_bound``."""
    details: Mapping[str, Json]


@dataclass(frozen=True)
class Conflict:
    """What an undo or a redo left alone."""

    id: str
    reason: Json
    """``{"changed": {"fields": [...]}}``, ``"gone"``, ``"exists"``, ``"unknown"`` and the like."""
    text: str
    """What to tell the user."""


class Changes(Generic[T]):
    """What a call changed, and what there is to tell.

    A reader that holds the list takes out every removed and every upserted row, then puts each
    upserted one, in the order given, behind the row that its ``after`` names. Where ``whole`` is true,
    the upserted rows are the whole list.
    """

    __slots__ = ("_applied", "_codec", "_parts", "_rest", "whole")

    def __init__(self, applied: native.Applied, codec: Codec[T], whole: bool = False) -> None:
        self._applied = applied
        self._codec = codec
        self._parts: list[str] | None = None
        self._rest: dict[str, Any] | None = None
        self.whole = whole
        """Whether these are the whole list: what changed since is no longer known."""

    def _split(self) -> list[str]:
        if self._parts is None:
            self._parts = self._applied.text.split(SEPARATOR)
        return self._parts

    def _field(self, name: str) -> list[Any]:
        rest = self._rest
        if rest is None:
            text = self._applied.text.partition(SEPARATOR)[0]
            rest = self._rest = _object(text or "{}")
        found: list[Any] = rest.get(name, [])
        return found

    @property
    def revision(self) -> int:
        """The collection's change counter afterwards."""
        return self._applied.revision

    @property
    def operations(self) -> tuple[int, ...]:
        """The operations that the call began or went on with."""
        return tuple(self._applied.operations)

    @property
    def operation(self) -> int | None:
        """The operation that a single verb began or went on with."""
        return self._applied.operations[0] if self._applied.operations else None

    @property
    def upserted(self) -> Rows[T]:
        """Rows that are new, other than before, or elsewhere; in list order."""
        return Rows(self._split()[1:], self._codec)

    @property
    def resources(self) -> list[T]:
        """The same, as values of the user's type."""
        return [row.resource for row in self.upserted]

    @property
    def removed(self) -> tuple[Removed, ...]:
        """Rows that are no longer visible."""
        if not self._applied.removed:
            return ()
        return tuple(Removed(r["key"], r["id"]) for r in self._field("removed"))

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """How operations settled."""
        return tuple(map(Outcome.of, self._field("outcomes")))

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """What was odd in the input, and still taken."""
        return tuple(
            Warned(kind, details) for w in self._field("warnings") for kind, details in w.items()
        )

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What an undo or a redo left alone."""
        return tuple(Conflict(c["id"], c["reason"], c["text"]) for c in self._field("conflicts"))

    def __bool__(self) -> bool:
        """Whether there is anything to tell: a row, an outcome, a warning."""
        return bool(self._applied.text)

    def __repr__(self) -> str:
        begun = f", operations {list(self.operations)}" if self._applied.operations else ""
        return (
            f"<Changes to revision {self.revision}: {self._applied.upserted} upserted, "
            f"{self._applied.removed} removed{begun}>"
        )
