"""The settings of a collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, Union

from ._border import native
from ._names import BadItems, Kind, NewItems, OnFailure, VersionOrder, to_ms

W = TypeVar("W")


@dataclass(frozen=True)
class Linear:
    """Waits ``step`` times the number of failed attempts."""

    step: timedelta


@dataclass(frozen=True)
class Exponential:
    """Waits any time up to a limit that doubles with each failed attempt (full jitter)."""

    base: timedelta
    """The first limit."""
    cap: timedelta
    """The last."""


Backoff = Union[Linear, Exponential]


@dataclass(frozen=True)
class RetryPolicy:
    """What the outbox does about attempts that fail. What is left out is as said."""

    backoff: Backoff | None = None
    """The wait before the next attempt. Default 1 s times the number of failed attempts."""
    max_attempts: int | None = None
    """After so many it gives up; 0 for never. Default 3."""
    max_age: timedelta | None = None
    """When the next attempt would start later than this after the first, it gives up. Default never."""
    attempt_timeout: timedelta | None = None
    """After how long an attempt that was not answered counts as lost. Default 30 s."""
    retryable: Sequence[int] | None = None
    """The HTTP statuses worth another attempt. Default 408, 425, 429, 500, 502, 503, 504."""


@dataclass(frozen=True)
class HistoryLimits:
    """How much of what the user did is kept, to be undone."""

    steps: int | None = None
    """How many steps at most. Default 100."""
    bytes: int | None = None
    """How many bytes of bodies and values at most. Default 1,048,576."""


@dataclass(frozen=True)
class Completes:
    """The stage completes its operation."""


@dataclass(frozen=True)
class Fails:
    """The stage fails its operation, with the text that the server's copy has at this pointer."""

    error_at: str | None = None


@dataclass(frozen=True)
class Stage:
    """One stage of an operation."""

    name: str
    weight: int = 1
    """Its share of the whole; 0 for one that ends."""
    expected: timedelta | None = None
    """How long it takes; ``None`` when nobody knows."""
    message: str | None = None
    """What to tell the user when it begins."""
    end: Completes | Fails | None = None
    """What it ends."""


@dataclass(frozen=True)
class ProgressPlan:
    """How an operation of one kind goes on, from stage to stage, and when it is done."""

    stages: Sequence[Stage]
    rules: Mapping[str, Mapping[str, str]] | None = None
    """By JSON pointer: which stage a value in the server's copy means."""
    stalled_after: timedelta | None = None
    """After how long without news it is marked as stalled; ``None`` for never."""


@dataclass(frozen=True)
class Config:
    """The settings of one collection. What is left out is as said.

    >>> Config(ttl=timedelta(seconds=30)).ttl
    datetime.timedelta(seconds=30)
    """

    ttl: timedelta | None = None
    """How long an operation guards what the user asked for, at least. Default 60 s."""
    stale_after: timedelta | None = None
    """After how long an operation that is not heard of is given up. Default 5 min."""
    completed_shown: timedelta | None = None
    """How long a completion lingers before it makes way. Default 2 s."""
    error_shown: timedelta | None = None
    """How long an error is shown. Default 5 s."""
    retry_backoff: timedelta | None = None
    """The wait before the next attempt, times the number of failed ones. Default 1 s."""
    retry: RetryPolicy | None = None
    """What the outbox does about attempts that fail."""
    max_under_way: int | None = None
    """How many attempts the outbox has under way at most. Default 6."""
    progress: Mapping[Kind, ProgressPlan] | None = None
    """How operations of each kind go on. Default: nothing is declared."""
    history: HistoryLimits | None = None
    """How much is kept to be undone."""
    version_order: VersionOrder | None = None
    """How the server's versions compare. Default opaque."""
    new_items: NewItems | None = None
    """Where resources stand that the server does not list yet. Default at the end."""
    on_failure: OnFailure | None = None
    """What a final failure leaves on screen. Default the server's values."""
    bad_items: BadItems | None = None
    """What items without id lead to. Default a refusal."""
    change_log: int | None = None
    """How many changes of rows are remembered for readers that come back. Default 100,000."""
    outcome_log: int | None = None
    """How many outcomes are remembered. Default 1,000."""
    seed: int | None = None
    """For tests alone: it must be random otherwise, which is the default."""


@dataclass(frozen=True)
class Schema:
    """Where a server's answers keep their list, and its resources their id and the rest.

    All are JSON pointers (RFC 6901), such as ``/metadata/name``.
    """

    id: str = "/id"
    """A resource's id: a string, or an integer."""
    uid: str | None = None
    """An identity that is never given out twice."""
    version: str | None = None
    """A resource's version."""
    token: str | None = None
    """A token that the client chose and the server echoes."""
    items: str = ""
    """The list within a list call's answer; the whole answer by default."""
    list_version: str | None = None
    """The list's own version within the answer."""
    continue_token: str | None = None
    """Where the next chunk begins, within the answer of a list call that may come in chunks."""


@dataclass(frozen=True)
class Labels:
    """The words of badges, in the user's language. What is left out stays English."""

    deleting: str | None = None
    creating: str | None = None
    updating: str | None = None
    processing: str | None = None
    retrying: str | None = None
    processed: str | None = None
    failed: str | None = None


def native_config(config: Config) -> native.Config:
    """The native form."""
    plans = config.progress
    return native.Config(
        ttl_ms=to_ms(config.ttl),
        stale_after_ms=to_ms(config.stale_after),
        completed_shown_ms=to_ms(config.completed_shown),
        error_shown_ms=to_ms(config.error_shown),
        retry_backoff_ms=to_ms(config.retry_backoff),
        retry=_retry(config.retry) if config.retry else None,
        max_under_way=config.max_under_way,
        progress={native.Kind[k.name]: _plan(p) for k, p in plans.items()} if plans else None,
        history=native.HistoryLimits(steps=config.history.steps, bytes=config.history.bytes)
        if config.history
        else None,
        version_order=native.VersionOrder[config.version_order.name]
        if config.version_order
        else None,
        new_items=native.NewItems[config.new_items.name] if config.new_items else None,
        on_failure=native.OnFailure[config.on_failure.name] if config.on_failure else None,
        bad_items=native.BadItems[config.bad_items.name] if config.bad_items else None,
        change_log=config.change_log,
        outcome_log=config.outcome_log,
        seed=config.seed,
    )


def native_schema(schema: Schema) -> native.Schema:
    """The native form."""
    return native.Schema(
        id=schema.id,
        uid=schema.uid,
        version=schema.version,
        token=schema.token,
        items=schema.items,
        list_version=schema.list_version,
        continue_token=schema.continue_token,
    )


def schema_of(schema: native.Schema) -> Schema:
    """The package's form."""
    return Schema(
        id=schema.id or "/id",
        uid=schema.uid,
        version=schema.version,
        token=schema.token,
        items=schema.items or "",
        list_version=schema.list_version,
        continue_token=schema.continue_token,
    )


def _ms(span: timedelta) -> int:
    return to_ms(span) or 0


def native_backoff(backoff: Backoff) -> native.Backoff:
    """The native form."""
    if isinstance(backoff, Linear):
        return native.Backoff.LINEAR(_ms(backoff.step))
    return native.Backoff.EXPONENTIAL(_ms(backoff.base), _ms(backoff.cap))


def _retry(retry: RetryPolicy) -> native.RetryPolicy:
    return native.RetryPolicy(
        backoff=native_backoff(retry.backoff) if retry.backoff else None,
        max_attempts=retry.max_attempts,
        max_age_ms=to_ms(retry.max_age),
        attempt_timeout_ms=to_ms(retry.attempt_timeout),
        retryable=list(retry.retryable) if retry.retryable is not None else None,
    )


def _end(end: Completes | Fails | None) -> native.StageEnd | None:
    if isinstance(end, Completes):
        return native.StageEnd.COMPLETE()
    return native.StageEnd.FAIL(end.error_at) if end else None


def _plan(plan: ProgressPlan) -> native.ProgressPlan:
    return native.ProgressPlan(
        stages=[
            native.Stage(
                name=stage.name,
                weight=stage.weight,
                expected_ms=to_ms(stage.expected),
                message=stage.message,
                end=_end(stage.end),
            )
            for stage in plan.stages
        ],
        rules=[
            native.ProgressRule(at=at, stages=dict(stages))
            for at, stages in (plan.rules or {}).items()
        ],
        stalled_after_ms=to_ms(plan.stalled_after),
    )
