"""max_length: a text is longer than it may be."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

from llmops_tui.guardrails.registry import NOTHING, About, Check, Deadline, Found, Match, guardrail

#: A rule of thumb for English; a tokenizer would have to be the model's own.
_CHARACTERS_A_TOKEN = 4
_CUT = "…"
#: Characters between two looks at the clock.
_PORTION = 50_000
_WORD = re.compile(r"\S+")


@guardrail("max_length")
def prepare(options: dict[str, Any]) -> Check:
    """Fires where any of the limits is passed; the match is what is beyond the lowest of them."""
    characters, words, tokens = options.get("value"), options.get("words"), options.get("tokens")

    def check(text: str, _about: About, deadline: Deadline) -> Found:
        reasons, ends = [], []
        if characters is not None and len(text) > characters:
            reasons.append(f"has {len(text):,} characters, at most {characters:,}")
            ends.append(characters)
        if tokens is not None and len(text) > tokens * _CHARACTERS_A_TOKEN:
            about_as_many = -(-len(text) // _CHARACTERS_A_TOKEN)
            reasons.append(f"has about {about_as_many:,} tokens, at most {tokens:,}")
            ends.append(tokens * _CHARACTERS_A_TOKEN)
        # A word takes a character and a space, but for the last: a short text has not that many.
        if words is not None and len(text) > 2 * words - 1:
            counted = _count(text, deadline)
            if counted > words:
                reasons.append(f"has {counted:,} words, at most {words:,}")
                ends.append(next(islice(_WORD.finditer(text), words, None)).start())
        if not reasons:
            return NOTHING
        return Found(1.0, "; ".join(reasons), (Match(min(ends), len(text), _CUT),))

    return check


def _count(text: str, deadline: Deadline) -> int:
    """Words, as `split` tells them."""
    counted = 0
    for start in range(0, len(text), _PORTION):
        deadline.check()
        counted += len(text[start : start + _PORTION].split())
        # A word that is cut was counted twice.
        counted -= start > 0 and not text[start - 1].isspace() and not text[start].isspace()
    return counted
