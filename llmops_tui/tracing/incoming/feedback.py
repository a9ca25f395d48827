"""Scores and signals that traces carry: events and attributes → `LiveScore`, `Signal`.

Source: OpenTelemetry's `gen_ai.evaluation.result` event and `gen_ai.evaluation.*`; OpenInference's
spec/annotations.md; Logfire's `record_feedback`; our own `llmops.signal` (docs/traces-incoming.md).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import SIGNAL_KINDS, LiveScore, Signal
from llmops_tui.tracing.incoming.problems import BadSpan
from llmops_tui.tracing.incoming.raw import Raw
from llmops_tui.tracing.incoming.reading import word

RESULT = "gen_ai.evaluation.result"
SIGNAL = "llmops.signal"
#: Names of events that are signals. The conventions have none for what users do; tools write these.
SIGNALS = frozenset([SIGNAL, "gen_ai.user_feedback", "gen_ai.user.feedback", "user_feedback"])
TOLD = frozenset([RESULT, *SIGNALS])
#: Labels that decide, in lower case.
_PASSED = {"pass": True, "passed": True, "true": True, "fail": False, "failed": False, "false": False}
_THUMBS = {
    **dict.fromkeys(["up", "thumbs_up", "thumb_up", "positive", "true", "like", "1"], 1.0),
    **dict.fromkeys(["down", "thumbs_down", "thumb_down", "negative", "false", "dislike", "0", "-1"], 0.0),
}
#: Characters of a comment, a reason or a text as the user left it.
_LONGEST = 1 << 16
_INLINE = ("annotations.", "evaluations.", "trace.annotations.", "trace.evaluations.")


def scores(raw: Raw, dialect: str) -> Iterator[LiveScore]:
    """Scores that a span carries: in events, in attributes of its own, in lists of annotations."""
    target = _target(raw)
    has = raw.attributes
    for event in raw.events:
        if event.name == RESULT and (made := score(event.attributes, target, event.at, "gen_ai")):
            yield made
    if a.EVALUATION in has and (made := score(has, target, _judged_at(raw), dialect or "gen_ai")):
        yield made
    if dialect != "llmops":  # whose roots repeat what their scorers' spans say
        yield from _annotations(raw, target)
    if isinstance(name := has.get("logfire.feedback.name"), str) and name:
        comment = word(has.get("logfire.feedback.comment")) or ""
        value, passed, label = _value(has.get(name))
        if value is not None or passed is not None or label:
            yield LiveScore(
                target, name, value, passed, _reason(label, comment), at=raw.end, source="logfire"
            )


def _target(raw: Raw) -> str:
    """Trace that is judged: what is told afterwards has exactly one link to it (spec/annotations.md)."""
    return raw.links[0] if len(raw.links) == 1 else raw.trace_id


def _judged_at(raw: Raw) -> float:
    told = raw.attributes.get(a.SCORED_AT)
    known = isinstance(told, int | float) and not isinstance(told, bool) and math.isfinite(told)
    return float(told) if known and told is not None else raw.end


def score(has: Mapping[str, Any], trace_id: str, at: float, source: str) -> LiveScore | None:
    """`gen_ai.evaluation.*` as a score; None where it says nothing."""
    name = word(has.get(a.EVALUATION))
    if not name or not trace_id:
        return None
    value, passed, other = _value(has.get(a.SCORE))
    label = word(has.get(a.SCORE_LABEL)) or other
    if label and passed is None:
        passed = _PASSED.get(label.lower())
        label = "" if passed is not None else label
    explanation = word(has.get(a.EXPLANATION)) or ""
    error = word(has.get(a.ERROR_TYPE)) or ""
    if value is None and passed is None and not label and not error:
        return None
    return LiveScore(trace_id, name, value, passed, _reason(label, explanation), error, at, source)


def _value(value: Any) -> tuple[float | None, bool | None, str]:
    """Value in [0, 1], whether it passed, and a label. A score on another scale is a label."""
    if isinstance(value, bool):
        return (1.0 if value else 0.0), value, ""
    if isinstance(value, int | float):
        return (float(value), None, "") if 0 <= value <= 1 else (None, None, f"{value:g}")
    if isinstance(value, str) and value:
        passed = _PASSED.get(value.lower())
        return None, passed, "" if passed is not None else value
    return None, None, ""


def _reason(label: str, explanation: str) -> str:
    return (f"{label}: {explanation}" if label and explanation else label or explanation)[:_LONGEST]


def _annotations(raw: Raw, target: str) -> Iterator[LiveScore]:
    """OpenInference's lists: `annotations.0.annotation.score`. Those of sessions are no trace's."""
    by: dict[str, dict[str, Any]] = {}
    for name, value in raw.attributes.items():
        if name.startswith(_INLINE):
            start, _dot, field = name.rpartition(".")
            by.setdefault(start, {})[field] = value
    for row in by.values():
        has = {
            a.EVALUATION: row.get("name"),
            a.SCORE: row.get("score"),
            a.SCORE_LABEL: row.get("label"),
            a.EXPLANATION: row.get("explanation"),
        }
        if made := score(has, target, raw.end, "openinference"):
            yield made


def signals(raw: Raw) -> Iterator[Signal]:
    """Signals that a span carries as events, or is.

    Raises:
        BadSpan: one says nothing that is known.
    """
    for event in raw.events:
        if event.name in SIGNALS:
            yield signal({**_about(raw.attributes), **event.attributes}, raw.trace_id, event.at)
    if raw.name in SIGNALS:
        yield signal(raw.attributes, _target(raw), raw.start)


def _about(has: Mapping[str, Any]) -> dict[str, Any]:
    return {name: has[name] for name in (a.USER, a.SESSION, a.CONVERSATION, a.FEATURE) if name in has}


def signal(has: Mapping[str, Any], trace_id: str, at: float) -> Signal:
    """Attributes of an `llmops.signal` as a signal.

    Raises:
        BadSpan: its kind is unknown, or its value is none of that kind.
    """

    def get(*names: str) -> Any:
        for name in names:
            for start in ("", "llmops.signal.", "gen_ai.user_feedback.", "gen_ai.user.feedback."):
                if (value := has.get(start + name)) is not None:
                    return value
        return None

    value = get("value", "score", "rating")
    kind = word(get("kind", "type")) or _guessed(value)
    if kind not in SIGNAL_KINDS:
        raise BadSpan(
            f"the kind of a signal has to be one of {', '.join(SIGNAL_KINDS)}, and is '{kind[:40]}'"
        )
    made = Signal(
        id=word(get("id")) or "",
        kind=kind,
        value=_signal_value(kind, value, get("max", "scale")),
        at=at,
        trace_id=trace_id,
        session=word(get("session", a.SESSION, a.CONVERSATION)) or "",
        user=word(get("user", a.USER)) or "",
        feature=word(get("feature", a.FEATURE)) or "",
        comment=(word(get("comment", "text")) or "")[:_LONGEST],
        edited=(word(get("edited")) or "")[:_LONGEST],
    )
    return made if made.id else _with_id(made)


def _guessed(value: Any) -> str:
    """Feedback without a kind is a thumb where it is up or down, and otherwise a rating."""
    return "thumb" if str(value).strip().lower() in _THUMBS else "rating"


def _signal_value(kind: str, value: Any, top: Any) -> float:
    if kind == "thumb":
        found = _THUMBS.get(str(value).strip().lower().removesuffix(".0"))
        if found is None:
            raise BadSpan("the value of a thumb has to be 1 (up) or 0 (down)")
        return found
    if kind not in ("rating", "edit"):
        return 1.0
    try:
        number = float(value) / float(1 if top is None else top)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        number = math.nan
    if not 0 <= number <= 1:
        raise BadSpan(f"the value of {'a' if kind == 'rating' else 'an'} {kind} has to be from 0 to 1")
    return number


def _with_id(made: Signal) -> Signal:
    told = msgspec.json.encode(msgspec.structs.astuple(made))
    return msgspec.structs.replace(made, id=hashlib.sha256(told).hexdigest()[:32])
