"""What the app asks of versions that are not on disk: attribution, variants, bisecting."""

from __future__ import annotations

from llmops_tui.engine.session_queries import SessionQueries


class SessionWhatIf(SessionQueries):
    """Part of `session_api.SessionApi`."""
