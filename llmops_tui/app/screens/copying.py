"""Screens that follow the model and whose text can be taken along: into the clipboard, or a file."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.screen import Screen

from llmops_tui.app.lines import shown_line
from llmops_tui.domain import format as fmt


class Copying(Screen[Any], inherit_bindings=False):
    """`y` and `Y`; subclasses say what is copied."""

    def follow(self) -> None:
        """Draw what the model holds now."""

    def copyable(self) -> tuple[str, str] | None:
        """(what it is, text) of what `y` copies now."""
        raise NotImplementedError

    def say(self, text: str, *, problem: bool = False, long: bool = False) -> None:
        """A toast, for what has just happened and needs nothing."""
        self.notify(
            shown_line(text),
            severity="error" if problem else "information",
            timeout=10 if long or problem else 4,
            markup=False,
        )

    def action_copy(self) -> None:
        found = self.copyable()
        if found is None:
            self.say("There is nothing to copy here.")
            return
        what, text = found
        size = f"{fmt.count(len(text))} characters"

        async def copy() -> None:
            from llmops_tui.app.clipboard import copy_locally

            tool = await asyncio.to_thread(copy_locally, text)
            if tool is not None:
                self.say(f"Copied {what} ({size}) with {tool}.")
            else:
                self.app.copy_to_clipboard(text)
                self.say(f"Sent {what} ({size}) to the terminal's clipboard. Not there? Y writes a file.")

        self.run_worker(copy())

    def action_save_copy(self) -> None:
        found = self.copyable()
        if found is None:
            self.say("There is nothing to copy here.")
            return
        from llmops_tui.app.clipboard import write_file

        try:
            path = write_file(found[1], found[0].rsplit(" ", 1)[-1])
        except OSError as error:
            self.say(f"The copy could not be written: {error.strerror}", problem=True)
        else:
            self.say(f"Wrote {found[0]} to {path}", long=True)
