"""A session without an engine: comparisons of any size, answered at once, commands written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import made_up_guards as guards
import made_up_live as live
from fake_desk import FakeDesk
from made_up import AFTER, BEFORE, FREE, NOW, SMOL, Answers, helpdesk, history_of, manifests, matrix_of
from made_up_traces import both

from llmops_tui.app.guard_figures import queue_counts
from llmops_tui.app.guards_state import QUEUES
from llmops_tui.domain.case import Case
from llmops_tui.domain.comparison import Comparison, Pair, compare
from llmops_tui.domain.configuration import Configuration, Watch, Workspace
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.ladder.ladder import Ladder
from llmops_tui.domain.live.guards import GuardItem, GuardReview, GuardTrial, Queue, ThresholdCurve
from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
from llmops_tui.domain.live.overview import Dimension, Overview
from llmops_tui.domain.live.rollout_view import RolloutView
from llmops_tui.domain.manifest import PartChange, changed_parts, make_manifest
from llmops_tui.domain.matrix import Matrix
from llmops_tui.domain.model import Model, Usage
from llmops_tui.domain.output import Output
from llmops_tui.domain.playground import NewCase, Variable
from llmops_tui.domain.program import Program, PromptStep, Step
from llmops_tui.domain.review import Choice, Decision
from llmops_tui.domain.run import (
    Item,
    Row,
    Snapshot,
    VersionInfo,
    tally,
)
from llmops_tui.domain.score import Score
from llmops_tui.engine.attack_drafts import AttackDraft
from llmops_tui.engine.events import (
    Compared,
    Estimate,
    Event,
    ItemsDone,
    OutputDetail,
    PairDetail,
    PlaygroundSides,
    Progress,
    RunEnded,
    RunRequest,
    RunStarted,
    TextChange,
    Undone,
    VersionSummary,
    WorkspaceLoaded,
)
from llmops_tui.engine.guard_events import GuardsView
from llmops_tui.engine.live_events import LiveDraft
from llmops_tui.engine.matrix import CellDetail
from llmops_tui.engine.playground_events import Answered, Answering, PlaygroundRequest
from llmops_tui.engine.trace_events import MessagesAnswer, MessagesRequest, TraceView
from llmops_tui.engine.tuning import Tuned


class FakeSession:
    """See `session_api.SessionApi`. What the app asked for is in `asked`."""

    def __init__(self, root: Path, sides: tuple[Snapshot, Snapshot, Sequence[Case]] | None = None) -> None:
        self.root = root
        self.answers = Answers()
        self.asked: list[tuple[Any, ...]] = []
        self.baseline, self.candidate, self.cases = sides or helpdesk(self.answers)
        self.stored = True
        self.on_event: Callable[[Event], None] = lambda _event: None
        self.opening: list[Event] | None = None
        self.changes = [TextChange("prompt", "prompt", BEFORE, AFTER)]
        self.place: tuple[Path, int] | None = (root / "evals/helpdesk.yaml", 10)
        self.configs = ["helpdesk", "triage"]
        self.models = [SMOL]
        self.watch = Watch()
        self.summaries: tuple[VersionSummary, ...] | None = None
        self.fails: str | Exception | None = None
        self.desk = FakeDesk(self)
        #: While true, queries wait for `release`.
        self.holds = False
        self.held: list[tuple[Future[Any], Any]] = []
        self.variables = ["question"]
        self.eval_files = ["evals/helpdesk.yaml"]
        self.price: float | None = 0.0004
        self.alone = False
        self.versions_matrix: Matrix | None = None
        self.models_matrix: Matrix | None = None
        self.traces: TraceView | None = None
        self.new_answer: MessagesAnswer | None = None
        self.overview: Overview | None = live.overview()
        self.requests = live.requests()
        self.choices = [("refunds", 812), ("orders", 40)]
        self.live_trace_view = live.trace()
        self.guards_view = guards.view()
        self.guard_trials_made = guards.trials()
        self.curve = guards.curve()
        #: (guardrail, trace id) → what was said of it.
        self.reviewed: dict[tuple[str, str], bool] = {}
        self.stands = Ladder("none", ())
        #: Something came in since it was last asked.
        self.came_in = False

    # -- what tests say

    def comparison(self) -> Comparison:
        return compare(self.baseline, self.candidate)

    def changed(self) -> tuple[PartChange, ...]:
        if self.baseline.version.id == self.candidate.version.id:
            return ()
        return tuple(changed_parts(*manifests()))

    def compared(self, **how: Any) -> Compared:
        comparison = self.comparison()
        return Compared(comparison, self.changed(), **{**self.desk.judged(comparison), **how})

    def loaded(self, **how: Any) -> WorkspaceLoaded:
        models = tuple(Model(m, m.split("/")[0], m, "local") for m in self.models)
        configurations = {
            name: Configuration(
                name,
                f"configs/{name}.yaml",
                f"prompts/{name}.md",
                make_manifest([]),
                Program((Step("", PromptStep("")),)),
                {},
                models,
                tuple(self.cases),
            )
            for name in self.configs
        }
        workspace = Workspace(str(self.root), configurations, watch=self.watch, **how)
        return WorkspaceLoaded(workspace, "helpdesk", self.candidate.version)

    def release(self) -> None:
        """Answer what was held back, in order."""
        held, self.held, self.holds = self.held, [], False
        for future, value in held:
            future.set_result(value)

    def emit(self, *events: Event) -> None:
        for event in events:
            self.on_event(event)

    def start_run(self, snapshot: Snapshot, estimate: Estimate = FREE) -> None:
        self.emit(RunStarted(snapshot.run, snapshot.version, estimate, self.changed()))

    def items(self, run_id: int, *items: Item) -> None:
        self.emit(ItemsDone(run_id, items))

    def progress(self, run_id: int, done: int, total: int, **how: Any) -> None:
        figures = {
            "in_flight": 4,
            "waiting": 0,
            "rate": 4.1,
            "left_s": 2.0,
            "elapsed_s": 3.0,
            "cost_usd": 0.0,
            "errors": 0,
            **how,
        }
        self.emit(Progress(run_id, done, total, **figures))

    def end_run(self, snapshot: Snapshot, failures: tuple[str, ...] = ()) -> None:
        self.candidate = snapshot
        self.emit(RunEnded(snapshot.run, snapshot.version, tally(snapshot.rows), failures), self.compared())

    # -- life and commands

    def start(self, on_event: Callable[[Event], None]) -> None:
        self.on_event = on_event
        self.asked.append(("start",))
        self.emit(*(self.opening if self.opening is not None else [self.loaded(), self.compared()]))

    def close(self) -> None:
        self.asked.append(("close",))

    def choose_config(self, name: str) -> None:
        self.asked.append(("choose_config", name))

    def run(self, request: RunRequest | PlaygroundRequest) -> None:
        self.asked.append(("run", request))

    def cancel(self) -> None:
        self.asked.append(("cancel",))

    def stop_asking(self) -> None:
        self.asked.append(("stop_asking",))

    def playground(self, against: str | None = None) -> Future[PlaygroundSides]:
        self.asked.append(("playground", against))
        variables = tuple(Variable(name) for name in self.variables)
        estimate = Estimate(2, 0, 2, 0, self.price, 0.0)
        left = "" if self.alone else against or "v11"
        return self._answer(
            PlaygroundSides(left, "v12", ((SMOL, SMOL),), variables, tuple(self.eval_files), estimate)
        )

    def answering(self, side: int, text: str, **how: Any) -> None:
        """One side's answer to what was asked last."""
        number = next(a[1].number for a in reversed(self.asked) if a[0] == "run")
        output = None
        if how.get("done") and "failure" not in how:
            words = len(text.split())
            output = Output(text, usage=Usage(40, words), latency_s=1.3, ttft_s=0.2, cost_usd=0.0004)
        name = ("v11", "v12")[side]
        self.emit(Answering(number, 0, side, name, SMOL, text, output=output, **how))

    def answered(self, **how: Any) -> None:
        number = next(a[1].number for a in reversed(self.asked) if a[0] == "run")
        self.emit(Answered(number, **{"cost_usd": 0.0008, "calls": 2, **how}))

    def keep_case(self, new: NewCase, file: str | None = None) -> Future[tuple[str, str]]:
        self.asked.append(("keep_case", new, file))
        return self._answer((new.id, file or self.eval_files[0]))

    def set_watching(self, on: bool) -> None:
        self.asked.append(("set_watching", on))

    def choose_comparison(self, baseline: str | None, candidate: str | None) -> None:
        self.asked.append(("choose_comparison", baseline, candidate))
        self.emit(self.compared())

    # -- queries

    def _answer(self, value: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.holds:
            self.held.append((future, value))
            return future
        if isinstance(self.fails, Exception):
            future.set_exception(self.fails)
        elif self.fails is not None:
            future.set_exception(UsageError(self.fails))
        else:
            future.set_result(value)
        return future

    def last_comparison(self) -> tuple[Comparison, tuple[PartChange, ...]] | None:
        return (self.comparison(), self.changed()) if self.stored else None

    def detail(self, pair: Pair) -> Future[PairDetail]:
        self.asked.append(("detail", pair.case_id))
        return self._answer(PairDetail(pair, self._side(pair.baseline), self._side(pair.candidate)))

    def _side(self, row: Row | None) -> tuple[OutputDetail, ...]:
        if row is None:
            return ()
        return tuple(self._one(item) for item in row.items)

    def _one(self, item: Item) -> OutputDetail:
        if item.output_id is None:
            return OutputDetail(None, (), item.failure)
        text = self.answers.texts[item.output_id]
        words = len(text.split())
        output = Output(text, usage=Usage(40, words), latency_s=item.latency_s or 0.0, cost_usd=0.0)
        if item.score is None:
            return OutputDetail(output, ())
        reason = '"30 days" is not in the output' if item.score < 1 else "found in the output"
        scores = (
            Score("k1", "contains", item.score, item.score >= 1, reason),
            Score("k2", "max_words", 1.0, True, f"{words} of at most 60 words"),
        )
        return OutputDetail(output, scores)

    def texts(self, a: VersionInfo, b: VersionInfo) -> Future[tuple[TextChange, ...]]:
        return self._answer(tuple(self.changes) if a.id != b.id else ())

    def output_texts(self, output_ids: tuple[int, ...]) -> Future[dict[int, str]]:
        self.asked.append(("output_texts", output_ids))
        return self._answer({i: self.answers.texts[i] for i in output_ids})

    def history(self) -> Future[tuple[VersionSummary, ...]]:
        if self.summaries is not None:
            return self._answer(self.summaries)
        return self._answer(history_of(self.baseline, self.candidate))

    def compare(self, a: str, b: str) -> Future[tuple[Comparison, tuple[PartChange, ...]]]:
        return self._answer((self.comparison(), self.changed()))

    # -- reviewing

    def verdict(self) -> Future[GateResult]:
        return self._answer(self.desk.in_full())

    def obstacles(self, version: str) -> Future[tuple[Problem, ...]]:
        return self._answer(self.desk.obstacles)

    def decide(
        self, comparison: Comparison, pairs: Sequence[Pair], choice: Choice | None, note: str | None = None
    ) -> Future[tuple[Decision, ...]]:
        self.asked.append(("decide", tuple(p.case_id for p in pairs), choice, note))
        return self._answer(None if self.fails else self.desk.decide(pairs, choice, note))

    def forget(self, comparison: Comparison, pair: Pair) -> Future[None]:
        self.asked.append(("forget", pair.case_id))
        return self._answer(None if self.fails else self.desk.forget(pair))

    def take_expected(self, comparison: Comparison, pair: Pair) -> Future[str]:
        self.asked.append(("take_expected", pair.case_id))
        if not self.fails:
            self.desk.decide([pair], "accepted", None)
        return self._answer(f"The answer is now 'expected' of '{pair.case_id}' in evals/helpdesk.yaml.")

    def mark_known_failing(self, case_id: str, reason: str | None) -> Future[str]:
        self.asked.append(("mark_known_failing", case_id, reason))
        return self._answer(f"'{case_id}' is {'' if reason else 'not '}known to fail.")

    def undo(self) -> Future[Undone]:
        self.asked.append(("undo",))
        return self._answer(None if self.fails else self.desk.undo())

    def matrix(self, version: str | None = None) -> Future[Matrix]:
        self.asked.append(("matrix", version))
        matrix = self.models_matrix if version is not None else self.versions_matrix
        return self._answer(matrix or matrix_of(self.baseline, self.candidate))

    def matrix_again(self, known: Matrix, version_id: int) -> Future[Matrix]:
        self.asked.append(("matrix_again", version_id))
        return self._answer(self.versions_matrix or known)

    def matrix_cell(self, matrix: Matrix, row: int, column: int) -> Future[CellDetail | None]:
        case = matrix.rows[row][0]
        self.asked.append(("matrix_cell", case, matrix.columns[column].version.name))
        found = next((r for r in self.candidate.rows if r.case_id == case), None)
        return self._answer(None if found is None else CellDetail(found, self._side(found)))

    # -- the Trace

    def trace(
        self,
        config: str,
        baseline: VersionInfo | None,
        candidate: VersionInfo,
        case_id: str,
        model: str,
        trial: int | None = None,
    ) -> Future[TraceView]:
        names = baseline.name if baseline is not None else None, candidate.name
        self.asked.append(("trace", config, *names, case_id, model, trial))
        return self._answer(self.traces or both())

    def ask_messages(self, request: MessagesRequest) -> Future[MessagesAnswer]:
        self.asked.append(("ask_messages", request))
        usage = Usage(40, 9)
        output = Output("You have 30 days to ask.", usage=usage, latency_s=1.3, cost_usd=0.0004)
        return self._answer(self.new_answer or MessagesAnswer(request.number, output))

    # -- live traffic

    def live_overview(self, wanted: LiveFilter, now: float) -> Future[Overview | None]:
        self.asked.append(("live_overview", wanted))
        return self._answer(self.overview)

    def live_plot(self, wanted: LiveFilter, metric: str, by: Dimension | None, now: float) -> Future[Any]:
        self.asked.append(("live_plot", wanted, metric, by))
        return self._answer(live.plot(metric, by) if self.overview is not None else None)

    def live_choices(self, wanted: LiveFilter, dimension: Dimension) -> Future[list[tuple[str, int]]]:
        self.asked.append(("live_choices", wanted, dimension))
        return self._answer(self.choices)

    def live_requests(
        self, wanted: LiveFilter, order: str = "newest", limit: int = 200
    ) -> Future[tuple[LiveRequest, ...]]:
        self.asked.append(("live_requests", wanted, order, limit))
        return self._answer(self.requests[:limit] if self.overview is not None else ())

    def live_trace(self, id_: int) -> Future[TraceView]:
        self.asked.append(("live_trace", id_))
        return self._answer(self.live_trace_view)

    def live_rollout(self, wanted: LiveFilter, now: float) -> Future[RolloutView]:
        self.asked.append(("live_rollout", wanted))
        return self._answer(live.rollout())

    def ladder(self, now: float) -> Future[Ladder]:
        self.asked.append(("ladder", now))
        return self._answer(self.stands)

    def live_case(self, id_: int) -> Future[LiveDraft]:
        self.asked.append(("live_case", id_))
        return self._answer(live.draft())

    def keep_live_case(self, config: str, new: NewCase, file: str) -> Future[tuple[str, str]]:
        self.asked.append(("keep_live_case", config, new, file))
        return self._answer((new.id, file))

    def live_changed(self) -> Future[bool]:
        changed, self.came_in = self.came_in, False
        return self._answer(changed)

    # -- guardrails

    def guards(self, wanted: LiveFilter, now: float) -> Future[GuardsView]:
        self.asked.append(("guards", wanted))
        return self._answer(self.guards_view)

    def guard_trials(self) -> Future[tuple[GuardTrial, ...]]:
        self.asked.append(("guard_trials",))
        return self._answer(self.guard_trials_made)

    def guard_items(
        self, guardrail: str, queue: Queue, wanted: LiveFilter, limit: int = 200
    ) -> Future[tuple[GuardItem, ...]]:
        self.asked.append(("guard_items", guardrail, queue, wanted, limit))
        figures = next(g for g in self.guards_view.figures if g.name == guardrail)
        waits = queue_counts(figures)[queue]
        left = [
            item
            for item in guards.items(queue, guardrail)
            if (guardrail, item.row.trace_id) not in self.reviewed
        ]
        return self._answer(tuple(left) if waits else ())

    def guard_curve(self, guardrail: str, wanted: LiveFilter) -> Future[ThresholdCurve]:
        self.asked.append(("guard_curve", guardrail, wanted))
        return self._answer(self.curve)

    def guard_request(self, trace_id: str) -> Future[LiveRequest | None]:
        self.asked.append(("guard_request", trace_id))
        return self._answer(next(iter(self.requests), None))

    def review_guard(
        self, guardrail: str, trace_id: str, right: bool, wanted: LiveFilter
    ) -> Future[GuardReview]:
        self.asked.append(("review_guard", guardrail, trace_id, right))
        all_ = [item for queue in QUEUES for item in guards.items(queue, guardrail)]
        row = next(item.row for item in all_ if item.row.trace_id == trace_id)
        if not self.fails:
            self.reviewed[guardrail, trace_id] = right
        how = (row.triggered, right, row.drawn, row.score, row.series, row.at, NOW, "Ann")
        return self._answer(GuardReview(trace_id, guardrail, *how))

    def take_back_guard(self, guardrail: str, trace_id: str) -> Future[None]:
        self.asked.append(("take_back_guard", guardrail, trace_id))
        self.reviewed.pop((guardrail, trace_id), None)
        return self._answer(None)

    def guard_attack(self, guardrail: str, trace_id: str) -> Future[AttackDraft]:
        self.asked.append(("guard_attack", guardrail, trace_id))
        return self._answer(guards.attack())

    def keep_guard_attack(self, draft: AttackDraft) -> Future[tuple[str, str]]:
        self.asked.append(("keep_guard_attack", draft))
        return self._answer((draft.id, "attacks/helpdesk.yaml"))

    def tune_guard(self, guardrail: str, value: float, config: str | None = None) -> Future[Tuned]:
        self.asked.append(("tune_guard", guardrail, value, config))
        config = config or "helpdesk"
        return self._answer(Tuned(config, f"configs/{config}.yaml", guardrail, 0.5, value))

    def promote(self, version: str, *, force: bool = False, note: str = "") -> Future[VersionInfo]:
        self.asked.append(("promote", version, force, note) if force else ("promote", version))
        return self._answer(self.candidate.version)

    def label(self, version: str, text: str) -> Future[VersionInfo]:
        self.asked.append(("label", version, text))
        return self._answer(self.candidate.version)

    def export(self, a: str, b: str) -> Future[Path]:
        self.asked.append(("export", a, b))
        return self._answer(self.root / "report.md")

    def where_is(self, case_id: str) -> tuple[Path, int] | None:
        return self.place if case_id else (self.root / "prompts/helpdesk.md", 1)
