"""Brings texts onto the Bench: asked of the engine, compared off the UI thread, the newest wish first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from llmops_tui.app.bench_state import BenchState
from llmops_tui.app.lines import Line, shown, shown_line, wrap
from llmops_tui.app.output_lines import Layout, Side, change_lines, layout
from llmops_tui.app.output_text import OutputDoc, Remarks, build, output_text
from llmops_tui.app.score_lines import lines as score_lines
from llmops_tui.app.screens.frame import sentence
from llmops_tui.app.verdict_text import to_review
from llmops_tui.domain import format as fmt
from llmops_tui.domain.comparison import Pair
from llmops_tui.domain.prose_diff import Diff, diff_words
from llmops_tui.domain.run import Row
from llmops_tui.engine.events import PairDetail, TextChange

if TYPE_CHECKING:
    from llmops_tui.app.screens.bench import BenchScreen

#: Outputs read at once for a search.
READ_AT_ONCE = 500
#: A search shows what it has found so far this often.
TELL_EVERY_S = 0.5
#: Characters of a changed part that are compared.
MAX_PART = 200_000


class DetailLoader:
    """One case at a time; whoever scrolls past cases waits for none of them."""

    def __init__(self, screen: BenchScreen) -> None:
        self._screen = screen
        self._wanted: Pair | None = None
        self._shown: Pair | None = None
        self._busy = False
        self._detail: PairDetail | None = None
        self._changes_asked = 0
        self._reading: Callable[[], None] | None = None
        self.changes_text = ""
        self._remarks: Remarks = ()

    @property
    def shown(self) -> Pair | None:
        """The pair whose answers the panes show."""
        return self._shown

    # -- the case under the cursor

    def want(self, pair: Pair | None) -> None:
        """Show this case, unless it is what is shown."""
        screen = self._screen
        if pair is None:
            self._wanted = self._shown = self._detail = None
            self._remarks = ()
            screen.output.title("Output")
            screen.output.say("")
            screen.scores.show(None)
            return
        bench = screen.model.bench
        screen.output.title(title_of(bench, pair))
        if pair is self._wanted or (pair is self._shown and self._remarks == remarks(bench, pair)):
            return
        if not screen.owner.is_engine_up:
            return
        self._wanted = pair
        if not self._busy:
            self._busy = True
            screen.run_worker(self._work(), group="detail", exit_on_error=True)

    async def _work(self) -> None:
        try:
            while self._wanted is not None:
                pair = self._wanted
                await self._one(pair)
                if self._wanted is pair:
                    self._wanted = None
        finally:
            self._busy = False

    async def _one(self, pair: Pair) -> None:
        screen = self._screen
        bench = screen.model.bench
        try:
            detail = await asyncio.wrap_future(screen.owner.session.detail(pair))
        except Exception as error:  # whatever the engine met is told, and the app goes on
            screen.output.say(shown_line(sentence(error)))
            return
        if self._wanted is not pair:
            return
        alone, case = bench.is_alone, bench.cases.get(pair.case_id)
        said = remarks(bench, pair)
        names, room = screen.version_names, screen.output.room
        older = bench.stale.get((pair.case_id, pair.model), "")
        if older and older != names[1]:
            names = names[0], older
        sides = Side(names[0], *_result(pair.baseline)), Side(names[1], *_result(pair.candidate))

        def work() -> tuple[OutputDoc, Layout]:
            doc = build(detail, case, said, alone=alone, cancelled=lambda: self._wanted is not pair)
            return doc, layout(doc, *sides, room[0], split=room[1], wrapped=room[2])

        doc, laid = await asyncio.to_thread(work)
        if self._wanted is not pair:
            return
        before = self._shown
        same = before is not None and (before.case_id, before.model) == (pair.case_id, pair.model)
        self._shown, self._detail, self._remarks = pair, detail, said
        screen.output.show(doc, sides, (room, laid), keep=same)
        screen.scores.show(lambda width: score_lines(detail, names, width, alone=alone), keep=same)

    def candidate_text(self) -> tuple[str, str] | None:
        """What `y` copies: the new output, else the old one."""
        detail = self._detail
        if detail is None:
            return None
        for side in (detail.candidate, detail.baseline):
            if side and side[0].output is not None:
                return f"the output of {shown_line(detail.pair.case_id)}", output_text(side[0].output)
        return None

    # -- what changed between the versions

    def want_changes(self) -> None:
        """Show the difference of the two versions on screen."""
        screen = self._screen
        comparison = screen.model.bench.comparison
        if comparison is None or not screen.owner.is_engine_up:
            return
        self._changes_asked += 1
        asked = self._changes_asked

        async def work() -> None:
            versions = comparison.baseline.version, comparison.candidate.version
            try:
                texts = await asyncio.wrap_future(screen.owner.session.texts(*versions))
            except Exception as error:  # as above
                screen.say(sentence(error), problem=True)
                return
            compared = await asyncio.to_thread(_compare_all, texts)
            if asked == self._changes_asked:
                self._show_changes(texts, compared)

        screen.run_worker(work(), group="changes", exit_on_error=True)

    def _show_changes(self, texts: tuple[TextChange, ...], compared: list[Diff]) -> None:
        screen = self._screen
        status, bench = screen.model.status, screen.model.bench
        configuration = status.configuration

        def title(change: TextChange) -> str:
            if change.label == "prompt" and configuration is not None:
                return shown_line(configuration.prompt_file)
            return shown_line(change.title)

        def make(width: int) -> list[Line]:
            if not texts:
                line = _nothing_changed(bench.is_alone, status.nothing is not None, bench.totals.counts)
                return wrap(line, width)
            found: list[Line] = []
            for change, one in zip(texts, compared, strict=True):
                lines = change_lines(title(change), shown(change.before), shown(change.after), one, width)
                # A title of its own for one change only would say what the pane's title says.
                found += lines[1:] if len(texts) == 1 and len(lines) > 1 else lines
            return found

        self.changes_text = "\n".join(_as_text(c, d) for c, d in zip(texts, compared, strict=True))
        screen.changes.title(f"What changed · {title(texts[0])}" if len(texts) == 1 else "What changed")
        screen.changes.show(make)

    # -- search inside outputs

    def read_outputs(self, then: Callable[[], None]) -> None:
        """Read the outputs that a search needs, a portion at a time, and say so after each."""
        busy, self._reading = self._reading is not None, then
        if busy or not self._screen.owner.is_engine_up:
            return

        async def work() -> None:
            bench, session = self._screen.model.bench, self._screen.owner.session
            told = time.monotonic()
            try:
                unread = list(bench.unread_outputs().items())
                for start in range(0, len(unread), READ_AT_ONCE):
                    part = dict(unread[start : start + READ_AT_ONCE])
                    texts = await asyncio.wrap_future(session.output_texts(tuple(part)))
                    for output_id, hash_ in part.items():
                        bench.output_texts[hash_] = texts.get(output_id, "").lower()
                    last = start + READ_AT_ONCE >= len(unread)
                    if self._reading is not None and (last or time.monotonic() - told > TELL_EVERY_S):
                        told = time.monotonic()
                        self._reading()
            except Exception as error:  # as above
                self._screen.say(sentence(error), problem=True)
            finally:
                self._reading = None

        self._screen.run_worker(work(), group="search", exit_on_error=True)


def _compare_all(texts: tuple[TextChange, ...]) -> list[Diff]:
    return [diff_words(shown(c.before[:MAX_PART]), shown(c.after[:MAX_PART])) for c in texts]


def _as_text(change: TextChange, compared: Diff) -> str:
    lines = [change.title]
    for line in compared.lines:
        if line.change == "same":
            continue
        if line.left is not None:
            lines.append("- " + "".join(s.text for s in line.left))
        if line.right is not None:
            lines.append("+ " + "".join(s.text for s in line.right))
    return "\n".join(lines)


def _nothing_changed(alone: bool, asked_nothing: bool, counts: dict[str, int]) -> Line:
    if asked_nothing and not alone:
        text = f"{counts['regressed']} regressions, {counts['same']} unchanged, nothing asked"
    elif alone:
        text = "This version stands by itself: save a change of the prompt, and it is compared with this one."
    else:
        text = "Nothing: both versions are the same."
    return ((text, "dim"),)


def title_of(bench: BenchState, pair: Pair) -> str:
    """`refund-window  ▼ regressed · pass → fail · accepted · to review: 4`."""
    parts = [_title(pair, bench.is_alone)]
    standing = bench.review.standing((pair.case_id, pair.model), pair)
    if standing in ("accepted", "rejected"):
        parts.append(standing)
    left = to_review(bench)
    return " · ".join([*parts, left] if left and not bench.is_alone else parts)


def remarks(bench: BenchState, pair: Pair) -> Remarks:
    """What people said about a case: the decision with its note, and why it is known to fail."""
    found: list[tuple[str, str]] = []
    decision = bench.review.decision((pair.case_id, pair.model), pair)
    if decision is not None:
        by = f"by {decision.by}" if decision.by else ""
        when = decision.at[:10]
        said = ", ".join(x for x in (by, when) if x)
        text = f"{said}: {decision.note}" if said and decision.note else said or decision.note
        found.append((decision.choice or "note", shown_line(text)))
    case = bench.cases.get(pair.case_id)
    if case is not None and case.known_failing:
        found.append(("known to fail", shown_line(case.known_failing)))
    return tuple(found)


def _title(pair: Pair, alone: bool) -> str:
    if alone and pair.candidate is not None and not pair.pending:
        return f"{shown_line(pair.case_id)}  {_result(pair.candidate)[0]}"
    mark = "…" if pair.pending else fmt.symbol(pair.change)
    word = {"same": "unchanged", "error": "could not be had"}.get(pair.change, pair.change)
    if pair.pending:
        word = "still to come" if pair.candidate is not None else "not evaluated yet"
    elif pair.change == "same" and pair.output_changed:
        word = "reworded, same score"
    elif pair.flip is not None:
        word = f"{pair.change} · {pair.flip.replace('→', ' → ')}"
    return f"{shown_line(pair.case_id)}  {mark} {word}"


def _result(row: Row | None) -> tuple[str, str]:
    """`1.00 pass` and its style."""
    if row is None or row.status == "missing":
        return "", "dim"
    word = {"passed": "pass", "failed": "fail", "error": "error", "unscored": "unscored"}[row.status]
    style = {"passed": "improved", "failed": "regressed", "error": "error"}.get(row.status, "dim")
    return (f"{fmt.score(row.score)} {word}" if row.score is not None else word), style
