# pyright: basic
# Scenarios are JSON of any shape, which is checked as it is read.
"""Runs conformance scenarios: ``python -m resourcecache.conformance FILE...``.

A line per scenario, ``N passed, N failed`` at the end, and exit code 1 on any failure, an unreadable file
or one without a scenario; as the Rust runner does. The format is described beside the scenarios.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from . import _scenario_expectations as expectations
from ._codec import to_bytes
from ._errors import BatchError, ResourceCacheError
from ._names import Json, Kind
from ._outbox import Begin, Create, Delete, Process, Update
from ._rows import Changes
from ._scenario_world import Fields, Ill, World
from ._verbs import After, ByStatus, Ids, Page

_KINDS = {
    "creating": Kind.CREATE,
    "updating": Kind.UPDATE,
    "processing": Kind.PROCESS,
    "deleting": Kind.DELETE,
}
_WORDS = {
    "TransitionError": "transition",
    "NotFoundError": "not_found",
    "AlreadyExistsError": "already_exists",
    "BadInputError": "bad_input",
    "BadSnapshotError": "bad_snapshot",
}
_Changes = Changes[Any]


@dataclass(frozen=True)
class Report:
    """How one scenario went."""

    name: str
    problem: str | None
    """What was expected, and what came instead; ``None`` for nothing."""


def scenarios_of(text: str) -> list[Any]:
    """The scenarios of a file.

    Raises ValueError for one that is no array of scenarios, or an empty one.
    """
    try:
        parsed: Any = json.loads(text)
    except ValueError as error:
        raise ValueError(f"no array of scenarios: {error}") from None
    if not isinstance(parsed, list):
        raise ValueError("no array of scenarios")
    if not parsed:
        raise ValueError("holds no scenario")
    scenarios: list[Any] = parsed
    return scenarios


def run_scenario(scenario: Any) -> Report:
    """Runs one scenario."""
    name = "(without a name)"
    try:
        fields = Fields(scenario)
        name = fields.required("name")
        fields.optional("rules")
        world = World(fields.optional("config", {}))
        steps = fields.required("steps")
        fields.finish()
        if not steps:
            raise Ill("has no steps")
        for number, step in enumerate(steps, 1):
            try:
                _step(world, Fields(step))
            except Ill as ill:
                raise Ill(f"step {number}: {json.dumps(step)}\n    {ill}") from None
    except Ill as ill:
        return Report(name, str(ill))
    return Report(name, None)


def _step(world: World, fields: Fields) -> None:
    world.set_time(fields.required("at"))
    if fields.has("expect") and not fields.has("do"):
        expected = Fields(fields.required("expect"))
        fields.finish()
        expectations.check(world, expected)
        world.seen_at_expectation.update(world.seen)
        return
    if not fields.has("do") or fields.has("expect"):
        raise Ill("a step has either an action (do) or an expectation (expect)")
    action = fields.required("do")
    refused = fields.optional("refused")
    if refused is not None and refused not in _WORDS.values():
        raise Ill(f"refused: {refused!r} is no kind of error")
    before = world.cache.save()
    try:
        changes = _act(world, action, fields)
    except ResourceCacheError as error:
        kind = error.kind if isinstance(error, BatchError) else _WORDS[type(error).__name__]
        if refused is None:
            raise Ill(f"expected: accepted\n    got: refused as {kind}: {error}") from None
        if kind != refused:
            raise Ill(
                f"expected: refused as {refused}\n    got: refused as {kind}: {error}"
            ) from None
        if world.cache.save() != before:
            raise Ill("expected: nothing changed\n    got: the refused action changed it") from None
        world.last = None
        return
    if refused is not None:
        raise Ill(f"expected: refused as {refused}\n    got: accepted")
    if changes is not None:
        world.accept(changes)


def _act(world: World, action: str, fields: Fields) -> _Changes | None:
    """Runs an action; answers its changes, or None for a reload."""
    if action == "reload":
        fields.finish()
        world.reload()
        return None
    if action in _STEPS:
        return _STEPS[action](world, action, fields)
    if action in ("mark_as_deleting", "mark_as_processing", "mark_as_updating", "add_as_creating"):
        name = fields.optional("as")
        changes = _begin_alone(world, action, fields)
        if name is not None:
            if changes.operation is None:
                raise Ill("the action answered no operation to name")
            world.operations[name] = changes.operation
        return changes
    if action in _PLAIN:
        return _PLAIN[action](world, fields)
    raise Ill(f"do: {action!r} is no action")


def _begin(action: str, fields: Fields) -> Begin[Any]:
    """What an action begins."""
    after = fields.optional("send_after_ms")
    later = None if after is None else _ms(after)
    if action == "add_as_creating":
        item = fields.required("item")
        fields.finish()
        return Create(item, None, later)
    id = fields.required("id")
    ttl = fields.optional("min_ttl_ms")
    least = None if ttl is None else _ms(ttl)
    begin: Begin[Any]
    if action == "mark_as_deleting":
        begin = Delete(id, least, later)
    elif action == "mark_as_updating":
        begin = Update(id, fields.required("patch"), least, later)
    elif action == "mark_as_processing":
        begin = Process(id, _kind(fields), least, later)
    else:
        raise Ill(f"do: {action!r} begins no operation")
    fields.finish()
    return begin


def _begin_alone(world: World, action: str, fields: Fields) -> _Changes:
    begin = _begin(action, fields)
    if begin.send_after is not None:
        return world.cache.queue(begin, send_after=begin.send_after)
    if isinstance(begin, Create):
        return world.cache.add_as_creating(begin.resource)
    if isinstance(begin, Update):
        return world.cache.mark_as_updating(begin.id, begin.patch, min_ttl=begin.min_ttl)
    if isinstance(begin, Delete):
        return world.cache.mark_as_deleting(begin.id, min_ttl=begin.min_ttl)
    return world.cache.mark_as_processing(begin.id, begin.kind)


def _perform(world: World, _: str, fields: Fields) -> _Changes:
    label, begin = fields.required("label"), fields.required("begin")
    fields.finish()
    names: list[str | None] = []
    steps: list[Begin[Any]] = []
    for action in begin:
        own = Fields(action)
        what = own.required("do")
        names.append(own.optional("as"))
        steps.append(_begin(what, own))
    changes = world.cache.perform(label, *steps)
    return world.stepped(changes, names)


def _undo_or_redo(world: World, action: str, fields: Fields) -> _Changes:
    names = fields.optional("as", [])
    fields.finish()
    changes = world.cache.undo() if action == "undo" else world.cache.redo()
    if len(names) != len(changes.operations):
        raise Ill(
            f"expected: {len(names)} operations begun\n    got: {len(changes.operations)}"
        )
    return world.stepped(changes, names)


def _begin_fetch(world: World, _: str, fields: Fields) -> _Changes:
    name = fields.required("as")
    fields.finish()
    # The changes of what was due are told by the native call alone.
    started = world.cache._native.begin_fetch()
    world.fetches[name] = started.token
    return world.told(started.applied)


def _poll_attempt(world: World, _: str, fields: Fields) -> _Changes:
    fields.finish()
    polled = world.cache._native.poll_attempt()
    world.set_attempt(polled.attempt)
    return world.told(polled.applied)


_STEPS: dict[str, Callable[[World, str, Fields], _Changes]] = {
    "begin_fetch": _begin_fetch,
    "poll_attempt": _poll_attempt,
    "perform": _perform,
    "undo": _undo_or_redo,
    "redo": _undo_or_redo,
}


def _merge(world: World, fields: Fields) -> _Changes:
    items, fetch = fields.required("items"), fields.optional("fetch")
    answer: dict[str, Json] = {"items": items}
    if fields.has("list_version"):
        answer["list_version"] = fields.required("list_version")
    part = _coverage(fields.optional("coverage", "complete"))
    fields.finish()
    token = world.token(fetch)
    return world.cache.merge(to_bytes(answer), token=token, coverage=part)


def _coverage(given: Any) -> Ids | Page | None:
    if given == "complete":
        return None
    fields = Fields(given)
    if fields.has("ids"):
        ids = fields.required("ids")
        fields.finish()
        return Ids(ids)
    page = Page(fields.optional("after"), fields.optional("before"))
    fields.finish()
    return page


def _observe(world: World, fields: Fields) -> _Changes:
    kind, item = fields.required("type"), fields.optional("item")
    fields.finish()
    if kind == "expired" and item is None:
        return world.cache.observe(b'{"type":"ERROR","object":{"code":410}}')
    if kind not in ("added", "modified", "deleted", "bookmark"):
        raise Ill(f"observe: {kind!r} is no watch event")
    if item is None and kind != "bookmark":
        raise Ill(f"observe: {kind!r} without an item is no watch event")
    return world.cache.observe(to_bytes({"type": kind.upper(), "object": item or {}}))


def _fail(world: World, fields: Fields) -> _Changes:
    operation, error = world.operation(fields.required("op")), fields.required("error")
    status, after = fields.optional("status"), fields.optional("retry_after_ms")
    wait = None if after is None else _ms(after)
    again: bool | After | ByStatus = bool(fields.optional("retry", False))
    if status is not None:
        again = ByStatus(status, wait)
    elif again and wait is not None:
        again = After(wait)
    fields.finish()
    return world.cache.fail(operation, error, retry=again)


def _acknowledge(world: World, fields: Fields) -> _Changes:
    operation, answer = world.operation(fields.required("op")), fields.optional("item")
    fields.finish()
    return world.cache.acknowledge(operation, answer)


def _of_operation(verb: str) -> Callable[[World, Fields], _Changes]:
    def act(world: World, fields: Fields) -> _Changes:
        operation = world.operation(fields.required("op"))
        fields.finish()
        changes: _Changes = getattr(world.cache, verb)(operation)
        return changes

    return act


def _of_id(verb: str) -> Callable[[World, Fields], _Changes]:
    def act(world: World, fields: Fields) -> _Changes:
        id = fields.required("id")
        fields.finish()
        changes: _Changes = getattr(world.cache, verb)(id)
        return changes

    return act


def _with(*names: str, do: Callable[..., _Changes]) -> Callable[[World, Fields], _Changes]:
    def act(world: World, fields: Fields) -> _Changes:
        values = [fields.required(name) for name in names]
        fields.finish()
        return do(world, *values)

    return act


def _batch_mark(world: World, fields: Fields) -> _Changes:
    ids, kind, ttl = fields.required("ids"), _kind(fields), fields.optional("min_ttl_ms")
    fields.finish()
    least = None if ttl is None else _ms(ttl)
    return world.cache.batch_mark_as_processing(ids, kind, min_ttl=least)


def _cleanup(world: World, fields: Fields) -> _Changes:
    age = fields.optional("older_than_ms", 300_000)
    fields.finish()
    return world.cache.cleanup_stale_operations(_ms(age))


_PLAIN: dict[str, Callable[[World, Fields], _Changes]] = {
    "merge": _merge,
    "observe": _observe,
    "fail": _fail,
    "acknowledge": _acknowledge,
    "attempt": _of_operation("attempt"),
    "cancel": _of_operation("cancel"),
    "complete": _of_id("complete"),
    "revert": _of_id("revert"),
    "cancel_operation": _of_id("cancel_operation"),
    "remove": _of_id("remove"),
    "batch_mark_as_processing": _batch_mark,
    "cleanup_stale_operations": _cleanup,
    "batch_remove": _with("ids", do=lambda w, ids: w.cache.batch_remove(ids)),
    "replace_created": _with(
        "temp_id", "item", do=lambda w, id, item: w.cache.replace_created(id, item)
    ),
    "update_in_place": _with(
        "id", "item", do=lambda w, id, item: w.cache.update_in_place(id, item)
    ),
    "update_metadata": _with(
        "id", "meta", do=lambda w, id, meta: w.cache.update_metadata(id, **meta)
    ),
    "set_online": _with("online", do=lambda w, online: w.cache.set_online(online)),
    "clear_history": _with(do=lambda w: w.cache.clear_history()),
    "tick": _with(do=lambda w: w.cache.handle_timeout()),
}


def _kind(fields: Fields) -> Kind:
    word = fields.required("operation")
    if word not in _KINDS:
        raise Ill(f"operation: {word!r} is none")
    return _KINDS[word]


def _ms(ms: int) -> timedelta:
    return timedelta(milliseconds=ms)


def _run(files: list[str]) -> Iterator[tuple[str, bool]]:
    """A line for each scenario, and whether it is of one that passed."""
    for file in files:
        try:
            with open(file, encoding="utf-8") as opened:
                scenarios = scenarios_of(opened.read())
        except (OSError, ValueError) as error:
            yield f"FAILED {file}: {error}", False
            continue
        for scenario in scenarios:
            report = run_scenario(scenario)
            if report.problem is None:
                yield f"ok     {report.name}", True
            else:
                yield f"FAILED {report.name}\n    {report.problem}", False


def main(files: list[str]) -> int:
    """Runs files, and prints as the Rust runner does; answers the exit code."""
    if not files:
        print("usage: conformance FILE...", file=sys.stderr)
        return 2
    passed = failed = 0
    for line, good in _run(files):
        print(line)
        passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
