"""The plot of the Live screen: a metric over time, a line for each version, feature, model or user. Pure."""

from __future__ import annotations

import time
from collections.abc import Sequence

from llmops_tui.app.lines import Line, Span, cut, line_width, shown_line, wrap
from llmops_tui.app.live_figures import fair_room, figure_text, joined, value_text
from llmops_tui.app.plot import GUTTER, Axis, Series, from_zero, nice_range, plot
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.metrics import Unit
from llmops_tui.domain.live.overview import Figure, Plot

#: Symbol and style of each line; a plot has no more than these.
MARKS: tuple[Span, ...] = (
    ("●", "accent"),
    ("◇", "warning"),
    ("▲", "improved"),
    ("■", "regressed"),
    ("○", "dim"),
    ("▽", "accent"),
    ("◆", "warning"),
    ("□", "improved"),
)
#: Cells between two symbols of one line.
_APART = 14
_LONGEST_NAME = 24


def plot_lines(found: Plot, why: str, width: int, height: int) -> list[Line]:
    """The legend and the plot.

    Args:
        why: a sentence above them; may be empty.
    """
    lines: list[Line] = wrap(((shown_line(why), "warning"),), width)[:2] if why else []
    shown = found.lines[: len(MARKS)]
    legend = _legend(found, width)
    lines += legend[: max(min(len(legend), (height - len(lines)) // 3), 1)]
    room = fair_room([line.figure for line in shown], width - GUTTER)
    points = [joined(line.figure, room) for line in shown]
    if not any(point.value is not None for line in points for point in line):
        return [*lines, (("no such figure in this window", "dim"),)]
    unit = shown[0].figure.unit
    series = [
        Series(
            *MARKS[n],
            tuple(p.value for p in line),
            marked=_marked([p.value for p in line], _apart(line, width), n),
        )
        for n, line in enumerate(points)
    ]
    longest = max(points, key=len)
    names = time_names([p.at for p in longest], width - GUTTER)
    axis = _axis([p.value for line in points for p in line if p.value is not None], unit)
    return [*lines, *plot(series, axis, names, width, height - len(lines))]


def _legend(found: Plot, width: int) -> list[Line]:
    """`● v12 91.2% n 1,203   ◇ v11 94.0% n 5,120`."""
    rows: list[Line] = []
    for n, line in enumerate(found.lines[: len(MARKS)]):
        figure: Figure = line.figure
        name = shown_line(line.name) or ("(none)" if found.by else "all")
        item: Line = (
            MARKS[n],
            (f" {cut(name, _LONGEST_NAME)} ", "bold"),
            (figure_text(figure), ""),
            (f" n {fmt.count(figure.n)}", "dim"),
        )
        if rows and line_width(rows[-1]) + line_width(item) + 3 <= width:
            rows[-1] = (*rows[-1], ("   ", ""), *item)
        else:
            rows.append(item)
    more = len(found.lines) - len(MARKS)
    return [*rows, ((f"and {more} more, which are not drawn", "dim"),)] if more > 0 else rows


def _apart(points: Sequence[object], width: int) -> int:
    """Points between two symbols."""
    slot = max((width - GUTTER) // max(len(points), 1), 1)
    return max(_APART // slot, 1)


def _marked(values: Sequence[float | None], apart: int, n: int) -> frozenset[int]:
    """Points that carry their line's symbol: the newest, some before it, and those that stand alone."""
    known = [k for k, value in enumerate(values) if value is not None]
    if not known:
        return frozenset()
    some = {k for place, k in enumerate(reversed(known)) if (place - n * 3) % apart == 0}
    alone = {k for k in known if k - 1 not in known and k + 1 not in known} if len(known) < 400 else set()
    return frozenset(some | alone | {known[-1]})


def _axis(values: Sequence[float], unit: Unit) -> Axis:
    if unit in ("share", "score"):
        step = next((s for s in (0.01, 0.05, 0.1) if max(values) - min(values) < s * 10), 0.1)
        low, high = nice_range(values, step=step, least=step * 2, most=1.0)
    else:
        low, high = from_zero(values)
    return Axis(low, high, lambda value: value_text(value, unit).replace(" words", ""))


def time_names(at: Sequence[float], room: int) -> list[str]:
    """Names of points: their times, as many as leave air between them; the others have none."""
    if not at:
        return []
    span = at[-1] - at[0]
    form = "%H:%M" if span <= 26 * 3_600 else "%d %b %H:%M" if span <= 8 * 86_400 else "%d %b"
    size = len(time.strftime(form, time.localtime(at[-1])))
    slot = max(room // len(at), 1)
    every = max(-(-(size + 6) // slot), 1)
    last = len(at) - 1
    return [
        time.strftime(form, time.localtime(t)) if (last - n) % every == 0 else "" for n, t in enumerate(at)
    ]
