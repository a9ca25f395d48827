"""What reviewing asks the engine: decisions, the gate, promotion."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.errors import LlmopsError, Problem, UsageError
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.review import Choice, Decision, decisions_of
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import Notice, Undone
from llmops_tui.engine.session_queries import SessionQueries

if TYPE_CHECKING:
    import asyncio

    from llmops_tui.engine.reviewing import Reviewing

T = TypeVar("T")

#: Decisions that follow each other as fast as keys do are judged together.
JUDGE_AFTER_S = 0.05
#: Of so many pairs it takes a moment, in which no text is read: when the keys have come to rest.
MANY_PAIRS = 20_000
JUDGE_MANY_AFTER_S = 1.0


class SessionReview(SessionQueries):
    """Part of `session_api.SessionApi`."""

    def __init__(self, root: Path, config: str | None) -> None:
        super().__init__(root, config)
        self._reviewing: Reviewing | None = None
        self._reviewed_in: Engine | None = None
        self._judging_soon: asyncio.TimerHandle | None = None
        self._decisions: tuple[Decision, ...] | None = None

    @property
    @abstractmethod
    def _is_running(self) -> bool:
        """Rows come in: what is shown has to be read anew."""

    @property
    @abstractmethod
    def _is_working(self) -> bool:
        """A gate or the like is under way: what is shown stays as it is until it ends."""

    # -- the verdict on what is shown

    def _judged(self, comparison: Comparison) -> tuple[GateResult | None, tuple[Decision, ...]]:
        """The verdict on what is shown, and the decisions about it. A broken `reviews.yaml` is told."""
        from llmops_tui.engine.gating import Gate

        engine = self._engine
        assert engine is not None
        gate = Gate(engine)
        try:
            self._decisions = None
            self._decisions = decisions = gate.decisions()
        except LlmopsError as error:
            self._emit(Notice("error", str(error), key="reviews"))
            return None, ()
        self._emit(Notice("error", "", key="reviews"))
        result = gate.judged(comparison, decisions=decisions)
        return result, tuple(decisions_of(decisions, comparison).values())

    def _judge_soon(self) -> None:
        """Tell the screen how decisions changed the verdict."""
        if self._judging_soon is not None:
            self._judging_soon.cancel()
        if self._loop is not None:
            many = self._shown is not None and len(self._shown.comparison.pairs) > MANY_PAIRS
            after_s = JUDGE_MANY_AFTER_S if many else JUDGE_AFTER_S
            self._judging_soon = self._loop.call_later(after_s, self._judge_again)

    def _judge_again(self) -> None:
        self._judging_soon = None
        if self._is_closing:
            return
        if self._shown is None or (self._is_running and not self._is_working):
            self._compared()
            return
        gate, decisions = self._judged(self._shown.comparison)
        # The same pairs: nobody has to read their texts again.
        self._shown = msgspec.structs.replace(self._shown, gate=gate, decisions=decisions)
        self._emit(self._shown)

    def _decisions_changed(self) -> bool:
        """Whether `reviews.yaml` says something else than what was judged by last."""
        from llmops_tui.engine.gating import Gate

        assert self._engine is not None
        try:
            return Gate(self._engine).decisions() != self._decisions
        except LlmopsError:
            return True

    def verdict(self) -> Future[GateResult]:
        def work(engine: Engine) -> GateResult:
            from llmops_tui.engine.export import verdict_in_full

            if self._shown is None:
                raise UsageError(Problem("nothing is compared yet", "evaluate a version first"))
            return verdict_in_full(engine, self._shown.comparison)[0]

        return self._ask(work)

    def obstacles(self, version: str) -> Future[tuple[Problem, ...]]:
        def work(engine: Engine) -> tuple[Problem, ...]:
            from llmops_tui.engine.promotion import obstacles

            return obstacles(engine, engine.queries.resolve(self._config or "", version))

        return self._ask(work)

    # -- deciding

    def _review(self, function: Callable[[Reviewing], T]) -> Future[T]:
        """Do a step of reviewing, and let the screen see what came of it."""

        def work(engine: Engine) -> T:
            from llmops_tui.engine.reviewing import Reviewing

            if self._viewing:
                raise UsageError("this app only views the workspace; see the line on top")
            if self._reviewing is None or self._reviewed_in is not engine:
                self._reviewing, self._reviewed_in = Reviewing(engine), engine
            result = function(self._reviewing)
            self._judge_soon()
            return result

        return self._ask(work)

    def decide(
        self, comparison: Comparison, pairs: Sequence[Pair], choice: Choice | None, note: str | None = None
    ) -> Future[tuple[Decision, ...]]:
        seen = msgspec.structs.replace(comparison, pairs=tuple(pairs))
        return self._review(lambda reviewing: reviewing.decide(seen, pairs, choice, note))

    def forget(self, comparison: Comparison, pair: Pair) -> Future[None]:
        seen = msgspec.structs.replace(comparison, pairs=(pair,))
        return self._review(lambda reviewing: reviewing.clear(seen, pair))

    def take_expected(self, comparison: Comparison, pair: Pair) -> Future[str]:
        seen = msgspec.structs.replace(comparison, pairs=(pair,))
        return self._review(lambda reviewing: reviewing.take_expected(seen, pair))

    def mark_known_failing(self, case_id: str, reason: str | None) -> Future[str]:
        config = self._config or ""
        if reason is None:
            return self._review(lambda reviewing: reviewing.unmark_known_failing(config, case_id))
        return self._review(lambda reviewing: reviewing.mark_known_failing(config, case_id, reason))

    def undo(self) -> Future[Undone]:
        def take_back(reviewing: Reviewing) -> Undone:
            about = reviewing.next_undo
            return Undone(reviewing.undo(), about)

        return self._review(take_back)
