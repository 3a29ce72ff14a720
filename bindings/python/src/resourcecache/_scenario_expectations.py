# pyright: basic
# Scenarios are JSON of any shape, which is checked as it is read.
"""What a scenario expects of the cache."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ._names import JsonObject, Settlement, Status
from ._outbox import Request
from ._scenario_world import EPOCH, Fields, Ill, World
from ._view import View

_STATES = {
    *("idle", "creating", "created", "updating", "updated", "processing", "processed"),
    *("deleting", "deleted", "retrying", "failed", "gone", "forgotten"),
}


def check(world: World, fields: Fields) -> None:
    """Checks every field of an expectation."""
    for name, checker in _CHECKS.items():
        if fields.has(name):
            checker(world, fields.required(name))
    fields.finish()


def _same(what: str, expected: object, got: object) -> None:
    if not _equal(expected, got):
        raise Ill(f"expected: {what} {expected!r}\n    got: {got!r}")


def _equal(a: object, b: object) -> bool:
    """Equal as JSON values: 1 is 1.0, and true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[k], b[k]) for k in a)
    return a == b


def _contains(what: str, expected: Mapping[str, Any], got: Mapping[str, Any]) -> None:
    for name, value in expected.items():
        if not _equal(value, got.get(name)):
            raise Ill(
                f"expected: {what} with {name} = {json.dumps(value)}\n"
                f"    got: {name} = {json.dumps(got.get(name))}"
            )


def _all(world: World, expected: list[str]) -> None:
    _same("all", sorted(expected), sorted(row.id for row in world.cache.all()))


def _by_status(world: World, expected: Mapping[str, list[str]]) -> None:
    for word, ids in expected.items():
        got = sorted(row.id for row in world.cache.by_status(Status(word)))
        _same(word, sorted(ids), got)


def _next_timeout(world: World, expected: int | None) -> None:
    at = world.cache.next_timeout
    _same("next_timeout", expected, None if at is None else _ms_after_epoch(at))


def _ms_after_epoch(at: datetime) -> int:
    return round((at - EPOCH).total_seconds() * 1000)


def _conflicts(world: World, expected: list[Any]) -> None:
    got = [{"id": c.id, "reason": c.reason} for c in world.conflicts]
    _same("conflicts", expected, got)


def _is_asked(what: str, expected: Fields, got: Request[JsonObject]) -> None:
    _same(f"{what}: kind", expected.optional("kind", got.kind.value), got.kind.value)
    _same(f"{what}: id", expected.optional("id", got.id), got.id)
    body = expected.optional("body")
    if body is not None:
        _contains(f"{what}'s body", body, got.resource or {})
    expected.finish()


def _attempt(world: World, expected: Any) -> None:
    got = world.attempt
    if (expected is None) != (got is None):
        word = {True: "no attempt", False: "an attempt"}
        raise Ill(f"expected: {word[expected is None]}\n    got: {word[got is None]}")
    if expected is None or got is None:
        return
    fields = Fields(expected)
    _same("attempt of", world.operations.get(fields.required("op")), got.operation)
    _same("attempt's number", fields.optional("number", got.number), got.number)
    _is_asked("the attempt", fields, got)


def _requests(world: World, expected: Mapping[str, Any]) -> None:
    for name, call in expected.items():
        if name not in world.operations:
            raise Ill(f"requests: {name!r} was never begun")
        got = world.cache.request_of(world.operations[name])
        if (call is None) != (got is None):
            raise Ill(f"expected: otherwise\n    got: {name} asks {got!r}")
        if got is not None:
            _is_asked(f"{name}'s request", Fields(call), got)


def _items(world: World, expected: Mapping[str, Mapping[str, Any]]) -> None:
    for id, fields in expected.items():
        row = world.cache.row(id)
        if row is None:
            raise Ill(f"expected: {id} exists\n    got: absent")
        _contains(f"{id}'s body", fields, row.body)


def _meta(world: World, expected: Mapping[str, Mapping[str, Any]]) -> None:
    for id, fields in expected.items():
        row = world.cache.row(id)
        _contains(f"{id}'s _meta", fields, {} if row is None else row._fields.get("meta") or {})


def _status(world: World, expected: Mapping[str, str | None]) -> None:
    known = {None, "absent", *(status.value for status in Status)}
    for id, word in expected.items():
        if word not in known:
            raise Ill(f"status: {word!r} is none")
        row = world.cache.row(id)
        status = None if row is None else row.status
        got = "absent" if row is None else status and status.value
        _same(f"{id}'s status", word, got)


def _state(world: World, expected: Mapping[str, str]) -> None:
    for id, word in expected.items():
        if word not in _STATES:
            raise Ill(f"state: {word!r} is none")
        _same(f"{id}'s state", word, world.cache.state(id) or "gone")


def _outcomes(world: World, expected: list[Any]) -> None:
    wanted: list[tuple[str, str]] = []
    for outcome in expected:
        fields = Fields(outcome)
        wanted.append((fields.required("id"), Settlement(fields.required("outcome")).value))
        fields.finish()
    got = sorted((o.id, o.settlement.value) for o in world.outcomes)
    world.outcomes.clear()
    _same("outcomes", sorted(wanted), got)


def _same_row(world: World, expected: list[tuple[str, str]]) -> None:
    for first, second in expected:
        before = world.seen.get(first)
        if first == second:
            before = world.seen_at_expectation.get(first, world.first_seen.get(first))
        if before is None:
            raise Ill(f"same_row: {first} was never seen before")
        row = world.cache.row(second)
        if row is None:
            raise Ill(f"expected: a row of {second}\n    got: none")
        _same(f"{second} in the row of {first},", before, row.key)


def _changed(world: World, expected: Any) -> None:
    fields = Fields(expected)
    last = world.last
    upserted = sorted(row.id for row in last.upserted) if last else []
    removed = sorted(row.id for row in last.removed) if last else []
    _same("upserted", sorted(fields.optional("upserted", [])), upserted)
    _same("removed", sorted(fields.optional("removed", [])), removed)
    fields.finish()


def _simply(name: str, ask: Callable[[World], object]) -> Callable[[World, Any], None]:
    return lambda world, expected: _same(name, expected, ask(world))


def _cache(name: str, ask: Callable[[View[JsonObject]], object]) -> Callable[[World, Any], None]:
    return lambda world, expected: _same(name, expected, ask(world.cache))


_CHECKS: dict[str, Callable[[World, Any], None]] = {
    "visible": _cache("visible", lambda cache: [row.id for row in cache.rows()]),
    "all": _all,
    "by_status": _by_status,
    "next_timeout": _next_timeout,
    "queued": _simply("queued", lambda world: world.cache.queued),
    "attempt": _attempt,
    "requests": _requests,
    "should_poll": _cache("should_poll", lambda cache: cache.should_poll),
    "undo_labels": _simply("undo_labels", lambda world: world.cache.undo_labels),
    "redo_labels": _simply("redo_labels", lambda world: world.cache.redo_labels),
    "conflicts": _conflicts,
    "items": _items,
    "meta": _meta,
    "status": _status,
    "state": _state,
    "outcomes": _outcomes,
    "same_row": _same_row,
    "unchanged": _simply("unchanged", lambda world: not world.last),
    "warnings": _simply("warnings", lambda world: len(world.last.warnings) if world.last else 0),
    "changed": _changed,
}
