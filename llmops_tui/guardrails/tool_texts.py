"""What tools take and give as the text that is looked at: the same in evaluations and in a program."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def arguments_text(arguments: Any) -> str:
    """As JSON with letters as they are, however a model escaped them; what is no JSON as it stands."""
    if not isinstance(arguments, str):
        return json_text(arguments)
    try:
        return json_text(json.loads(arguments))
    except (ValueError, RecursionError):
        return arguments


def result_text(result: Any) -> str:
    """A text as itself, anything else as JSON with letters as they are."""
    return result if isinstance(result, str) else json_text(result)


def json_text(value: Any) -> str:
    """As JSON, without spaces between; what JSON does not know as its text."""
    try:
        return msgspec.json.encode(value, enc_hook=str).decode()
    except (ValueError, TypeError, OverflowError, msgspec.MsgspecError):
        pass  # half of a surrogate pair, a number that is too large
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    except (ValueError, TypeError):
        return str(value)
