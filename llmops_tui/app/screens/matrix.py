"""The Matrix: cases × versions, or cases × models: where is red?"""

from __future__ import annotations

import asyncio
from functools import partial

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer

from llmops_tui.app.actions import Action, bindings
from llmops_tui.app.case_filter import parse
from llmops_tui.app.cell_lines import Place, cell_lines
from llmops_tui.app.header_text import empty_sentence
from llmops_tui.app.lines import shown_line
from llmops_tui.app.matrix_filter import keep
from llmops_tui.app.messages import CursorMoved, FilterChanged, RowOpened
from llmops_tui.app.model import Model, WantedCase
from llmops_tui.app.screens.frame import Frame, sentence
from llmops_tui.app.trace_state import of_cell
from llmops_tui.app.widgets.filter_row import FilterRow
from llmops_tui.app.widgets.line_panes import LinePane
from llmops_tui.app.widgets.matrix_grid import MatrixGrid
from llmops_tui.domain import format as fmt
from llmops_tui.domain.matrix import Matrix, RowKey
from llmops_tui.domain.matrix_order import MODEL_ORDERS, ORDERS, in_place, ordered
from llmops_tui.domain.run import VersionInfo
from llmops_tui.engine.events import BisectRequest
from llmops_tui.engine.matrix import CellDetail

#: Rows beyond which the filter waits for a pause in typing.
MANY_ROWS = 5_000
HINT = "tag:refunds  is:failed  is:flipped  is:flaky  score<0.5  a part of an id or tag"
NEED_CASES = frozenset(
    ("compare_cell", "filter", "sort", "switch_columns", "promote", "copy", "mark", "trace")
)


class MatrixScreen(Frame, inherit_bindings=False):
    """A grid, and one cell of it in words."""

    SCOPE = "matrix"
    BINDINGS = bindings("matrix")

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._revision = -1
        self._order = ORDERS[0]
        self._typed = ""
        #: Version whose models are shown; None: versions.
        self._of: VersionInfo | None = None
        self._sorted: list[RowKey] = []
        self._versions: tuple[VersionInfo, ...] = ()
        self._wanted: str | None = None
        self._busy = self._is_read = False
        self._typing: Timer | None = None
        self._asked: tuple[object, ...] | None = None
        self._asking = False

    def compose_panes(self) -> ComposeResult:
        with Vertical(id="panes"):
            grid = MatrixGrid(id="grid")
            grid.add_class("pane")
            yield grid
            cell = LinePane("Cell", id="cell")
            cell.add_class("pane")
            yield cell

    def on_mount(self) -> None:
        self._revision = self.model.revision  # read once the screen is in front
        self.follow()

    def on_screen_resume(self) -> None:
        # Not where it is only passed on the way to the Bench.
        if not self._busy and self.is_current:
            self.read("all")

    @property
    def grid(self) -> MatrixGrid:
        return self.query_one("#grid", MatrixGrid)

    @property
    def matrix(self) -> Matrix:
        return self.grid.matrix

    # -- reading

    def follow(self) -> None:
        super().follow()
        self.grid.says = self._empty()
        if self._revision != self.model.revision:
            self._revision = self.model.revision
            self.read("all")
        elif self.model.running_version is not None and not self._busy:
            self.read("running")

    def read(self, what: str) -> None:
        """Read the matrix anew, beside the screen: `all` of it, or the version that is `running`."""
        if not self.owner.is_engine_up:
            return
        self._wanted = "all" if "all" in (what, self._wanted) else what
        if not self._busy:
            self._busy = True
            self.run_worker(self._work(), group="matrix", exit_on_error=True)

    async def _work(self) -> None:
        try:
            while self._wanted is not None:
                what, self._wanted = self._wanted, None
                try:
                    await self._one(what)
                except Exception as error:  # whatever the engine met is told, and the app goes on
                    self.grid.says = [shown_line(sentence(error))]
                    self.grid.refresh()
        finally:
            self._busy = False

    async def _one(self, what: str) -> None:
        session, running = self.owner.session, self.model.running_version
        if what == "running" and running is not None and self.matrix.columns:
            future = session.matrix_again(self.matrix, running)
        else:
            future = session.matrix(self._of.name if self._of is not None else None)
        matrix = await asyncio.wrap_future(future)
        # The order stands still while results stream in.
        stands = running is not None and matrix.by == self.matrix.by and bool(self._sorted)
        name, before = self._order, self._sorted
        self._sorted = await asyncio.to_thread(
            partial(in_place, matrix, before) if stands else partial(ordered, matrix, name)
        )
        if matrix.by == "versions":
            self._versions = tuple(c.version for c in matrix.columns)
        self._asked = None
        self._is_read = True
        self._show(matrix)

    def _show(self, matrix: Matrix) -> None:
        keys = self._kept(matrix)
        self.grid.says = self._empty()
        self.grid.show(matrix, keys, filtered=bool(parse(self._typed).terms))
        self._title()
        self._show_cell()
        self.show_keys()

    def _kept(self, matrix: Matrix) -> list[RowKey]:
        filter_ = parse(self._typed)
        if not filter_.terms or not matrix.columns:
            return self._sorted
        if matrix is not self.matrix:
            self.grid.show(matrix, self._sorted, filtered=False)
        numbers = self.grid.numbers
        tags = {id_: case.tags for id_, case in self.model.bench.cases.items()}
        column = self.grid.column
        kept = keep(matrix, [numbers[k] for k in self._sorted], filter_, tags, column, self._left(column))
        return [matrix.rows[n] for n in kept]

    def _empty(self) -> list[str]:
        if self.matrix.rows:
            return ["No case passes the filter.", "esc shows all of them."]
        if not self._is_read:
            return ["Reading what was evaluated …"]
        return empty_sentence(self.model.status)

    def _title(self) -> None:
        columns = f"the models of {self._of.name}" if self._of is not None else "versions"
        text = f"Cases × {columns} · {self._order}"
        if self._typed:
            count = f"{fmt.count(len(self.grid.keys))} of {fmt.count(len(self._sorted))}"
            text += f" · {count} · {shown_line(self._typed)}"
        self.grid.title(text)

    # -- the cell under the cursor

    def _left(self, column: int) -> int | None:
        """The column that this one is held against: the marked one, else the one at its left."""
        marked = self.grid.marked_column
        if marked is not None and marked != column:
            return marked
        columns = self.matrix.columns
        before = range(column - 1, -1, -1)
        found = next((k for k in before if columns[k].run is not None), None)
        if found is None and self.matrix.by == "versions":
            found = next((k for k, c in enumerate(columns) if c.version.is_baseline and k != column), None)
        return found

    def _place(self) -> Place | None:
        grid = self.grid
        if grid.cursor is None or not self.matrix.columns:
            return None
        n, column = grid.numbers[grid.cursor], grid.column
        left = self._left(column)
        return Place(self.matrix, n, column, left)

    def _show_cell(self, *, anew: bool = False) -> None:
        """Show the cell as far as it is known here, and ask the engine for the rest."""
        place, pane = self._place(), self.query_one("#cell", LinePane)
        if place is None:
            pane.title("Cell")
            pane.show(None)
            self._asked = None
            return
        asked = (place.matrix.rows[place.row], place.column, id(place.matrix))
        if asked == self._asked and not anew:
            return
        self._asked = asked
        pane.title(place.title)
        pane.show(partial(cell_lines, place, None))
        if place.cell.is_there and not self._asking:
            self._asking = True
            self.run_worker(self._ask_cell(), group="cell", exit_on_error=True)

    async def _ask_cell(self) -> None:
        """One cell at a time; whoever moves past cells waits for none of them."""
        try:
            while True:
                place, asked = self._place(), self._asked
                if place is None or not place.cell.is_there:
                    return
                try:
                    future = self.owner.session.matrix_cell(place.matrix, place.row, place.column)
                    detail: CellDetail | None = await asyncio.wrap_future(future)
                except Exception as error:  # as above
                    self.say(sentence(error), problem=True)
                    return
                if asked == self._asked:
                    pane = self.query_one("#cell", LinePane)
                    pane.show(partial(cell_lines, place, detail))
                    return
        finally:
            self._asking = False

    def on_cursor_moved(self, message: CursorMoved) -> None:
        message.stop()
        self._show_cell()

    def on_row_opened(self, message: RowOpened) -> None:
        message.stop()
        self.action_compare_cell()

    def means_something(self, action: Action) -> bool:
        if action.id in NEED_CASES and not self.matrix.rows:
            return False
        return super().means_something(action)

    # -- moving

    def action_left(self) -> None:
        self.grid.move_column(-1)

    def action_right(self) -> None:
        self.grid.move_column(1)

    def action_back(self) -> None:
        if self.answer(False):
            return
        if self.zoomed:
            self.remove_class(self.zoomed)
        elif self._typed:
            self._filter("")
        elif self.grid.marked is not None:
            self.grid.marked = None
            self.grid.refresh()
            self._show_cell(anew=True)
        elif self._of is not None:
            self.action_switch_columns()
        else:
            self.owner.show_screen("bench")

    def action_widen(self) -> None:
        self.grid.toggle_density()

    # -- other columns, other rows

    def action_switch_columns(self) -> None:
        if self._of is not None:
            self._switch(None)
        elif self.matrix.columns:
            self._switch(self.matrix.columns[self.grid.column].version)

    def action_older_models(self) -> None:
        self._step(-1)

    def action_newer_models(self) -> None:
        self._step(1)

    def _step(self, step: int) -> None:
        if self._of is None:
            self.grid.move_column(step)
            return
        ids = [v.id for v in self._versions]
        now = ids.index(self._of.id) + step if self._of.id in ids else -1
        if 0 <= now < len(ids):
            self._switch(self._versions[now])
        else:
            self.say("There is no further version.")

    def _switch(self, version: VersionInfo | None) -> None:
        self._of = version
        self._sorted = []
        if self._order not in (ORDERS if version is None else MODEL_ORDERS):
            self._order = ORDERS[0]
        self.read("all")

    def action_mark(self) -> None:
        if not self.matrix.columns:
            return
        version = self.matrix.columns[self.grid.column].version
        here = version.id, version.model
        self.grid.marked = None if self.grid.marked == here else here
        self.grid.refresh()
        self._show_cell(anew=True)

    def action_sort(self) -> None:
        names = ORDERS if self._of is None else MODEL_ORDERS
        self._order = names[(names.index(self._order) + 1) % len(names)]
        self._sorted = []
        self.read("all")

    # -- the filter

    def action_filter(self) -> None:
        rows = self.query(FilterRow)
        if rows:
            rows.first().query_one("Input").focus()
        else:
            self.prompt_line(FilterRow(self._typed, hint=HINT))

    def on_filter_changed(self, message: FilterChanged) -> None:
        message.stop()
        if self._typing is not None:
            self._typing.stop()
            self._typing = None
        if len(self._sorted) > MANY_ROWS and not message.done:
            self._typing = self.set_timer(0.15, partial(self._filter, message.text))
            return
        self._filter(message.text)
        if message.done:
            self.query(FilterRow).remove()
            self.grid.focus()

    def _filter(self, text: str) -> None:
        self._typed = text
        self._show(self.matrix)
        for row in self.query(FilterRow):
            shown = f"{fmt.count(len(self.grid.keys))} of {fmt.count(len(self._sorted))}"
            row.say(parse(text).problem or shown)

    # -- comparing, versions, files

    def action_compare_cell(self) -> None:
        if self.answer(True):
            return
        place = self._place()
        if place is None:
            return
        columns, column, left = self.matrix.columns, place.column, place.left
        if self.matrix.by == "models" and left is None:
            # The first model: it is the left side of the next one.
            if len(columns) < 2:
                self.say(f"{columns[0].version.name} is the only model; v shows versions.")
                return
            left, column = column, column + 1
        right = columns[column].version
        base = columns[left].version if left is not None else right
        model = self.matrix.model_of(place.row, column) or self.matrix.model_of(place.row, left or 0)
        wanted = WantedCase(self.matrix.rows[place.row][0], model, base.name, right.name)
        # The default names follow what comes: the newest version stays the newest.
        newest = self.matrix.by == "versions" and column == len(columns) - 1
        default = self.matrix.by == "versions" and base.is_baseline
        self.owner.choose_pair(None if default else base.name, None if newest else right.name, wanted)

    def action_trace(self) -> None:
        """The trace of the cell under the cursor, beside that of the column it is held against."""
        place = self._place()
        if place is not None and place.cell.is_there:
            self.owner.show_trace(of_cell(place))
        else:
            self.say("Nothing was evaluated here; another column has a trace.")

    def action_bisect(self) -> None:
        """Which version broke the case of this row, up to the column under the cursor."""
        place, config = self._place(), self.model.status.config
        if place is None or config is None or self.matrix.by != "versions":
            self.say("Put the cursor on a version in which the case fails; v shows versions.")
            return
        case_id, model = self.matrix.rows[place.row][0], self.matrix.model_of(place.row, place.column)
        bad = self.matrix.columns[place.column].version.name
        self.owner.session.run(BisectRequest(config, case_id, bad=bad, model=model or None))

    def action_promote(self) -> None:
        if not self.matrix.columns:
            return
        version = self._of or self.matrix.columns[self.grid.column].version
        if version.is_baseline:
            self.say(f"{version.name} is the baseline already.")
        else:
            self.promote(version.name, f"Make {version.name} the baseline of {version.config}?")

    def action_edit(self) -> None:
        if self.grid.cursor is None:
            self.action_edit_prompt()
        else:
            case = self.grid.cursor[0]
            self.open_file(self.owner.session.where_is(case), f"{case} is in no eval file any more.")

    def copyable(self) -> tuple[str, str] | None:
        if not self.grid.keys:
            return None
        from llmops_tui.report.matrix_text import matrix_lines
        from llmops_tui.report.text import plain

        rows = [self.grid.numbers[key] for key in self.grid.keys]
        return "the matrix", plain(matrix_lines(self.matrix, rows))
