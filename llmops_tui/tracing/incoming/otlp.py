"""One request of `/v1/traces` → what it holds."""

from __future__ import annotations

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Aside, Batch
from llmops_tui.tracing.incoming.dialects import translate
from llmops_tui.tracing.incoming.feedback import SIGNALS, scores, signals
from llmops_tui.tracing.incoming.problems import BadSpan
from llmops_tui.tracing.incoming.raw import Raw
from llmops_tui.tracing.incoming.safe import within_limits

SOURCE = "collect"
#: Beginnings of names that say that a span carries a score or a signal.
_JUDGED = (
    "gen_ai.evaluation.name",
    "logfire.feedback.name",
    "annotations.0.",
    "evaluations.0.",
    "trace.annotations.0.",
    "trace.evaluations.0.",
)


def read_otlp(body: bytes, *, is_json: bool) -> Batch:
    """Spans of a request, with the scores and signals that they carry.

    What can't be taken of a good request is set aside: as many as `batch.aside` has is what a receiver
    tells as `partial_success`.

    Args:
        body: unpacked; an `ExportTraceServiceRequest` as protobuf, or as OTLP/JSON.

    Raises:
        IncomingError: the body is no such request.
    """
    from llmops_tui.tracing.incoming import otlp_json, protobuf

    batch = Batch([], [], [], [])
    with within_limits():
        for n, raw in enumerate((otlp_json if is_json else protobuf).spans(body), start=1):
            if isinstance(raw, tuple):
                why, name = raw
                batch.aside.append(set_aside("span", n, why, name))
            else:
                _take(batch, raw, n)
    return batch


def _take(batch: Batch, raw: Raw, n: int) -> None:
    try:
        span = translate(raw)
    except BadSpan as error:
        batch.aside.append(set_aside("span", n, error, raw.name))
        return
    except Exception as error:  # a span that no dialect foresaw must not cost the others
        why = BadSpan(f"no sense can be made of it ({type(error).__name__})")
        batch.aside.append(set_aside("span", n, why, raw.name))
        return
    if span is None:
        return
    if raw.events or raw.name in SIGNALS or any(name.startswith(_JUDGED) for name in raw.attributes):
        batch.scores += scores(raw, str(span.attributes.get(a.DIALECT) or ""))
        try:
            batch.signals += signals(raw)
        except BadSpan as error:
            batch.aside.append(set_aside("signal of span", n, error, raw.name))
    if raw.name not in SIGNALS:
        batch.spans.append(Arrived(raw.trace_id, span))


def set_aside(what: str, n: int, why: Exception, name: str) -> Aside:
    """Something of a request that can't be taken; its name is all that is kept of it."""
    return Aside(SOURCE, f"{what} {n}", str(why), name[:200])
