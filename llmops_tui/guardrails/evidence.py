"""What is said of a firing, and what is left of a text: nothing in here repeats a secret that was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llmops_tui.domain.guardrails.look import EVIDENCE, REASON
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.domain.safe_text import whole_text
from llmops_tui.guardrails.registry import Found, Match
from llmops_tui.scorers.wording import clipped

#: Kinds whose findings are themselves what nobody should read.
_HIDDEN = frozenset({"pii", "secrets"})
#: Pieces that evidence quotes, and characters before the first finding.
_PIECES, _BEFORE = 3, 200
_CUT = "…"


def safe_reason(text: str) -> str:
    """On one line, harmless, bounded."""
    return clipped(whole_text(text[: 4 * REASON]), REASON)


def redacted(text: str, matches: Iterable[Match], name: str) -> str:
    """The text with each match replaced by its label; `[removed by NAME]` where there is none.

    Matches may come in any order and overlap: what any of them covers is gone.
    """
    parts: list[str] = []
    at = 0
    for match in sorted(matches, key=lambda match: (match.start, -match.end)):
        start, end = max(match.start, at), min(match.end, len(text))
        if end <= start and parts:
            continue
        if start > len(text) or end < start:
            continue
        parts += (text[at:start], match.label)
        at = end
    return "".join((*parts, text[at:])) if parts else f"[removed by {name}]"


def evidence_of(use: GuardrailUse, fired: Sequence[tuple[str, Found]]) -> str:
    """The first findings with the text around them, at most `EVIDENCE` characters in all.

    What `pii` and `secrets` found, and what any guardrail redacts, is replaced by labels.

    Args:
        fired: text and what was found in it.
    """
    quoted = fired[:_PIECES]
    room = EVIDENCE // max(len(quoted), 1) - 1
    return "\n".join(_around(use, text, found.matches, room) for text, found in quoted)


def _around(use: GuardrailUse, text: str, matches: tuple[Match, ...], room: int) -> str:
    first = min((match.start for match in matches), default=0)
    if use.kind in _HIDDEN or (use.action == "redact" and matches):
        # Nothing before the first match changes, so its place stays.
        text = redacted(text, matches, use.name)
    start = max(min(first - _BEFORE, len(text) - room), 0)
    # Two for the marks of what was cut.
    cut = whole_text(text[start : start + room - 2])
    before = _CUT if start else ""
    return f"{before}{cut}{_CUT if start + room - 2 < len(text) else ''}"
