"""The stable JSON shapes of `--json`; `docs/json.md` describes them and a test holds the two together.

Keys are only ever added. Figures are as computed (no rounding), times are Unix seconds, money is USD.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llmops_tui.domain.comparison import Comparison, Means, Pair
from llmops_tui.domain.errors import Problem
from llmops_tui.domain.guardrails.failures import NO_FAILURES, GuardFailures
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.guardrails.words import look_json
from llmops_tui.domain.manifest import Manifest, PartChange
from llmops_tui.domain.review import Decision, PairKey
from llmops_tui.domain.run import Row, RunInfo, Tally, VersionInfo
from llmops_tui.domain.version_figures import CONFIDENCE, Rate, VersionFigures
from llmops_tui.report.shapes import Summary

Json = dict[str, Any]


def dumps(value: Json) -> str:
    """One object, pure ASCII: whatever a model wrote, no terminal acts on it and no pipe trips over it."""
    # `##[` may stand in a string alone; in the log of a GitHub job it would be a command.
    return json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False).replace("##[", "##\\u005b")


def version_json(version: VersionInfo) -> Json:
    return {
        "name": version.name,
        "number": version.number,
        "hash": version.hash,
        "created_at": version.created_at,
        "git_commit": version.git_commit,
        "git_dirty": version.git_dirty,
        "labels": list(version.labels),
        "is_baseline": version.is_baseline,
    }


def run_json(
    version: VersionInfo, run: RunInfo | None, tally: Tally, guard_failures: GuardFailures = NO_FAILURES
) -> Json:
    """What `run` came to. Without a run (nothing was to do) nothing was sent, spent or waited for."""
    return {
        "version": version.name,
        "hash": version.hash,
        "config": version.config,
        "state": run.state if run else "unchanged",
        **tally_json(tally),
        "provider_calls": run.provider_calls if run else 0,
        "cached_outputs": run.cached_outputs if run else tally.cases,
        "elapsed_s": (run.elapsed_s or 0.0) if run else 0.0,
        "cost_usd": run.cost_usd if run else 0.0,
        "guard_failures": guard_failures.json(),
    }


def tally_json(tally: Tally) -> Json:
    """`passed`, `failed`, `errors` and `unscored` add up to `cases`; `missing` rows are outside."""
    return {
        "cases": tally.cases,
        "passed": tally.passed,
        "failed": tally.failed,
        "errors": tally.errors,
        "unscored": tally.unscored,
        "missing": tally.missing,
        "pass_rate": tally.pass_rate,
        "mean_score": tally.mean_score,
    }


def compare_json(
    comparison: Comparison,
    changes: Sequence[PartChange],
    outputs: Mapping[int, str],
    drift: Sequence[str] = (),
    looks: Mapping[int, Sequence[Look]] | None = None,
    guard_failures: Sequence[GuardFailures] = (NO_FAILURES, NO_FAILURES),
) -> Json:
    """A comparison in full.

    Args:
        outputs: row of an output → its text, for the first trial of each side (`output_ids`).
        drift: sentences about models that changed under their pin.
        looks: of guardrails, by the same rows.
        guard_failures: guardrails that failed themselves, of the baseline and of the candidate.
    """
    looks = looks or {}
    return {
        "config": comparison.candidate.version.config,
        "baseline": comparison.baseline.version.name,
        "candidate": comparison.candidate.version.name,
        "baseline_hash": comparison.baseline.version.hash,
        "candidate_hash": comparison.candidate.version.hash,
        "changed_parts": [c.label for c in changes],
        "drift": list(drift),
        "baseline_guard_failures": guard_failures[0].json(),
        "candidate_guard_failures": guard_failures[1].json(),
        "counts": dict(comparison.counts),
        "pass_rate": _means_json(comparison.pass_rate),
        "mean_score": _means_json(comparison.mean_score),
        "cases": [{**_pair_json(pair, outputs), **_looks(pair, looks)} for pair in comparison.pairs],
    }


def output_ids(comparison: Comparison) -> tuple[int, ...]:
    """The outputs whose texts `compare_json` needs."""
    rows = (row for pair in comparison.pairs for row in (pair.baseline, pair.candidate) if row is not None)
    return tuple(dict.fromkeys(r.first.output_id for r in rows if r.first.output_id is not None))


def _means_json(means: Means) -> Json:
    return {
        "baseline": means.baseline,
        "candidate": means.candidate,
        "delta": means.delta,
        "n": means.n,
    }


def _pair_json(pair: Pair, outputs: Mapping[int, str]) -> Json:
    return {
        "id": pair.case_id,
        "model": pair.model,
        "change": pair.change,
        "flip": pair.flip,
        "output_changed": pair.output_changed,
        "baseline_score": pair.baseline.score if pair.baseline else None,
        "candidate_score": pair.candidate.score if pair.candidate else None,
        "delta": pair.delta,
        "baseline_output": _output(pair.baseline, outputs),
        "candidate_output": _output(pair.candidate, outputs),
        "baseline_status": pair.baseline.status if pair.baseline else None,
        "candidate_status": pair.candidate.status if pair.candidate else None,
        "pending": pair.pending,
        "error": _failure(pair),
    }


def review_json(
    comparison: Comparison,
    queue: Sequence[Pair],
    decided: Mapping[PairKey, Decision],
    outputs: Mapping[int, str],
) -> Json:
    """What is left to review, and what was decided about these outputs.

    Args:
        queue: as `domain.review.to_review` gives it.
        outputs: as in `compare_json`.
    """
    pairs = {(p.case_id, p.model): p for p in comparison.pairs}
    chosen = [(pairs[key], d) for key, d in decided.items() if d.choice is not None]
    return {
        "config": comparison.candidate.version.config,
        "baseline": comparison.baseline.version.name,
        "candidate": comparison.candidate.version.name,
        "to_review": [_reviewed_json(p, decided.get((p.case_id, p.model)), outputs) for p in queue],
        "decided": [_reviewed_json(p, d, outputs) for p, d in chosen],
    }


def _reviewed_json(pair: Pair, decision: Decision | None, outputs: Mapping[int, str]) -> Json:
    return {
        **_pair_json(pair, outputs),
        "decision": decision.choice if decision else None,
        "note": decision.note if decision else "",
        "by": decision.by if decision else "",
        "at": decision.at if decision else "",
    }


def _looks(pair: Pair, looks: Mapping[int, Sequence[Look]]) -> Json:
    """What guardrails did on the way to both outputs; nothing of looks that passed."""
    found: Json = {}
    for side, row in (("baseline", pair.baseline), ("candidate", pair.candidate)):
        id_ = row.first.output_id if row is not None else None
        mine = looks.get(id_, ()) if id_ is not None else ()
        found[f"{side}_guardrails"] = [look_json(look) for look in mine if look.triggered or look.error]
    return found


def _output(row: Row | None, outputs: Mapping[int, str]) -> str | None:
    if row is None or row.first.output_id is None:
        return None
    return outputs.get(row.first.output_id)


def _failure(pair: Pair) -> str | None:
    rows = (pair.candidate, pair.baseline)
    return next((i.failure for row in rows if row for i in row.planned if i.failure), None)


def summary_json(summary: Summary) -> Json:
    """A version of the history and how its newest run went; `run` is null where it never ran."""
    run = summary.run
    return {
        **version_json(summary.version),
        "config": summary.version.config,
        "changed_parts": list(summary.changed),
        "warnings": list(summary.warnings),
        "cost_usd": summary.cost_usd,
        "figures": _figures_json(summary.figures),
        "run": None
        if run is None
        else {
            "state": run.state,
            "reason": run.reason,
            "started_at": run.started_at,
            "elapsed_s": run.elapsed_s,
            "cost_usd": run.cost_usd,
            **(tally_json(summary.tally) if summary.tally else {}),
        },
    }


def _figures_json(figures: VersionFigures) -> Json:
    """What the History plots of a version."""
    gate, promotion = figures.gate, figures.promotion
    return {
        "pass_rate": _rate_json(figures.pass_rate),
        "mean_score": _rate_json(figures.mean_score),
        "tags": {tag: _rate_json(rate) for tag, rate in figures.tags.items()},
        "latency_p50_s": figures.latency_p50_s,
        "latency_p95_s": figures.latency_p95_s,
        "mean_cost_usd": figures.mean_cost_usd,
        "verdict": None
        if gate is None
        else {
            "verdict": gate.verdict,
            "against": gate.against,
            "exploratory": gate.exploratory,
            "headline": gate.headline,
            "at": gate.at,
        },
        "promotion": None
        if promotion is None
        else {"forced": promotion.forced, "note": promotion.note, "at": promotion.at},
    }


def _rate_json(rate: Rate | None) -> Json | None:
    if rate is None:
        return None
    return {
        "value": rate.value,
        "low": rate.low,
        "high": rate.high,
        "confidence": CONFIDENCE,
        "n": rate.rows,
        "clusters": rate.clusters,
        "method": rate.method,
    }


def show_json(summary: Summary, manifest: Manifest) -> Json:
    """A version with all its parts."""
    parts = [{"part": p.label, "hash": p.hash, "value": p.value} for p in manifest.parts]
    return {**summary_json(summary), "parts": parts}


def problem_json(problem: Problem) -> Json:
    return {
        "message": problem.message,
        "remedy": problem.remedy,
        "file": problem.file,
        "line": problem.line,
        "warning": problem.warning,
    }


def error_json(problems: Sequence[Problem], exit_code: int) -> Json:
    """A failure: the whole answer, on stdout."""
    return {
        "error": {
            "message": "\n".join(str(p) for p in problems),
            "problems": [problem_json(p) for p in problems],
            "exit_code": exit_code,
        }
    }
