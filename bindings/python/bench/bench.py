"""Times the package beside what one would do without it, in one process; prints the table of docs.

Run by `cargo xtask bench --python`. The lists are those of the core's benchmarks.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from typing import Any

import orjson

from resourcecache import ResourceCache, Schema

N = 10_000
SCHEMA = Schema(uid="/metadata/uid", version="/metadata/resourceVersion")
ROUNDS = 15


def resource(number: int, version: int) -> str:
    uid = (number + 1) * 0x9E3779B97F4A7C15 % 2**64
    time_ = "2025-01-19T00:00:00Z"
    return (
        f'{{"id":"zone-{number:06}","metadata":{{"name":"zone-{number}","uid":"{uid:016x}-4f1c",'
        f'"resourceVersion":"{1_000_000 + version}","labels":{{"app":"dns","tier":"t{number % 5}"}}}},'
        f'"spec":{{"replicas":{number % 7},"soa":{{"refresh":3600,"retry":600}},"paused":false}},'
        f'"status":{{"conditions":[{{"type":"Ready","status":"True","lastTransitionTime":"{time_}"}},'
        f'{{"type":"Synced","status":"True","lastTransitionTime":"{time_}"}}]}}}}'
    )


def body(texts: list[str]) -> bytes:
    return f"[{','.join(texts)}]".encode()


TEXTS = [resource(i, i) for i in range(N)]
LIST = body(TEXTS)


def changed(round_: int) -> bytes:
    texts = TEXTS.copy()
    for i in range(0, N, 100):
        texts[i] = resource(i, 500_000 + round_ * 1_000 + i % 1_000)
    return body(texts)


class Times:
    """The least of several rounds of each case, in turns, so that what disturbs one disturbs all."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def take(self, name: str, act: Callable[[], object], count: int = 1) -> None:
        start = time.perf_counter()
        act()
        spent = (time.perf_counter() - start) / count
        self.seconds[name] = min(spent, self.seconds.get(name, spent))


def by_hand(loads: Callable[[bytes], Any], answer: bytes, held: dict[str, Any]) -> list[Any]:
    """Parses all, joins by id, and finds what has changed."""
    new = {item["id"]: item for item in loads(answer)}
    differing = [item for id, item in new.items() if held.get(id) != item]
    held.clear()
    held.update(new)
    return differing


def measure() -> Times:
    times = Times()
    cache = ResourceCache(schema=SCHEMA)
    cache.merge(LIST)
    held = {item["id"]: item for item in json.loads(LIST)}
    many = [f"zone-{i:06}" for i in range(0, N, 10)]
    for round_ in range(ROUNDS):
        answer = changed(round_)
        times.take("json.loads", lambda: json.loads(LIST))
        times.take("orjson.loads", lambda: orjson.loads(LIST))
        times.take("json.loads and a dict", lambda: {i["id"]: i for i in json.loads(LIST)})
        times.take("by hand, json: 1 % changed", lambda: by_hand(json.loads, answer, held))
        times.take("by hand, orjson: 1 % changed", lambda: by_hand(orjson.loads, LIST, held))
        times.take("merge, 1 % changed, as objects", lambda: cache.merge(answer).resources)
        times.take("merge, identical", lambda: cache.merge(answer))
        cache.merge(LIST)
        # A cache of its own: what has settled lately is remembered, and would be part of each merge.
        fresh = ResourceCache(schema=SCHEMA)
        times.take("first fill", lambda: fresh.merge(LIST))

        def mark() -> None:
            for id in many:
                fresh.mark_as_deleting(id)

        def revert() -> None:
            for id in many:
                fresh.revert(id)

        def read() -> None:
            for id in many:
                fresh[id]

        times.take("mark_as_deleting", mark, len(many))
        times.take("revert", revert, len(many))
        times.take("cache[id]", read, len(many))
    return times


def shown(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def main() -> None:
    s = measure().seconds
    print(f"CPython {platform.python_version()}, {len(LIST) / 1e6:.1f} MB of {N:,} resources.\n")
    aims = [
        ("merge, 1 % changed, as objects", "json.loads", 1 / 20),
        ("merge, 1 % changed, as objects", "orjson.loads", 1 / 10),
        ("merge, identical", "json.loads", 1 / 40),
        ("first fill", "json.loads and a dict", 1),
    ]
    print("| case | against | aim | ratio |\n| --- | --- | --- | --- |")
    for case, other, aim in aims:
        limit = f"1/{1 / aim:.0f}" if aim < 1 else "1"
        print(f"| {case} | {other} | ≤ {limit} | 1/{s[other] / s[case]:.1f} |")
    for case, most in (("mark_as_deleting", 15), ("revert", 15), ("cache[id]", 10)):
        print(f"| {case} | | ≤ {most} µs | {s[case] * 1e6:.1f} µs |")
    print("\n| case | time |\n| --- | --- |")
    for case, seconds in s.items():
        print(f"| {case} | {shown(seconds)} |")


if __name__ == "__main__":
    main()
