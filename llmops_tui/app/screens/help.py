"""The keys of a screen, made from the action table."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding

from llmops_tui.app.actions import GROUPS, Action, Scope, keys_of, of_scope
from llmops_tui.app.lines import Line, left, wrap
from llmops_tui.app.screens.sheet import Sheet
from llmops_tui.app.trace_lines import GLYPHS

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


_TRACE = (
    "= the same in both versions   ~ changed   + new   − gone   ▶ the first step where they part",
    "█ on the critical path   ░ beside it   ◂ the slowest step, the dearest one   ✗ an error",
    f"{'   '.join(f'{glyph} {kind}' for kind, glyph in GLYPHS.items())}",
)
_LIVE = (
    "✓ ok   ! warning   ✗ critical, failed   – no data   ○ refused   … under way",
    "▲ ▼ against the window before, with what it means   ≈ chance does as much   = as before",
    "−thumb a bad signal of the user   +copy a good one   n observations",
)
_GUARDS = (
    "✓ it was right   ✗ a false alarm, a miss   ! it failed itself   – nothing is known",
    "precision: share of its firings that were right   recall: share of what it should fire on that it did",
    "81–97%: the 95 % interval   n reviewed   ▲ the threshold it has now",
)


class Help(Sheet):
    """Keys and symbols; any of `esc ? q enter` closes it."""

    WIDEST = 78
    PANE = "keys"
    BINDINGS: ClassVar[list[Any]] = [Binding("question_mark,enter", "dismiss", show=False)]

    def __init__(self, scope: Scope, keymap: dict[str, str]) -> None:
        super().__init__()
        self._scope: Scope = scope
        self._keymap = keymap

    def heading(self) -> str:
        return f"Keys of the {self._scope.capitalize()} · esc closes"

    def lines(self, width: int) -> list[Line]:
        return help_lines(self._scope, self._keymap, width)


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
    for text in {"matrix": _MATRIX, "trace": _TRACE, "live": _LIVE, "guards": _GUARDS}.get(scope, _SYMBOLS):
        lines += wrap((("  " + text, ""),), width, 2)
    return lines


def _row(action: Action, keymap: dict[str, str], width: int) -> list[Line]:
    keys = " ".join(keys_of(action, keymap)) or "palette"
    return wrap((("  " + left(keys, 14), "key"), (action.help, "")), width, 16)
