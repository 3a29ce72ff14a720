"""Code as users write it, held by mypy and pyright at their strictest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypedDict

from resourcecache import Config, Json, JsonObject, Kind, ResourceCache, Row, Schema, Status


@dataclass
class Zone:
    id: str
    name: str


class Record(TypedDict):
    id: str
    ttl: int


def badge_of(row: Row[Zone]) -> str:
    return row.badge.label if row.badge else row.resource.name


def test_dataclasses_keep_their_type() -> None:
    zones = ResourceCache(Zone, config=Config(ttl=timedelta(seconds=30)), schema=Schema(id="/id"))
    zones.merge(b'[{"id": "a", "name": "a.example"}, {"id": "b", "name": "b.example"}]')
    with zones.deleting("a") as deletion:
        assert deletion.operation == 1
    names: list[str] = [zone.name for zone in zones]
    badges: list[str] = [badge_of(row) for row in zones.all()]
    assert (names, badges) == (["b.example"], ["Deleting...", "b.example"])
    status: Status | None = zones.status("a")
    assert status is Status.DELETING


def test_typed_dicts_keep_their_type() -> None:
    records = ResourceCache(Record)
    records.merge(b'[{"id": "r", "ttl": 60}]')
    ttl: int = records["r"]["ttl"]
    for change in records.mark_as_processing("r", Kind.PROCESS).upserted:
        ttl += change.resource["ttl"]
    assert ttl == 120


def test_without_a_type_they_are_json() -> None:
    things = ResourceCache()
    things.merge(b'[{"id": 7}]')
    value: Json = things[7]["id"]
    assert value == 7
    again = ResourceCache[JsonObject].restore(things.save())
    assert again[7] == {"id": 7}
