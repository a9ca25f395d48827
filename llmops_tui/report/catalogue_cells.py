"""What stands in the tables of the pages that are made from catalogues."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


def first_sentence(text: str) -> str:
    head, dot, _ = text.partition(". ")
    return head + dot.strip()


def shown_default(field: Any) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "–" if value is None or value == [] else code_cell(on_one_line(value))


def on_one_line(value: Any) -> str:
    """The value on one line of YAML, as a person would write it."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000)
    return text.removesuffix("...\n").strip()


def code_cell(text: str) -> str:
    """A code span that survives in a table, whatever the text."""
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if len(fence) > 1 else ""
    return cell(f"{fence}{pad}{text}{pad}{fence}")


def cell(text: str) -> str:
    return text.replace("|", "\\|")
