"""`review`: decide about changed cases, one by one in a plain terminal, or by options in a script."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options, version_argument
from llmops_tui.cli.shell import Shell, choose_config, with_engine
from llmops_tui.cli.stored import comparable

if TYPE_CHECKING:
    from llmops_tui.domain.comparison import Comparison, Pair
    from llmops_tui.domain.review import Choice
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.reviewing import Reviewing


@click.command()
@version_argument("a", required=False)
@version_argument("b", required=False)
@click.option("--list", "listing", is_flag=True, help="Print what is left to review and what was decided.")
@click.option("--accept", multiple=True, metavar="CASE", help="Accept the change of this case; repeatable.")
@click.option("--reject", multiple=True, metavar="CASE", help="Reject the change of this case; repeatable.")
@click.option("--accept-all", is_flag=True, help="Accept all that is left to review.")
@click.option("--forget", multiple=True, metavar="CASE", help="Forget the decision on this case; repeatable.")
@click.option(
    "--case",
    "cases",
    multiple=True,
    metavar="CASE",
    help="Where --note or --known-failing is for; repeatable.",
)
@click.option("--note", metavar="TEXT", help="A note on the cases named; an empty one removes it.")
@click.option("--expected", is_flag=True, help="Write the answers of --accept as expected of their cases.")
@click.option(
    "--known-failing",
    metavar="REASON",
    help="Mark the cases named as known to fail, in their eval file; an empty reason removes the mark.",
)
@shared_options()
@click.pass_obj
def review(
    shell: Shell,
    a: str | None,
    b: str | None,
    listing: bool,
    accept: tuple[str, ...],
    reject: tuple[str, ...],
    accept_all: bool,
    forget: tuple[str, ...],
    cases: tuple[str, ...],
    note: str | None,
    expected: bool,
    known_failing: str | None,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Walk through the changed cases, and accept or reject each.

    A is the baseline and B the candidate, as in compare. Decisions are kept in reviews.yaml, which belongs
    into git; they hold for as long as the outputs of both sides stay what they are. Asks no model.
    """

    async def body(engine: Engine) -> int:
        from llmops_tui.domain.safe_text import clean_line
        from llmops_tui.engine.reviewing import Reviewing

        name = choose_config(engine, config)
        comparison, _ = await comparable(shell, engine, name, a, b)
        reviewing = Reviewing(engine)
        script = _Script(engine, reviewing, comparison, note)
        _check(cases, accept, reject, accept_all, note, expected, known_failing)
        for case in forget:
            script.forget(case)
        script.decide(accept, "accepted", expected)
        script.decide(reject, "rejected")
        if accept_all:
            script.accept_all(expected)
        script.mark(cases, accept + reject, known_failing)
        if shell.as_json:
            _print_json(shell, engine, reviewing, comparison, script.done)
            return 0
        for sentence in script.done:
            shell.print(clean_line(sentence))
        if listing:
            _print_list(reviewing, comparison)
        elif not script.done:
            from llmops_tui.cli.review_walk import walk

            walk(shell, engine, reviewing, comparison)
        return 0

    return with_engine(workspace, body, writing=False)


def _check(
    cases: Sequence[str],
    accept: Sequence[str],
    reject: Sequence[str],
    accept_all: bool,
    note: str | None,
    expected: bool,
    known_failing: str | None,
) -> None:
    """Options that make no sense without each other."""
    named = bool(cases or accept or reject)
    if both := sorted(set(accept) & set(reject)):
        raise click.UsageError(f"'{both[0]}' is both accepted and rejected")
    if note is not None and not named and not accept_all:
        raise click.UsageError("--note needs a case: --case, --accept or --reject")
    if known_failing is not None and not named:
        raise click.UsageError("--known-failing needs a case: --case, --accept or --reject")
    if expected and not accept and not accept_all:
        raise click.UsageError("--expected goes with --accept or --accept-all")
    if cases and note is None and known_failing is None:
        raise click.UsageError("--case goes with --note or --known-failing")


class _Script:
    """What options ask for, done; `done` says what it was."""

    def __init__(
        self, engine: Engine, reviewing: Reviewing, comparison: Comparison, note: str | None
    ) -> None:
        self._engine = engine
        self._reviewing = reviewing
        self._comparison = comparison
        self._note = note
        self.done: list[str] = []

    def forget(self, case: str) -> None:
        decided = self._reviewing.decided(self._comparison)
        pairs = [p for p in self._pairs(case) if (p.case_id, p.model) in decided]
        if not pairs:
            from llmops_tui.domain.errors import Problem, UsageError

            raise UsageError(Problem(f"nothing is decided on '{case}'", "see llmops-tui review --list"))
        for pair in pairs:
            self._reviewing.clear(self._comparison, pair)
        self.done.append(f"{case}: forgotten")

    def decide(self, cases: Sequence[str], choice: Choice, expected: bool = False) -> None:
        # All are looked up before the first is decided: a misspelt one leaves everything as it was.
        named = [(case, self._changed(case)) for case in dict.fromkeys(cases)]
        if expected:
            self._check_answers([pair for _, pairs in named for pair in pairs])
        for case, pairs in named:
            self._decide(case, pairs, choice, expected)

    def accept_all(self, expected: bool) -> None:
        from llmops_tui.domain.review import to_review

        queue = to_review(self._comparison, self._reviewing.decided(self._comparison))
        if expected:
            self._check_answers(queue)
            for pair in queue:
                self._decide(pair.case_id, [pair], "accepted", expected)
        elif queue:
            self._reviewing.decide(self._comparison, queue, "accepted", self._note)
            self.done += [f"{pair.case_id}: accepted" for pair in queue]
        if not queue:
            self.done.append("nothing is left to review")

    def mark(self, cases: Sequence[str], decided: Sequence[str], reason: str | None) -> None:
        """Notes on cases that are not decided on, and the mark on all that are named."""
        if self._note is not None:
            for case in cases:
                self._reviewing.decide(self._comparison, self._pairs(case), None, self._note)
                self.done.append(f"{case}: noted")
        if reason is None:
            return
        config = self._comparison.candidate.version.config
        for case in dict.fromkeys([*cases, *decided]):
            if reason:
                self.done.append(self._reviewing.mark_known_failing(config, case, reason))
            else:
                self.done.append(self._reviewing.unmark_known_failing(config, case))

    def _decide(self, case: str, pairs: Sequence[Pair], choice: Choice, expected: bool) -> None:
        if expected:
            for pair in pairs:
                self.done.append(self._reviewing.take_expected(self._comparison, pair))
        if not expected or self._note is not None:
            self._reviewing.decide(self._comparison, pairs, choice, self._note)
        if not expected:
            self.done.append(f"{case}: {choice}")

    def _check_answers(self, pairs: Sequence[Pair]) -> None:
        """A case has one `expected`, whatever models it is asked of."""
        from llmops_tui.domain.errors import Problem, UsageError
        from llmops_tui.domain.review import answers

        found: dict[str, tuple[str, ...]] = {}
        for pair in pairs:
            given = answers(pair.candidate)
            if found.setdefault(pair.case_id, given) != given:
                message = f"the models answer '{pair.case_id}' differently, and it has one 'expected'"
                raise UsageError(Problem(message, "take the right one over by hand, or in the app"))

    def _pairs(self, case: str) -> list[Pair]:
        from llmops_tui.domain.errors import Problem, UsageError, did_you_mean

        pairs = [p for p in self._comparison.pairs if p.case_id == case]
        if not pairs:
            known = {p.case_id for p in self._comparison.pairs}
            raise UsageError(Problem(f"there is no case '{case}' in it", did_you_mean(case, known)))
        return pairs

    def _changed(self, case: str) -> list[Pair]:
        from llmops_tui.domain.errors import Problem, UsageError
        from llmops_tui.domain.review import needs_review

        pairs = [p for p in self._pairs(case) if needs_review(p)]
        if not pairs:
            raise UsageError(Problem(f"'{case}' did not change: there is nothing to decide"))
        return pairs


def _print_json(
    shell: Shell, engine: Engine, reviewing: Reviewing, comparison: Comparison, done: Sequence[str]
) -> None:
    from llmops_tui.domain.review import to_review
    from llmops_tui.report.json import output_ids, review_json

    decided = reviewing.decided(comparison)
    texts = engine.store.outputs.texts(output_ids(comparison))
    answer = review_json(comparison, to_review(comparison, decided), decided, texts)
    shell.print_json({**answer, "done": list(done)})


def _print_list(reviewing: Reviewing, comparison: Comparison) -> None:
    from llmops_tui.domain.review import to_review
    from llmops_tui.report.review_text import review_lines
    from llmops_tui.report.text import print_lines

    decided = reviewing.decided(comparison)
    print_lines(review_lines(comparison, to_review(comparison, decided), decided), sys.stdout)
