"""The curve of a threshold: precision and recall with their bands, and a chosen point in figures. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.app.guard_figures import interval_text, rate_decimals, share_text
from llmops_tui.app.lines import Line, Span, left, right, shown_line, wrap
from llmops_tui.app.plot import GUTTER, Axis, MarkRow, Series, plot
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.guards import Estimate, ThresholdCurve, ThresholdPoint

_PRECISION, _RECALL = ("●", "accent"), ("◇", "warning")
#: Cells between two symbols of one line, and between two names below.
_APART, _NAMES_APART = 12, 10
_LABEL, _COLUMN = 16, 26
#: Reviewed rows below which the bands are all there is to read.
FEW = 30


def at_threshold(curve: ThresholdCurve, threshold: float | None) -> int:
    """Number of the point that says what happens with a threshold: the first one from it on."""
    if threshold is None:
        return 0
    last = len(curve.points) - 1
    return next((n for n, p in enumerate(curve.points) if p.threshold >= threshold - 1e-9), last)


def elsewhere(current: float | None, on_disk: Sequence[float]) -> tuple[float, ...]:
    """Thresholds on disk that are not the one of the newest traffic."""
    if current is None:
        return ()
    return tuple(sorted({each for each in on_disk if abs(each - current) > 1e-9}))


def curve_lines(
    curve: ThresholdCurve, at: int, width: int, height: int, on_disk: Sequence[float] = ()
) -> list[Line]:
    """The legend, the plot and the table of the chosen point, in at most `height` lines where that goes."""
    table = _table(curve, at, width)
    notes = _notes(curve, width, elsewhere(curve.current, on_disk))
    legend: Line = (
        (" ", ""),
        _PRECISION,
        (" precision   ", "bold"),
        _RECALL,
        (" recall   ", "bold"),
        ("dotted: the 95 % bands   ", "dim"),
        ("▲", "accent"),
        (" now", "dim"),
    )
    room = max(height - len(table) - len(notes) - 2, 7)
    return [legend, *_plot(curve, at, width, room), (), *table, *notes]


# -- the plot


def _plot(curve: ThresholdCurve, at: int, width: int, height: int) -> list[Line]:
    """A column of cells for each threshold between the lowest and the highest."""
    points = curve.points
    low, high = _range(curve)
    room = max(width - GUTTER, 2)
    shown = [low + (high - low) * n / (room - 1) for n in range(room)]
    under = [points[at_threshold(curve, t)] if t <= points[-1].threshold + 1e-9 else None for t in shown]
    lines: list[Series] = []
    dots: list[Series] = []
    bands: list[tuple[str, list[float | None]]] = []
    for n, (name, (symbol, style)) in enumerate((("precision", _PRECISION), ("recall", _RECALL))):
        known: list[Estimate | None] = [getattr(p, name) if p is not None else None for p in under]
        known = [e if e is not None and e.value is not None else None for e in known]
        marked = frozenset(k for k in range(room) if (k + n * _APART // 2) % _APART == 0)
        lines.append(Series(symbol, style, tuple(e.value if e else None for e in known), marked=marked))
        bands += [(style, [getattr(e, end) if e else None for e in known]) for end in ("low", "high")]
    rows = height - 2
    for style, values in bands:
        # Where a line runs, its band is left out; every other cell makes it dotted.
        taken = [{_row(line.values[k], rows) for line in lines} for k in range(room)]
        edge = tuple(v if k % 2 and _row(v, rows) not in taken[k] else None for k, v in enumerate(values))
        dots.append(Series("·", style, edge))
    column = _nearest(shown, points[at].threshold)
    names = [f"{t:.2f}" if k % _NAMES_APART == 0 else "" for k, t in enumerate(shown)]
    names[column] = f"{points[at].threshold:.3f}"
    marks: list[tuple[str, str] | None] = [None] * room
    if curve.current is not None and low <= curve.current <= high:
        marks[_nearest(shown, curve.current)] = ("▲", "bold accent")
    axis = Axis(0.0, 1.0, lambda value: f"{value:.0%}")
    return plot(
        (*lines, *dots), axis, names, width, height, cursor=column, marks=[MarkRow("now", tuple(marks))]
    )


def _row(value: float | None, rows: int) -> int | None:
    """The row of cells in which a share is drawn."""
    return None if value is None else round((1 - value) * (rows * 4 - 1)) // 4


def _range(curve: ThresholdCurve) -> tuple[float, float]:
    """From the lowest to the highest point, and the threshold that it has now."""
    all_ = [p.threshold for p in curve.points] + ([curve.current] if curve.current is not None else [])
    low, high = min(all_), max(all_)
    return (low, high) if high - low > 1e-9 else (max(low - 0.05, 0.0), high + 0.05)


def _nearest(values: Sequence[float], wanted: float) -> int:
    return min(range(len(values)), key=lambda n: abs(values[n] - wanted))


# -- the table


def _table(curve: ThresholdCurve, at: int, width: int) -> list[Line]:
    """What is, beside what would be."""
    now = curve.points[at_threshold(curve, curve.current)] if curve.current is not None else None
    chosen = curve.points[at]
    cells = min(_COLUMN, max((width - _LABEL - 2) // 2, 12))
    with_n = cells >= _COLUMN
    title = f"now {curve.current:g}" if curve.current is not None else "now"
    lines: list[Line] = [
        (
            (left(" threshold", _LABEL), "dim"),
            (left(title, cells), "dim"),
            (
                left("chosen: as now" if chosen is now else f"chosen {chosen.threshold:.4g}", cells),
                "bold accent",
            ),
        )
    ]
    for name in ("precision", "recall", "false_alarms"):
        row: list[Span] = [(left(f" {name.replace('_', ' ')}", _LABEL), "dim")]
        for point in (now, chosen):
            row.append(
                (left(_estimate(point, name, with_n=with_n), cells), "bold" if point is chosen else "")
            )
        lines.append(tuple(row))
    fires: list[Span] = [(left(" fires on", _LABEL), "dim")]
    for point in (now, chosen):
        text = fmt.NONE if point is None else f"{point.rate * 100:.2g}% of requests"
        fires.append((left(text, cells), "bold" if point is chosen else ""))
    return [*lines, tuple(fires)]


def _estimate(point: ThresholdPoint | None, name: str, *, with_n: bool) -> str:
    if point is None:
        return fmt.NONE
    e: Estimate = getattr(point, name)
    if e.value is None:
        return "not known"
    decimals = rate_decimals(e) if name == "false_alarms" else 0
    n = f"  n {fmt.count(e.n)}" if with_n else ""
    return f"{right(share_text(e.value, decimals), 6)}  {interval_text(e, decimals)}{n}"


def _notes(curve: ThresholdCurve, width: int, on_disk: Sequence[float]) -> list[Line]:
    rows = f"From {fmt.plural(curve.reviewed, 'reviewed row')}."
    more = " So few say little: look at the bands." if curve.reviewed < FEW else ""
    lines: list[Line] = [(), *wrap(((f" {rows}{more}", "warning" if more else "dim"),), width, 1)]
    if curve.others and curve.current is not None:
        had = " and ".join(f"{each:g}" for each in curve.others)
        lines += wrap(((f" Traffic of this window had {had} too.", "dim"),), width, 1)
    if on_disk:
        there = " and ".join(f"{each:g}" for each in on_disk)
        said = f" On disk a configuration has {there}; the newest traffic has {curve.current:g}."
        lines += wrap(((said, "warning"),), width, 1)
    return lines


def problem_lines(problem: str, width: int) -> list[Line]:
    """In place of a curve."""
    return [(), *wrap(((f" {shown_line(problem)}", "warning"),), width, 1), ()]
