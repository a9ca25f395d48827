"""What reviewing asks the engine: decisions, the gate, promotion."""

from __future__ import annotations

from llmops_tui.domain.comparison import Comparison
from llmops_tui.domain.errors import LlmopsError
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.review import Decision, decisions_of
from llmops_tui.engine.events import Notice
from llmops_tui.engine.session_queries import SessionQueries


class SessionReview(SessionQueries):
    """Part of `session_api.SessionApi`."""

    def _judged(self, comparison: Comparison) -> tuple[GateResult | None, tuple[Decision, ...]]:
        """The verdict on what is shown, and the decisions about it. A broken `reviews.yaml` is told."""
        from llmops_tui.engine.gating import Gate

        engine = self._engine
        assert engine is not None
        gate = Gate(engine)
        try:
            decisions = gate.decisions()
        except LlmopsError as error:
            self._emit(Notice("error", str(error), key="reviews"))
            return None, ()
        self._emit(Notice("error", "", key="reviews"))
        result = gate.judged(comparison, decisions=decisions)
        return result, tuple(decisions_of(decisions, comparison).values())
