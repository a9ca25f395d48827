"""Guardrails in live traffic as markdown."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.guards import Estimate, GuardFigures, GuardTrial, ThresholdCurve
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.report.guards_text import around, others_words
from llmops_tui.report.live_text import filter_words
from llmops_tui.report.markdown_text import code, inline, table


def guards_markdown(figures: Sequence[GuardFigures], trials: Sequence[GuardTrial], wanted: LiveFilter) -> str:
    """All of a window."""
    parts = [f"# Guards\n\n{inline(filter_words(wanted))}"]
    if not figures:
        parts.append("No guardrail looked at anything in this window.")
    else:
        parts += [_table(figures), *_notes(figures), *_versions(figures)]
    if trials:
        parts += ["## In evaluations", _trials(trials)]
    return "\n\n".join(parts) + "\n"


def _table(figures: Sequence[GuardFigures]) -> str:
    rows = [
        [
            code(f.name),
            fmt.count(f.looked),
            fmt.count(f.fired),
            fmt.count(f.failed),
            *(_cell(each) for each in (f.rate, f.precision, f.recall, f.false_alarms)),
            fmt.latency(f.latency_p95_s),
            inline(fmt.money(f.cost_usd)),
            " / ".join(map(fmt.count, (f.waiting, f.unseen, f.suspected))),
        ]
        for f in figures
    ]
    head = ["guardrail", "looked", "fired", "failed", "fired on", "precision", "recall", "false alarms"]
    head += ["p95", "cost", "to review: firings / sample / suspected"]
    return table(head, rows, right=range(1, len(head)))


def _cell(estimate: Estimate) -> str:
    if not estimate.n:
        return "not reviewed"
    return f"{fmt.percent(estimate.value)} ({around(estimate)}, n {fmt.count(estimate.n)})"


def _notes(figures: Sequence[GuardFigures]) -> list[str]:
    notes = [f"- {code(f.name)}: failed most often: {inline(f.failure)}" for f in figures if f.failure]
    notes += [f"- {code(f.name)}: {inline(note)}" for f in figures for note in f.notes]
    return ["\n".join(notes)] if notes else []


def _versions(figures: Sequence[GuardFigures]) -> list[str]:
    rows = [
        [
            code(f.name),
            inline(" ".join(filter(None, (v.config, v.version))) or "(no version)"),
            fmt.count(v.looked),
            fmt.count(v.fired),
            _cell(v.rate),
        ]
        for f in figures
        for v in f.versions
    ]
    head = ["guardrail", "version", "looked", "fired", "fired on"]
    return ["## By version", table(head, rows, right=(2, 3, 4))] if rows else []


def _trials(trials: Sequence[GuardTrial]) -> str:
    rows = [
        [
            inline(f"{t.config} v{t.version}"),
            code(t.guardrail),
            f"{t.caught} of {t.attacks}",
            fmt.count(t.succeeded),
            f"{t.alarms} of {t.harmless}",
        ]
        for t in trials
    ]
    return table(
        ["version", "guardrail", "fired on attacks", "passed, got through", "false alarms"],
        rows,
        right=(2, 3, 4),
    )


def curve_markdown(curve: ThresholdCurve) -> str:
    """The curve of a threshold; the one that it has is in bold."""
    head = f"# Threshold of {code(curve.guardrail)}"
    if curve.problem:
        return f"{head}\n\nNo curve: {inline(curve.problem)}.\n"
    rows = []
    for p in curve.points:
        mark = "**" if curve.current is not None and p.threshold == curve.current else ""
        rows.append(
            [
                f"{mark}{p.threshold:.4g}{mark}",
                *(_cell(each) for each in (p.precision, p.recall, p.false_alarms)),
                fmt.percent(p.rate),
            ]
        )
    shown = table(
        ["threshold", "precision", "recall", "false alarms", "fires on"], rows, right=(0, 1, 2, 3, 4)
    )
    about = f"{fmt.plural(curve.reviewed, 'reviewed row')}; each interval holds for its point."
    if said := others_words(curve):
        about += f" {inline(said)}"
    return f"{head}\n\n{about}\n\n{shown}\n"
