"""Guardrails in live traffic as lines for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.guards import (
    Estimate,
    GuardFigures,
    GuardItem,
    GuardRow,
    GuardTrial,
    ThresholdCurve,
)
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report.live_text import filter_words, sparkline
from llmops_tui.report.text import EMPTY, Line

_TITLE, _VALUE, _AROUND, _N = 22, 9, 19, 22
_CURVE = (11, 26, 26, 26, 9)
_MARKS = {True: ("✓ ", "improved"), False: ("✗ ", "regressed")}
#: Queue → what waits in it, one and several.
QUEUES = {
    "firings": ("firing", "firings"),
    "sample": ("pass of the random sample", "passes of the random sample"),
    "suspected": ("pass that looks like a miss", "passes that look like misses"),
}
#: Texts that are shown of what one item was looked at.
_MOST_TEXTS = 3


def guards_lines(
    figures: Sequence[GuardFigures], trials: Sequence[GuardTrial], wanted: LiveFilter, *, width: int = 100
) -> list[Line]:
    """All of a window, a block a guardrail."""
    lines: list[Line] = [(("Guards", "bold"), (f" · {filter_words(wanted)}", ""))]
    if not figures:
        lines.append((("No guardrail looked at anything in this window.", "dim"),))
    for each in figures:
        lines += [EMPTY, *_block(each, width)]
    return lines + _trial_lines(trials)


def _block(f: GuardFigures, width: int) -> list[Line]:
    spark = sparkline([b.fired / b.looked if b.looked else None for b in f.buckets], max(width - 56, 8))
    failed = f" · failed itself in {fmt.plural(f.failed, 'request')}" if f.failed else ""
    thresholds = " → ".join(fmt.score(t) for t in f.thresholds[-3:])
    about = [
        f"p50 {fmt.latency(f.latency_p50_s)}",
        f"p95 {fmt.latency(f.latency_p95_s)}",
        *([fmt.money(f.cost_usd)] if f.cost_usd else []),
        *([f"threshold {thresholds}"] if thresholds else []),
    ]
    lines: list[Line] = [
        (
            (clean_line(f.name), "bold"),
            (f"  {fmt.count(f.looked)} looked at · {fmt.count(f.fired)} fired", ""),
            (failed, "regressed"),
            (f"  {spark}", "dim"),
        ),
        _estimate_line("fired on", f.rate, "requests"),
        _estimate_line("precision", f.precision, "reviewed firings"),
        _estimate_line("recall", f.recall, "reviewed"),
        _estimate_line("false alarms", f.false_alarms, "reviewed"),
        ((f"  {' · '.join(about)}", "dim"),),
    ]
    if f.failure:
        lines.append(((fmt.truncate(f"  failed most often: {clean_line(f.failure)}", width), "regressed"),))
    lines += [((f"  {clean_line(note)}", "dim"),) for note in f.notes]
    counts = zip((f.waiting, f.unseen, f.suspected), QUEUES.values(), strict=True)
    waiting = [fmt.plural(n, *nouns) for n, nouns in counts if n]
    if waiting:
        lines.append(((f"  to review: {', '.join(waiting)}", "regressed"),))
    if len(f.versions) > 1:
        lines += [_version_line(f, at) for at in range(len(f.versions))]
    return lines


def _version_line(f: GuardFigures, at: int) -> Line:
    version = f.versions[at]
    name = clean_line(" ".join(filter(None, (version.config, version.version)))) or "(no version)"
    return _estimate_line(name, version.rate, "requests", "dim")


def _estimate_line(title: str, estimate: Estimate, of: str, style: str = "") -> Line:
    n = f"{fmt.count(estimate.n)} {of}" if estimate.n else "not reviewed"
    return (
        (
            "  "
            + fmt.pad(title, _TITLE)
            + fmt.pad(fmt.percent(estimate.value), _VALUE, right=True)
            + fmt.pad(around(estimate), _AROUND, right=True),
            style,
        ),
        (f"  {n}", "dim"),
    )


def around(estimate: Estimate) -> str:
    """The interval: `68.3%–98.8%`."""
    return f"{fmt.percent(estimate.low)}–{fmt.percent(estimate.high)}"


def _trial_lines(trials: Sequence[GuardTrial]) -> list[Line]:
    if not trials:
        return []
    lines: list[Line] = [EMPTY, (("In evaluations", "bold"),)]
    for t in trials:
        lines.append(
            (
                (f"  {fmt.pad(clean_line(f'{t.config} v{t.version}'), 18)}", ""),
                (fmt.pad(clean_line(t.guardrail), 18), ""),
                (
                    f"fired on {t.caught} of {fmt.plural(t.attacks, 'attack')}, {t.succeeded} got through"
                    f" · fired on {t.alarms} of {fmt.plural(t.harmless, 'harmless case')}",
                    "",
                ),
            )
        )
    return lines


def item_lines(
    guardrail: str, queue: str, items: Sequence[GuardItem], now: float, total: int = 0, *, width: int = 100
) -> list[Line]:
    """Rows to be reviewed, or that were, a few lines each.

    Args:
        total: how many there are, where some are left out.
    """
    if not items:
        return [((f"{clean_line(guardrail)}: nothing waits in {queue}.", "dim"),)]
    of = f", {fmt.count(len(items))} of {fmt.count(total)}" if total > len(items) else ""
    lines: list[Line] = [((clean_line(guardrail), "bold"), (f" · {queue}{of}", "dim"))]
    for item in items:
        row = item.row
        mark = _MARKS[item.review.right] if item.review is not None else ("  ", "")
        about = [
            fmt.ago(row.at, now),
            clean_line(row.series.version),
            clean_line(row.stage),
            _outcome(row),
            f"score {fmt.score(row.score)}" if row.score is not None else "",
        ]
        lines.append(
            (
                mark,
                (row.trace_id[:12], "bold"),
                (f"  {' · '.join(word for word in about if word)}", "dim"),
            )
        )
        lines += [
            ((fmt.truncate("    " + clean_line(text), width), style),) for text, style in _texts(item) if text
        ]
    return lines


def _outcome(row: GuardRow) -> str:
    if row.failed:
        fired = "fired, and " if row.triggered else ""
        return f"{fired}failed itself, {row.failed}"
    return "fired" if row.triggered else "passed"


def _texts(item: GuardItem) -> list[tuple[str, str]]:
    """Why, what it fired on or looked at, and what was asked where that is something else."""
    row = item.row
    seen = [row.evidence] if row.evidence else list(item.texts[:_MOST_TEXTS])
    texts = [("; ".join(item.why) or row.reason, "regressed"), *((text, "") for text in seen)]
    if not seen:
        texts.append((row.input or "(no text)", ""))
    elif row.stage != "input" and row.input:
        texts.append((f"asked: {row.input}", "dim"))
    if len(item.texts) > len(seen) and not row.evidence:
        texts.append((f"and {len(item.texts) - len(seen)} more", "dim"))
    return texts


def curve_lines(curve: ThresholdCurve) -> list[Line]:
    """The curve as a table; the threshold that it has is marked."""
    if curve.problem:
        return [((f"No curve: {clean_line(curve.problem)}.", "regressed"),)]
    lines: list[Line] = [
        (
            (clean_line(curve.guardrail), "bold"),
            (f" · {fmt.plural(curve.reviewed, 'reviewed row')} · 95% intervals, each for its point", "dim"),
        ),
        ((_cells("threshold", "precision", "recall", "false alarms", "fires on"), "dim"),),
    ]
    for point in curve.points:
        is_current = curve.current is not None and point.threshold == curve.current
        cells = _cells(
            ("▸ " if is_current else "  ") + f"{point.threshold:.4g}",
            *(_with_interval(e) for e in (point.precision, point.recall, point.false_alarms)),
            fmt.percent(point.rate),
        )
        lines.append(((cells, "bold" if is_current else ""),))
    if said := others_words(curve):
        lines.append(((said, "dim"),))
    return lines


def others_words(curve: ThresholdCurve) -> str:
    """`The threshold is now 0.62; traffic of this window had 0.5.`; empty where it had no other."""
    if not curve.others or curve.current is None:
        return ""
    had = " and ".join(f"{each:.4g}" for each in curve.others)
    return f"The threshold is now {curve.current:.4g}; traffic of this window had {had}."


def _with_interval(estimate: Estimate) -> str:
    return f"{fmt.percent(estimate.value)} {around(estimate)}" if estimate.n else fmt.NONE


def _cells(*cells: str) -> str:
    return "".join(
        fmt.pad(cell, width, right=at > 0) for at, (cell, width) in enumerate(zip(cells, _CURVE, strict=True))
    )
