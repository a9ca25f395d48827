"""What the engine tells whoever listens (the app, a progress bar), as plain data.

Every event may arrive many times; a listener that misses none can draw the whole screen from them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.configuration import Workspace
from llmops_tui.domain.errors import Problem
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.output import Output
from llmops_tui.domain.playground import Variable
from llmops_tui.domain.review import Decision, PairKey
from llmops_tui.domain.run import Item, Reason, RunInfo, Tally, VersionInfo
from llmops_tui.domain.score import Score
from llmops_tui.domain.version_figures import PromotionMark, VersionFigures
from llmops_tui.engine.playground_events import Answered, Answering, PlaygroundRequest


class Subset(msgspec.Struct, frozen=True):
    """Which cases may be asked. Empty: all. A case must meet every condition; then the limit counts."""

    ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    limit: int | None = None


class RunRequest(msgspec.Struct, frozen=True):
    """An evaluation that somebody wants.

    Attributes:
        fresh: ask everything anew, in a new generation (`R`, `run --fresh`).
        only_failed: ask anew what failed or erred in the newest run (`F`).
        extra_trial: ask these cases once more, as a further trial (`r`).
        agreed: the person has seen the price and said yes.
    """

    config: str
    reason: Reason = "manual"
    subset: Subset = Subset()
    fresh: bool = False
    only_failed: bool = False
    extra_trial: tuple[str, ...] = ()
    agreed: bool = False


class GateRequest(msgspec.Struct, frozen=True):
    """A gate that somebody wants.

    Attributes:
        candidate, baseline: names of versions; None: the version on disk, and the promoted one.
        fresh: ask both sides anew, side by side.
        adjudicate: where the verdict is inconclusive, ask more trials of all cases, in planned looks.
        ask_first: show the price before anything is asked, also where no budget objects.
        agreed: the person has seen the price and said yes.
    """

    config: str
    candidate: str | None = None
    baseline: str | None = None
    fresh: bool = False
    adjudicate: bool = False
    ask_first: bool = False
    agreed: bool = False


class ExplainRequest(msgspec.Struct, frozen=True):
    """An attribution that somebody wants: which changed part did how much of the difference.

    Attributes:
        a, b: names of versions; None: the baseline, and the latest version.
        agreed: the person has seen the price and said yes.
    """

    config: str
    a: str | None = None
    b: str | None = None
    agreed: bool = False


class TryRequest(msgspec.Struct, frozen=True):
    """Variants that somebody wants evaluated, without a file being touched.

    Attributes:
        sets: changes that every variant has, as `path=value` (`params.temperature=0.3`).
        sweeps: as `path=value,value`; every combination of them is a variant.
        subset: the cases that are asked and counted.
        fresh: ask all of them anew, side by side.
        agreed: the person has seen the price and said yes.
    """

    config: str
    sets: tuple[str, ...] = ()
    sweeps: tuple[str, ...] = ()
    subset: Subset = Subset()
    fresh: bool = False
    agreed: bool = False


class BisectRequest(msgspec.Struct, frozen=True):
    """A search for the change that broke a case.

    Attributes:
        good, bad: names of versions, or of commits with `git`; None: found by themselves.
        git: over commits, and not over recorded versions.
        model: on which the case is judged, where the configuration has several; None: one that fails.
        agreed: the person has seen the price and said yes.
    """

    config: str
    case_id: str
    good: str | None = None
    bad: str | None = None
    git: bool = False
    model: str | None = None
    agreed: bool = False


class AttackRequest(msgspec.Struct, frozen=True):
    """Attacks that somebody wants tried on a version.

    Attributes:
        baseline: name of a version to hold it against; None: the promoted one, if there is one.
        families, ways, mutations: only attacks that are one of each; empty: all. Harmless cases always are.
        fresh: ask both sides anew, side by side.
        agreed: the person has seen the price and said yes.
    """

    config: str
    baseline: str | None = None
    families: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    mutations: tuple[str, ...] = ()
    fresh: bool = False
    agreed: bool = False


#: Work that is longer than a run and asks more than one version (`Session.run`, `session_work`).
WorkRequest = GateRequest | ExplainRequest | TryRequest | BisectRequest | AttackRequest


class Estimate(msgspec.Struct, frozen=True):
    """What a run would take, before it starts.

    Attributes:
        outputs: rows (case × model × trial) in all.
        cached: rows that are there already.
        to_ask: outputs that are missing; at most this many requests (equal requests are one).
        to_score: outputs that are there and miss a score.
        cost_usd: estimated from earlier calls, or from prices and lengths; None: not known.
        spent_today_usd: by this workspace.
        judgements: requests to models that judge.
    """

    outputs: int
    cached: int
    to_ask: int
    to_score: int
    cost_usd: float | None
    spent_today_usd: float
    judgements: int = 0

    @property
    def requests(self) -> int:
        """Requests to models in all, at most."""
        return self.to_ask + self.judgements


class WorkspaceLoaded(msgspec.Struct, frozen=True):
    """The files were read. `workspace.problems` may hold warnings, or mistakes in other configurations."""

    workspace: Workspace
    config: str
    version: VersionInfo | None


class WorkspaceBroken(msgspec.Struct, frozen=True):
    """The files have mistakes: the last good state stays."""

    problems: tuple[Problem, ...]


class AskFirst(msgspec.Struct, frozen=True):
    """A run waits for a yes: over budget, `watch.mode: ask`, or a rerun of everything.

    Answer with `run(request with agreed=True)` or not at all.
    """

    request: RunRequest | WorkRequest | PlaygroundRequest
    estimate: Estimate
    why: str


class RunStarted(msgspec.Struct, frozen=True):
    """Rows of the run before stay on screen until their new item arrives."""

    run: RunInfo
    version: VersionInfo
    estimate: Estimate
    changed: tuple[PartChange, ...] = ()


class ItemsDone(msgspec.Struct, frozen=True):
    """Items that are committed to the store, a few times a second.

    A listener that shows a comparison puts them in its rows (`run.make_row`) and pairs them anew
    (`comparison.make_pair`).
    """

    run_id: int
    items: tuple[Item, ...]


class Progress(msgspec.Struct, frozen=True):
    """A few times a second while a run is under way.

    Attributes:
        done, total: rows.
        in_flight: requests sent and not answered.
        waiting: jobs that wait for a provider; `waiting_for` says which, what it said and how long.
        rate: rows a second, over the last seconds.
        left_s: None until it can be told.
    """

    run_id: int
    done: int
    total: int
    in_flight: int
    waiting: int
    rate: float
    left_s: float | None
    elapsed_s: float
    cost_usd: float | None
    errors: int
    waiting_for: str = ""


class RunEnded(msgspec.Struct, frozen=True):
    """A run is over; `tally` is over the rows that were asked for."""

    run: RunInfo
    version: VersionInfo
    tally: Tally
    failures: tuple[str, ...] = ()


class NothingToDo(msgspec.Struct, frozen=True):
    """A save changed nothing that is evaluated: no run was recorded and nothing was asked."""

    version: VersionInfo
    tally: Tally


class Compared(msgspec.Struct, frozen=True):
    """What the Bench shows. Sent on opening, after each load, at the start and end of a run.

    Attributes:
        gate: the verdict on what is there; None where there is nothing to hold together.
        decisions: those about these outputs.
    """

    comparison: Comparison
    changed: tuple[PartChange, ...]
    drift: tuple[str, ...] = ()
    gate: GateResult | None = None
    decisions: tuple[Decision, ...] = ()


class Working(msgspec.Struct, frozen=True):
    """Something longer than a run is under way: a gate, an adjudication, an attribution, a bisect.

    Attributes:
        what: as a heading: `Gate, look 2 of 3: v1 and v2`; empty: it is over.
        done, total: answers.
        calls: requests sent.
        cost_usd: so far; None where a price is not known.
        errors: answers that could not be had or judged.
        waiting_for: who is waited for, and what it said.
    """

    what: str
    done: int = 0
    total: int = 0
    calls: int = 0
    cost_usd: float | None = 0.0
    errors: int = 0
    waiting_for: str = ""


class WorkEnded(msgspec.Struct, frozen=True):
    """Work is over; `result` is what its handler in `session_work` gives, None where it failed."""

    request: WorkRequest
    result: Any = None


class PlaygroundSides(msgspec.Struct, frozen=True):
    """What a made-up input would be asked.

    Attributes:
        left: name of the version on the left; empty where there is none, or where it is what is on disk.
        right: name of what is on disk; `on disk` where it was never evaluated.
        columns: (model of the left side, model of the right side), each answered beside the other.
        variables: of both prompts, those of the right side first.
        files: eval files that a case can be kept in.
        estimate: what asking takes.
        said: what is to be known about the sides, as sentences.
    """

    left: str
    right: str
    columns: tuple[tuple[str | None, str | None], ...]
    variables: tuple[Variable, ...]
    files: tuple[str, ...]
    estimate: Estimate
    said: tuple[str, ...] = ()


class Viewing(msgspec.Struct, frozen=True):
    """This app shows what is stored and asks nothing; `why` says what keeps it from more, as a clause."""

    why: str


class Notice(msgspec.Struct, frozen=True):
    """Something to show: `error` stays on screen until `key` is sent again with an empty text."""

    level: str
    text: str
    key: str = ""


class OutputDetail(msgspec.Struct, frozen=True):
    """One side of a case, in full."""

    output: Output | None
    scores: tuple[Score, ...]
    failure: str | None = None


class PairDetail(msgspec.Struct, frozen=True):
    """Both sides of a case, in full; a side has one entry a trial, planned ones first."""

    pair: Pair
    baseline: tuple[OutputDetail, ...]
    candidate: tuple[OutputDetail, ...]


class TextChange(msgspec.Struct, frozen=True):
    """A changed part as text to diff: `before` or `after` is empty where it is not there.

    `title` is `prompts/helpdesk.md`, `params.temperature`, `docs/refunds.md`.
    """

    label: str
    title: str
    before: str
    after: str


class Undone(msgspec.Struct, frozen=True):
    """A step of reviewing that was taken back.

    Attributes:
        said: a sentence.
        about: the pairs that it was about; without a model where it was about the case.
    """

    said: str
    about: tuple[PairKey, ...] = ()


class VersionSummary(msgspec.Struct, frozen=True):
    """A line of the history: a version and its newest run.

    `cost_usd` is what its outputs cost when they were made; None where that is not known. `promoted` are
    its promotions, newest first. `figures` are those of the plots.
    """

    version: VersionInfo
    run: RunInfo | None
    tally: Tally | None
    changed: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    cost_usd: float | None = None
    figures: VersionFigures = VersionFigures()
    promoted: tuple[PromotionMark, ...] = ()


Event = (
    WorkspaceLoaded
    | WorkspaceBroken
    | AskFirst
    | RunStarted
    | ItemsDone
    | Progress
    | RunEnded
    | NothingToDo
    | Compared
    | Working
    | WorkEnded
    | Answering
    | Answered
    | Viewing
    | Notice
)
