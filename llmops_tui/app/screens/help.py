"""The keys of a screen, made from the action table."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from llmops_tui.app.actions import GROUPS, Action, Scope, keys_of, of_scope
from llmops_tui.app.lines import Line, left, wrap
from llmops_tui.app.widgets.line_panes import LinePane

_SYMBOLS = (
    "▼ regressed   ▲ improved   ≈ the same   ✗ could not be had   + new   − removed",
    "≠ reworded at the same score   … still to come   – no score   err an error, not a zero",
    "● to review   ✓ accepted   ⊗ rejected",
)
_MATRIX = (
    "✓ passed   ✗ failed   ▼ failed, passed before   ▲ passed, failed before   ~ trials disagree",
    "! an error   · not judged   – not evaluated   … still to come   ▾ baseline   ◆ left side",
    "* judged by other scorers, or another reference, than in the newest version",
)


class Help(ModalScreen[None]):
    """Keys and symbols; any of `esc ? q` closes it."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,question_mark,q,enter", "dismiss", show=False),
        Binding("j,down", "move('down')", show=False),
        Binding("k,up", "move('up')", show=False),
        Binding("ctrl+d,pagedown", "move('half_down')", show=False),
        Binding("ctrl+u,pageup", "move('half_up')", show=False),
        Binding("g,home", "move('top')", show=False),
        Binding("G,end", "move('bottom')", show=False),
    ]

    def __init__(self, scope: Scope, keymap: dict[str, str]) -> None:
        super().__init__()
        self._scope: Scope = scope
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        pane = LinePane(f"Keys of the {self._scope.capitalize()} · esc closes", id="keys")
        pane.add_class("sheet")
        yield pane

    def on_mount(self) -> None:
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        pane = self.query_one("#keys", LinePane)
        size = self.app.size
        lines = help_lines(self._scope, self._keymap, min(size.width, 78) - 5)
        pane.styles.height = min(len(lines) + 2, max(size.height - 2, 6))
        pane.show(lambda width: help_lines(self._scope, self._keymap, width))
        pane.focus()

    def action_move(self, where: str) -> None:
        self.query_one("#keys", LinePane).move(where)


def help_lines(scope: Scope, keymap: dict[str, str], width: int) -> list[Line]:
    """Every action of a screen with its keys, by group; then the symbols."""
    actions = (*of_scope(scope), *of_scope("everywhere"))
    lines: list[Line] = []
    for group in GROUPS:
        rows = [a for a in actions if a.group == group]
        if rows:
            lines += [(), ((group, "bold accent"),)] if lines else [((group, "bold accent"),)]
            for action in rows:
                lines += _row(action, keymap, width)
    lines += [(), (("Symbols", "bold accent"),)]
    for text in _MATRIX if scope == "matrix" else _SYMBOLS:
        lines += wrap((("  " + text, ""),), width, 2)
    return lines


def _row(action: Action, keymap: dict[str, str], width: int) -> list[Line]:
    keys = " ".join(keys_of(action, keymap)) or "palette"
    return wrap((("  " + left(keys, 14), "key"), (action.help, "")), width, 16)
