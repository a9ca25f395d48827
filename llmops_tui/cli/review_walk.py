"""Reviewing case by case in a plain terminal."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from llmops_tui.cli.keys import END, interruptible, read_key, read_line
from llmops_tui.cli.shell import Shell

if TYPE_CHECKING:
    from llmops_tui.domain.comparison import Comparison, Pair
    from llmops_tui.domain.review import Choice
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.reviewing import Reviewing
    from llmops_tui.report.text import Line

PROMPT = "a accept  x reject  m note  s skip  u undo  A accept all  e as expected  k known failing  q quit"
_PIPE_WIDTH = 100


def walk(shell: Shell, engine: Engine, reviewing: Reviewing, comparison: Comparison) -> None:
    """Show one case after the other and do as told; ends with what is left and what can be done."""
    steps = _Walk(shell, engine, reviewing, comparison)
    try:
        with interruptible():
            steps.go()
    finally:
        steps.say_goodbye()


class _Walk:
    """The queue as it was at the start, and where in it we are."""

    def __init__(self, shell: Shell, engine: Engine, reviewing: Reviewing, comparison: Comparison) -> None:
        from llmops_tui.domain.review import to_review

        self._shell = shell
        self._engine = engine
        self._reviewing = reviewing
        self._comparison = comparison
        self._queue = to_review(comparison, reviewing.decided(comparison))
        self._at = 0
        self._came_from: list[int] = []

    def go(self) -> None:
        shown = -1
        while self._at < len(self._queue):
            if shown != self._at:
                self._show(self._queue[self._at])
                shown = self._at
            key = read_key(f"{PROMPT} › ")
            if key in (END, "q"):
                self._shell.print("")
                return
            self._shell.print(self._do(key))
            if key == "u":
                shown = -1

    def _do(self, key: str) -> str:
        """Do what a key says; gives a line about it. What can't be done is said, and changes nothing."""
        from llmops_tui.domain.errors import LlmopsError
        from llmops_tui.domain.safe_text import clean

        try:
            return clean(self._done(key))
        except LlmopsError as error:
            return clean("\n".join(f"error: {problem}" for problem in error.problems))

    def _done(self, key: str) -> str:
        pair = self._queue[self._at]
        if key in ("a", "x"):
            choice: Choice = "accepted" if key == "a" else "rejected"
            self._reviewing.decide(self._comparison, [pair], choice)
            return self._onward(choice)
        if key == "m":
            note = self._asked("note: ")
            if not note:
                return "no note"
            self._reviewing.decide(self._comparison, [pair], None, note)
            self._came_from.append(self._at)
            return "noted"
        if key == "s":
            self._at += 1
            return "skipped"
        if key == "u":
            back = self._came_from.pop() if self._came_from else self._at
            said = self._reviewing.undo()
            self._engine.load()
            self._at = back
            return said
        if key == "A":
            return self._accept_all()
        if key == "e":
            said = self._reviewing.take_expected(self._comparison, pair)
            self._engine.load()
            return self._onward(said)
        if key == "k":
            return self._known_failing(pair)
        return "?"

    def _onward(self, said: str) -> str:
        self._came_from.append(self._at)
        self._at += 1
        return said

    def _accept_all(self) -> str:
        from llmops_tui.domain import format as fmt
        from llmops_tui.domain.review import to_review

        left = to_review(self._comparison, self._reviewing.decided(self._comparison))
        if self._asked(f"accept {fmt.plural(len(left), 'case')}? [y/N] ").lower() not in ("y", "yes"):
            return "not accepted"
        self._reviewing.decide(self._comparison, left, "accepted")
        self._came_from.append(self._at)
        self._at = len(self._queue)
        return f"accepted {fmt.plural(len(left), 'case')}"

    def _known_failing(self, pair: Pair) -> str:
        reason = self._asked("known to fail, because: ")
        if not reason:
            return "not marked"
        config = self._comparison.candidate.version.config
        said = self._reviewing.mark_known_failing(config, pair.case_id, reason)
        self._engine.load()
        self._came_from.append(self._at)
        return said

    def _asked(self, prompt: str) -> str:
        self._shell.print("")
        return read_line(prompt)

    # -- what is shown

    def _show(self, pair: Pair) -> None:
        from llmops_tui.domain.safe_text import clean_line
        from llmops_tui.report.review_text import decision_words
        from llmops_tui.report.text import case_lines, print_lines

        width = _PIPE_WIDTH
        if sys.stdout.isatty():
            width = max(shutil.get_terminal_size((_PIPE_WIDTH, 40)).columns, 60)
        title = f"── {self._at + 1} of {len(self._queue)} · {clean_line(pair.case_id)} "
        lines: list[Line] = [(), ((title.ljust(width - 1, "─"), "bold"),), *self._inputs(pair, width)]
        lines += case_lines(pair, self._engine.queries.detail(pair), width=width)
        decision = self._reviewing.decided(self._comparison).get((pair.case_id, pair.model))
        if decision is not None:
            lines.append(((f"  {decision_words(decision)}", ""),))
        print_lines(lines, sys.stdout)

    def _inputs(self, pair: Pair, width: int) -> list[Line]:
        from llmops_tui.domain import format as fmt
        from llmops_tui.domain.safe_text import clean_line

        configuration = self._engine.workspace.configurations.get(self._comparison.candidate.version.config)
        cases = configuration.cases if configuration is not None else ()
        case = next((c for c in cases if c.id == pair.case_id), None)
        values = case.vars.items() if case is not None else ()
        return [
            ((fmt.truncate(f"  {clean_line(name)}: {clean_line(str(value))}", width - 1), "dim"),)
            for name, value in values
        ]

    def say_goodbye(self) -> None:
        """What is left, and what can be done now."""
        from llmops_tui.domain.review import to_review
        from llmops_tui.report.review_text import left_words

        decided = self._reviewing.decided(self._comparison)
        choices = [d.choice for d in decided.values()]
        left = to_review(self._comparison, decided)
        counts = [f"{choices.count(c)} {c}" for c in ("accepted", "rejected") if c in choices]
        self._shell.print(", ".join([*counts, left_words(left)]))
        if left:
            self._shell.print("Go on with: llmops-tui review")
        elif "rejected" in choices:
            self._shell.print("What is rejected keeps the gate failing: edit, and run again.")
        else:
            name = self._comparison.candidate.version.name
            self._shell.print(f"What can be done now: llmops-tui gate, llmops-tui promote {name}")
