"""`+`: a live request becomes a case of the workspace. For the Live screen and the Trace."""

from __future__ import annotations

from llmops_tui.app.lines import shown_line
from llmops_tui.app.screens.frame import Frame
from llmops_tui.app.screens.keep_case import KeepCase
from llmops_tui.engine.live_events import LiveDraft

#: Characters of an input and of the answer that are shown.
_LONGEST = 300


def make_case(screen: Frame, request: int) -> None:
    """Show the case that a request would be; it is written when the person says so."""
    session = screen.owner.session
    if screen.model.status.viewing is not None:
        screen.say("This app only views the workspace; see the line on top.")
        return

    def drafted(draft: LiveDraft) -> None:
        notes = [f"{name}: {str(value)[:_LONGEST]}" for name, value in draft.new.vars.items()]
        if draft.answer:
            notes.append(f"it was answered: {shown_line(draft.answer[:_LONGEST])}")
        notes += [f"asks nearly the same: {text}" for text in draft.alike]
        sheet = KeepCase(
            *(draft.new.vars, (), draft.files, draft.answer or None),
            draft=draft.new,
            notes=notes,
            keep=lambda new, file: session.keep_live_case(draft.config, new, file),
        )
        screen.app.push_screen(sheet, kept)

    def kept(case: tuple[str, str] | None) -> None:
        if case is not None:
            screen.say(f"Kept as case {case[0]} in {case[1]}; the next run asks it.", long=True)

    screen.when_done(session.live_case(request), drafted)
