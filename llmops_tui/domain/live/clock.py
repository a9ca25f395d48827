"""Times that other machines' clocks told of."""

from __future__ import annotations

import math

import msgspec

from llmops_tui.domain.live.amounts import MOST_S
from llmops_tui.domain.trace import Span

#: 2010: no model was asked before. A clock that says so was never set.
EARLIEST = 1_262_304_000.0
#: How far another machine's clock may be ahead.
AHEAD_S = 86_400.0
#: Where a span keeps the times that it was sent with, when they could not be.
TIMES_AS_SENT = "llmops.times_as_sent"


def is_plausible(at: float, now: float) -> bool:
    """Whether something can have happened then. What has no plausible time happened when it came."""
    return EARLIEST <= at <= now + AHEAD_S


def timed(span: Span, now: float) -> Span:
    """The span with times that can be: what began in 1970 or next year began when it came.

    It keeps its length where that can be. An end before its start, or one that can't be, becomes its start.

    Args:
        now: Unix seconds, when it came.
    """
    start, end = span.start, span.end
    if EARLIEST <= start <= end <= now + AHEAD_S:
        return span
    length = end - start
    if not (math.isfinite(length) and 0 <= length <= MOST_S):
        length = 0.0
    if not is_plausible(start, now):
        start = now - length
    sent = [repr(span.start), repr(span.end)]
    return msgspec.structs.replace(
        span, start=start, end=start + length, attributes={**span.attributes, TIMES_AS_SENT: sent}
    )
