"""Values of attributes as OTLP takes them. Pure."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from llmops_tui.domain.safe_text import whole_text

#: What an attribute may be: a scalar, or scalars of one kind.
Value = str | bool | int | float | list[str] | list[bool] | list[int] | list[float]

_LONGEST_INT = 1 << 63


def text(value: str) -> str:
    """The text as every collector can keep it: UTF-8, and no NUL, which PostgreSQL refuses."""
    return whole_text(value).replace("\0", "\ufffd")


def as_json(value: Any) -> str:
    """JSON as a person reads it: not escaped, keys in their order. What JSON has no word for is its text."""
    return text(json.dumps(_plain(value), ensure_ascii=False, default=str))


def as_text(value: Any) -> str:
    """A text as it stands, anything else as JSON."""
    return text(value) if isinstance(value, str) else as_json(value)


def structure(value: Any) -> Any:
    """What a JSON text says (other people's instrumentation writes structures so); else as it stands."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError):  # no JSON, or halves of characters
        return value


def value_of(value: Any) -> Value | None:
    """A scalar or scalars of one kind as they are, any structure as JSON; None where there is nothing.

    A whole number that has no place in 64 bits and a number that is none (NaN, infinity) are texts: OTLP
    has no integer for the one, and JSON no number for the other.
    """
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return _array(list(value))
    scalar = _scalar(value)
    return as_json(value) if scalar is None else scalar


def _array(values: list[Any]) -> Value:
    scalars = [_scalar(value) for value in values]
    kinds = {type(scalar) for scalar in scalars}
    if kinds == {int, float}:
        return [float(scalar) for scalar in scalars]  # type: ignore[arg-type]
    if len(kinds) <= 1 and type(None) not in kinds:
        return scalars  # type: ignore[return-value]
    return as_json(values)


def _scalar(value: Any) -> str | bool | int | float | None:
    match value:
        case bool():
            return value
        case str():
            return text(value)
        case int():
            return int(value) if -_LONGEST_INT <= value < _LONGEST_INT else str(value)
        case float():
            return float(value) if math.isfinite(value) else str(value)
        case _:
            return None


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {text(str(key)): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case str():
            # Here, as JSON would hide a NUL from `text`: readers unpack it.
            return text(value)
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return value
