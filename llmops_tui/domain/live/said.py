"""What was said, read out of a span's attributes."""

from __future__ import annotations

from typing import Any

import msgspec


def plain(value: Any) -> str:
    """Text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and len(value) == 1:
        (only,) = value.values()
        if isinstance(only, str):
            return only
    if value in (None, "", [], {}):
        return ""
    try:
        return msgspec.json.encode(value).decode()
    except (ValueError, OverflowError, TypeError):
        # An integer of more than 64 bits, half of a surrogate pair.
        return repr(value)


def last_said(messages: Any, role: str) -> str:
    """Text of the last message of a role (any role where it is empty) that has some."""
    for message in reversed(messages) if isinstance(messages, list | tuple) else ():
        if not isinstance(message, dict) or (role and message.get("role") != role):
            continue
        parts = message.get("parts")
        said = [
            part["content"]
            for part in (parts if isinstance(parts, list | tuple) else ())
            if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("content"), str)
        ]
        if said:
            return "\n".join(said)
    return ""
