"""A span that is being made sense of, and how single values are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from llmops_tui.tracing.incoming.raw import Raw
from llmops_tui.tracing.incoming.safe import decoded

#: A value → what is kept of it; None where it is nothing of the sort, and then it stays as it came.
Read = Callable[[Any], Any]
#: Their name → ours, and how its value is read.
Names = Mapping[str, tuple[str, Read]]


class Reading(msgspec.Struct):
    """A span between the dialects: what is still as it came, and what was made of the rest.

    Attributes:
        left: attributes that nobody understood yet, by the name that they came with.
        found: names of `semconv` → values. What is there stays: the dialect that is trusted most comes first.
        kind: of `domain.trace.Kind`; empty where no dialect knew.
        error: what went wrong, where a dialect says so by itself.
        start: Unix seconds; a dialect may know better than the span.
        name: what people read; a dialect may know better than the span.
    """

    raw: Raw
    left: dict[str, Any]
    found: dict[str, Any]
    kind: str = ""
    error: str | None = None
    start: float = 0.0
    name: str = ""

    def take(self, name: str) -> Any:
        """An attribute, which is then understood."""
        return self.left.pop(name, None)

    def give(self, name: str, value: Any) -> None:
        """Say something of the span, unless that was said already or is nothing."""
        if value is not None and value != "" and name not in self.found:
            self.found[name] = value

    def be(self, kind: str) -> None:
        """Say what kind of span it is, unless that was said already."""
        self.kind = self.kind or kind

    def rename(self, names: Names) -> None:
        """Take every name of a table that is there."""
        left, found = self.left, self.found
        for name, (target, read) in names.items():
            if name in left:
                value = read(left[name])
                if value is not None:
                    del left[name]
                    if value != "" and target not in found:
                        found[target] = value

    def drop(self, *names: str) -> None:
        """Forget what says nothing, or what was said elsewhere."""
        for name in names:
            self.left.pop(name, None)

    def below(self, start: str) -> dict[str, Any]:
        """Take all attributes whose names begin with `start`; the rest of the name → value."""
        names = [name for name in self.left if name.startswith(start)]
        return {name[len(start) :]: self.left.pop(name) for name in names}

    def tell(self, name: str, more: Mapping[str, Any]) -> None:
        """Add to a mapping."""
        if more:
            held = self.found.get(name)
            self.found[name] = {**more, **held} if isinstance(held, dict) else dict(more)


def word(value: Any) -> str | None:
    """A text, or a scalar as one."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def count(value: Any) -> int | None:
    """A number of tokens, or of anything."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = int(value) if len(value) < 16 and value.isascii() and value.isdigit() else None
    if isinstance(value, float) and math.isfinite(value):
        value = round(value)
    return value if isinstance(value, int) and value >= 0 else None


def number(value: Any) -> float | int | None:
    """A finite number that is not negative, perhaps written as a text."""
    if isinstance(value, str) and len(value) < 32:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and value >= 0 else None


def milliseconds(value: Any) -> float | None:
    """Milliseconds → seconds."""
    found = number(value)
    return None if found is None else found / 1000


def texts(value: Any) -> list[str] | None:
    """A list of texts, perhaps as JSON; one text is a list of one."""
    value = decoded(value)
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, list):
        return [each if isinstance(each, str) else str(each) for each in value if each is not None]
    return None


def mapping(value: Any) -> dict[str, Any] | None:
    """A mapping, perhaps as JSON."""
    value = decoded(value)
    return value if isinstance(value, dict) else None


def listed(value: Any) -> list[Any] | None:
    """A list, perhaps as JSON."""
    value = decoded(value)
    return value if isinstance(value, list) else None


def anything(value: Any) -> Any:
    """A structure, perhaps as JSON; any other text as it stands."""
    return decoded(value)


def quoted(value: Any) -> Any:
    """As `anything`, of those who write texts as JSON too: `"12 days"` with its quotes."""
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return msgspec.json.decode(value, type=str)
        except (msgspec.DecodeError, UnicodeError):
            return value
    return decoded(value)


def called_with(value: Any) -> Any:
    """What a decorated function was given, `{"args", "kwargs"}`: its only argument, or all by name."""
    if not isinstance(value, dict) or value.keys() != {"args", "kwargs"}:
        return value
    args, named = value["args"], value["kwargs"]
    if not args and isinstance(named, dict):
        return named
    return args[0] if isinstance(args, list) and len(args) == 1 and not named else value
