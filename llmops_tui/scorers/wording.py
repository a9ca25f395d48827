"""Texts and references in reasons and comparisons."""

from __future__ import annotations

import json
from typing import Any

from llmops_tui.domain.case import Case
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.scorers.registry import CannotJudge

_QUOTED = 60


def clipped(text: str, most: int) -> str:
    """The text on one line, harmless, at most `most` characters."""
    # Cut before cleaning too: a reason about a megabyte must not cost a megabyte's cleaning.
    line = clean_line(text[: 4 * most])
    return line if len(line) <= most and len(text) <= 4 * most else line[: most - 1].rstrip() + "…"


def quoted(text: str) -> str:
    """`"30 days"`, cut to what a reason has room for."""
    return f'"{clipped(text, _QUOTED)}"'


def shown(value: Any) -> str:
    """A JSON value in a reason: texts in quotes, the rest as JSON."""
    return (
        quoted(value) if isinstance(value, str) else clipped(json.dumps(value, ensure_ascii=False), _QUOTED)
    )


def reference(options: dict[str, Any], case: Case, option: str = "value") -> Any:
    """What to judge against: the option, else `expected`.

    Raises:
        CannotJudge: there is neither.
    """
    value = options.get(option)
    if value is None:
        value = case.expected
    if value is None:
        raise CannotJudge(f"has nothing to judge against: set its `{option}`, or `expected` of the case")
    return value


def as_text(value: Any) -> str:
    """A scalar as it is written in JSON, a text as itself."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def one_text(options: dict[str, Any], case: Case) -> str:
    """The reference as one text.

    Raises:
        CannotJudge: there is none, or it is a list or an object.
    """
    value = reference(options, case)
    if isinstance(value, (list, dict)):
        kind = "a list" if isinstance(value, list) else "an object"
        raise CannotJudge(
            f"needs one text, and `expected` is {kind}; contains_any and contains_all take lists"
        )
    return as_text(value)


def texts(options: dict[str, Any], case: Case) -> list[str]:
    """The reference as one or more texts.

    Raises:
        CannotJudge: there is none, or it is an object, or an empty list.
    """
    value = reference(options, case)
    several = value if isinstance(value, list) else [value]
    if not several or any(isinstance(v, (list, dict)) or v is None for v in several):
        raise CannotJudge("needs a text or a list of texts, and `expected` is something else")
    return [as_text(v) for v in several]
