"""Reviewing: decisions on changed cases, what they do to the eval set, and taking them back."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain.case import Case
from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.errors import Problem, UsageError, WorkspaceError, did_you_mean
from llmops_tui.domain.review import Choice, Decision, PairKey, answers, applies, decisions_of
from llmops_tui.domain.safe_text import clean, clean_line
from llmops_tui.engine.engine import Engine

if TYPE_CHECKING:
    from llmops_tui.workspace.expected import Edit


class _Action(msgspec.Struct, frozen=True):
    """One thing done, and how it was before.

    Attributes:
        what: as it is told ("accepting 'days'").
        before: decisions that it replaced.
        after: decisions that it wrote.
        edit: of an eval file.
        about: the pairs that it was done to; without a model where it was done to the case.
    """

    what: str
    about: tuple[PairKey, ...] = ()
    before: tuple[Decision, ...] = ()
    after: tuple[Decision, ...] = ()
    edit: Edit | None = None


class Reviewing:
    """Decisions of one workspace, in `reviews.yaml`; what this process did can be undone, step by step."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._done: list[_Action] = []
        self._by: str | None = None

    # -- deciding

    def decisions(self) -> tuple[Decision, ...]:
        """All of `reviews.yaml`.

        Raises:
            WorkspaceError: it has a mistake.
        """
        from llmops_tui.workspace import reviews

        return reviews.read(self._engine.root)

    def decided(self, comparison: Comparison) -> dict[PairKey, Decision]:
        """Those about the outputs of a comparison (`domain.review.decisions_of`)."""
        return decisions_of(self.decisions(), comparison)

    def decide(
        self, comparison: Comparison, pairs: Sequence[Pair], choice: Choice | None, note: str | None = None
    ) -> tuple[Decision, ...]:
        """Decide on pairs, as one action; what was decided on these outputs before is replaced.

        Args:
            choice: None leaves what was chosen: with a note, the note is added to it or stands alone.
            note: None keeps the old one; an empty one removes it.

        Returns:
            The decisions as written.

        Raises:
            UsageError: a pair has no answer to decide on.
            WorkspaceError: `reviews.yaml` has a mistake, or can't be written.
        """
        verb = {"accepted": "accepting", "rejected": "rejecting", None: "the note on"}[choice]
        action = self._deciding(comparison, pairs, choice, note, f"{verb} {_names(pairs)}")
        self._write(action)
        return action.after

    def clear(self, comparison: Comparison, pair: Pair) -> None:
        """Forget what was decided, and noted, on a pair.

        Raises:
            UsageError: nothing was.
            WorkspaceError: as `decide`.
        """
        before = self._about(comparison, pair, self.decisions())
        if not before:
            raise UsageError(Problem(f"nothing is decided on '{pair.case_id}'"))
        what = f"forgetting the decision on {_names([pair])}"
        self._write(_Action(what, ((pair.case_id, pair.model),), before))

    # -- what decisions do to the eval set

    def take_expected(self, comparison: Comparison, pair: Pair) -> str:
        """Accept, and write the candidate's answer as `expected` of the case, in its eval file.

        Returns:
            What was done, as a sentence; it says so where no scorer is held against `expected`.

        Raises:
            UsageError: there is no case on disk, no one answer, or the file can't be edited safely.
            WorkspaceError: a file can't be read or written.
        """
        from llmops_tui.workspace import expected

        case = self.case(comparison.candidate.version.config, pair.case_id)
        value = self._reference(case, self._one_answer(pair))
        what = f"taking the answer of {_names([pair])} over as expected"
        action = self._deciding(comparison, [pair], "accepted", None, what)
        edit = expected.set_expected(self._engine.root, case.file, case.id, value)
        try:
            self._write(msgspec.structs.replace(action, edit=edit))
        except WorkspaceError:
            expected.restore(self._engine.root, edit)
            raise
        said = f"The answer is now 'expected' of '{case.id}' in {case.file}."
        if not any(use.uses_expected for use in case.scorers):
            said += " None of its scorers is held against 'expected', so its score does not change."
        return said

    def mark_known_failing(self, config: str, case_id: str, reason: str) -> str:
        """Write why a case is expected to fail; the gate leaves it out. Gives a sentence.

        Raises:
            UsageError: there is no such case, no reason, or the file can't be edited safely.
            WorkspaceError: the file can't be read or written.
        """
        reason = clean_line(reason)
        if not reason:
            raise UsageError(Problem("a case is known to fail for a reason", "say why"))
        case = self.case(config, case_id)
        self._edit_mark(case, reason, f"marking '{case_id}' as known to fail")
        return f"'{case_id}' is known to fail: {reason} ({case.file})."

    def unmark_known_failing(self, config: str, case_id: str) -> str:
        """Take that mark away.

        Raises:
            UsageError: the case has none, or as `mark_known_failing`.
        """
        case = self.case(config, case_id)
        if not case.known_failing:
            raise UsageError(Problem(f"'{case_id}' is not marked as known to fail"))
        self._edit_mark(case, None, f"unmarking '{case_id}' as known to fail")
        return f"'{case_id}' is not known to fail any more ({case.file})."

    # -- undo

    @property
    def next_undo(self) -> tuple[PairKey, ...]:
        """The pairs that `undo` is about; without a model where it is about the case."""
        return self._done[-1].about if self._done else ()

    def undo(self) -> str:
        """Take back the last thing that this process did. Gives a sentence.

        Raises:
            UsageError: there is nothing, or someone changed the same thing since.
        """
        from llmops_tui.workspace import expected, reviews

        if not self._done:
            raise UsageError(Problem("there is nothing to undo", "only what was done since the start can be"))
        # What can't be undone does not stand in the way of what was done before it.
        action = self._done.pop()
        there = set(self.decisions())
        if any(decision not in there for decision in action.after):
            message = f"{action.what} can't be undone: it was decided anew since"
            raise UsageError(Problem(message, "decide again"))
        if action.edit is not None:
            expected.restore(self._engine.root, action.edit)
        if action.before or action.after:
            reviews.change(self._engine.root, drop=action.after, put=action.before)
        return f"Undone: {action.what}."

    # -- within

    def case(self, config: str, case_id: str) -> Case:
        """A case as it is on disk.

        Raises:
            UsageError: there is none of that id.
            WorkspaceError: the files have mistakes.
        """
        cases = {case.id: case for case in self._engine.configuration(config).cases}
        if case_id not in cases:
            message = f"there is no case '{case_id}' on disk"
            raise UsageError(Problem(message, did_you_mean(case_id, set(cases))))
        return cases[case_id]

    def _deciding(
        self,
        comparison: Comparison,
        pairs: Sequence[Pair],
        choice: Choice | None,
        note: str | None,
        what: str,
    ) -> _Action:
        there = self.decisions()
        known = decisions_of(there, comparison)
        on_case: dict[str, list[Decision]] = {}
        for decision in there:
            on_case.setdefault(decision.case_id, []).append(decision)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        before: list[Decision] = []
        after: list[Decision] = []
        for pair in pairs:
            if pair.pending or (pair.candidate is not None and not answers(pair.candidate)):
                raise UsageError(Problem(f"'{pair.case_id}' has no answer to decide on", "evaluate it first"))
            old = known.get((pair.case_id, pair.model))
            made = Decision(
                config=comparison.candidate.version.config,
                case_id=pair.case_id,
                model=pair.model,
                choice=choice or (old.choice if old else None),
                baseline=answers(pair.baseline),
                candidate=answers(pair.candidate),
                note=clean(note).strip() if note is not None else old.note if old else "",
                by=self._name(),
                at=at,
            )
            before += self._about(comparison, pair, on_case.get(pair.case_id, ()))
            after += [made] if made.choice or made.note else []
        return _Action(what, tuple((p.case_id, p.model) for p in pairs), tuple(before), tuple(after))

    def _about(
        self, comparison: Comparison, pair: Pair, decisions: Sequence[Decision]
    ) -> tuple[Decision, ...]:
        about = (comparison.candidate.version.config, pair.case_id, pair.model)
        return tuple(d for d in decisions if (d.config, d.case_id, d.model) == about and applies(d, pair))

    def _write(self, action: _Action) -> None:
        from llmops_tui.workspace import reviews

        reviews.change(self._engine.root, drop=action.before, put=action.after)
        self._done.append(action)

    def _edit_mark(self, case: Case, reason: str | None, what: str) -> None:
        from llmops_tui.workspace import expected

        edit = expected.set_known_failing(self._engine.root, case.file, case.id, reason)
        self._done.append(_Action(what, ((case.id, ""),), edit=edit))

    def _one_answer(self, pair: Pair) -> str:
        row = pair.candidate
        ids = [i.output_id for i in row.planned if i.output_id is not None] if row is not None else []
        if not ids:
            raise UsageError(Problem(f"'{pair.case_id}' has no answer to take over", "evaluate it first"))
        texts = set(self._engine.store.outputs.texts(ids).values())
        if len(texts) > 1:
            message = f"the trials of '{pair.case_id}' gave {len(texts)} different answers"
            raise UsageError(Problem(message, "write 'expected' by hand, or ask with temperature 0"))
        text = next(iter(texts), "").strip()
        if not text:
            raise UsageError(Problem(f"the answer to '{pair.case_id}' has no text to take over"))
        return clean(text)

    def _reference(self, case: Case, text: str) -> Any:
        """The answer as `expected`: as structure or number where the reference was one and it is one too."""
        if case.expected is None or isinstance(case.expected, str):
            return text
        try:
            value = json.loads(text)
        except ValueError:
            return text
        return value if type(value) is type(case.expected) else text

    def _name(self) -> str:
        if self._by is None:
            from llmops_tui.workspace import git

            self._by = clean_line(git.user_name(self._engine.root))
        return self._by


def _names(pairs: Sequence[Pair]) -> str:
    ids = list(dict.fromkeys(pair.case_id for pair in pairs))
    return f"'{ids[0]}'" if len(ids) == 1 else f"{len(ids)} cases"
