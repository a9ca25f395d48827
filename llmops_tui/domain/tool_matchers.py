"""What may stand in place of an argument's value, in the scorer `tool_args`."""

from __future__ import annotations

from typing import Any

#: `{regex: "^10"}`, `{any: true}`, `{equals: …}`.
MATCHERS = ("regex", "any", "equals")


def matcher(value: Any) -> str | None:
    """The kind of matcher that a value is; None: it is the value itself."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    (name,) = value
    return name if name in MATCHERS else None
