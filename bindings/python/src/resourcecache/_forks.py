"""What holds native memory is its process's own: a child that was forked may not use it."""

from __future__ import annotations

import ctypes
import os
import weakref
from typing import Any, NoReturn

from ._errors import ForkedError


class _Forked:
    """Stands in the child for the native object of the parent, whose lock nobody may hold there."""

    def __getattr__(self, name: str) -> NoReturn:
        raise ForkedError(
            "this was made before a fork, and belongs to the parent process; make another in the child "
            "(a cache from save() if need be)"
        )


_alive: weakref.WeakSet[Any] = weakref.WeakSet()


def not_after_fork(holder: object) -> None:
    """Has the ``_native`` of this refused in the children of later forks."""
    _alive.add(holder)


def _after_fork() -> None:
    for holder in list(_alive):
        held = holder._native
        if not isinstance(held, _Forked):
            # Never freed: a database that the child closed would be harmed in the parent.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(held))
            holder._native = _Forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
