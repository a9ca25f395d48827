"""What a guardrail did in one request, folded from its spans: in whatever order they come, it is the same."""

from __future__ import annotations

from bisect import insort
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.guardrails.look import EVIDENCE, REASON
from llmops_tui.domain.live.amounts import number, seconds, usd
from llmops_tui.domain.trace import Span

#: Spans of one guardrail in one request whose calls of models are found.
MOST_LOOKS = 100

#: What counts of several looks: the least.
_Order = tuple[int, float, float, int]


class Guarded(msgspec.Struct, array_like=True):
    """One guardrail in one request.

    Attributes:
        looked, fired, opened, closed: looks, those that fired, and those that failed themselves, by what was
            done then.
        elapsed_s, cost_usd: all looks together; the cost as the spans themselves tell it.
        score: the highest.
        order: of the look that the rest is told of: one that fired (the surest, then the first), else one
            that failed (the first), else the one with the highest score (then the last).
        looks: ids of its spans, sorted: a call of a model within one is the guardrail's.
    """

    looked: int = 0
    fired: int = 0
    opened: int = 0
    closed: int = 0
    elapsed_s: float = 0.0
    cost_usd: float = 0.0
    score: float | None = None
    order: _Order = (9, 0.0, 0.0, 0)
    stage: str = ""
    action: str = ""
    threshold: float | None = None
    reason: str = ""
    evidence: str = ""
    looks: list[int] = []

    @property
    def failed(self) -> str:
        """`closed`, `open` or empty: the worst of its looks."""
        return "closed" if self.closed else "open" if self.opened else ""

    @property
    def ended(self) -> bool:
        """The request ended with a message of its own in place of an answer."""
        return self.action == "fallback" or (self.action == "block" and self.stage in ("input", "output"))

    @property
    def outcome(self) -> tuple[int, int, int, int]:
        """Of requests: it looked, fired, failed itself, passed (neither fired nor failed); 0 or 1 each."""
        fired, failed = bool(self.fired), bool(self.opened or self.closed)
        return 1, int(fired), int(failed), int(not fired and not failed)


def take_look(guarded: Guarded, span: Span) -> None:
    """Take one span of it in."""
    has = span.attributes
    has_fired = has.get(a.TRIGGERED) is True
    failed = has.get(a.GUARDRAIL_FAILED)
    score = _share(has.get(a.GUARDRAIL_SCORE))
    id_ = int(span.id, 16)
    guarded.looked += 1
    guarded.fired += has_fired
    guarded.opened += failed == "open"
    guarded.closed += failed == "closed"
    guarded.elapsed_s += seconds(span.length_s)
    if a.COST in has:
        guarded.cost_usd += usd(number(has[a.COST]) or 0.0)
    if score is not None and (guarded.score is None or score > guarded.score):
        guarded.score = score
    insort(guarded.looks, id_)
    del guarded.looks[MOST_LOOKS:]
    order: _Order
    if has_fired:
        order = (0, -(score or 0.0), span.start, id_)
    elif failed in ("open", "closed"):
        order = (1, 0.0, span.start, id_)
    else:
        # One that tells no score is behind one that tells 0.
        order = (2, 1.0 if score is None else -score, -span.end, id_)
    if order < guarded.order:
        guarded.order = order
        _tell(guarded, span, has, is_pass=order[0] == 2)


def _tell(guarded: Guarded, span: Span, has: dict[str, Any], *, is_pass: bool) -> None:
    guarded.stage = _text(has.get(a.GUARDRAIL_STAGE), 20)
    guarded.action = _text(has.get(a.ACTION), 20)
    guarded.threshold = _share(has.get(a.GUARDRAIL_THRESHOLD))
    # Of a pass there is nothing to quote, and most are passes.
    guarded.reason = "" if is_pass else _text(has.get(a.GUARDRAIL_REASON) or span.error, REASON)
    guarded.evidence = "" if is_pass else _text(has.get(a.INPUT), EVIDENCE)


def _text(value: Any, most: int) -> str:
    return value[:most] if isinstance(value, str) else ""


def _share(value: Any) -> float | None:
    """Not rounded: a threshold is chosen among scores, and is to let that very score fire."""
    found = number(value)
    return None if found is None else min(max(found, 0.0), 1.0)
