"""The demo runs, and shows what it is to show."""

from __future__ import annotations

import subprocess
import sys

from resourcecache import _demo


def test_naive_flickers_and_ours_does_not() -> None:
    for scenario in (_demo.registration, _demo.bulk_deletion, _demo.retries):
        naive, ours = scenario().flickers
        assert naive > 0 and ours == 0, scenario.__name__


def test_the_command() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "resourcecache", "demo", "--fast"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8", "COLUMNS": "120"},
        check=True,
    )
    for text in ("Registration complete! 100 %", "zone-4  HTTP 409", "Retry 2/3... (2/3)"):
        assert text in ended.stdout
