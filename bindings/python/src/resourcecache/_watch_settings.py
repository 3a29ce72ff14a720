"""How a watch behaves, and how it reads what a stream tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from ._border import native
from ._names import to_ms
from ._settings import Backoff, native_backoff


@dataclass(frozen=True)
class FeedWords:
    """What the words of a feed mean. A word that stands nowhere is an error, unless ``ignored`` has
    ``*``."""

    added: Sequence[str] | None = None
    """A resource came into being. Default ``added``, ``created``."""
    modified: Sequence[str] | None = None
    """A resource changed, or is as told. Default ``modified``, ``updated``."""
    deleted: Sequence[str] | None = None
    """A resource is gone. Default ``deleted``, ``removed``."""
    bookmark: Sequence[str] | None = None
    """Everything else is as it was. Default ``bookmark``."""
    expired: Sequence[str] | None = None
    """The stream cannot go on: list again. Default ``expired``."""
    snapshot: Sequence[str] | None = None
    """All there is. Default ``snapshot``."""
    initial_end: Sequence[str] | None = None
    """All there is was told. Default none."""
    touched: Sequence[str] | None = None
    """Something changed, and the message does not tell what. Default none."""
    ready: Sequence[str] | None = None
    """The subscription holds. Default none."""
    failed: Sequence[str] | None = None
    """An operation has failed. Default ``failed``."""
    ignored: Sequence[str] | None = None
    """Passed over. Default ``heartbeat``, ``ping``."""


@dataclass(frozen=True)
class Feed:
    """Where a feed's messages keep what they tell, by JSON pointers (RFC 6901), and which words they
    use."""

    events: str | None = None
    """The array of events within a message that may have several. The pointers down to ``error`` lead
    on from each of them; without it, from the message."""
    word: str | None = None
    """The word that says what an event tells. Without it, server-sent events say it by ``event:``, and
    every other event tells a resource as it is now."""
    resource: str | None = None
    """The resource; an array of them in a snapshot. The whole event by default."""
    id: str | None = None
    """The id of the resource, for events that do not tell its body."""
    deleted_version: str | None = None
    """The version at which it went, for deletions that do not tell the body."""
    key: str | None = None
    """The idempotency key, or the client's token, of an operation that has failed."""
    error: str | None = None
    """Why it has failed."""
    version: str | None = None
    """The version from which the stream goes on behind the message."""
    sequence: str | None = None
    """The message's number, one more than that of the message before."""
    words: FeedWords | None = None
    """What the words mean."""


@dataclass(frozen=True)
class WatchSettings:
    """How a watch behaves. What is left out is as said."""

    resume: Literal["version", "sequence", "nowhere"] | None = None
    """From where a stream that broke goes on. Default the last version; for a feed nowhere, so that
    each new stream needs another list."""
    initial: Literal["list", "stream"] | None = None
    """How it learns of all that is there. Default by a list."""
    limit: int | None = None
    """How many items one list call asks for; 0 all. Default 500; for a feed all."""
    first_list_may_be_old: bool | None = None
    """Whether the first list may be an old one, for which Kubernetes asks no quorum."""
    bookmarks: bool | None = None
    """Whether bookmarks are asked for. Default true; for a feed false."""
    awaits_ready: bool | None = None
    """Whether a stream counts as open only when it says that it is ready."""
    bad_messages: Literal["relist", "skip"] | None = None
    """What a message that cannot be read leads to. Default a list."""
    backoff: Backoff | None = None
    """How long to wait after failures. Default exponential, from 1 s to 30 s."""
    healthy_after: timedelta | None = None
    """After how long without a failure the next one counts as the first again. Default 10 s."""
    idle_after: timedelta | None = None
    """A stream of which nothing was heard for so long counts as broken. Default never."""
    list_timeout: timedelta | None = None
    """A list call that was not answered for so long counts as failed. Default 60 s."""
    list_interval: timedelta | None = None
    """How long after the beginning of a list the next one begins at the earliest. Default 1 s."""
    max_waiting: int | None = None
    """How many events may wait to be applied; a list comes instead of more. Default 10,000."""
    seed: int | None = None
    """Keys the waits. Default a random one, which is right but for tests."""


@dataclass(frozen=True)
class Position:
    """Where a watch stands: saved beside the cache's state, it lets the next one go on without a
    list."""

    version: str | None = None
    """The last version of which all is in the cache."""
    sequence: int | None = None
    """The same by the server's count of messages."""


def native_feed(feed: Feed) -> native.Feed:
    """The native form."""
    fields = {name: value for name, value in vars(feed).items() if name != "words"}
    words = None
    if feed.words is not None:
        given = {name: of for name, of in vars(feed.words).items() if of is not None}
        words = native.FeedWords(**{name: list(of) for name, of in given.items()})
    return native.Feed(**fields, words=words)


def native_watch(settings: WatchSettings, feed: Feed | None) -> native.WatchSettings:
    """The native form."""
    bad = settings.bad_messages
    return native.WatchSettings(
        feed=native_feed(feed) if feed else None,
        resume=native.Resume[settings.resume.upper()] if settings.resume else None,
        initial=native.Initial[settings.initial.upper()] if settings.initial else None,
        limit=settings.limit,
        first_list_may_be_old=settings.first_list_may_be_old,
        bookmarks=settings.bookmarks,
        awaits_ready=settings.awaits_ready,
        bad_messages=native.BadMessages[bad.upper()] if bad else None,
        backoff=native_backoff(settings.backoff) if settings.backoff else None,
        healthy_after_ms=to_ms(settings.healthy_after),
        idle_after_ms=to_ms(settings.idle_after),
        list_timeout_ms=to_ms(settings.list_timeout),
        list_interval_ms=to_ms(settings.list_interval),
        max_waiting=settings.max_waiting,
        seed=settings.seed,
    )
