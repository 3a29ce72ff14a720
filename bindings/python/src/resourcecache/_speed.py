"""Quicker ways for strings and answers to cross the border than the generated ones.

uniffi's Python writes a string through a builder and reads it through a stream, in context managers:
about 5 µs each way, which is more than a verb takes. These are one call each way, and lead to the
same values; the tests compare them. They know the generated code of exactly one version of uniffi,
which is the one that the native library is built with: the package contains both.
"""

from __future__ import annotations

import ctypes
import importlib
import struct
from typing import Any

_HEAD = struct.Struct(">Qi")
_TAIL = struct.Struct(">IIB")
_DUE = struct.Struct(">q")


def install() -> None:
    """Puts them in the place of the generated ones."""
    generated: Any = importlib.import_module("resourcecache._native.resourcecache")
    library = generated._UniffiLib
    foreign_bytes = generated._UniffiForeignBytes
    applied_type = generated.Applied
    status_type = generated._UniffiRustCallStatus
    check = generated._uniffi_check_call_status
    from_bytes = library.ffi_resourcecache_ffi_rustbuffer_from_bytes
    free = library.ffi_resourcecache_ffi_rustbuffer_free
    string_at, byref = ctypes.string_at, ctypes.byref
    cast: Any = ctypes.cast
    char_pointer = ctypes.POINTER(ctypes.c_char)

    def lower(data: bytes) -> Any:
        status = status_type.default()
        buffer = from_bytes(foreign_bytes(len(data), cast(data, char_pointer)), byref(status))
        check(None, status)
        return buffer

    def lift(buffer: Any) -> bytes:
        try:
            return string_at(buffer.data, buffer.len) if buffer.len else b""
        finally:
            status = status_type.default()
            free(buffer, byref(status))
            check(None, status)

    def lower_string(value: str) -> Any:
        return lower(value.encode("utf-8"))

    def lift_string(buffer: Any) -> str:
        return lift(buffer).decode("utf-8")

    def lift_optional_string(buffer: Any) -> str | None:
        data = lift(buffer)
        return data[5:].decode("utf-8") if data[0] else None

    nothing = b"\0"

    def lower_optional_u64(value: int | None) -> Any:
        return lower(nothing if value is None else b"\1" + value.to_bytes(8, "big"))

    def lift_applied(buffer: Any) -> Any:
        data = lift(buffer)
        revision, count = _HEAD.unpack_from(data)
        end = 12 + 8 * count
        upserted, removed, is_due = _TAIL.unpack_from(data, end)
        applied = applied_type.__new__(applied_type)
        applied.revision = revision
        applied.operations = list(struct.unpack_from(f">{count}Q", data, 12)) if count else []
        applied.upserted = upserted
        applied.removed = removed
        applied.due_ms = _DUE.unpack_from(data, end + 9)[0] if is_due else None
        applied.text = data[end + (21 if is_due else 13) :].decode("utf-8")
        return applied

    string = generated._UniffiFfiConverterString
    string.lower = staticmethod(lower_string)
    string.lift = staticmethod(lift_string)
    generated._UniffiFfiConverterOptionalString.lift = staticmethod(lift_optional_string)
    generated._UniffiFfiConverterOptionalUInt64.lower = staticmethod(lower_optional_u64)
    generated._UniffiFfiConverterTypeApplied.lift = staticmethod(lift_applied)
