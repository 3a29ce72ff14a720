"""The native module: of one build, quick in the same values, and never owned twice."""

from __future__ import annotations

import ast
import copy
import importlib
import inspect
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import resourcecache
from resourcecache import ForkedError, ManualClock, ResourceCache
from resourcecache._border import native

PACKAGE = Path(resourcecache.__file__).parent
generated: Any = importlib.import_module("resourcecache._native.resourcecache")


def test_the_stub_says_what_the_generated_module_has() -> None:
    """Every class and function of the stub is there, with the same parameters."""
    stub = ast.parse((PACKAGE / "_native" / "__init__.pyi").read_text())
    seen = 0

    def compare(body: list[ast.stmt], there: Any, path: str) -> None:
        nonlocal seen
        for node in body:
            if isinstance(node, ast.ClassDef):
                compare(node.body, getattr(there, node.name), f"{path}{node.name}.")
            elif isinstance(node, ast.FunctionDef):
                args = node.args
                stubbed = [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
                real = inspect.signature(getattr(there, node.name)).parameters
                names = [name for name in stubbed if name != "cls"]
                assert names == list(real), path + node.name
                seen += 1

    compare(stub.body, generated, "")
    assert seen > 90
    # And the other way round: nothing that the generated module has is missing.
    methods = {n for n in vars(generated.JsonCache) if not n.startswith("_")}
    cache = next(n for n in stub.body if isinstance(n, ast.ClassDef) and n.name == "JsonCache")
    assert methods == {n.name for n in cache.body if isinstance(n, ast.FunctionDef)} - {"__init__"}


def test_every_native_call_is_used() -> None:
    """Nothing that the native side can do is missing in the package."""
    text = "".join(p.read_text() for p in PACKAGE.glob("*.py") if p.name != "_speed.py")
    unused = {
        name
        for name in vars(generated.JsonCache)
        if not name.startswith("_") and f"_native.{name}" not in text
        and f"JsonCache.{name}" not in text
    }
    # Rows carry the first two; a verb as one text is for where arguments cost calls.
    assert unused == {"badge", "progress", "apply_verb"}
    for held, name in ((generated.WatchSession, "_session"), (generated.Store, "_native")):
        methods = {method for method in vars(held) if not method.startswith("_")}
        used = {m for m in methods if f"{name}.{m}" in text or f"{held.__name__}.{m}" in text}
        assert used == methods


_SAMPLES = """
import importlib, json, sys
if sys.argv[1] == "quick":
    import resourcecache
module = importlib.import_module(sys.argv[2])
cache = module.JsonCache(None, None, module.ManualClock(0))
answers = [cache.merge('[{"id":"ü"},{"id":"b"},{"id":"c"}]'.encode())]
answers.append(cache.batch_mark_as_processing(["ü", "b"], module.Kind.DELETE, 70_000))
answers += [cache.get_one("x"), cache.get_one("ü"), cache.mark_as_deleting("b", 2**40)]
for text in ("", "a", "漢字 🦀", "x" * 100_000, chr(0)):
    answers.append(cache.explain(text))
    try:
        answers.append(cache.update_in_place(text, b"7"))
    except module.CacheError as error:
        answers.append(error.problem)
print(json.dumps([getattr(a, "__dict__", a) for a in answers]))
"""


def test_quick_conversions_are_the_generated_ones(tmp_path: Path) -> None:
    """The converters of _speed.py against an untouched copy of the generated module."""
    shutil.copytree(PACKAGE / "_native", tmp_path / "untouched")
    told: list[object] = []
    for way, module in (("quick", "resourcecache._native"), ("slow", "untouched")):
        ended = subprocess.run(
            [sys.executable, "-c", _SAMPLES, way, module],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        told.append(json.loads(ended.stdout))
    assert told[0] == told[1]
    assert isinstance(told[0], list) and len(told[0]) == 15
    assert told[0][1]["operations"] == [1, 2] and told[0][2] is None


def test_another_build_of_the_library_is_refused(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "resourcecache")
    module = tmp_path / "resourcecache" / "_native" / "resourcecache.py"
    text = module.read_text()
    fingerprint = native.library_build()
    assert fingerprint in text
    module.write_text(text.replace(fingerprint, "0123456789abcdef"))
    ended = subprocess.run(
        [sys.executable, "-c", "import resourcecache"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "are of different builds; install the package anew" in ended.stderr


@pytest.mark.parametrize(
    "way", [copy.copy, copy.deepcopy, pickle.dumps, lambda x: x.__reduce__()]
)
def test_copies_are_refused(way: Callable[[Any], object]) -> None:
    cache = ResourceCache()
    clock = ManualClock(cache.now)
    token = cache.begin_fetch()
    for held in (cache, clock, token, cache._native, clock._native, token._native):
        with pytest.raises(TypeError, match="cannot be copied or pickled"):
            way(held)
    assert len(cache) == 0  # and is as it was


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_is_refused_and_the_parent_goes_on() -> None:
    cache = ResourceCache()
    cache.merge(b'[{"id": "a"}]')
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            cache.mark_as_deleting("a")
        except ForkedError:
            fresh = ResourceCache()
            fresh.merge(b'[{"id": "a"}]')
            code = 0 if len(fresh) == 1 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len(cache) == 1


def test_docstrings_are_there() -> None:
    for name in resourcecache.__all__:
        value = getattr(resourcecache, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name
    for name, value in inspect.getmembers(ResourceCache):
        if not name.startswith("_") and callable(value):
            assert value.__doc__, name
