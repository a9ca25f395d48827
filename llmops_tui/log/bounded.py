"""Values of a program as JSON of a bounded size. Runs no code of the program: no `repr`, no properties."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Characters of one value, of one text in it, things in one list or mapping, and levels.
SIZE, TEXT, ITEMS, DEPTH = 128 << 10, 64 << 10, 400, 10
_LONGEST_INT = 1 << 63
_CUT = "…"
#: By name, as importing them costs: what has a text that is short and safe to ask for.
_PRINTED = frozenset(
    [
        ("datetime", "datetime"),
        ("datetime", "date"),
        ("datetime", "time"),
        ("datetime", "timedelta"),
        ("decimal", "Decimal"),
        ("fractions", "Fraction"),
        ("uuid", "UUID"),
        ("pathlib", "PosixPath"),
        ("pathlib", "WindowsPath"),
        ("pathlib", "PurePosixPath"),
    ]
)
#: A parameter or key that is called so is not written down.
_SECRET = ("password", "passwd", "secret", "api_key", "apikey", "authorization", "access_token", "auth_token")
HIDDEN = "[redacted]"


class Bound:
    """Makes values small; `used` is what they take, in characters."""

    __slots__ = ("left", "size")

    def __init__(self, size: int = SIZE) -> None:
        self.size = self.left = size

    @property
    def used(self) -> int:
        return self.size - self.left

    def of(self, value: Any, depth: int = DEPTH) -> Any:
        """The value as JSON has it, cut where it is too long, too wide or too deep.

        Of objects that are no data, only the name of their class: asking one for its text may run a query.
        """
        kind = type(value)
        if kind is str:
            return self._text(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if -_LONGEST_INT <= value < _LONGEST_INT else "a whole number of many digits"
        if kind is float:
            return value if math.isfinite(value) else ("NaN" if value != value else f"{value:+}")
        if depth <= 0 or self.left <= 0:
            return _CUT
        if issubclass(kind, dict):
            return self._mapping(dict.items(value), depth)
        if issubclass(kind, (list, tuple, set, frozenset)):
            return self._sequence(value, depth)
        return self._object(value, kind, depth)

    def _text(self, text: str) -> str:
        room = min(TEXT, self.left)
        if len(text) <= room:
            self.left -= len(text) + 2
            return text
        self.left -= max(room, 0) + 2
        return text[: max(room, 0)] + f"{_CUT} ({len(text)} characters)"

    def _mapping(self, items: Any, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for n, (key, value) in enumerate(items):
            if n >= ITEMS or self.left <= 0:
                found[_CUT] = "more"
                break
            name = key if type(key) is str else str(self.of(key, 0))
            self.left -= min(len(name), 200) + 4
            found[name[:200]] = HIDDEN if is_secret(name) else self.of(value, depth - 1)
        return found

    def _sequence(self, values: Any, depth: int) -> list[Any]:
        found = []
        for n, value in enumerate(values):
            if n >= ITEMS or self.left <= 0:
                found.append(_CUT)
                break
            self.left -= 2
            found.append(self.of(value, depth - 1))
        return found

    def _object(self, value: Any, kind: type, depth: int) -> Any:
        if issubclass(kind, str):
            return self._text(str.__str__(value))
        if issubclass(kind, int):  # an IntEnum
            return self.of(int.__int__(value), depth)
        if issubclass(kind, float):
            return self.of(float.__float__(value), depth)
        if kind in (bytes, bytearray, memoryview):
            return f"{len(value)} bytes"
        if (kind.__module__, kind.__qualname__) in _PRINTED:
            return self._text(str(value))
        names = _fields(kind)
        if names is not None:
            return self._mapping(((name, held(value, name)) for name in names), depth)
        return f"<{kind.__module__}.{kind.__qualname__}>"[:200]


def is_secret(name: str) -> bool:
    lowered = name.lower()
    return any(word in lowered for word in _SECRET)


def _fields(kind: type) -> Any:
    """Names of the fields of a class that is data: dataclass, pydantic, msgspec, attrs."""
    for name in ("__dataclass_fields__", "__pydantic_fields__", "__struct_fields__"):
        found = getattr(kind, name, None)
        if isinstance(found, (dict, tuple)):
            return found
    found = getattr(kind, "__attrs_attrs__", None)
    return [a.name for a in found] if isinstance(found, tuple) else None


def held(value: Any, name: str) -> Any:
    """What is kept under a name: in the object's dictionary or a slot, never asked of a property."""
    try:
        kept = object.__getattribute__(value, "__dict__")
    except AttributeError:
        kept = {}
    if type(kept) is dict and name in kept:
        return kept[name]
    for base in type(value).__mro__:
        slot: Any = base.__dict__.get(name)
        if type(slot) is _SLOT:
            try:
                return slot.__get__(value)
            except AttributeError:
                return None
    return None


class _Slotted:
    __slots__ = ("slot",)


_SLOT = type(_Slotted.__dict__["slot"])
