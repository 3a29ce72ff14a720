"""Words and times, as Python has them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Union

Json = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]
"""A JSON value."""

JsonObject = dict[str, Json]
"""A JSON object: a resource, where no type is given."""

ResourceId = Union[str, int]
"""A resource's id. ``7`` and ``"7"`` are the same."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MS = timedelta(milliseconds=1)


class _Word(str, Enum):
    def __str__(self) -> str:
        return str(self.value)


class Kind(_Word):
    """What an operation does to its resource."""

    CREATE = "create"
    UPDATE = "update"
    PROCESS = "process"
    DELETE = "delete"


class Status(_Word):
    """The status of a resource. An idle, created or updated resource has none."""

    DELETING = "deleting"
    CREATING = "creating"
    UPDATING = "updating"
    PROCESSING = "processing"
    RETRYING = "retrying"


class Settlement(_Word):
    """How an operation settled."""

    CONFIRMED = "confirmed"
    """The server shows it."""
    NOT_CONFIRMED = "not_confirmed"
    """The server did not show it in time; its word shows."""
    SUPERSEDED = "superseded"
    """A newer word of the server replaced it."""
    FAILED = "failed"
    """The server refused it."""
    CANCELLED = "cancelled"
    """The user took it back."""
    STALE = "stale"
    """Nothing was heard of it for too long."""


class VersionOrder(_Word):
    """How the server's versions compare."""

    OPAQUE = "opaque"
    INTEGER = "integer"
    TIMESTAMP = "timestamp"


class NewItems(_Word):
    """Where resources stand that the server does not list yet."""

    START = "start"
    END = "end"


class OnFailure(_Word):
    """What a final failure leaves on screen: the server's values, or the user's, marked failed."""

    REVERT = "revert"
    KEEP = "keep"


class BadItems(_Word):
    """What a list with items that have no id leads to."""

    REJECT = "reject"
    SKIP = "skip"


def to_ms(span: timedelta | float | None) -> int | None:
    """Milliseconds of a duration; a number counts as seconds."""
    if span is None:
        return None
    if not isinstance(span, timedelta):
        span = timedelta(seconds=span)
    if span < timedelta(0):
        raise ValueError(f"{span} is no duration: it is negative")
    return span // _MS


def to_epoch_ms(time: datetime) -> int:
    """Milliseconds after 1970; a time without a zone is refused, since nobody knows which it means."""
    if time.tzinfo is None:
        raise ValueError(f"{time} has no time zone; give it one, such as timezone.utc")
    return (time - _EPOCH) // _MS


def from_epoch_ms(ms: int) -> datetime:
    """The time so many milliseconds after 1970, in UTC."""
    return _EPOCH + ms * _MS


def from_rfc3339(text: str) -> datetime:
    """The time of an RFC 3339 text."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def id_text(id: ResourceId) -> str:
    """An id's text."""
    return _text(id)


def _text(given: object) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    raise TypeError(f"an id is a str or an int, not {type(given).__name__}")
