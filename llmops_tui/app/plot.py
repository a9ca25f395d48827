"""Values → lines of cells: points with their intervals, joined by a line of dots. Pure.

One column of cells a point at least; more where there is room. Points stand on whole cells, the line
between them on the dots of braille (2 × 4 a cell), the ends of an interval on halves of a cell. Every
series has a symbol of its own, so nothing is told by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from llmops_tui.app.lines import Line, Span, cut, left, right
from llmops_tui.domain.format import cell_width

#: Bits of the dots of a braille cell, by column and row (Unicode, chapter 21).
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BRAILLE = 0x2800
GUTTER = 9
#: Cells of a point at most: a few versions don't stand at both ends of a wide screen.
_WIDEST = 12
BOTH = "◈"


class Series(msgspec.Struct, frozen=True):
    """One line of a plot.

    Attributes:
        symbol: one cell, unlike that of another series.
        values: one a point; None where there is none.
        bounds: low and high of each point; empty without intervals.
        marked: places of the points that carry the symbol; None: all of them.
    """

    symbol: str
    style: str
    values: tuple[float | None, ...]
    bounds: tuple[tuple[float, float] | None, ...] = ()
    marked: frozenset[int] | None = None


class Axis(msgspec.Struct, frozen=True):
    """The range that is shown, `low` < `high`, and how a value is written."""

    low: float
    high: float
    words: Callable[[float], str]


class MarkRow(msgspec.Struct, frozen=True):
    """Symbols below the points: a label of at most 7 cells, and (symbol, style) or None for each."""

    label: str
    marks: tuple[tuple[str, str] | None, ...]


def window(count: int, cursor: int | None, width: int) -> tuple[int, int, int]:
    """Which points fit: first, how many, and cells of each. The cursor's is among them, else the last."""
    room = max(width - GUTTER, 1)
    shown = min(count, room)
    first = count - shown
    if cursor is not None and cursor < first:
        first = cursor
    return first, shown, min(max(room // max(shown, 1), 1), _WIDEST)


def plot(
    series: Sequence[Series],
    axis: Axis,
    names: Sequence[str],
    width: int,
    height: int,
    *,
    cursor: int | None = None,
    marks: Sequence[MarkRow] = (),
) -> list[Line]:
    """The plot in at most `height` lines of at most `width` cells: the area, the names, the rows of marks.

    Args:
        names: of the points.
        cursor: the point that the list's cursor is on.
    """
    area = height - 1 - len(marks)
    if area < 1 or width <= GUTTER or not names:
        return []
    first, shown, slot = window(len(names), cursor, width)
    at = None if cursor is None else cursor - first
    canvas = _Canvas(area, shown * slot, slot, axis)
    if at is not None:
        canvas.guide(at)
    for one in reversed(series):  # the first lies on top
        canvas.join(one, first, shown)
    for one in reversed(series):
        canvas.bars(one, first, shown)
    for one in reversed(series):
        canvas.points(one, first, shown, at)
    lines = [(*_label(axis, y, area), *row) for y, row in enumerate(canvas.rows())]
    lines.append(_names(names[first : first + shown], slot, at))
    for row in marks:
        spans: list[Span] = [(left(f" {row.label}", GUTTER), "dim")]
        for mark in row.marks[first : first + shown]:
            symbol, style = mark or (" ", "")
            before = (slot - 1) // 2
            spans += [(" " * before, ""), (symbol, style), (" " * (slot - 1 - before), "")]
        lines.append(tuple(spans))
    return lines


def _label(axis: Axis, y: int, area: int) -> Line:
    """Figures at the top, at the bottom and, where there is room, half way."""
    text = ""
    if y == 0:
        text = axis.words(axis.high)
    elif y == area - 1:
        text = axis.words(axis.low)
    elif area >= 7 and area % 2 and y == area // 2:
        text = axis.words((axis.low + axis.high) / 2)
    return ((right(text, GUTTER - 2) + " ", "dim"), ("┤" if text else "│", "rule"))


def _names(names: Sequence[str], slot: int, at: int | None) -> Line:
    """As many names as fit under their points; that of the cursor always, then from the newest on."""
    cells = [" "] * (len(names) * slot)
    taken = [False] * len(cells)
    order = sorted(range(len(names)), key=lambda n: (n != at, -n))
    where: tuple[int, int] | None = None
    for n in order:
        name = cut(names[n], len(cells))
        size = cell_width(name)
        start = min(max(n * slot + (slot - 1) // 2 - (size - 1) // 2, 0), len(cells) - size)
        if size != len(name) or any(taken[max(start - 1, 0) : start + size + 1]):
            continue
        cells[start : start + size] = name
        taken[start : start + size] = [True] * size
        if n == at:
            where = start, start + size
    text = "".join(cells)
    if where is None:
        return ((" " * GUTTER, ""), (text, "dim"))
    return (
        (" " * GUTTER, ""),
        (text[: where[0]], "dim"),
        (text[where[0] : where[1]], "bold accent"),
        (text[where[1] :], "dim"),
    )


class _Canvas:
    """Cells of the area, from the top left."""

    def __init__(self, height: int, width: int, slot: int, axis: Axis) -> None:
        self._height, self._width, self._slot = height, width, slot
        self._axis = axis
        self._cells: dict[tuple[int, int], Span] = {}
        self._dots: dict[tuple[int, int], tuple[int, str]] = {}
        self._points: dict[tuple[int, int], str] = {}

    def _dot(self, value: float) -> int:
        """Row of dots of a value, from the top."""
        axis, last = self._axis, self._height * 4 - 1
        share = (value - axis.low) / (axis.high - axis.low)
        return round((1 - min(max(share, 0.0), 1.0)) * last)

    def _column(self, n: int) -> int:
        return n * self._slot + (self._slot - 1) // 2

    def guide(self, n: int) -> None:
        """A line through the cursor's point."""
        for y in range(self._height):
            self._cells[y, self._column(n)] = ("┊", "dim")

    def join(self, series: Series, first: int, shown: int) -> None:
        """Dots between neighbours that both have a value."""
        values = series.values[first : first + shown]
        for n in range(len(values) - 1):
            a, b = values[n], values[n + 1]
            if a is None or b is None:
                continue
            x0, x1 = self._column(n) * 2, self._column(n + 1) * 2
            y0, y1 = self._dot(a), self._dot(b)
            steps = max(x1 - x0, abs(y1 - y0), 1)
            for k in range(steps + 1):
                x, y = round(x0 + (x1 - x0) * k / steps), round(y0 + (y1 - y0) * k / steps)
                bits, _ = self._dots.get((y // 4, x // 2), (0, ""))
                self._dots[y // 4, x // 2] = bits | _DOTS[x % 2][y % 4], series.style

    def bars(self, series: Series, first: int, shown: int) -> None:
        """The interval of each point."""
        for n, bounds in enumerate(series.bounds[first : first + shown]):
            if bounds is None:
                continue
            low, high = self._dot(bounds[0]), self._dot(bounds[1])
            for y in range(high // 4, low // 4 + 1):
                top_half = high <= y * 4 + 1
                bottom_half = low >= y * 4 + 2
                symbol = "│" if top_half and bottom_half else "╵" if top_half else "╷" if bottom_half else ""
                if symbol:
                    self._cells[y, self._column(n)] = (symbol, "dim")

    def points(self, series: Series, first: int, shown: int, at: int | None) -> None:
        for n, value in enumerate(series.values[first : first + shown]):
            if value is None or (series.marked is not None and first + n not in series.marked):
                continue
            place = self._dot(value) // 4, self._column(n)
            other = self._points.get(place, series.symbol)
            symbol = series.symbol if other == series.symbol else BOTH
            self._points[place] = symbol
            self._cells[place] = (symbol, f"bold {series.style}{' cell' if n == at else ''}")

    def rows(self) -> list[Line]:
        return [self._row(y) for y in range(self._height)]

    def _row(self, y: int) -> Line:
        spans: list[Span] = []
        for x in range(self._width):
            found = self._cells.get((y, x))
            if found is None or found[0] == "┊":
                dots = self._dots.get((y, x))
                found = (chr(_BRAILLE | dots[0]), dots[1]) if dots is not None else found or (" ", "")
            if spans and spans[-1][1] == found[1]:
                spans[-1] = (spans[-1][0] + found[0], found[1])
            else:
                spans.append(found)
        return tuple(spans)


# -- ranges


def nice_range(
    values: Sequence[float], *, step: float, least: float, most: float | None = None
) -> tuple[float, float]:
    """A range over the values that begins and ends on a multiple of `step`, at least `least` wide.

    Args:
        most: no higher than this (a rate ends at 1).
    """
    if not values:
        return 0.0, most or 1.0
    low, high = min(values), max(values)
    low, high = _floor(low, step), -_floor(-high, step)
    if most is not None:
        high = min(high, most)
    if high - low < least:
        low = max(high - least, 0.0)
        high = max(high, low + least)
    return round(low, 9), round(high, 9)


def _floor(value: float, step: float) -> float:
    return math.floor(value / step + 1e-9) * step


def from_zero(values: Sequence[float]) -> tuple[float, float]:
    """From 0 to the next round figure (1, 2 or 5 of a power of ten)."""
    top = max(values, default=0.0)
    if top <= 0:
        return 0.0, 1.0
    power: float = 10.0 ** math.floor(math.log10(top))
    return 0.0, next((f * power for f in (1, 2, 5, 10) if f * power >= top * (1 - 1e-12)), 10 * power)
