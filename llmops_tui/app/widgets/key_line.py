"""The bottom line: keys of this screen, as many as fit; or a question with its two answers."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.strip import Strip
from textual.widget import Widget

from llmops_tui.app.actions import BY_ID, Action, keys_of
from llmops_tui.app.lines import Line, Span, ends, line_width, wrap
from llmops_tui.app.paint import Paint


class KeyLine(Widget):
    """Made from the action table; a click on a key does what the key does."""

    DEFAULT_CSS = """
    KeyLine { height: 1; width: 1fr; background: $surface; }
    KeyLine.-asks { background: $attention-ground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._actions: tuple[Action, ...] = ()
        self._question = ""
        self._places: list[tuple[int, int, str]] = []

    def show(self, actions: Sequence[Action], question: str = "") -> None:
        """Show these keys; a question takes their place until it is answered."""
        shown = tuple(actions)
        if (shown, question) == (self._actions, self._question):
            return
        self._actions, self._question = shown, question
        self.set_class(bool(question), "-asks")
        self._fit()
        self.refresh()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """A question may take several lines."""
        height = len(self._asking(self.app.size.width)) if self._question else 1
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height

    def render_line(self, y: int) -> Strip:
        paint: Paint = self.app.paint  # type: ignore[attr-defined]
        width = self.size.width
        lines = self._asking(width) if self._question else [self._keys(width)]
        line = lines[y] if y < len(lines) else ()
        return paint.strip(line, width, self.rich_style)

    def _asking(self, width: int) -> list[Line]:
        answers: Line = (("  enter", "key"), (" yes  ", ""), ("esc", "key"), (" no ", ""))
        lines = wrap(((" " + self._question, "warning"),), width - 1, 1)
        if line_width(lines[-1]) + line_width(answers) > width:
            lines.append(())
        return [*lines[:-1], ends(lines[-1], answers, width)]

    def _keys(self, width: int) -> Line:
        keymap: dict[str, str] = self.app.user_keymap  # type: ignore[attr-defined]
        kept = [a for a in self._actions if keys_of(a, keymap)]
        sizes = {a.id: len(keys_of(a, keymap)[0]) + len(a.title) + 4 for a in kept}
        while kept and sum(sizes[a.id] for a in kept) > width:
            kept.remove(max(kept, key=lambda a: a.footer))
        line: list[Span] = []
        self._places = []
        for action in kept:
            start = line_width(line)
            line += [(f" {keys_of(action, keymap)[0]}", "key"), (f" {action.title}  ", "dim")]
            self._places.append((start, start + sizes[action.id], action.id))
        return tuple(line)

    async def on_click(self, event: events.Click) -> None:
        for start, end, action in self._places:
            if start <= event.x < end and not self._question:
                where = "app." if "everywhere" in BY_ID[action].scopes else ""
                await self.screen.run_action(f"{where}{action}")
