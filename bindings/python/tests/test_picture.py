"""The picture of the guide is what the run gives."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

SCRIPT = Path(__file__).parents[1] / "pictures/timeline.py"


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("timeline", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_naive_client_flickers_and_ours_does_not() -> None:
    timeline = _script()
    truth, listed, naive, ours = timeline.run()
    assert not truth[-1] and not listed[-1]
    assert timeline.comebacks(naive) >= 2
    assert timeline.comebacks(ours) == 0 and not ours[timeline.DELETED]


def test_the_picture_is_of_this_run() -> None:
    timeline = _script()
    written = timeline.PICTURE.read_text()
    assert written == timeline.draw(), "write it anew: python bindings/python/pictures/timeline.py"
