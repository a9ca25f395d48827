"""Brings traces onto the screen: asked of the engine, made ready off the UI thread, the newest wish first."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from llmops_tui.app import span_lines
from llmops_tui.app.lines import Line, shown_line
from llmops_tui.app.screens.frame import sentence
from llmops_tui.app.span_lines import Parts
from llmops_tui.app.trace_doc import Node, Shown, TraceDoc, build
from llmops_tui.app.trace_state import AnyTraced
from llmops_tui.engine.trace_events import TraceView

if TYPE_CHECKING:
    from llmops_tui.app.screens.trace import TraceScreen

#: Steps that are searched before the screen has its turn.
AT_ONCE = 200


class TraceLoader:
    """One trace, one step and one search at a time; whoever moves past steps waits for none of them."""

    def __init__(self, screen: TraceScreen) -> None:
        self._screen = screen
        self._wanted: tuple[AnyTraced, int | None] | None = None
        self._busy = False
        self._step: tuple[Node, bool] | None = None
        self._shown: tuple[Node, bool] | None = None
        self._laying = False
        #: Text of each step as it is searched, by row of the document that it is of.
        self._texts: dict[int, str] = {}
        self._texts_of: TraceDoc | None = None
        self._searched = 0

    # -- the trace

    def want(self, traced: AnyTraced, trial: int | None) -> None:
        """Read the trace of a case."""
        self._wanted = traced, trial
        if not self._busy:
            self._busy = True
            self._screen.run_worker(self._read(), group="trace", exit_on_error=True)

    async def _read(self) -> None:
        try:
            while self._wanted is not None:
                wanted = self._wanted
                traced, trial = wanted
                try:
                    future = traced.ask(self._screen.owner.session, trial)
                    view = await asyncio.wrap_future(future)
                    doc = await asyncio.to_thread(build, view, "both")
                except Exception as error:  # whatever the engine met is told, and the app goes on
                    if self._wanted is wanted:
                        self._wanted = None
                        self._screen.show_problem(shown_line(sentence(error)))
                    continue
                if self._wanted is wanted:
                    self._wanted = None
                    self._screen.show_view(traced, view, doc)
        finally:
            self._busy = False

    def want_sides(self, view: TraceView, shown: Shown) -> None:
        """Show the other side of the trace that is here."""

        async def work() -> None:
            doc = await asyncio.to_thread(build, view, shown)
            self._screen.show_sides(view, doc)

        self._screen.run_worker(work(), group="sides", exclusive=True, exit_on_error=True)

    # -- one step

    @property
    def shown(self) -> Node | None:
        """The step that the pane shows."""
        return self._shown[0] if self._shown is not None else None

    def want_step(self, node: Node | None, *, raw: bool) -> None:
        """Show this step, unless it is what is shown."""
        pane = self._screen.step
        if node is None:
            self._step = self._shown = None
            pane.say("")
            return
        # By identity: to compare two nodes is to compare their traces.
        now = self._step or self._shown
        if now is not None and now[0] is node and now[1] == raw:
            return
        self._step = node, raw
        if not self._laying:
            self._laying = True
            self._screen.run_worker(self._lay(), group="step", exit_on_error=True)

    async def _lay(self) -> None:
        try:
            while self._step is not None:
                wanted = self._step
                node, raw = wanted
                pane = self._screen.step
                room = pane.room

                def work(
                    node: Node = node, raw: bool = raw, room: span_lines.Room = room
                ) -> tuple[Parts, list[Line]]:
                    parts = span_lines.raw_parts(node.span) if raw else span_lines.rendered(node)
                    return parts, span_lines.lay(parts, room[0], wrapped=room[1], wanted=room[2])

                parts, lines = await asyncio.to_thread(work)
                if self._step is wanted:
                    self._step, self._shown = None, wanted
                    pane.show(parts, (room, lines))
                    self._screen.step_shown()
        finally:
            self._laying = False

    # -- searching

    def search(self, doc: TraceDoc, wanted: re.Pattern[str] | None) -> None:
        """Find the steps that hold a text, as they are rendered; told once all were looked through."""
        self._searched += 1
        asked = self._searched
        if wanted is None:
            self._screen.found(frozenset())
            return
        if self._texts_of is not doc:
            self._texts, self._texts_of = {}, doc
        texts = self._texts

        def portion(start: int) -> list[int]:
            rows = range(start, min(start + AT_ONCE, len(doc.nodes)))
            for n in rows:
                if n not in texts:
                    texts[n] = span_lines.searched(doc.nodes[n])
            return [n for n in rows if wanted.search(texts[n])]

        async def work() -> None:
            found: list[int] = []
            for start in range(0, len(doc.nodes), AT_ONCE):
                found += await asyncio.to_thread(portion, start)
                if asked != self._searched:
                    return
            self._screen.found(frozenset(found))

        self._screen.run_worker(work(), group="search", exit_on_error=True)
