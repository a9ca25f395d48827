"""What guardrails did, in words: of an output in one line, and of one look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from llmops_tui.domain import format as fmt
from llmops_tui.domain import semconv as a
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.safe_text import clean_line

_BY = {"block": "blocked by", "redact": "redacted by", "flag": "flagged by", "fallback": "answered by"}
_DONE = {"block": "blocked", "redact": "redacted", "flag": "flagged", "fallback": "fell back"}
_STAGES = {"tool_call": "tool call", "tool_result": "tool result"}
#: Of one look: it passed; it fired and what it saw goes on; it fired and that does not; it failed itself.
Tone = Literal["passed", "seen", "stopped", "failed"]


def did(looks: Iterable[Look]) -> tuple[str, ...]:
    """`blocked by injection (context)`, `redacted by pii (input, output)`, `language failed open (output)`.

    Of looks that passed nothing is said.
    """
    stages: dict[str, list[str]] = {}
    for look in looks:
        if look.error:
            said = f"{look.name} failed {'closed' if look.action else 'open'}"
        elif look.triggered:
            said = f"{_BY.get(look.action, 'seen by')} {look.name}"
        else:
            continue
        found = stages.setdefault(clean_line(said), [])
        if (where := stage_words(look.stage)) not in found:
            found.append(where)
    return tuple(f"{said} ({', '.join(found)})" for said, found in stages.items())


def look_json(look: Look) -> dict[str, Any]:
    """As it is told to other programs."""
    return {name: getattr(look, name) for name in look.__struct_fields__} | {"pieces": list(look.pieces)}


def stage_words(stage: object) -> str:
    """`tool call`."""
    text = clean_line(str(stage))
    return _STAGES.get(text, text)


def tone(attributes: Mapping[str, Any]) -> Tone:
    """Of a span of a guardrail, by its attributes."""
    if attributes.get(a.GUARDRAIL_FAILED) is not None:
        return "failed"
    if attributes.get(a.TRIGGERED) is not True:
        return "passed"
    return "stopped" if attributes.get(a.ACTION) in ("block", "fallback") else "seen"


def outcome(attributes: Mapping[str, Any]) -> str:
    """`blocked`, `passed`, `failed open`, `failed closed: blocked`; of one span."""
    done = _DONE.get(str(attributes.get(a.ACTION, "")), "")
    how = attributes.get(a.GUARDRAIL_FAILED)
    if how is not None:
        return clean_line(f"failed {how}{f': {done}' if done else ''}")
    if attributes.get(a.TRIGGERED) is not True:
        return "passed"
    return done or "fired"


def score_words(attributes: Mapping[str, Any]) -> str:
    """`0.90 ≥ 0.5`, `0.12 < 0.5`; empty where there is no score."""
    score, threshold = (attributes.get(name) for name in (a.GUARDRAIL_SCORE, a.GUARDRAIL_THRESHOLD))
    if not _is_number(score):
        return ""
    if not _is_number(threshold):
        return f"score {fmt.score(score)}"
    sign = "≥" if attributes.get(a.TRIGGERED) is True else "<"
    return f"{fmt.score(score)} {sign} {threshold:g}"


def look_words(attributes: Mapping[str, Any]) -> str:
    """`context: blocked, 0.90 ≥ 0.5, tells the model to drop its rules (planted#0)`: one span in a line."""
    stage = stage_words(attributes.get(a.GUARDRAIL_STAGE, ""))
    said = [outcome(attributes), score_words(attributes), str(attributes.get(a.GUARDRAIL_REASON, ""))]
    where = attributes.get(a.GUARDRAIL_WHERE)
    places = ", ".join(map(str, where[:5])) if isinstance(where, list | tuple) else ""
    line = ", ".join(part for part in said if part) + (f" ({places})" if places else "")
    return clean_line(f"{stage}: {line}" if stage else line)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
