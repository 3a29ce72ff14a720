# pyright: basic
# Scenarios are JSON of any shape, which is checked as it is read.
"""The cache that a scenario runs, and what the scenario has named or seen so far."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from ._border import native
from ._cache import ResourceCache
from ._clock import ManualClock
from ._errors import ResourceCacheError
from ._names import BadItems, JsonObject, Kind, NewItems, OnFailure, VersionOrder
from ._outbox import Attempt
from ._rows import Changes, Conflict, Outcome
from ._settings import (
    Backoff,
    Completes,
    Config,
    Exponential,
    Fails,
    HistoryLimits,
    Linear,
    ProgressPlan,
    RetryPolicy,
    Schema,
    Stage,
)
from ._verbs import FetchToken

EPOCH = datetime(2025, 1, 19, tzinfo=timezone.utc)
"""From which the times of a scenario count."""

_Changes = Changes[JsonObject]


class Ill(Exception):
    """A scenario that fails: what was expected, and what came instead."""


class Fields:
    """A JSON object that must be read whole: a field that nobody asked for is an error."""

    def __init__(self, given: Any) -> None:
        if not isinstance(given, dict):
            raise Ill(f"{given!r} is no object")
        self._left: dict[str, Any] = dict(given)

    def has(self, name: str) -> bool:
        return name in self._left

    def optional(self, name: str, default: Any = None) -> Any:
        return self._left.pop(name, default)

    def required(self, name: str) -> Any:
        if name not in self._left:
            raise Ill(f"{name}: missing")
        return self._left.pop(name)

    def finish(self) -> None:
        if self._left:
            raise Ill(f"unknown: {', '.join(sorted(self._left))}")


class World:
    """The cache under test, and what the scenario knows of it."""

    def __init__(self, settings: Any) -> None:
        fields = Fields(settings)
        self._schema = Schema(
            id=fields.optional("id", "/id"),
            uid=fields.optional("uid"),
            version=fields.optional("version"),
            token=fields.optional("token"),
            items="/items",
            list_version="/list_version",
        )
        # How a list carries its own version is the runner's business: merge names it.
        fields.optional("list_version")
        self._config = _config(fields)
        fields.finish()
        self._clock = ManualClock(EPOCH)
        try:
            self.cache: ResourceCache[JsonObject] = ResourceCache(
                config=self._config, schema=self._schema, clock=self._clock
            )
        except ResourceCacheError as error:
            raise Ill(f"config: {error}") from None
        self.operations: dict[str, int] = {}
        self.fetches: dict[str, native.FetchToken] = {}
        self.last: _Changes | None = None
        self.attempt: Attempt[JsonObject] | None = None
        self.conflicts: tuple[Conflict, ...] = ()
        self.outcomes: list[Outcome] = []
        self.seen: dict[str, int] = {}
        self.first_seen: dict[str, int] = {}
        self.seen_at_expectation: dict[str, int] = {}
        self._mirror: list[int] = []

    def set_time(self, at_ms: int) -> None:
        self._clock.now = EPOCH + timedelta(milliseconds=at_ms)

    def told(self, applied: native.Applied) -> _Changes:
        return self.cache._told(applied)

    def set_attempt(self, attempt: native.Attempt | None) -> None:
        self.attempt = None if attempt is None else Attempt(attempt, self.cache._codec)

    def token(self, name: str | None) -> FetchToken | None:
        if name is None:
            return None
        if name not in self.fetches:
            raise Ill(f"fetch: {name!r} was never begun")
        return FetchToken(self.fetches[name])

    def operation(self, name: str) -> int:
        # A name that nothing has is an operation that the cache cannot know.
        return self.operations.get(name, 2**64 - 1)

    def stepped(self, changes: _Changes, names: list[str | None]) -> _Changes:
        """Names the operations that a step began."""
        for name, operation in zip(names, changes.operations):
            if name is not None:
                self.operations[name] = operation
        self.conflicts = changes.conflicts
        return changes

    def accept(self, changes: _Changes) -> None:
        """Follows the changes, and sees that they lead to the list as it is."""
        self._follow(changes)
        visible = [row.key for row in self.cache.rows()]
        if self._mirror != visible:
            raise Ill(
                f"expected: the changes lead to the new list {visible}\n"
                f"    got: {self._mirror} by {changes}"
            )
        for row in self.cache.all():
            self.first_seen.setdefault(row.id, row.key)
            self.seen[row.id] = row.key
        self.outcomes.extend(changes.outcomes)
        self.last = changes

    def _follow(self, changes: _Changes) -> None:
        rows = changes.upserted
        gone = {row.key for row in rows} | {row.key for row in changes.removed}
        self._mirror = [key for key in self._mirror if key not in gone]
        for row in rows:
            if row.after is not None and row.after not in self._mirror:
                raise Ill(f"a row is put behind {row.after}, which is not there")
            at = 0 if row.after is None else self._mirror.index(row.after) + 1
            self._mirror.insert(at, row.key)

    def reload(self) -> None:
        """Saves the state, drops the cache and loads it again. A reader takes the whole list then."""
        told = len(self.cache.outcomes())
        self.cache = ResourceCache.restore(
            self.cache.save(), config=self._config, schema=self._schema, clock=self._clock
        )
        self._mirror = [row.key for row in self.cache.rows()]
        # What became due while it was away.
        self.outcomes.extend(self.cache.outcomes()[told:])
        self.last = None


def _span(ms: int | None) -> timedelta | None:
    return None if ms is None else timedelta(milliseconds=ms)


def _config(fields: Fields) -> Config:
    """The settings, by the core's names."""
    order, new = fields.optional("version_order"), fields.optional("new_items")
    failure, bad = fields.optional("on_failure"), fields.optional("bad_items")
    retry, history = fields.optional("retry"), fields.optional("history")
    plans: Mapping[str, Any] = fields.optional("progress", {})
    return Config(
        ttl=_span(fields.optional("ttl_ms")),
        stale_after=_span(fields.optional("stale_after_ms")),
        completed_shown=_span(fields.optional("completed_shown_ms")),
        error_shown=_span(fields.optional("error_shown_ms")),
        version_order=order and VersionOrder(order),
        new_items=new and NewItems(new),
        on_failure=failure and OnFailure(failure),
        bad_items=bad and BadItems(bad),
        retry=retry and _retry(Fields(retry)),
        max_under_way=fields.optional("max_under_way"),
        progress={Kind(kind): _plan(Fields(plan)) for kind, plan in plans.items()} or None,
        history=history and HistoryLimits(**history),
    )


def _retry(fields: Fields) -> RetryPolicy:
    backoff: Backoff | None = None
    given = fields.optional("backoff")
    if given is not None:
        (kind, own), *_ = given.items()
        spans = {name.removesuffix("_ms"): timedelta(milliseconds=ms) for name, ms in own.items()}
        backoff = Linear(**spans) if kind == "linear" else Exponential(**spans)
    # None means never, where the core says so.
    most = fields.optional("max_attempts", -1)
    policy = RetryPolicy(
        backoff=backoff,
        max_attempts=None if most == -1 else most or 0,
        max_age=_span(fields.optional("max_age_ms")),
        attempt_timeout=_span(fields.optional("attempt_timeout_ms")),
        retryable=fields.optional("retryable"),
    )
    fields.finish()
    return policy


def _plan(fields: Fields) -> ProgressPlan:
    plan = ProgressPlan(
        stages=[_stage(Fields(stage)) for stage in fields.optional("stages", [])],
        rules={rule["at"]: rule["stages"] for rule in fields.optional("rules", [])},
        stalled_after=_span(fields.optional("stalled_after_ms")),
    )
    fields.finish()
    return plan


def _stage(fields: Fields) -> Stage:
    end = fields.optional("end")
    ends: Completes | Fails | None = None
    if end == "complete":
        ends = Completes()
    elif end is not None:
        ends = Fails((end.get("fail") or {}).get("error_at"))
    stage = Stage(
        name=fields.required("name"),
        weight=fields.optional("weight", 1),
        expected=_span(fields.optional("expected_ms")),
        message=fields.optional("message"),
        end=ends,
    )
    fields.finish()
    return stage
