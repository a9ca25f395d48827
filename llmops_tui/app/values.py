"""Values that others wrote, as a person reads them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from llmops_tui.app.lines import Line, shown
from llmops_tui.app.output_text import MAX_SHOWN
from llmops_tui.domain import format as fmt

#: Characters up to which JSON stays on one line.
SHORT = 60


def text_lines(value: str, whole: bool) -> Iterator[Line]:
    """A text line by line, cut short unless `whole`."""
    cleaned = shown(value)
    more = 0
    if not whole and len(cleaned) > MAX_SHOWN:
        more, cleaned = len(cleaned) - MAX_SHOWN, cleaned[:MAX_SHOWN]
    if not cleaned:
        yield (("(empty)", "dim"),)
        return
    for line in cleaned.split("\n"):
        yield ((line, ""),)
    if more:
        yield ((f"… {fmt.count(more)} more characters; y copies all", "dim"),)


def value_text(value: Any, *, as_text: bool = False) -> str:
    """A value as a person reads it: JSON laid out, also where it came as a text."""
    if not isinstance(value, str):
        return json_text(value)
    if not as_text and value.lstrip()[:1] in ("{", "["):
        try:
            return json_text(json.loads(value))
        except (ValueError, RecursionError):
            return value
    return value


def json_text(value: Any, *, flat: bool = False) -> str:
    """A value as JSON, laid out or `flat`; a flat text goes without quotes."""
    if flat and isinstance(value, str):
        return value
    try:
        short = json.dumps(value, ensure_ascii=False, default=str)
        if flat or len(short) <= SHORT:
            return short
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return str(value)
