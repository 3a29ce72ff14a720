"""What is to be sent, and the way back: the outbox, undo and redo."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar, Union

from ._base import Base
from ._border import native
from ._codec import Codec, to_bytes
from ._errors import call
from ._names import Json, JsonObject, Kind, ResourceId, id_text, to_ms
from ._rows import Changes

T = TypeVar("T")


@dataclass(frozen=True)
class Create(Generic[T]):
    """To begin: a new resource."""

    resource: T
    min_ttl: timedelta | None = None
    send_after: timedelta | None = None
    """Leaves the sending to the outbox, this much later at the earliest."""


@dataclass(frozen=True)
class Update:
    """To begin: an edit, as a JSON merge patch (RFC 7396)."""

    id: ResourceId
    patch: Mapping[str, Json]
    min_ttl: timedelta | None = None
    send_after: timedelta | None = None


@dataclass(frozen=True)
class Delete:
    """To begin: a deletion."""

    id: ResourceId
    min_ttl: timedelta | None = None
    send_after: timedelta | None = None


@dataclass(frozen=True)
class Process:
    """To begin: anything else that takes time."""

    id: ResourceId
    kind: Kind = Kind.PROCESS
    min_ttl: timedelta | None = None
    send_after: timedelta | None = None


Begin = Union[Create[T], Update, Delete, Process]


class Request(Generic[T]):
    """What an operation asks of the server."""

    def __init__(self, request: native.Request | native.Attempt, codec: Codec[T]) -> None:
        self._request = request
        self._codec = codec

    @property
    def operation(self) -> int:
        """The operation."""
        return self._request.operation

    @property
    def kind(self) -> Kind:
        """What to ask of the server."""
        return Kind[self._request.kind.name]

    @property
    def id(self) -> str:
        """The resource, by the id that it has by now."""
        return self._request.id

    @property
    def body(self) -> str | None:
        """The resource as it is to be, as JSON; as it was, for a deletion."""
        return self._request.body

    @property
    def resource(self) -> T | None:
        """The same, as a value of the user's type."""
        body = self._request.body
        return None if body is None else self._codec.decode(json.loads(body))

    @property
    def patch(self) -> JsonObject | None:
        """What an update sets, as a JSON merge patch (RFC 7396). ``None`` for no update, or one that a
        merge patch cannot say: send the body."""
        patch = self._request.patch
        parsed: JsonObject | None = None if patch is None else json.loads(patch)
        return parsed

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.kind} {self.id!r}, operation {self.operation}>"


class Attempt(Request[T]):
    """One attempt to be sent: answer it with ``acknowledge`` or ``fail``, or not at all: then it counts
    as lost after the retry policy's ``attempt_timeout``."""

    def __init__(self, attempt: native.Attempt, codec: Codec[T]) -> None:
        super().__init__(attempt, codec)
        self.number = attempt.number
        """How many attempts this makes, from 1."""
        self.key = attempt.key
        """The same for every attempt of this operation: send it as ``Idempotency-Key``."""


class Outbox(Base[T]):
    """Queues, steps, undo and redo."""

    def _step(self, begin: Begin[T]) -> native.Step:
        if isinstance(begin, Create):
            what: native.Begin = native.Begin.CREATE(self._body(begin.resource).decode())
        elif isinstance(begin, Update):
            patch = to_bytes(dict(begin.patch)).decode()
            what = native.Begin.UPDATE(id_text(begin.id), patch)
        elif isinstance(begin, Delete):
            what = native.Begin.DELETE(id_text(begin.id))
        else:
            what = native.Begin.PROCESS(id_text(begin.id), native.Kind[begin.kind.name])
        return native.Step(
            begin=what, min_ttl_ms=to_ms(begin.min_ttl), send_after_ms=to_ms(begin.send_after)
        )

    def queue(self, begin: Begin[T], *, send_after: timedelta | float = 0) -> Changes[T]:
        """Begins an operation, and leaves its sending to the outbox: see `poll_attempt`."""
        return self._told(call(self._native.queue, self._step(begin), to_ms(send_after) or 0))

    def poll_attempt(self) -> Attempt[T] | None:
        """The next attempt that may be sent by now. Call it until it answers ``None``, whenever
        something was queued, answered or failed, and at each `next_timeout`."""
        polled = call(self._native.poll_attempt)
        self._told(polled.applied)
        return None if polled.attempt is None else Attempt(polled.attempt, self._codec)

    def attempt_of(self, operation: int) -> Attempt[T] | None:
        """The attempt of this operation that is under way."""
        attempt = call(self._native.attempt_of, operation)
        return None if attempt is None else Attempt(attempt, self._codec)

    def request_of(self, operation: int) -> Request[T] | None:
        """What an unsettled operation asks of the server; ``None`` for one that is not known, has
        settled, or waits for the creation of its resource to be answered."""
        request = call(self._native.request_of, operation)
        return None if request is None else Request(request, self._codec)

    @property
    def queued(self) -> int:
        """How many operations wait to be sent or are under way."""
        return call(self._native.queued)

    @property
    def online(self) -> bool:
        """Whether attempts may be sent. Offline, the outbox holds them, for as long as it takes."""
        return call(self._native.is_online)

    @online.setter
    def online(self, online: bool) -> None:
        self.set_online(online)

    def set_online(self, online: bool) -> Changes[T]:
        """Whether attempts may be sent; answers what has changed."""
        return self._told(call(self._native.set_online, online))

    def perform(self, label: str, *begin: Begin[T]) -> Changes[T]:
        """Does what the user did, one thing or several, whole or not at all, and keeps it as a step
        that `undo` undoes."""
        return self._told(call(self._native.perform, label, [self._step(b) for b in begin]))

    def undo(self) -> Changes[T]:
        """Undoes the last step. What was sent gets its inverse, among the operations for the caller to
        send (`request_of`) unless the step was queued; what others changed since is left alone, and
        told among the conflicts."""
        return self._told(call(self._native.undo))

    def redo(self) -> Changes[T]:
        """Redoes the step that was undone last, in the same way."""
        return self._told(call(self._native.redo))

    def clear_history(self) -> Changes[T]:
        """Forgets all steps."""
        return self._told(call(self._native.clear_history))

    @property
    def undo_label(self) -> str | None:
        """The label of the step that `undo` would undo."""
        return call(self._native.undo_label)

    @property
    def redo_label(self) -> str | None:
        """The label of the step that `redo` would redo."""
        return call(self._native.redo_label)

    @property
    def undo_labels(self) -> list[str]:
        """The labels of the steps that can be undone, the next first."""
        return call(self._native.undo_labels)

    @property
    def redo_labels(self) -> list[str]:
        """The labels of the steps that can be redone, the next first."""
        return call(self._native.redo_labels)
