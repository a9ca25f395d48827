"""The engine as the app sees it. `engine.session.Session` is the real one; tests have a fake.

Commands return at once and may be called from any thread; what comes of them arrives as events,
on the engine's thread (the app posts them on as messages). Queries give a future: wait for it off
the UI thread, or with `asyncio.wrap_future`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.errors import Problem
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.playground import NewCase
from llmops_tui.domain.review import Choice, Decision
from llmops_tui.domain.run import VersionInfo
from llmops_tui.engine.events import (
    Event,
    PairDetail,
    PlaygroundSides,
    RunRequest,
    TextChange,
    Undone,
    VersionSummary,
    WorkRequest,
)
from llmops_tui.engine.playground_events import PlaygroundRequest

if TYPE_CHECKING:
    from llmops_tui.domain.ladder.ladder import Ladder
    from llmops_tui.domain.live.guards import GuardItem, GuardReview, GuardTrial, Queue, ThresholdCurve
    from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
    from llmops_tui.domain.live.overview import Dimension, Overview, Plot
    from llmops_tui.domain.live.rollout_view import RolloutView
    from llmops_tui.domain.matrix import Matrix
    from llmops_tui.engine.attack_drafts import AttackDraft
    from llmops_tui.engine.guard_events import GuardsView
    from llmops_tui.engine.live_events import LiveDraft
    from llmops_tui.engine.matrix import CellDetail
    from llmops_tui.engine.trace_events import MessagesAnswer, MessagesRequest, TraceView
    from llmops_tui.engine.tuning import Tuned


class SessionApi(Protocol):
    root: Path

    # -- life

    def start(self, on_event: Callable[[Event], None]) -> None:
        """Start the engine's thread: load, compare, watch. Sends no request that costs money."""
        ...

    def close(self) -> None:
        """Cancel what is under way, keep what is done, end the worker. Returns within 2 s."""
        ...

    # -- commands

    def choose_config(self, name: str) -> None: ...

    def run(self, request: RunRequest | WorkRequest | PlaygroundRequest) -> None:
        """Evaluate, or do longer work (`Working` tells how it gets on, `WorkEnded` what came of it).

        A save ends work that is under way; what was answered is kept. Answered by `AskFirst` where it costs.
        A `PlaygroundRequest` is answered beside whatever is under way (`Answering`, at last `Answered`).
        """
        ...

    def stop_asking(self) -> None:
        """Give up what the playground has asked."""
        ...

    def cancel(self) -> None: ...

    def set_watching(self, on: bool) -> None: ...

    def choose_comparison(self, baseline: str | None, candidate: str | None) -> None:
        """What the Bench compares; None is the default (baseline, latest). Answered by `Compared`."""
        ...

    # -- reviewing: `Compared` follows each of these; all raise `UsageError` while viewing

    def decide(
        self, comparison: Comparison, pairs: Sequence[Pair], choice: Choice | None, note: str | None = None
    ) -> Future[tuple[Decision, ...]]:
        """Decide on the answers of these pairs, which need not be those of the comparison any more.

        Raises:
            UsageError, WorkspaceError: as `Reviewing.decide`.
        """
        ...

    def forget(self, comparison: Comparison, pair: Pair) -> Future[None]:
        """Forget what was decided, and noted, on a pair."""
        ...

    def take_expected(self, comparison: Comparison, pair: Pair) -> Future[str]:
        """Accept, and write the answer as `expected` of the case. Gives a sentence."""
        ...

    def mark_known_failing(self, case_id: str, reason: str | None) -> Future[str]:
        """Write into the eval file why a case is known to fail; None takes that away. Gives a sentence."""
        ...

    def undo(self) -> Future[Undone]:
        """Take back the last of these that this app did."""
        ...

    # -- queries

    def verdict(self) -> Future[GateResult]:
        """The verdict on what is shown, with slices by tag and the looks of the newest adjudication."""
        ...

    def obstacles(self, version: str) -> Future[tuple[Problem, ...]]:
        """Why a version may not become the baseline; empty where nothing stands in the way."""
        ...

    def last_comparison(self) -> tuple[Comparison, tuple[PartChange, ...]] | None:
        """The last stored comparison, read at once from the database alone; for the first paint."""
        ...

    def detail(self, pair: Pair) -> Future[PairDetail]: ...

    def texts(self, a: VersionInfo, b: VersionInfo) -> Future[tuple[TextChange, ...]]: ...

    def output_texts(self, output_ids: tuple[int, ...]) -> Future[dict[int, str]]:
        """Texts of outputs, for the search inside them."""
        ...

    def history(self) -> Future[tuple[VersionSummary, ...]]:
        """Newest first."""
        ...

    def compare(self, a: str, b: str) -> Future[tuple[Comparison, tuple[PartChange, ...]]]: ...

    def promote(self, version: str, *, force: bool = False, note: str = "") -> Future[VersionInfo]:
        """Make a version the baseline.

        Raises:
            UsageError: its gate does not pass; with `force` it need not, and `note` says why.
        """
        ...

    def label(self, version: str, text: str) -> Future[VersionInfo]: ...

    def export(self, a: str, b: str) -> Future[Path]:
        """Write the markdown report and say where."""
        ...

    def playground(self, against: str | None = None) -> Future[PlaygroundSides]:
        """What a made-up input would be asked: `against` (None: the baseline), and what is on disk."""
        ...

    def keep_case(self, new: NewCase, file: str | None = None) -> Future[tuple[str, str]]:
        """Write a case at the end of an eval file (None: the first one); gives its id and the file."""
        ...

    # -- the Matrix

    def matrix(self, version: str | None = None) -> Future[Matrix]:
        """Cases × versions; of a version by name: cases × its models. Read beside the engine's thread."""
        ...

    def matrix_again(self, known: Matrix, version_id: int) -> Future[Matrix]:
        """The same with one version read anew, while its run is under way."""
        ...

    def matrix_cell(self, matrix: Matrix, row: int, column: int) -> Future[CellDetail | None]:
        """One cell with scores and reasons; None where nothing was evaluated."""
        ...

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
        """How the output of a case came about, beside that of the baseline.

        Args:
            baseline: None: the candidate's alone.
            model: of the candidate; its partner among the baseline's models is found by the engine.
            trial: None: the first one that failed, else the first.
        """
        ...

    def ask_messages(self, request: MessagesRequest) -> Future[MessagesAnswer]:
        """Ask messages that a person edited. `stop_asking` gives it up, and so does a later request."""
        ...

    # -- live traffic: read beside the engine's thread, from `live.db` alone

    def live_overview(self, wanted: LiveFilter, now: float) -> Future[Overview | None]:
        """The six groups of figures at a glance; None where nothing was ever collected.

        Args:
            now: Unix seconds.
        """
        ...

    def live_plot(
        self, wanted: LiveFilter, metric: str, by: Dimension | None, now: float
    ) -> Future[Plot | None]:
        """A metric over time, split by a dimension; None where nothing was ever collected."""
        ...

    def live_choices(self, wanted: LiveFilter, dimension: Dimension) -> Future[list[tuple[str, int]]]:
        """Values of a dimension with their requests, most first."""
        ...

    def live_requests(
        self, wanted: LiveFilter, order: str = "newest", limit: int = 200
    ) -> Future[tuple[LiveRequest, ...]]:
        """The requests behind a figure.

        Args:
            order: `newest`, `slowest`, `dearest` or `lowest` (score).
        """
        ...

    def live_trace(self, id_: int) -> Future[TraceView]:
        """The trace of a request, its scores and signals as the last rows; empty where it is not kept."""
        ...

    def live_rollout(self, wanted: LiveFilter, now: float) -> Future[RolloutView]:
        """Is it safe to go on with the newest version that has traffic, held against the one before?

        Raises:
            UsageError: fewer than two versions have traffic.
        """
        ...

    def live_case(self, id_: int) -> Future[LiveDraft]:
        """The case that a request would be.

        Raises:
            UsageError: its trace is not kept any more, or lacks something that the prompt reads.
            WorkspaceError: the files have mistakes.
        """
        ...

    def keep_live_case(self, config: str, new: NewCase, file: str) -> Future[tuple[str, str]]:
        """Write it into an eval file; gives its id and the file.

        Raises:
            UsageError: its id is taken, or the file can't take it.
            WorkspaceError: the files have mistakes, or can't be written.
        """
        ...

    def live_changed(self) -> Future[bool]:
        """Whether anything came in since this was last asked."""
        ...

    # -- guardrails: read, and reviewed, beside the engine's thread

    def guards(self, wanted: LiveFilter, now: float) -> Future[GuardsView]:
        """Every guardrail over a window, also those that only configurations have.

        Args:
            wanted: a window and a series; what else it asks for is left out.
            now: Unix seconds.
        """
        ...

    def guard_trials(self) -> Future[tuple[GuardTrial, ...]]:
        """How guardrails did in the newest runs over attacks and harmless cases."""
        ...

    def guard_items(
        self, guardrail: str, queue: Queue, wanted: LiveFilter, limit: int = 200
    ) -> Future[tuple[GuardItem, ...]]:
        """What waits for a person's word, in the order in which it should be looked at."""
        ...

    def guard_curve(self, guardrail: str, wanted: LiveFilter) -> Future[ThresholdCurve]:
        """What would be with other thresholds."""
        ...

    def guard_request(self, trace_id: str) -> Future[LiveRequest | None]:
        """The request of a row; None where it is not kept any more."""
        ...

    def review_guard(
        self, guardrail: str, trace_id: str, right: bool, wanted: LiveFilter
    ) -> Future[GuardReview]:
        """Keep what a person says of a guardrail in a request; what was said before is replaced.

        Args:
            right: of a firing: it should have fired; of a pass: it should not have.
            wanted: what `guard_items` was asked for: it tells whose turn it was.

        Raises:
            UsageError: the app only views, or the guardrail did not look at this request.
            StoreError: it can't be written.
        """
        ...

    def take_back_guard(self, guardrail: str, trace_id: str) -> Future[None]:
        """Take that back.

        Raises:
            UsageError, StoreError: as `review_guard`.
        """
        ...

    def guard_attack(self, guardrail: str, trace_id: str) -> Future[AttackDraft]:
        """The attack that a request was, which a guardrail let pass.

        Raises:
            UsageError: its trace is not kept any more.
        """
        ...

    def keep_guard_attack(self, draft: AttackDraft) -> Future[tuple[str, str]]:
        """Write it into an attack file; gives its id and the file.

        Raises:
            UsageError: nobody would judge it, or the file can't take it; or the app only views.
            WorkspaceError: the file can't be read or written.
        """
        ...

    def tune_guard(self, guardrail: str, value: float, config: str | None = None) -> Future[Tuned]:
        """Write a threshold into the configuration; a save like any other.

        Raises:
            UsageError, WorkspaceError: as `tuning.set_threshold`; or the app only views.
        """
        ...

    # -- the ladder

    def ladder(self, now: float) -> Future[Ladder]:
        """Where the workspace stands; read beside the engine's thread. Writes nothing.

        Raises:
            WorkspaceError: the files have mistakes.
        """
        ...

    # -- files

    def where_is(self, case_id: str) -> tuple[Path, int] | None:
        """File and line of a case; the prompt file where `case_id` is empty."""
        ...
