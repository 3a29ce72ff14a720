"""Draws docs/python-timeline.svg: one deletion against an API whose replicas lag, as a naive client and
as this package show it. Every mark is of a run of both; nothing is drawn by hand.

Run it to write the picture anew; a test holds it to what the run gives.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from resourcecache import Config, JsonObject, ManualClock, ResourceCache
from resourcecache._codec import to_bytes
from resourcecache._demo import START, Server

PICTURE = Path(__file__).parents[3] / "docs/python-timeline.svg"
SECONDS = 14
DELETED = 2
"""The second at which the user deletes the zone; the server accepts it one second later."""

WIDTH, LEFT, STEP, TOP, LANE = 800, 150, 44, 40, 46
INK, FAINT, SHOWN, WRONG, GONE = "#24292f", "#d0d7de", "#2f81f7", "#cf222e", "#8c959f"


def run() -> tuple[list[bool], list[bool], list[bool], list[bool]]:
    """For each second: whether the zone is there in truth, in the list that was answered, in the naive
    client, and here."""
    zones: list[JsonObject] = [{"id": "a"}, {"id": "b"}]
    server = Server(zones)
    clock = ManualClock(START)
    cache = ResourceCache(clock=clock, config=Config(seed=1))
    truth: list[bool] = []
    listed: list[bool] = []
    naive: list[bool] = []
    ours: list[bool] = []
    operation = 0
    for second in range(SECONDS):
        answer = server.list(second)
        known = {str(item["id"]) for item in answer}
        cache.merge(to_bytes([*answer]))
        if second == DELETED:
            operation = cache.mark_as_deleting("a").operations[0]
            known.discard("a")  # so does a careful client of today
        if second == DELETED + 1:
            del server.truth["a"]
            cache.acknowledge(operation)
        server.noted(second)
        truth.append("a" in server.truth)
        listed.append(any(item["id"] == "a" for item in answer))
        naive.append("a" in known)
        ours.append("a" in cache)
        clock.advance(timedelta(seconds=1))
    return truth, listed, naive, ours


def comebacks(lane: list[bool]) -> int:
    """How often the row came back after it was deleted."""
    return sum(now and not before for before, now in zip(lane, lane[1:]))


def draw() -> str:
    """The picture."""
    truth, listed, naive, ours = run()
    lanes = [
        ("the server", truth, GONE),
        ("the list it answers", listed, GONE),
        ("a naive client shows", naive, WRONG),
        ("resourcecache shows", ours, SHOWN),
    ]
    height = TOP + LANE * len(lanes) + 34
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="13" role="img">',
        "<title>One deletion: when the row is there</title>",
        f"<desc>The row comes back {comebacks(naive)} times in the naive client, "
        f"{comebacks(ours)} times in resourcecache.</desc>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for second in range(0, SECONDS + 1, 2):
        x = LEFT + second * STEP
        out.append(f'<line x1="{x}" x2="{x}" y1="{TOP - 8}" y2="{height - 30}" stroke="{FAINT}"/>')
        out.append(f'<text x="{x}" y="{height - 12}" text-anchor="middle" fill="{INK}">{second} s</text>')
    x = LEFT + DELETED * STEP
    out.append(f'<line x1="{x}" x2="{x}" y1="{TOP - 8}" y2="{height - 30}" stroke="{INK}" stroke-dasharray="4 3"/>')
    out.append(f'<text x="{x}" y="{TOP - 16}" text-anchor="middle" fill="{INK}">the user deletes it</text>')
    for number, (name, lane, colour) in enumerate(lanes):
        y = TOP + number * LANE
        out.append(f'<text x="{LEFT - 12}" y="{y + 19}" text-anchor="end" fill="{INK}">{name}</text>')
        for second, there in enumerate(lane):
            if not there:
                continue
            again = number == 2 and second > DELETED
            fill = colour if number == 3 or again else GONE
            x = LEFT + second * STEP
            out.append(f'<rect x="{x}" y="{y}" width="{STEP}" height="28" fill="{fill}"/>')
    return "\n".join([*out, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw())
