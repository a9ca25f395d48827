"""Runs, and what a version is known to have answered: the snapshot that everything compares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from llmops_tui.domain.safe_text import clean_line
from llmops_tui.domain.score import Status

# fmt: off
Reason = Literal[
    "first", "save", "manual", "demo", "retry", "fresh", "ask again", "rescored",
    "gate", "adjudication", "explain", "what-if", "bisect", "canary", "attack",
]
# fmt: on
RunState = Literal["running", "complete", "cancelled", "failed", "interrupted"]


class VersionInfo(msgspec.Struct, frozen=True):
    """A version as people see it.

    Attributes:
        id: row in the store.
        config: name of the configuration (`helpdesk` for `configs/helpdesk.yaml`).
        number: counts up within the configuration; negative where it has none for people.
        hash: of its manifest.
        created_at: Unix seconds, when it was first seen.
        git_commit, git_dirty: of the workspace at that time; None outside git.
        labels: given by people.
        is_baseline: promoted.
        model: only this model's answers of it (`v3@local/smollm2`); empty: all of them.
    """

    id: int
    config: str
    number: int
    hash: str
    created_at: float
    git_commit: str | None = None
    git_dirty: bool | None = None
    labels: tuple[str, ...] = ()
    is_baseline: bool = False
    model: str = ""

    @property
    def name(self) -> str:
        whole = f"~{self.hash[:8]}" if self.is_hidden else f"v{self.number}"
        return f"{whole}@{clean_line(self.model)}" if self.model else whole

    @property
    def is_hidden(self) -> bool:
        """A hybrid, a what-if or a step of a bisect: it has no number, and is never the latest."""
        return self.number < 0


class RunInfo(msgspec.Struct, frozen=True):
    """One evaluation of one version: how it came about, how far it got, what it cost.

    Attributes:
        total: rows (case × model × trial) that a complete run has.
        asked_total: rows chosen by `--case`, `--tag` or `--limit`; equal to `total` without them.
        provider_calls: requests sent for this run, without retries.
        cached_outputs: chosen rows for which nothing was asked: the output was there, or the answer to
            the very same request.
        elapsed_s: None while it runs.
        cost_usd: None where a price is not known.
    """

    id: int
    version_id: int
    reason: Reason
    state: RunState
    started_at: float
    total: int
    asked_total: int
    generation: int = 0
    provider_calls: int = 0
    cached_outputs: int = 0
    elapsed_s: float | None = None
    cost_usd: float | None = None


class Item(msgspec.Struct, frozen=True, gc=False):
    """One case on one model in one trial, within a run.

    Attributes:
        output_id: row of the output in the store; None where there is none.
        text_hash: of the output's text; equal hashes mean equal texts.
        failure: why there is no output.
        extra: a trial beyond the planned ones (asked again by hand): shown, never in the score.
    """

    case_id: str
    model: str
    trial: int
    status: Status
    score: float | None = None
    output_id: int | None = None
    text_hash: str = ""
    failure: str | None = None
    latency_s: float | None = None
    cost_usd: float | None = None
    extra: bool = False


class Row(msgspec.Struct, frozen=True, gc=False):
    """One case on one model: its trials as one.

    Attributes:
        status: `passed` when every planned trial passed; `error` when one erred; `missing` when
            one is not there yet.
        score: mean over planned trials; None where a trial has none.
        items: all trials, the extra ones last.
        text_hash: of the first trial's text.
    """

    case_id: str
    model: str
    status: Status
    score: float | None
    items: tuple[Item, ...]

    @property
    def planned(self) -> tuple[Item, ...]:
        return tuple(i for i in self.items if not i.extra)

    @property
    def first(self) -> Item:
        return self.items[0]


def make_row(items: Sequence[Item]) -> Row:
    """Trials of one case on one model → one row. `items` is not empty."""
    ordered = items if len(items) == 1 else sorted(items, key=lambda i: (i.extra, i.trial))
    head = ordered[0]
    if len(ordered) == 1:
        return Row(head.case_id, head.model, head.status, head.score, (head,))
    planned = [i for i in ordered if not i.extra] or ordered
    statuses = {i.status for i in planned}
    status: Status = next(
        (s for s in ("missing", "error", "failed", "unscored", "passed") if s in statuses), "missing"
    )
    scores = [i.score for i in planned if i.score is not None]
    score = sum(scores) / len(scores) if len(scores) == len(planned) else None
    return Row(head.case_id, head.model, status, score, tuple(ordered))


class Snapshot(msgspec.Struct, frozen=True):
    """What one version is known to have answered: the items of its newest run, as rows.

    `rows` is in the order of the eval set, model by model within a case.
    """

    version: VersionInfo
    run: RunInfo
    rows: tuple[Row, ...]

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(r.model for r in self.rows))

    @property
    def is_complete(self) -> bool:
        """Every item that the run should have is there, and none erred."""
        there = sum(len(r.items) for r in self.rows)
        return (
            self.run.state == "complete"
            and there >= self.run.total
            and all(r.status not in ("missing", "error") for r in self.rows)
        )


def only_model(snapshot: Snapshot, model: str) -> Snapshot:
    """What one model of a version answered, as a snapshot of its own: `v3@MODEL`."""
    rows = tuple(r for r in snapshot.rows if r.model == model)
    there = sum(len(r.items) for r in rows)
    # Every model has the same cases and trials; what is missing is shared out alike.
    models = max(len(snapshot.models), 1)
    run = msgspec.structs.replace(
        snapshot.run,
        total=max(there, -(-snapshot.run.total // models)),
        asked_total=-(-snapshot.run.asked_total // models),
    )
    return Snapshot(msgspec.structs.replace(snapshot.version, model=model), run, rows)


def make_rows(items: Iterable[Item]) -> tuple[Row, ...]:
    """Items in store order → rows in the order in which their cases first appear."""
    grouped: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        grouped.setdefault((item.case_id, item.model), []).append(item)
    return tuple(make_row(group) for group in grouped.values())


_PASSED = {"passed": 1.0, "failed": 0.0}


def passes(row: Row) -> tuple[float, ...]:
    """1.0 for a planned trial that passed, 0.0 for one that failed; empty where the row is not judged so."""
    if row.status not in _PASSED:
        return ()
    if len(row.items) == 1:
        return (_PASSED[row.status],)
    return tuple([_PASSED[i.status] for i in row.items if not i.extra and i.status in _PASSED])


class Tally(msgspec.Struct, frozen=True):
    """How many rows stand how; the four add up to `cases`.

    Attributes:
        passed: rows that passed in every planned trial.
        pass_rate: mean over passed and failed rows of the share of trials that passed, so that a row
            counts once however often it was asked; None where there are none.
    """

    cases: int
    passed: int
    failed: int
    errors: int
    unscored: int
    missing: int
    pass_rate: float | None
    mean_score: float | None


def tally(rows: Sequence[Row]) -> Tally:
    """Counts over rows. Missing rows are outside `cases`; unscored ones outside the pass rate."""
    count = dict.fromkeys(("passed", "failed", "error", "unscored", "missing"), 0)
    for row in rows:
        count[row.status] += 1
    shares = [sum(p) / len(p) for row in rows if (p := passes(row))]
    scores = [r.score for r in rows if r.score is not None]
    return Tally(
        cases=len(rows) - count["missing"],
        passed=count["passed"],
        failed=count["failed"],
        errors=count["error"],
        unscored=count["unscored"],
        missing=count["missing"],
        pass_rate=sum(shares) / len(shares) if shares else None,
        mean_score=sum(scores) / len(scores) if scores else None,
    )
