"""The trace of a live request as it is shown: with what was said of the answer afterwards. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from llmops_tui.domain import format as fmt
from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import LiveScore, Signal
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.engine.trace_events import TraceView

#: Attributes of the rows that stand for signals.
SIGNAL = "llmops.signal.kind"
SIGNAL_VALUE = "llmops.signal.value"
SIGNAL_AT = "llmops.signal.at"
SIGNAL_COMMENT = "llmops.signal.comment"


def view_of_live(trace: Trace | None, scores: Sequence[LiveScore], signals: Sequence[Signal]) -> TraceView:
    """The trace, its scores and signals as its last rows; without a trace that is kept, an empty view."""
    if trace is None or not trace.spans:
        return TraceView()
    root = trace.root
    end = max(span.end for span in trace.spans)
    said = [_score(score, root, end, n) for n, score in enumerate(scores)]
    said += [_signal(signal, root, end, n) for n, signal in enumerate(signals)]
    whole = msgspec.structs.replace(trace, spans=(*trace.spans, *said))
    failure = next((span.error for span in (root, *reversed(trace.spans)) if span.error), "")
    return TraceView(after=whole, failure=failure)


def _score(score: LiveScore, root: Span, end: float, n: int) -> Span:
    attributes = {
        a.EVALUATION: score.scorer,
        a.SCORE: score.value,
        a.SCORE_LABEL: None if score.passed is None else "pass" if score.passed else "fail",
        a.EXPLANATION: score.reason or None,
        a.SCORED_AT: score.at or None,
        "llmops.score.source": score.source,
        a.COST: score.cost_usd,
    }
    return Span(
        *(f"score{n:011d}", root.id, score.scorer, "scorer", end, end),
        *("error" if score.error else "ok", score.error),
        {name: value for name, value in attributes.items() if value is not None},
    )


def _signal(signal: Signal, root: Span, end: float, n: int) -> Span:
    """Its time is not the trace's: it may be days later."""
    attributes = {
        SIGNAL: signal.kind,
        SIGNAL_VALUE: signal.value,
        SIGNAL_AT: fmt.moment(signal.at) if signal.at else None,
        SIGNAL_COMMENT: signal.comment or None,
        a.OUTPUT: signal.edited or None,
    }
    bad = "speaks against the answer" if signal.is_bad else ""
    return Span(
        *(f"signal{n:010d}", root.id, f"signal {signal.kind}", "other", end, end),
        *("error" if bad else "ok", bad),
        {name: value for name, value in attributes.items() if value is not None},
    )
