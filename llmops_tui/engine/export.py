"""Writing a report of a comparison to a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmops_tui.domain.attribution import Explanation
from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.errors import LlmopsError, Problem, UsageError
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.review import Decision, PairKey
from llmops_tui.engine.engine import Engine

if TYPE_CHECKING:
    from llmops_tui.engine.gating import GateOutcome


def report_text(
    engine: Engine, config: str, a: str | None, b: str | None, *, written_at: float | None = None
) -> str:
    """The markdown report of two versions, with the verdict on them as they are stored. Asks no model.

    Raises:
        UsageError: a version is not there.
        WorkspaceError: `reviews.yaml` has a mistake.
    """
    from llmops_tui.report.markdown import markdown

    comparison, changes = engine.queries.compare(config, a, b)
    texts = engine.queries.texts(comparison.baseline.version, comparison.candidate.version)
    result, decisions = verdict_in_full(engine, comparison)
    return markdown(
        comparison,
        changes,
        texts,
        engine.queries.detail,
        written_at=written_at,
        drift=engine.queries.drift(comparison),
        gate=result,
        decisions=decisions,
        explanation=_explanation(engine, comparison),
        parting_of=partial(_parting, engine, comparison),
        guard_failures=[
            engine.queries.guard_failures(side) for side in (comparison.baseline, comparison.candidate)
        ],
    )


def _parting(engine: Engine, comparison: Comparison, pair: Pair) -> list[str]:
    """Where the traces of both sides part, as lines; none where one of them is not there."""
    from llmops_tui.domain.trace_diff import diff_traces
    from llmops_tui.engine.traces import Traces
    from llmops_tui.report.trace_section import parting_lines

    if pair.baseline is None or pair.candidate is None:
        return []
    traces = Traces(engine.store)
    try:
        before = traces.of(comparison.baseline.version, pair.case_id, pair.baseline.model)
        after = traces.of(comparison.candidate.version, pair.case_id, pair.candidate.model)
    except LlmopsError:
        return []
    return parting_lines(diff_traces(before, after))


def _explanation(engine: Engine, comparison: Comparison) -> Explanation | None:
    """What was explained before, told from what is stored; a version that can't be had here is not."""
    from llmops_tui.engine.explaining import stored

    try:
        return stored(engine, comparison.baseline.version, comparison.candidate.version)
    except LlmopsError:
        return None


def with_slices(engine: Engine, outcome: GateOutcome) -> tuple[GateOutcome, Mapping[PairKey, Decision]]:
    """A gate with the pass rate by tag, and the decisions about its outputs.

    Raises:
        WorkspaceError: `reviews.yaml` has a mistake.
    """
    from llmops_tui.domain.gate.slices import slices
    from llmops_tui.engine.gating import Gate

    given = Gate(engine).given(outcome.comparison)
    result = msgspec.structs.replace(outcome.result, slices=slices(given, engine.workspace.gate))
    return msgspec.structs.replace(outcome, result=result), given.decisions


def gate_report(engine: Engine, outcome: GateOutcome) -> str:
    """A gate as markdown."""
    from llmops_tui.report.gate_markdown import gate_document

    return gate_document(*with_slices(engine, outcome))


def verdict_in_full(engine: Engine, comparison: Comparison) -> tuple[GateResult, Mapping[PairKey, Decision]]:
    """The verdict with the pass rate by tag and the looks of the newest adjudication, and its decisions.

    Raises:
        WorkspaceError: `reviews.yaml` has a mistake.
    """
    from llmops_tui.domain.gate.judge import judge
    from llmops_tui.domain.gate.slices import slices
    from llmops_tui.engine.gating import Gate

    settings = engine.workspace.gate
    given = Gate(engine).given(comparison)
    result = judge(given, settings)
    baseline, candidate = comparison.baseline.version, comparison.candidate.version
    stored = [v for v in engine.store.verdicts.of(candidate.id) if v.baseline_id == baseline.id]
    # Looks are of the gate that took them: they say nothing about results that came after another verdict.
    looks = stored[0].looks if stored and stored[0].verdict == result.verdict else ()
    return msgspec.structs.replace(result, slices=slices(given, settings), looks=looks), given.decisions


def write_report(engine: Engine, config: str, a: str | None, b: str | None, target: Path | None) -> Path:
    """Write the report; by default `report-<config>-v1-v2.md` in the workspace.

    Raises:
        UsageError: a version is not there, or the file can't be written.
    """
    text = report_text(engine, config, a, b)
    if target is None:
        comparison, _ = engine.queries.compare(config, a, b)
        names = f"{comparison.baseline.version.name}-{comparison.candidate.version.name}"
        target = engine.root / f"report-{config}-{re.sub(r'[^A-Za-z0-9._@~-]', '-', names)}.md"
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            Problem(f"the report can't be written to {target}: {error.strerror}", "name another file with -o")
        ) from error
    return target
