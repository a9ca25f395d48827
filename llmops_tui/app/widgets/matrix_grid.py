"""The grid of the Matrix: rows and columns scroll, only what is in sight is looked at."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from llmops_tui.app.lines import Line
from llmops_tui.app.matrix_lines import (
    DENSITIES,
    Density,
    Layout,
    Widths,
    fit,
    footing_line,
    heading_lines,
    measure,
    row_line,
)
from llmops_tui.app.messages import CursorMoved, RowOpened
from llmops_tui.app.widgets.row_list import RowList
from llmops_tui.domain.matrix import Matrix, RowKey

_EMPTY = Matrix("versions", (), ())


class MatrixGrid(RowList):
    """One row a case; the cursor is a case and a column, known by version and model."""

    BINDING_GROUP_TITLE = "Matrix"
    foot = 1

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.matrix = _EMPTY
        self.marked: tuple[int, str] | None = None
        self.wanted: Density | None = None
        self.numbers: dict[RowKey, int] = {}
        self._widths = Widths()
        self._column: tuple[int, str] | None = None
        self._first = 0
        self._rates: dict[int, float | None] = {}
        self._rows: list[int] | None = None

    # -- what is shown

    def show(self, matrix: Matrix, keys: Sequence[RowKey], *, filtered: bool) -> None:
        """Show these rows of a matrix in this order; the cursor stays on its case and column."""
        if matrix is not self.matrix:
            if matrix.rows != self.matrix.rows:
                self.numbers = {key: n for n, key in enumerate(matrix.rows)}
            self.matrix, self._widths = matrix, measure(matrix)
        self._rates = {}
        self._rows = [self.numbers[key] for key in keys] if filtered else None
        self._fit()
        self.set_keys(keys)

    @property
    def arrangement(self) -> Layout:
        return self._at(self.scrollable_content_region.width)

    def _at(self, width: int) -> Layout:
        return fit(self.matrix, self._widths, width, self.wanted)

    @property
    def head(self) -> int:  # type: ignore[override]
        return self.arrangement.heading

    @property
    def column(self) -> int:
        """Column of the cursor; that of the newest version until the person has moved it."""
        columns = self.matrix.columns
        names = [(c.version.id, c.version.model) for c in columns]
        if self._column in names:
            return names.index(self._column)
        return len(columns) - 1 if self.matrix.by == "versions" else 0

    @property
    def marked_column(self) -> int | None:
        """Column of the left side, where one was chosen and is here."""
        names = [(c.version.id, c.version.model) for c in self.matrix.columns]
        return names.index(self.marked) if self.marked in names else None

    def rate(self, column: int) -> float | None:
        """Pass rate of the rows that are shown."""
        at = self.matrix.columns[column]
        if self._rows is None:
            return at.pass_rate
        if column not in self._rates:
            self._rates[column] = at.rate(self._rows)
        return self._rates[column]

    # -- moving

    def move_column(self, step: int) -> None:
        """Go so many columns to the right."""
        self.move_to_column(self.column + step)

    def move_to_column(self, column: int) -> None:
        columns = self.matrix.columns
        if not columns:
            return
        version = columns[min(max(column, 0), len(columns) - 1)].version
        if (version.id, version.model) != self._column:
            self._column = version.id, version.model
            self._fit()
            self.refresh()
            self.post_message(CursorMoved(self.cursor))

    def toggle_density(self) -> None:
        """Another width of the columns: scores, names, symbols, and what fits."""
        options: list[Density | None] = [None, *DENSITIES]
        shown = self.arrangement
        while True:
            self.wanted = options[(options.index(self.wanted) + 1) % len(options)]
            if self.arrangement != shown or self.wanted is None:
                break
        self._fit()
        self._measure()
        self._keep_in_sight()
        self.refresh()

    def _fit(self) -> None:
        """Keep the cursor's column in sight."""
        count, columns = self.arrangement.count, len(self.matrix.columns)
        first = min(self._first, self.column)
        if self.column >= first + count:
            first = self.column - count + 1
        self._first = max(min(first, columns - count), 0)

    # -- drawing

    def headings(self, width: int) -> list[Line]:
        layout = self._at(width)
        return heading_lines(self.matrix, layout, self._first, self.column, self.marked_column)

    def row(self, key: RowKey, width: int) -> tuple[Line, str]:
        cursor = self.column if key == self.cursor else None
        return row_line(self.matrix, self.numbers[key], self._at(width), self._first, cursor), ""

    def footings(self, width: int) -> list[Line]:
        layout = self._at(width)
        shown = range(self._first, min(self._first + layout.count, len(self.matrix.columns)))
        return [footing_line([self.rate(k) for k in shown], layout)]

    def on_resize(self) -> None:
        self._fit()
        super().on_resize()

    def on_click(self, event: events.Click) -> None:
        layout = self.arrangement
        place = event.get_content_offset_capture(self)
        column = self._first + (place.x - layout.gutter) // layout.cell
        index = self.scroll_offset.y + place.y - self.head
        in_sight = self.head <= place.y < self.scrollable_content_region.height - self.foot
        if place.x >= layout.gutter and column < len(self.matrix.columns):
            self.move_to_column(column)
        if in_sight and 0 <= index < len(self.keys):
            again = self.keys[index] == self.cursor and event.chain > 1
            self.move_to(self.keys[index])
            if again:
                self.post_message(RowOpened(self.cursor))
