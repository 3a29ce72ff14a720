"""The scenarios that every language runs: one test each."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from resourcecache import ResourceCache, conformance

FOLDER = Path(os.environ.get("SCENARIOS", Path(__file__).parents[3] / "tests" / "scenarios"))
FILES = sorted(FOLDER.glob("*.json"))
ALL = [
    pytest.param(scenario, id=f"{file.stem}: {scenario['name']}")
    for file in FILES
    for scenario in json.loads(file.read_text())
]


def test_there_are_scenarios() -> None:
    assert len(FILES) >= 14 and len(ALL) >= 281


@pytest.mark.parametrize("scenario", ALL)
def test_scenario(scenario: object) -> None:
    report = conformance.run_scenario(scenario)
    assert report.problem is None, report.problem


def _scenario(*steps: object, **more: object) -> dict[str, object]:
    return {"name": "n", "steps": [*steps], **more}


LIST = {"at": 0, "do": "merge", "items": [{"id": "a"}]}


@pytest.mark.parametrize(
    "scenario",
    [
        _scenario(LIST, {"at": 0, "expect": {"visible": []}}),
        _scenario(LIST, {"at": 0, "expect": {"all": []}}),
        _scenario(LIST, {"at": 0, "expect": {"state": {"a": "created"}}}),
        _scenario(LIST, {"at": 0, "expect": {"state": {"a": "made"}}}),
        _scenario(LIST, {"at": 0, "expect": {"status": {"a": "absent"}}}),
        _scenario(LIST, {"at": 0, "expect": {"items": {"a": {"n": 1}}}}),
        _scenario(LIST, {"at": 0, "expect": {"items": {"b": {}}}}),
        _scenario(LIST, {"at": 0, "expect": {"unchanged": True}}),
        _scenario(LIST, {"at": 0, "expect": {"changed": {"upserted": []}}}),
        _scenario(LIST, {"at": 0, "expect": {"queued": 1}}),
        _scenario(LIST, {"at": 0, "expect": {"should_poll": True}}),
        _scenario(LIST, {"at": 0, "expect": {"next_timeout": 0}}),
        _scenario(LIST, {"at": 0, "expect": {"undo_labels": ["x"]}}),
        _scenario(LIST, {"at": 0, "expect": {"warnings": 1}}),
        _scenario(LIST, {"at": 0, "expect": {"outcomes": [{"id": "a", "outcome": "stale"}]}}),
        _scenario(LIST, {"at": 0, "expect": {"nonsense": 1}}),
        _scenario({"at": 0, "do": "merge", "items": [{"id": "a"}], "refused": "bad_snapshot"}),
        _scenario({"at": 0, "do": "merge", "items": [{}]}),
        _scenario({"at": 0, "do": "merge", "items": [{}], "refused": "transition"}),
        _scenario({"at": 0, "do": "nonsense"}),
        _scenario({"at": 0, "do": "tick", "nonsense": 1}),
        _scenario({"do": "tick"}),
        _scenario({"at": 0}),
        _scenario(LIST, nonsense=1),
        _scenario(LIST, config={"nonsense": 1}),
        _scenario(),
        7,
    ],
)
def test_what_is_not_so_fails(scenario: object) -> None:
    assert conformance.run_scenario(scenario).problem is not None


def test_a_refusal_that_changes_something_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = _scenario(LIST, {"at": 0, "do": "complete", "id": "x", "refused": "not_found"})
    assert conformance.run_scenario(refused).problem is None
    states = map(str, range(1_000))
    monkeypatch.setattr(ResourceCache, "save", lambda _: next(states))
    problem = conformance.run_scenario(refused).problem
    assert problem is not None and "the refused action changed it" in problem


def test_the_runner_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, empty = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "empty.json"
    good.write_text(json.dumps([_scenario(LIST)]))
    bad.write_text(json.dumps([_scenario(LIST), {"steps": []}]))
    empty.write_text("[]")
    assert conformance.main([str(good)]) == 0
    assert capsys.readouterr().out == "ok     n\n1 passed, 0 failed\n"
    assert conformance.main([str(good), str(bad), str(empty), str(tmp_path / "none.json")]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0:3] == ["ok     n", "ok     n", "FAILED (without a name)"]
    assert out[4] == f"FAILED {empty}: holds no scenario"
    assert out[-1] == "2 passed, 3 failed"
    assert conformance.main([]) == 2
