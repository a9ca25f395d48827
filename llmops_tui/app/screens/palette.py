"""Every action by name."""

from __future__ import annotations

from textual.command import CommandPalette, SearchIcon


class Palette(CommandPalette):
    """Textual's palette with a symbol of one cell in place of its emoji."""

    def on_mount(self) -> None:
        self.query_one(SearchIcon).icon = "›"
