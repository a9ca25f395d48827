"""Reviewing without an engine: the decisions are in memory, the verdict is the real one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from made_up import SMOL

from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.gate.judge import judge
from llmops_tui.domain.gate.result import GateResult, LookResult
from llmops_tui.domain.gate.rows import CaseFacts, GateInput
from llmops_tui.domain.gate.settings import GateSettings
from llmops_tui.domain.gate.slices import slices
from llmops_tui.domain.review import Choice, Decision, answers, applies, decisions_of
from llmops_tui.engine.events import Undone

if TYPE_CHECKING:
    from fake_session import FakeSession

#: Pairs beyond which a made-up comparison is not judged: that takes seconds.
MOST = 1000


class FakeDesk:
    """What `reviews.yaml` would say; `is_noisy`: the model does not repeat itself."""

    def __init__(self, session: FakeSession) -> None:
        self._session = session
        self.decisions: list[Decision] = []
        self.settings = GateSettings()
        self.is_noisy = False
        self.is_broken = False
        self.look = 1
        self.looks: tuple[LookResult, ...] = ()
        self.obstacles: tuple[Problem, ...] = ()
        self._done: list[tuple[list[Decision], Undone]] = []

    def judged(self, comparison: Comparison) -> dict[str, Any]:
        if self.is_broken or len(comparison.pairs) > MOST:
            return {}
        given = self._given(comparison)
        return {"gate": judge(given, self.settings), "decisions": tuple(given.decisions.values())}

    def in_full(self) -> GateResult:
        given = self._given(self._session.comparison())
        result = judge(given, self.settings)
        return msgspec.structs.replace(result, slices=slices(given, self.settings), looks=self.looks)

    def _given(self, comparison: Comparison) -> GateInput:
        return GateInput(
            comparison,
            {c.id: CaseFacts(c.tags, c.group, c.known_failing) for c in self._session.cases},
            decisions_of(self.decisions, comparison),
            deterministic=frozenset() if self.is_noisy else frozenset({SMOL, "gateway/big"}),
            look=self.look,
        )

    # -- deciding

    def decide(self, pairs: Sequence[Pair], choice: Choice | None, note: str | None) -> tuple[Decision, ...]:
        before = list(self.decisions)
        made = []
        for pair in pairs:
            old = self._on(pair)
            decision = Decision(
                "helpdesk",
                pair.case_id,
                pair.model,
                choice or (old.choice if old else None),
                answers(pair.baseline),
                answers(pair.candidate),
                note if note is not None else old.note if old else "",
                "Ada",
                "2026-11-24T09:00:00Z",
            )
            self.decisions = [d for d in self.decisions if d is not old]
            made += [decision] if decision.choice or decision.note else []
        self.decisions += made
        about = tuple((p.case_id, p.model) for p in pairs)
        names = f"'{pairs[0].case_id}'" if len(pairs) == 1 else f"{len(pairs)} cases"
        self._done.append((before, Undone(f"Undone: {choice or 'the note on'} {names}.", about)))
        self._changed()
        return tuple(made)

    def forget(self, pair: Pair) -> None:
        before, old = list(self.decisions), self._on(pair)
        self.decisions = [d for d in self.decisions if d is not old]
        self._done.append((before, Undone("Undone: forgetting.", ((pair.case_id, pair.model),))))
        self._changed()

    def undo(self) -> Undone:
        if not self._done:
            raise UsageError("there is nothing to undo")
        self.decisions, undone = self._done.pop()
        self._changed()
        return undone

    def _on(self, pair: Pair) -> Decision | None:
        about = (pair.case_id, pair.model)
        return next((d for d in self.decisions if (d.case_id, d.model) == about and applies(d, pair)), None)

    def _changed(self) -> None:
        self._session.emit(self._session.compared())
