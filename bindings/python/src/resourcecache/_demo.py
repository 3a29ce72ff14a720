"""The document's three scenarios: a lagging API, a naive client and this package, side by side."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ._cache import ResourceCache
from ._clock import ManualClock
from ._codec import to_bytes
from ._names import JsonObject, Kind
from ._outbox import Attempt, Create, Delete, Update
from ._rows import Row
from ._settings import Completes, Config, ProgressPlan, Schema, Stage
from ._verbs import ByStatus

START = datetime(2025, 1, 19, tzinfo=timezone.utc)
LAGS = (1, 6, 3)
"""How many seconds behind the replicas are that lists come from, in turn."""

REGISTRATION = ProgressPlan(
    stages=[
        Stage("initializing", message="Starting registration...", expected=timedelta(seconds=3)),
        Stage("registering", message="Registering...", expected=timedelta(seconds=9), weight=2),
        Stage("complete", 0, message="Registration complete!", end=Completes()),
    ],
    rules={"/status": {"pending": "registering", "registered": "complete"}},
)


class Server:
    """Accepts each change at once; its replicas show what was so a while ago."""

    def __init__(self, items: list[JsonObject]) -> None:
        self.truth: dict[str, JsonObject] = {str(item["id"]): item for item in items}
        self.refuses: dict[str, list[int]] = {}
        self._history = [(-60, copy.deepcopy(self.truth))]
        self._lists = 0

    def noted(self, second: int) -> None:
        """What is so from this second on."""
        self._history.append((second, copy.deepcopy(self.truth)))

    def list(self, second: int) -> list[JsonObject]:
        """The next replica's list."""
        seen = second - LAGS[self._lists % len(LAGS)]
        self._lists += 1
        known = [items for at, items in self._history if at <= seen]
        return [*known[-1].values()]

    def answer(self, attempt: Attempt[JsonObject]) -> tuple[int, JsonObject | None]:
        """The status, and the resource."""
        if self.refuses.get(attempt.id):
            return self.refuses[attempt.id].pop(0), None
        if attempt.kind is Kind.DELETE:
            del self.truth[attempt.id]
            return 204, None
        if attempt.kind is Kind.CREATE:
            made: JsonObject = {**(attempt.resource or {}), "id": "d2"}
        else:
            made = {**self.truth[attempt.id], **(attempt.patch or {})}
        self.truth[str(made["id"])] = made
        return 200, made


class Play:
    """One scenario, second by second."""

    def __init__(self, title: str, items: list[JsonObject], field: str) -> None:
        self.table = Table("s", "naive client", "resourcecache", title=title, title_justify="left")
        self.server = Server(items)
        self.clock = ManualClock(START)
        self.cache = ResourceCache(
            clock=self.clock,
            config=Config(progress={Kind.CREATE: REGISTRATION}, seed=1),
            schema=Schema(token="/token"),
        )
        self.naive: dict[str, JsonObject] = {}
        self.field = field
        self.second = 0
        self.flickers = [0, 0]
        self._seen: list[dict[str, list[str]]] = [{}, {}]
        self.refresh()

    def refresh(self) -> None:
        items = self.server.list(self.second)
        self.naive = {str(item["id"]): dict(item) for item in items}
        self.cache.merge(to_bytes([*items]))

    def send(self) -> None:
        """Sends what the outbox hands out."""
        while (attempt := self.cache.poll_attempt()) is not None:
            status, item = self.server.answer(attempt)
            if status < 300:
                self.cache.acknowledge(attempt.operation, item)
            else:
                failed = f"HTTP {status}"
                self.cache.fail(attempt.operation, failed, retry=ByStatus(status))
        self.server.noted(self.second)

    def shown(self) -> tuple[Text, Text]:
        """Both clients' lists, as they are drawn."""
        naive = [(id, str(item[self.field]), "") for id, item in self.naive.items()]
        ours = [(str(row.key), str(row.body[self.field]), words(row)) for row in self.cache.rows()]
        for which, rows in enumerate((naive, ours)):
            self._judge(which, rows)
        return draw(naive), draw(ours)

    def _judge(self, which: int, rows: list[tuple[str, str, str]]) -> None:
        """A row that goes back to what it was before, or comes and goes, has flickered."""
        seen = self._seen[which]
        now = {key: value for key, value, _ in rows}
        for key in {*seen, *now}:
            value, past = now.get(key, "(none)"), seen.setdefault(key, [])
            if past and value != past[-1] and value in past[:-1]:
                self.flickers[which] += 1
            if not past or value != past[-1]:
                past.append(value)

    def run(self, begun: str, seconds: int, on_second: Callable[[int], None] | None = None) -> None:
        self.table.add_row("0", *self.shown(), end_section=True)
        self.table.caption = begun
        last: tuple[str, str] | None = None
        for _ in range(seconds):
            self.second += 1
            self.clock.advance(1)
            if on_second is not None:
                on_second(self.second)
            self.send()
            self.refresh()
            naive, ours = self.shown()
            if (naive.plain, ours.plain) != last:
                self.table.add_row(str(self.second), naive, ours, end_section=True)
            last = (naive.plain, ours.plain)


def words(row: Row[JsonObject]) -> str:
    """The badge and the progress of a row."""
    badge = row.badge
    if badge is None:
        return ""
    told = badge.label if badge.progress is None else f"{badge.label} {badge.progress:.0f} %"
    return told + (f" ({badge.retry[0]}/{badge.retry[1]})" if badge.retry else "")


def draw(rows: Iterable[tuple[str, str, str]]) -> Text:
    text = Text()
    for number, (_, value, told) in enumerate(rows):
        text.append("\n" if number else "").append(value)
        if told:
            text.append(f"  {told}", style="cyan")
    return text


def registration() -> Play:
    """A domain is registered: shown at once, then through its stages, by its lists alone."""
    old: JsonObject = {"id": "d1", "name": "old.example", "status": "registered"}
    play = Play("1. A domain is registered: stages, progress, completion", [old], "name")
    new: JsonObject = {"id": "tmp", "name": "new.example", "status": "pending", "token": "c7"}
    play.naive["tmp"] = new
    play.cache.queue(Create(new))

    def job(second: int) -> None:
        if second == 9:
            play.server.truth["d2"]["status"] = "registered"

    play.run("the user registers new.example", 20, job)
    return play


def bulk_deletion() -> Play:
    """Five zones are deleted, two of which the server refuses."""
    zones: list[JsonObject] = [{"id": f"zone-{n}", "name": f"zone-{n}"} for n in range(1, 7)]
    play = Play("2. Five zones are deleted, two of which fail", zones, "name")
    play.server.refuses = {"zone-2": [409], "zone-4": [409]}
    for n in range(1, 6):
        play.naive.pop(f"zone-{n}")
        play.cache.queue(Delete(f"zone-{n}"))
    play.run("the user deletes zones 1 to 5", 14)
    return play


def retries() -> Play:
    """Two records are changed: three attempts each, one of them fails for good."""
    records: list[JsonObject] = [{"id": f"r{n}", "ttl": 3600} for n in (1, 2)]
    play = Play("3. Two records are changed: one after two retries, one not at all", records, "ttl")
    play.server.refuses = {"r1": [503, 503], "r2": [503, 503, 503]}
    for n in (1, 2):
        play.naive[f"r{n}"] = {"id": f"r{n}", "ttl": 60}
        play.cache.queue(Update(f"r{n}", {"ttl": 60}))
    play.run("the user sets the TTL of both to 60", 16)
    return play


def main(fast: bool = False) -> int:
    """Plays and prints all three; 1 when ours has flickered."""
    console = Console()
    ours = 0
    for scenario in (registration, bulk_deletion, retries):
        play = scenario()
        console.print(play.table)
        naive, own = play.flickers
        console.print(f"flickers: naive {naive}, resourcecache {own}\n")
        ours += own
        if not fast:
            time.sleep(1)
    return 1 if ours else 0
