"""What the Matrix, the plots of the History and the Playground ask the engine."""

from __future__ import annotations

from llmops_tui.engine.session_queries import SessionQueries


class SessionMatrix(SessionQueries):
    """Part of `session_api.SessionApi`."""
