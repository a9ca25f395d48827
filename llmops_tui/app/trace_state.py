"""What the Trace screen is about, and what it says where there is nothing to draw. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.app.bench_state import BenchState
from llmops_tui.app.cell_lines import Place
from llmops_tui.app.lines import Span, shown_line
from llmops_tui.app.trace_doc import Shown, TraceDoc
from llmops_tui.domain import format as fmt
from llmops_tui.domain import semconv as a
from llmops_tui.domain.comparison import Pair
from llmops_tui.domain.message_text import chat_of, params_of
from llmops_tui.domain.run import VersionInfo
from llmops_tui.domain.trace import Span as Step
from llmops_tui.domain.trace import text_of
from llmops_tui.engine.trace_events import MessagesRequest, TraceView

if TYPE_CHECKING:
    from llmops_tui.domain.live.listing import LiveRequest
    from llmops_tui.engine.session_api import SessionApi


class Traced(msgspec.Struct, frozen=True):
    """A case whose trace is wanted.

    Attributes:
        baseline: None: the candidate's trace alone.
        outputs: of the rows that are compared; others mean that the traces are old.
    """

    candidate: VersionInfo
    case_id: str
    model: str
    baseline: VersionInfo | None = None
    outputs: tuple[int | None, ...] = ()

    @property
    def names(self) -> tuple[str, str]:
        """Names of both sides; the left one is empty where there is none."""
        return self.baseline.name if self.baseline is not None else "", self.candidate.name

    @property
    def config(self) -> str:
        return self.candidate.config

    def version_of(self, of_baseline: bool) -> str:
        """What is asked again where messages are edited."""
        return self.names[0] if of_baseline else self.names[1]

    def ask(self, session: SessionApi, trial: int | None) -> Future[TraceView]:
        """Have it read."""
        return session.trace(self.config, self.baseline, self.candidate, self.case_id, self.model, trial)


class LiveTraced(msgspec.Struct, frozen=True):
    """A request of live traffic whose trace is wanted.

    Attributes:
        id: its number.
        called: what it is called, for people.
        config, version: that it says it was answered by; empty where it doesn't.
    """

    id: int
    trace_id: str
    called: str
    config: str = ""
    version: str = ""
    model: str = ""
    baseline: None = None

    @property
    def case_id(self) -> str:
        return self.called

    @property
    def names(self) -> tuple[str, str]:
        return "", self.trace_id[:8]

    def version_of(self, _of_baseline: bool) -> str:
        """What is asked again where messages are edited; empty where that is not known."""
        return self.version if self.config else ""

    def ask(self, session: SessionApi, _trial: int | None) -> Future[TraceView]:
        """Have it read."""
        return session.live_trace(self.id)


#: What the Trace screen can be about.
AnyTraced = Traced | LiveTraced


def of_request(listed: LiveRequest) -> LiveTraced:
    """A request of the Live screen's list."""
    r = listed.request
    called = r.feature or r.name or f"request {listed.id}"
    model = f"{r.provider}/{r.model}" if r.provider and r.model else r.model
    return LiveTraced(listed.id, r.trace_id, called, r.config, r.version or r.version_hash, model)


def of_pair(bench: BenchState, pair: Pair) -> Traced | None:
    """A case of the Bench; None where nothing is compared yet."""
    if bench.candidate is None or bench.comparison is None:
        return None
    baseline = None if bench.is_alone else bench.comparison.baseline.version
    rows = (pair.baseline, pair.candidate)
    outputs = tuple(item.output_id for row in rows if row is not None for item in row.items)
    return Traced(bench.candidate, pair.case_id, pair.model, baseline, outputs)


def of_cell(place: Place) -> Traced:
    """A cell of the Matrix, beside that of the column it is held against."""
    columns, left = place.matrix.columns, place.left
    baseline = columns[left].version if left is not None else None
    model = place.matrix.model_of(place.row, place.column)
    return Traced(columns[place.column].version, place.matrix.rows[place.row][0], model, baseline)


def title(traced: AnyTraced, doc: TraceDoc | None, view: TraceView | None, typed: str, found: int) -> str:
    """`refund-window · v11 → v12 · 12 steps · 3.4 s`."""
    before, after = traced.names
    which = f"{before} → {after}" if before else after
    parts = [shown_line(traced.case_id), which]
    if doc is not None:
        if before and doc.shown != "both":
            parts[1] = f"{after if doc.shown == 'candidate' else before} alone"
        if view is not None and len(view.trials) > 1:
            parts.append(f"trial {view.trial + 1}")
        parts.append(fmt.plural(len(doc.nodes), "step"))
        if doc.shown == "both":
            parts.append(f"{len(doc.differences)} differ" if doc.differences else "none differs")
        if doc.nodes and doc.shown != "both":
            parts.append(fmt.seconds(doc.length_s))
    if typed:
        parts.append(f"/{shown_line(typed)}: in {fmt.plural(found, 'step')}")
    return " · ".join(parts)


def said(traced: AnyTraced, view: TraceView, doc: TraceDoc) -> list[Span]:
    """Sentences above the steps: why there is no output, or where the traces part."""
    before, after = traced.names
    found: list[Span] = []
    for name, failure in ((after, view.failure), (before, view.before_failure)):
        if failure:
            found.append((f"✗ {name}: {shown_line(failure)}", "error"))
    if view.after is None and not view.failure:
        found.append(
            (f"{after} has no output of this case yet: this is how {before}'s came about.", "warning")
        )
    if view.before is None and before and view.after is not None and not view.before_failure:
        found.append((f"{before} has no output of this case: there is nothing to hold this against.", "dim"))
    if doc.shown == "both":
        style = "bold warning" if doc.first is not None else "dim"
        headline = doc.headline or ("They part here." if doc.first is not None else "Every step is the same.")
        found.append((f"{'▶ ' if doc.first is not None else ''}{shown_line(headline)}", style))
    return found


def nothing(traced: AnyTraced, view: TraceView) -> list[str]:
    """What stands in place of steps where there are none on either side."""
    if isinstance(traced, LiveTraced):
        return ["This trace is not kept any more.", "The figures still count it; esc goes back."]
    if view.failure:
        return [
            f"✗ {shown_line(view.failure)}",
            "Nothing was traced before that. r on the Bench (1) asks the case again.",
        ]
    return [
        f"{traced.candidate.name} has no output of {shown_line(traced.case_id)} yet.",
        "F on the Bench (1) asks what is missing.",
    ]


def sides(view: TraceView) -> tuple[Shown, ...]:
    """What can be shown, in the order in which `b` goes through it."""
    if view.diff is not None:
        return ("both", "baseline", "candidate")
    there: Sequence[tuple[Shown, object]] = (("candidate", view.after), ("baseline", view.before))
    return tuple(name for name, trace in there if trace is not None)


def request_of(
    step: Step, config: str, version: str, model: str, messages: Sequence[dict[str, Any]] = ()
) -> MessagesRequest | None:
    """A model call as it may be asked again; None where its messages are not known.

    Args:
        model: id of the model that the case was asked of.
        messages: in place of those that were sent.
    """
    known = step.attributes
    sent = known.get(a.INPUT_MESSAGES)
    if step.kind != "model" or not isinstance(sent, list | tuple) or not sent:
        return None
    name, provider = str(known.get(a.MODEL, "")), str(known.get(a.PROVIDER, ""))
    own = f"{provider}/{name}" if provider and name else model
    params = params_of(known)
    tools, format_ = known.get(a.TOOL_DEFINITIONS), known.get(a.RESPONSE_FORMAT)
    return MessagesRequest(
        config,
        version,
        model if not name or model.endswith(name) else own,
        tuple(messages) or chat_of(sent),
        params,
        tuple(tools) if isinstance(tools, list | tuple) else (),
        format_ if isinstance(format_, dict) else None,
    )


def answer_text(step: Step) -> str:
    """What a model call said, calls of tools included."""
    text = text_of(step.attributes.get(a.OUTPUT_MESSAGES))
    return text.partition("\n")[2] if text.count("\n") else text
