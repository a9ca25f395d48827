"""What reviewing asks the engine: decisions, the gate, promotion."""

from __future__ import annotations

from llmops_tui.engine.session_queries import SessionQueries


class SessionReview(SessionQueries):
    """Part of `session_api.SessionApi`."""
