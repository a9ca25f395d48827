"""What is wrong with the options of a built-in guardrail, in sentences that name what was written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.format import truncate
from llmops_tui.domain.guardrails.kind import GuardrailKind

if TYPE_CHECKING:
    from pydantic import ValidationError

#: Accepted beside a kind's own options, and beside its name.
COMMON = ("name", "on", "action", "threshold", "timeout_s", "on_error", "message", "judge")
#: Characters of a value that a sentence repeats.
_SHOWN = 60
#: pydantic's type of an error → what it should have been, alone and of each entry of a list.
_WANTED = {
    "int_type": ("a whole number", "whole numbers"),
    "int_from_float": ("a whole number", "whole numbers"),
    "float_type": ("a number", "numbers"),
    "bool_type": ("true or false", "true or false"),
    "string_type": ("a text", "texts"),
    "list_type": ("a list", "lists"),
    "dict_type": ("a mapping", "mappings"),
}
Said = tuple[str, str, str]


def mistakes_of(kind: GuardrailKind, error: ValidationError, *, is_bare: bool) -> list[Said]:
    """(message, remedy, option) of each option that does not fit.

    Args:
        is_bare: its value stands right behind the kind's name, and no option was named.
    """
    by_option: dict[str, list[Any]] = {}
    for each in error.errors(include_url=False):
        by_option.setdefault(str(each["loc"][0]) if each["loc"] else "", []).append(each)
    return [(*_said(kind, option, found, is_bare=is_bare), option) for option, found in by_option.items()]


def _said(kind: GuardrailKind, option: str, found: list[Any], *, is_bare: bool) -> tuple[str, str]:
    # Where an option may be a text or a list, the mistake within the list is the one that was made.
    first = max(found, key=lambda each: len(each["loc"]))
    written = first["input"]
    of = kind.name if is_bare or not option else f"'{option}' of {kind.name}"
    match first["type"]:
        case "extra_forbidden":
            known = set(kind.options.model_fields) | set(COMMON)
            return f"{kind.name} has no option '{option}'", did_you_mean(option, known)
        case "missing":
            is_usual = option == kind.shorthand
            example = f"{{{kind.name}: …}}" if is_usual else f"{{{kind.name}: {{{option}: …}}}}"
            return f"{kind.name} needs '{option}'", f"write {example}"
        case "literal_error":
            known = set(re.findall("'([^']*)'", str(first["ctx"]["expected"])))
            return f"{of}: there is no {shown(written)}", did_you_mean(str(written), known)
        case "greater_than_equal":
            return f"{of} must be {first['ctx']['ge']:g} or more, not {shown(written)}", ""
        case "too_short" | "string_too_short":
            return f"{of} is empty", f"write {_example(kind, option, '…')}"
        case "value_error":
            message, _, remedy = first["msg"].removeprefix("Value error, ").partition("; ")
            return f"{of} {message}" if not option else f"{of}: {message}", remedy
    wanted = " or ".join(dict.fromkeys(_wanted(found, deepest=len(first["loc"]))))
    if not wanted:
        return f"{of}: {first['msg']}, not {shown(written)}", ""
    remedy = ""
    if wanted == "a list" and isinstance(written, str):
        remedy = f"write {_example(kind, option, f'[{truncate(written, _SHOWN)}]')}"
    return f"{of} must be {wanted}, not {shown(written)}", remedy


def _wanted(found: list[Any], deepest: int) -> Iterator[str]:
    for each in found:
        if len(each["loc"]) == deepest and each["type"] in _WANTED:
            alone, many = _WANTED[each["type"]]
            yield f"a list of {many}" if isinstance(each["loc"][-1], int) else alone


def _example(kind: GuardrailKind, option: str, value: str) -> str:
    is_usual = option == kind.shorthand
    return f"{{{kind.name}: {value}}}" if is_usual else f"{{{kind.name}: {{{option}: {value}}}}}"


def shown(value: Any) -> str:
    """A value as it was written, more or less; shortened."""
    if isinstance(value, str):
        return f"'{truncate(value, _SHOWN)}'"
    return truncate(json.dumps(value, ensure_ascii=False, default=str), _SHOWN)
