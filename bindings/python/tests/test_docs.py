"""The examples of the guide and the README run, and pass mypy at its strictest."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BLOCKS = [
    pytest.param(code, id=f"{page}-{number}")
    for page in ("docs/python.md", "README.md", "bindings/python/README.md")
    for number, code in enumerate(
        re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(), re.M | re.S)
    )
]


def test_there_are_examples() -> None:
    assert len(BLOCKS) >= 8


@pytest.mark.parametrize("code", BLOCKS)
def test_example(code: str) -> None:
    exec(compile(code, "example", "exec"), {"__name__": "__main__"})


def test_examples_are_typed(tmp_path: Path) -> None:
    for number, block in enumerate(BLOCKS):
        (tmp_path / f"example_{number}.py").write_text(str(block.values[0]))
    ended = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", *map(str, sorted(tmp_path.glob("*.py")))],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert ended.returncode == 0, ended.stdout
