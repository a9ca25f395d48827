"""Variants in the app: a line to type them in, and the table of what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from llmops_tui.app.lines import Line, Span, left, right, shown_line, wrap
from llmops_tui.app.messages import RowOpened
from llmops_tui.app.screens.copying import Copying
from llmops_tui.app.screens.sheet import MOVES, TAKEN_ALONG
from llmops_tui.app.widgets.line_panes import LinePane
from llmops_tui.app.widgets.row_list import RowList
from llmops_tui.domain import format as fmt
from llmops_tui.domain.errors import LlmopsError
from llmops_tui.domain.ranking import Ranked
from llmops_tui.domain.variants import read_line, variants
from llmops_tui.engine.events import TryRequest
from llmops_tui.report.ranking_text import SYMBOLS, footing, heading, interval, ranking_lines, variant_name
from llmops_tui.report.shapes import Tried
from llmops_tui.report.text import plain

if TYPE_CHECKING:
    from llmops_tui.app.app import LlmopsApp
    from llmops_tui.app.screens.frame import Frame

FRESH = "--fresh"
HINT = "models=openai/gpt-x-2026-01-01  params.temperature=0,0.3,0.7"
_HELP = (
    "PATH=VALUE sets a key of the configuration, PATH=V1,V2 sweeps over values; several are combined. "
    "No file is touched, and what was answered before is not asked again, but for --fresh."
)
_STYLES = {"better": "improved", "worse": "regressed", "not ranked": "error", "on disk": "bold"}


def start(frame: Frame) -> None:
    """Ask what to try, and have it tried."""
    owner, status = frame.owner, frame.model.status
    config = status.config
    if status.viewing is not None:
        frame.say("This app only views the workspace; see the line on top.")
        return
    if config is None:
        frame.say("The workspace is still being read.")
        return

    def typed(line: str | None) -> None:
        if line is not None:
            owner.tried_line = line
            owner.session.run(_request(config, line))

    owner.push_screen(TryLine(owner.tried_line), typed)


def _request(config: str, line: str) -> TryRequest:
    """What a line asks for: `--fresh` may stand in it as on the command line.

    Raises:
        UsageError: it can't be read.
    """
    words = line.split(" ")
    sets, sweeps = read_line(" ".join(w for w in words if w != FRESH))
    variants(sets, sweeps)
    return TryRequest(config, sets, sweeps, fresh=FRESH in words)


class TryLine(ModalScreen[str | None]):
    """Gives a line that can be read, or None."""

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[Any]] = [Binding("escape", "dismiss", show=False)]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(id="try-line", classes="sheet") as sheet:
            sheet.border_title = Content("Try without touching a file · enter tries, esc closes")
            line = Input(self._text, placeholder=HINT, classes="prompt-line", compact=True)
            line.cursor_blink = False
            yield line
            yield Static(Content(_HELP), id="try-says")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            _request("", event.value)
        except LlmopsError as error:
            self.query_one("#try-says", Static).update(Content(shown_line(str(error))))
            self.add_class("-refused")
        else:
            self.dismiss(event.value)


class VariantRows(RowList):
    """Variants, best first; keys are their places."""

    BINDING_GROUP_TITLE = "Variants"

    def __init__(self, tried: Tried, *, id: str) -> None:
        super().__init__(id=id)
        self._ranking = tried.ranking

    def _columns(self, width: int) -> tuple[tuple[str, int], ...]:
        """Columns behind the variant with their widths; those that matter least go first."""
        metric = "pass" if self._ranking.metric == "pass_rate" else "score"
        columns = [(metric, 7), ("Δ on disk", 10), ("95% jointly", 15), ("answer", 9), ("p95", 8), ("p50", 8)]
        while len(columns) > 2 and width - 3 - sum(w for _, w in columns) < 41:
            columns.pop()
        return tuple(columns)

    def heading(self, width: int) -> Line:
        columns = self._columns(width)
        room = width - 3 - sum(w for _, w in columns)
        names = [right(self._level(name), w) for name, w in columns]
        return (("   " + left("variant", room) + "".join(names), "dim"),)

    def _level(self, name: str) -> str:
        return name.replace("95%", f"{100 * (1 - self._ranking.alpha):.3g}%")

    def row(self, key: int, width: int) -> tuple[Line, str]:
        row = self._ranking.rows[key]
        columns = self._columns(width)
        room = width - 3 - sum(w for _, w in columns)
        style = _STYLES.get(row.claim, "")
        spans: list[Span] = [
            (f"{'◆' if row.is_best else ' '}{SYMBOLS[row.claim]} ", style),
            (left(shown_line(variant_name(row)), room - 1) + " ", style),
        ]
        spans += [(right(self._cell(row, name), w), "") for name, w in columns]
        return tuple(spans), ""

    def _cell(self, row: Ranked, name: str) -> str:
        standing, evidence = row.standing, row.evidence
        is_rate = self._ranking.metric == "pass_rate"
        delta = None if evidence is None else evidence.delta
        return {
            "pass": fmt.percent(standing.value),
            "score": fmt.score(standing.value),
            "Δ on disk": fmt.points(delta) if is_rate else fmt.delta(delta),
            "95% jointly": interval(row, self._ranking),
            "answer": fmt.money(standing.cost_usd),
            "p95": fmt.seconds(standing.p95_s),
            "p50": fmt.seconds(standing.p50_s),
        }[name]


class TriedSheet(ModalScreen[int | None], Copying):
    """The table; gives the row that is to be looked at."""

    AUTO_FOCUS = "#variants"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,q", "dismiss", show=False),
        Binding("enter", "look", show=False),
        *MOVES,
        *TAKEN_ALONG,
    ]

    def __init__(self, tried: Tried) -> None:
        super().__init__()
        self._tried = tried

    def compose(self) -> ComposeResult:
        with Vertical(id="tried", classes="sheet") as sheet:
            sheet.border_title = Content(f"{heading(self._tried)} · enter looks, y copies, esc closes")
            yield VariantRows(self._tried, id="variants")
            yield LinePane("", id="concluded")

    def on_mount(self) -> None:
        rows = self.query_one("#variants", VariantRows)
        count = len(self._tried.ranking.rows)
        rows.set_keys(range(count))
        rows.styles.height = min(count + 1, max(self.app.size.height - 16, 4))
        self.query_one("#concluded", LinePane).show(self._lines)

    def _lines(self, width: int) -> list[Line]:
        tried = self._tried
        lines: list[Line] = [()]
        if tried.cancelled:
            lines += wrap((("Cut short; what was answered is kept.", "warning"),), width)
        for text in tried.conclusion:
            lines += wrap(((shown_line(text), ""),), width, 2)
        for text in (*tried.warnings, *tried.failures):
            lines += wrap(((shown_line(text), "warning"),), width, 2)
        return [*lines, *wrap(((shown_line(footing(tried)), "dim"),), width, 2)]

    def action_move(self, where: str) -> None:
        self.query_one("#variants", VariantRows).move(where)

    def on_row_opened(self, message: RowOpened) -> None:
        message.stop()
        self.action_look()

    def action_look(self) -> None:
        self.dismiss(self.query_one("#variants", VariantRows).cursor)

    def copyable(self) -> tuple[str, str] | None:
        return "the table", plain(ranking_lines(self._tried))


def show(app: LlmopsApp, tried: Tried) -> None:
    """Show the table; what is chosen in it is compared on the Bench with the version on disk."""

    def chosen(place: int | None) -> None:
        if place is None:
            return
        ranking = tried.ranking
        row = ranking.rows[place]
        if row.claim == "on disk":
            cast("Frame", app.frame).say("This is the version on disk; choose a variant to hold against it.")
        else:
            app.choose_pair(ranking.on_disk.version.name, row.version.name)

    app.push_screen(TriedSheet(tried), chosen)
