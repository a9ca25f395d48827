"""What is wrong with something that came in."""

from __future__ import annotations

from llmops_tui.domain.errors import LlmopsError


class IncomingError(LlmopsError):
    """The whole of a request can't be read; the sentence says why."""


class BadSpan(ValueError):
    """One span of a request can't be taken; the sentence says why."""
