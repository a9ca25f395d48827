"""The matrix as lines: how wide a column is, what a cell shows, what stands above and below. Pure.

A symbol always says what a colour says: `✓` passed, `✗` failed, `▼` failed and passed before, `▲` passed
and failed before, `~` trials that disagree, `!` an error, `·` not judged, `–` not evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from llmops_tui.app.lines import Line, Span, left, right, shown_line
from llmops_tui.domain import format as fmt
from llmops_tui.domain.matrix import Cell, Column, Matrix, RowKey

Density = Literal["scores", "names", "symbols"]
DENSITIES: tuple[Density, ...] = ("scores", "names", "symbols")

_BARS = "▁▂▃▄▅▆▇█"
#: Cells of ` ✗ 0.50 `.
_SCORE = 8
#: Widest column of a model with its name.
_MODEL = 26


class Layout(msgspec.Struct, frozen=True):
    """Where everything stands.

    Attributes:
        name: cells of the case; `model` those of its model, 0 where a case has one.
        cell: cells of a column.
        count: columns that fit.
        heading: lines above the rows.
    """

    density: Density
    name: int
    model: int
    cell: int
    count: int
    heading: int

    @property
    def gutter(self) -> int:
        """Cells before the first column."""
        return 1 + self.name + self.model + 1


class Widths(msgspec.Struct, frozen=True):
    """The widest case id and model of a matrix, measured once."""

    name: int = 4
    model: int = 0


def measure(matrix: Matrix) -> Widths:
    """How wide its names are; cells."""
    cases = {case for case, _ in matrix.rows}
    models = {model for _, model in matrix.rows if model}
    return Widths(
        max((fmt.cell_width(shown_line(c)) for c in cases), default=4),
        max((fmt.cell_width(shown_line(m)) for m in models), default=0),
    )


def fit(matrix: Matrix, widths: Widths, width: int, wanted: Density | None = None) -> Layout:
    """The most that a width has room for: scores where columns are few, one symbol where they are many.

    Args:
        wanted: what the person chose instead.
    """
    name = min(max(widths.name, 8), 40, max(width * 3 // 10, 12))
    model = min(widths.model + 1, max(width // 6, 8)) if widths.model else 0
    room = max(width - name - model - 3, 2)
    names = [column_name(matrix, n) for n in range(len(matrix.columns))]
    longest = max((fmt.cell_width(n) for n in names), default=2)
    models = matrix.by == "models"
    sizes: dict[Density, int] = {
        "scores": max(_SCORE, min(longest + 3, _MODEL)) if models else max(_SCORE, longest + 3),
        "names": min(longest + 2, _MODEL) if models else longest + 2,
        "symbols": 2,
    }
    count = len(matrix.columns)
    fitting: Density = next((d for d in DENSITIES if sizes[d] * count <= room), "symbols")
    density = wanted if wanted is not None and sizes[wanted] <= room else fitting
    cell = min(sizes[density], room)
    digits = max((len(n) for n in _numbers(matrix)), default=1)
    return Layout(
        density, name, model, cell, max(room // cell, 1), 1 + (digits if density == "symbols" else 1)
    )


def column_name(matrix: Matrix, n: int) -> str:
    """`v12`, or the model."""
    version = matrix.columns[n].version
    return shown_line(version.model) if matrix.by == "models" else version.name


def _numbers(matrix: Matrix) -> list[str]:
    """What is written downwards above a column of one symbol."""
    if matrix.by == "models":
        return [str(n + 1) for n in range(len(matrix.columns))]
    return [str(column.version.number) for column in matrix.columns]


# -- cells


def symbol(cell: Cell) -> tuple[str, str]:
    """One cell's symbol and style."""
    if cell.is_flaky:
        return "~", "attention-bar" if cell.flip else "warning"
    if cell.flip is not None:
        return ("▼", "removed-word") if cell.flip == "pass→fail" else ("▲", "added-word")
    found = {
        "passed": ("✓", "dim"),
        "failed": ("✗", "regressed"),
        "error": ("!", "bold error"),
        "unscored": ("·", "dim"),
        "missing": ("…", "dim"),
    }
    return found.get(cell.status, (fmt.NONE, "dim"))


def cell_spans(cell: Cell, layout: Layout, *, here: bool = False) -> list[Span]:
    """A cell in exactly `layout.cell` cells; `here` is that of the cursor."""
    mark, style = symbol(cell)
    if layout.density == "scores":
        score = fmt.score(cell.score) if cell.score is not None else ""
        text = f"{mark} {score:>4}"
        room = layout.cell - 2 - len(text)
        spans = [(" " * (room + 1), ""), (text, style), (" ", "")]
    elif layout.density == "names":
        spans = [(" " * (layout.cell - 2), ""), (mark, style), (" ", "")]
    else:
        spans = [(" ", ""), (mark, style)]
    if not here:
        return spans
    return [(text, f"{style} cell".strip() if text.strip() else style) for text, style in spans]


def row_line(matrix: Matrix, n: int, layout: Layout, first: int, cursor: int | None) -> Line:
    """A case and its cells from column `first` on.

    Args:
        cursor: column of the cursor; None where it is on another row.
    """
    case, model = matrix.rows[n]
    spans: list[Span] = [(" " + left(shown_line(case), layout.name), "")]
    if layout.model:
        spans.append((" " + left(shown_line(model), layout.model - 1), "dim"))
    spans.append((" ", ""))
    for k in range(first, min(first + layout.count, len(matrix.columns))):
        spans += cell_spans(matrix.cell(n, k), layout, here=k == cursor)
    return tuple(spans)


# -- above and below


def heading_lines(matrix: Matrix, layout: Layout, first: int, cursor: int, marked: int | None) -> list[Line]:
    """Marks, and the names of the columns; written downwards where they have one cell.

    Args:
        cursor: column of the cursor.
        marked: column of the left side.
    """
    shown = range(first, min(first + layout.count, len(matrix.columns)))
    more = "›" if shown.stop < len(matrix.columns) else " "
    gutter = layout.gutter
    marks: list[Span] = [(" " + left(_legend(matrix, shown, marked, gutter - 2), gutter - 1), "dim")]
    for k in shown:
        mark, style = _mark(matrix.columns[k], matrix, k == marked)
        marks.append((_place(mark, layout), style))
    rows: list[Line] = [tuple(marks)]
    names = (
        _numbers(matrix)
        if layout.density == "symbols"
        else [column_name(matrix, k) for k in range(len(matrix.columns))]
    )
    lines = layout.heading - 1
    for y in range(lines):
        last = y == lines - 1
        title = left("case", gutter - 2) + ("‹" if first else " ") if last else " " * (gutter - 1)
        spans: list[Span] = [(" " + title, "dim")]
        for k in shown:
            text = names[k].rjust(lines)[y] if layout.density == "symbols" else names[k]
            style = "bold accent" if matrix.columns[k].version.is_baseline else "bold"
            if matrix.by == "models":
                style = "bold"
            spans.append((_place(text, layout), f"{style} cell" if k == cursor and text.strip() else style))
        spans.append((more if last else " ", "dim"))
        rows.append(tuple(spans))
    return rows


def _legend(matrix: Matrix, shown: range, marked: int | None, width: int) -> str:
    """What the marks mean that are in sight, as far as there is room."""
    columns = [matrix.columns[k] for k in shown]
    parts = ["◆ left side"] if marked in shown else []
    if matrix.by == "versions" and any(c.version.is_baseline for c in columns):
        parts.append("▾ baseline")
    if any(c.otherwise for c in columns):
        parts.append("* other scorers")
    while parts and fmt.cell_width("  ".join(parts)) > width:
        parts.pop()
    return "  ".join(parts)


def _place(text: str, layout: Layout) -> str:
    """A heading over its column's symbols."""
    if layout.density == "symbols":
        return " " + text[:1]
    return " " + right(text, layout.cell - 2) + " "


def _mark(column: Column, matrix: Matrix, marked: bool) -> tuple[str, str]:
    if marked:
        return "◆", "accent"
    if column.version.is_baseline and matrix.by == "versions":
        return "▾", "bold accent"
    return ("*", "warning") if column.otherwise else (" ", "")


def footing_line(rates: Sequence[float | None], layout: Layout) -> Line:
    """The pass rate of each column in sight."""
    spans: list[Span] = [(" " + left("pass rate", layout.gutter - 1), "dim")]
    for rate in rates:
        if layout.density == "scores":
            text = right(fmt.percent(rate), layout.cell - 1) + " "
        elif layout.density == "names":
            # Never rounded up to all, nor down to none.
            whole = None if rate is None else min(max(round(rate * 100), int(rate > 0)), 99 + int(rate == 1))
            text = right(fmt.NONE if whole is None else str(whole), layout.cell - 1) + " "
        else:
            text = " " + (fmt.NONE if rate is None else _BARS[min(int(rate * 8), 7)])
        spans.append((text, "bold"))
    return tuple(spans)


def key_words(key: RowKey) -> str:
    """`refund-window`, `refund-window on openai/gpt-x`."""
    case, model = key
    return shown_line(case) + (f" on {shown_line(model)}" if model else "")
