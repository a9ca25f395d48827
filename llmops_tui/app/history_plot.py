"""The plots of the History: which figure, over which versions, with what is known at the cursor. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llmops_tui.app.lines import Line, Span, cut_line, shown_line
from llmops_tui.app.plot import BOTH, Axis, MarkRow, Series, from_zero, nice_range, plot
from llmops_tui.domain import format as fmt
from llmops_tui.domain.version_figures import CONFIDENCE, Rate, VersionFigures
from llmops_tui.engine.events import VersionSummary

FIGURES = ("pass rate", "mean score", "cost", "latency")
VERDICTS = {"pass": ("✓", "improved"), "fail": ("✗", "regressed"), "inconclusive": ("?", "warning")}
#: Heights below which the names of the marks are left out for the plot.
_ROOM_FOR_MARKS = 6


def tags_of(summaries: Sequence[VersionSummary]) -> list[str]:
    """Tags that any of these versions has a pass rate of."""
    return sorted({tag for s in summaries for tag in s.figures.tags})


def plot_lines(
    summaries: Sequence[VersionSummary],
    figure: str,
    tag: str | None,
    cursor: int | None,
    width: int,
    height: int,
) -> list[Line]:
    """The heading, which says the cursor's figures in words, and the plot.

    Args:
        summaries: newest first, as the list has them; they are drawn from the oldest on.
        figure: one of `FIGURES`.
        tag: whose pass rate is drawn too; None: none.
        cursor: version id under the list's cursor.
    """
    if not summaries or height < 2:
        return []
    oldest_first = list(reversed(summaries))
    at = next((n for n, s in enumerate(oldest_first) if s.version.id == cursor), None)
    all_ = [s.figures for s in oldest_first]
    series, axis = _series(all_, figure, tag)
    said = _said(oldest_first[at], figure, tag) if at is not None else []
    lines = [cut_line([*said, *_key(figure, tag)], width)]
    marks = _marks(oldest_first) if height >= _ROOM_FOR_MARKS else []
    if all(v is None for one in series for v in one.values):
        return [*lines, ((f" no {figure} is known of any version yet", "dim"),)]
    names = [s.version.name for s in oldest_first]
    return [*lines, *plot(series, axis, names, width, height - 1, cursor=at, marks=marks)]


def _series(all_: Sequence[VersionFigures], figure: str, tag: str | None) -> tuple[list[Series], Axis]:
    if figure in ("pass rate", "mean score"):
        rates = [f.pass_rate if figure == "pass rate" else f.mean_score for f in all_]
        series = [_rates("●", "accent", rates)]
        if tag is not None and figure == "pass rate":
            of_tag = [f.tags.get(tag) for f in all_]
            series.append(Series("◇", "warning", tuple(r.value if r else None for r in of_tag)))
        seen = [v for one in series for v in one.values if v is not None]
        seen += [edge for one in series for pair in one.bounds if pair is not None for edge in pair]
        low, high = nice_range(seen, step=0.1, least=0.2, most=1.0)
        words: Callable[[float], str] = fmt.score if figure == "mean score" else _percent
        return series, Axis(low, high, words)
    if figure == "cost":
        costs = tuple(f.mean_cost_usd for f in all_)
        return [Series("●", "accent", costs)], _axis_from_zero(costs, fmt.money)
    middle, slow = tuple(f.latency_p50_s for f in all_), tuple(f.latency_p95_s for f in all_)
    series = [Series("●", "accent", middle), Series("▲", "warning", slow)]
    return series, _axis_from_zero((*middle, *slow), fmt.seconds)


def _rates(symbol: str, style: str, rates: Sequence[Rate | None]) -> Series:
    return Series(
        *(symbol, style, tuple(r.value if r else None for r in rates)),
        tuple((r.low, r.high) if r else None for r in rates),
    )


def _axis_from_zero(values: Sequence[float | None], words: Callable[[float], str]) -> Axis:
    return Axis(*from_zero([v for v in values if v is not None]), words)


def _percent(value: float) -> str:
    return f"{value * 100:.0f}%"


def _marks(oldest_first: Sequence[VersionSummary]) -> list[MarkRow]:
    """Verdicts and promotions, as far as there are any."""
    gates = [VERDICTS.get(s.figures.gate.verdict) if s.figures.gate else None for s in oldest_first]
    promoted = [_promoted(s) for s in oldest_first]
    rows = [MarkRow("gate", tuple(gates))] if any(gates) else []
    return [*rows, MarkRow("promoted", tuple(promoted))] if any(promoted) else rows


def _promoted(summary: VersionSummary) -> tuple[str, str] | None:
    mark = summary.figures.promotion
    if mark is not None and mark.forced:
        return "F", "warning"
    if summary.version.is_baseline:
        return "B", "bold accent"
    return ("P", "accent") if mark is not None else None


def _key(figure: str, tag: str | None) -> list[Span]:
    """What else is in the plot than the words before it name."""
    both = f"  {BOTH} both" if figure == "latency" or (tag is not None and figure == "pass rate") else ""
    interval = "" if figure in ("cost", "latency") else f"  │ {CONFIDENCE:.0%}"
    return [(both + interval, "dim")] if both or interval else []


def _said(summary: VersionSummary, figure: str, tag: str | None) -> list[Span]:
    """The figures of the version under the cursor, each with its symbol."""
    figures = summary.figures
    spans: list[Span] = [(f" {summary.version.name}  ", "bold"), ("● ", "accent")]
    if figure == "latency":
        slow = fmt.seconds(figures.latency_p95_s)
        spans += [("p50 ", ""), (fmt.seconds(figures.latency_p50_s), "bold")]
        return [*spans, ("  ▲ ", "warning"), ("p95 ", ""), (slow, "bold")]
    if figure == "cost":
        return [*spans, ("mean of an answer ", ""), (fmt.money(figures.mean_cost_usd), "bold")]
    score = figure == "mean score"
    both = tag is not None and not score
    spans.append((f"{figure} ", ""))
    spans += _rate_words(figures.mean_score if score else figures.pass_rate, score=score, brief=both)
    if both:
        spans += [("  ◇ ", "warning"), (f"{shown_line(tag or '')} ", "")]
        spans += _rate_words(figures.tags.get(tag or ""), score=False, brief=True)
    return spans


def _rate_words(rate: Rate | None, *, score: bool, brief: bool) -> list[Span]:
    if rate is None:
        return [(fmt.NONE, "dim")]
    how = "" if brief else f"; {rate.method}"
    if score:
        bounds = f" ({fmt.score(rate.low)}–{fmt.score(rate.high)}{how})"
        return [(fmt.score(rate.value), "bold"), (bounds, "dim")]
    bounds = f" ({fmt.percent(rate.low)[:-1]}–{fmt.percent(rate.high)}{how})"
    return [(fmt.percent(rate.value), "bold"), (bounds, "dim")]


def fact_rows(summary: VersionSummary, now: float) -> list[tuple[str, list[Span]]]:
    """Verdict and promotion of a version in words, for its facts."""
    gate = summary.figures.gate
    rows: list[tuple[str, list[Span]]] = []
    if gate is not None:
        symbol, style = VERDICTS.get(gate.verdict, ("?", "warning"))
        where = f" against {gate.against}, {fmt.ago(gate.at, now)}"
        spans: list[Span] = [(f"{symbol} {gate.verdict}", style), (where, "")]
        if gate.exploratory:
            spans.append((", exploratory", "dim"))
        said = f": {shown_line(gate.headline)}" if gate.headline else ""
        rows.append(("gate", [*spans, (said, "dim")]))
    for promotion in summary.promoted[:3]:
        how = ", by force while its gate did not pass" if promotion.forced else ""
        note = f": {shown_line(promotion.note)}" if promotion.note else ""
        spans = [(f"{fmt.ago(promotion.at, now)}{how}{note}", "warning" if promotion.forced else "")]
        rows.append(("promoted", spans))
    return rows
