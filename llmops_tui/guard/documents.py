"""Texts of what a program hands over, and the same thing with another text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

#: Keys under which a document has its text, the first that is there.
_KEYS = ("content", "text")


def text_of(document: Any) -> str:
    """The text of a document: itself, or what a mapping has under `content` or `text`.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(document, str):
        return document
    if isinstance(document, Mapping):
        for key in _KEYS:
            if isinstance(document.get(key), str):
                return str(document[key])
    raise TypeError("a document is a text, or a mapping with its text as 'content' or 'text'")


def with_text(document: Any, text: str) -> Any:
    """The document, a copy where its text is another."""
    if text == text_of(document):
        return document
    if isinstance(document, str):
        return text
    key = next(key for key in _KEYS if isinstance(document.get(key), str))
    return {**document, key: text}


def value_of(text: str, before: str, value: Any) -> Any:
    """What goes on in the shape it came in; as it was where its text is."""
    if text == before:
        return value
    if isinstance(value, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
