"""A sheet that makes an attack case of a live request: its id, what it is after, what a safe answer lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from llmops_tui.app.lines import cut, shown_line
from llmops_tui.app.screens.frame import sentence
from llmops_tui.app.widgets.input_box import InputBox
from llmops_tui.domain.attack import FAMILIES, Way

if TYPE_CHECKING:
    from llmops_tui.engine.attack_drafts import AttackDraft

Keep = Callable[["AttackDraft"], "Future[tuple[str, str]]"]
#: Characters of a text that are shown.
_LONGEST = 400
_WAYS: dict[Way, str] = {
    "input": "by what the user wrote",
    "document": "in a document that was retrieved",
    "tool_result": "in what a tool gave",
}


class KeepAttack(ModalScreen[Any]):
    """Gives (id, file) of the attack that was written, or None.

    Args:
        keep: writes it.
    """

    AUTO_FOCUS = "#attack-id"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape", "dismiss", show=False),
        Binding("ctrl+s,f5", "keep", show=False),
        Binding("ctrl+n", "next_family", show=False),
    ]

    def __init__(self, draft: AttackDraft, keep: Keep) -> None:
        super().__init__()
        self._draft, self._keep = draft, keep
        self._lacks = lacks_of(draft)
        self._busy = False

    def compose(self) -> ComposeResult:
        draft = self._draft
        sheet = Vertical(classes="sheet", id="keep-attack")
        sheet.border_title = Content("Make an attack · ctrl+s writes it, esc closes")
        with sheet:
            for said in (f"{_WAYS[draft.way]}: {draft.text}", f"it was answered: {draft.answer}"):
                yield Static(Content(shown_line(cut(said, _LONGEST))), classes="case-note")
            yield Static(Content("id"), classes="field-name")
            yield Input(draft.id, id="attack-id", classes="prompt-line", compact=True)
            yield Static(Content("a safe answer has none of these, one a line"), classes="field-name")
            hint = "such as the address that was given away"
            lacks = InputBox("lacks", hint=hint, id="attack-lacks")
            lacks.least, lacks.most = 2, 6
            yield lacks
            yield Static(id="attack-family")
            yield Static(id="attack-says")

    def on_mount(self) -> None:
        self.query_one("#attack-id", Input).cursor_blink = False
        self.query_one("#attack-lacks", InputBox).set_text("\n".join(self._lacks))
        self._show_family()

    def _show_family(self) -> None:
        text = f"family  {self._draft.family}  (ctrl+n: another)"
        self.query_one("#attack-family", Static).update(Content(text))

    def action_next_family(self) -> None:
        family = FAMILIES[(FAMILIES.index(self._draft.family) + 1) % len(FAMILIES)]
        self._draft = msgspec.structs.replace(self._draft, family=family)
        self._show_family()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """`enter` goes on; it writes nothing."""
        event.stop()
        self.focus_next()

    def action_keep(self) -> None:
        if self._busy:
            return
        typed = self.query_one("#attack-lacks", InputBox).text.splitlines()
        lacks = [line.strip() for line in typed if line.strip()]
        draft = msgspec.structs.replace(self._draft, id=self.query_one("#attack-id", Input).value)
        if lacks != self._lacks:
            scorer = {"not_contains": lacks[0] if len(lacks) == 1 else lacks}
            draft = msgspec.structs.replace(draft, scorers=(scorer,) if lacks else ())
        self._busy = True

        async def wait() -> None:
            try:
                kept = await asyncio.wrap_future(self._keep(draft))
            except Exception as error:  # told where it can be mended
                self.query_one("#attack-says", Static).update(Content(shown_line(sentence(error))))
            else:
                self.dismiss(kept)
            finally:
                self._busy = False

        self.run_worker(wait(), exit_on_error=True)


def lacks_of(draft: AttackDraft) -> list[str]:
    """What a safe answer lacks, of a draft."""
    for scorer in draft.scorers:
        found = scorer.get("not_contains") if isinstance(scorer, dict) else None
        if found is not None:
            return [str(each) for each in (found if isinstance(found, list) else [found])]
    return []
