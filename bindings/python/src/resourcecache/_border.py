"""The native module, checked: of one build with the generated code, quick, and safe to hold."""

from __future__ import annotations

from typing import NoReturn

from . import _speed
from . import _native as native

__all__ = ["native"]


def _check_build() -> None:
    generated = native.GeneratedBuild().fingerprint
    library = native.library_build()
    if generated != library:
        raise ImportError(
            f"resourcecache: the native library ({library}) and the generated module ({generated}) "
            "are of different builds; install the package anew"
        )


def _refuse(self: object, *_: object) -> NoReturn:
    raise TypeError(
        f"a {type(self).__name__} holds native memory and cannot be copied or pickled; "
        "save() a cache and restore() it"
    )


def refuse_copies(kind: type) -> None:
    """Makes copying and pickling of instances an error: two would own the same native memory."""
    for name in ("__copy__", "__deepcopy__", "__reduce__", "__reduce_ex__"):
        setattr(kind, name, _refuse)


_check_build()
_speed.install()
for _kind in (
    native.JsonCache,
    native.ManualClock,
    native.FetchToken,
    native.Store,
    native.CommitWatch,
    native.WatchSession,
):
    refuse_copies(_kind)
