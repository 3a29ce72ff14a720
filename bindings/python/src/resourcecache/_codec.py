"""How bodies become values of the user's type, and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, cast, get_args, get_origin, get_type_hints

from ._names import Json, JsonObject

T = TypeVar("T")
T_co = TypeVar("T_co")


class Codec(Protocol[T]):
    """Turns a parsed JSON object into a value of the user's type, and back."""

    def decode(self, body: JsonObject) -> T:
        """The value of a JSON object."""
        ...

    def encode(self, value: T) -> JsonObject:
        """The JSON object of a value."""
        ...


class DictCodec(Generic[T]):
    """For dicts and TypedDicts: values are what JSON parsing gives."""

    def decode(self, body: JsonObject) -> T:
        return cast(T, body)

    def encode(self, value: T) -> JsonObject:
        return cast(JsonObject, value)


class DataclassCodec(Generic[T]):
    """For dataclasses, nested ones and lists of them included. Fields of the JSON that the class does
    not have are left out."""

    def __init__(self, kind: type[T]) -> None:
        if not dataclasses.is_dataclass(kind):
            raise TypeError(f"{kind!r} is no dataclass")
        self._make = _maker(kind)

    def decode(self, body: JsonObject) -> T:
        return cast(T, self._make(body))

    def encode(self, value: T) -> JsonObject:
        return dataclasses.asdict(cast(Any, value))


class PydanticCodec(Generic[T]):
    """For pydantic models (version 2); by the aliases that JSON uses."""

    def __init__(self, kind: type[T]) -> None:
        self._kind: Any = kind

    def decode(self, body: JsonObject) -> T:
        return cast(T, self._kind.model_validate(body))

    def encode(self, value: T) -> JsonObject:
        return cast(JsonObject, cast(Any, value).model_dump(mode="json", by_alias=True))


def codec_of(kind: type[T] | None) -> Codec[T]:
    """The codec of a type: a dict or TypedDict (also none at all), a dataclass, a pydantic model."""
    if kind is None or kind is dict or get_origin(kind) is dict or hasattr(kind, "__total__"):
        return DictCodec()
    if dataclasses.is_dataclass(kind):
        return DataclassCodec(cast("type[T]", kind))
    if hasattr(kind, "model_validate") and hasattr(kind, "model_fields"):
        return PydanticCodec(kind)
    raise TypeError(
        f"{kind!r} is no dict, TypedDict, dataclass or pydantic model; give a codec of your own"
    )


def to_bytes(value: JsonObject | Json) -> bytes:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _maker(kind: Any) -> Callable[[Any], object]:
    """A function that makes values of a type from parsed JSON."""
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        makers = {f.name: _maker(hints[f.name]) for f in dataclasses.fields(kind) if f.init}

        def make(body: Any) -> object:
            if not isinstance(body, dict):
                return body
            known = {name: make(body[name]) for name, make in makers.items() if name in body}
            return cast(Any, kind)(**known)

        return make
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (list, tuple) and arguments:
        inner, plural = _maker(arguments[0]), cast("Callable[[Any], object]", origin)
        return lambda body: plural(inner(item) for item in body)
    if origin is dict and len(arguments) == 2:
        value = _maker(arguments[1])
        return lambda body: {k: value(v) for k, v in body.items()}
    classes = [a for a in arguments if dataclasses.is_dataclass(a)]
    if len(classes) == 1:  # one class or something plain, such as None
        return _maker(classes[0])
    return lambda body: body
