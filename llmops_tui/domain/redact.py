"""Secrets out of whatever is stored, sent back or shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

import msgspec

from llmops_tui.domain.call import Failure

MARK = "[redacted]"

#: Shorter values are not taken for secrets: they would blot out ordinary words.
MIN_LENGTH = 4

S = TypeVar("S", bound=msgspec.Struct)


def _forms(secret: str) -> set[str]:
    """A secret as it stands, JSON-escaped in the ways there are (twice, within JSON in JSON), and in URLs."""
    escaped = {json.dumps(secret, ensure_ascii=ascii_)[1:-1] for ascii_ in (True, False)}
    twice = {json.dumps(text, ensure_ascii=ascii_)[1:-1] for text in escaped for ascii_ in (True, False)}
    in_urls = {
        quote(secret, safe="", errors="replace"),
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
    }
    return {secret, *escaped, *twice, *in_urls}


class Redactor:
    """Replaces secrets by `MARK`, also where they stand JSON-escaped or percent-encoded.

    Args:
        secrets: their values; those shorter than `MIN_LENGTH` without white space around are ignored.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms: set[str] = set()
        for secret in secrets:
            secret = secret.strip()
            if len(secret) >= MIN_LENGTH:
                forms |= _forms(secret)
        # The longest first: of two secrets that start alike, no tail may stay.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._forms = tuple(ordered)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def redact(self, text: str) -> str:
        """The text without secrets."""
        return text if self._pattern is None else self._pattern.sub(MARK, text)

    def settled(self, text: str) -> int:
        """How much of a text that goes on can be redacted by itself: no secret in it is still incomplete.

        Redacting a text in such portions gives what redacting it whole does.
        """
        if self._pattern is None:
            return len(text)
        longest = len(self._forms[0])
        end = len(text)
        for start in range(max(len(text) - longest + 1, 0), len(text)):
            tail = text[start:]
            if any(len(tail) < len(form) and form.startswith(tail) for form in self._forms):
                end = start
                break
        spans = (match.span() for match in self._pattern.finditer(text))
        return next((start for start, stop in spans if start < end < stop), end)

    def redact_json(self, value: Any) -> Any:
        """The value with every text in it redacted, keys of mappings included."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            # A secret of digits may come as a number.
            return MARK if self._pattern.fullmatch(str(value)) else value
        if isinstance(value, dict):
            return {self.redact_json(k): self.redact_json(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)([self.redact_json(v) for v in value])
        return value

    def redact_struct(self, struct: S) -> S:
        """A struct of `domain` with every text in it redacted."""
        if self._pattern is None:
            return struct
        return msgspec.convert(self.redact_json(msgspec.to_builtins(struct)), type(struct))

    def redact_failure(self, failure: Failure) -> Failure:
        """A failure whose message says nothing secret."""
        return self.redact_struct(failure)
