"""The guardrails of a configuration, in a team's own program: what was evaluated is what runs.

    from llmops_tui import guard

    guards = guard.load("helpdesk")
    question = guards.input(question)
    if not question:
        return question.text

A guardrail that fails does what its configuration says, open or closed: nothing of it is raised. Each look is
a span of the request that `llmops_tui.log` has at work. docs/guard.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmops_tui.guard.checked import Checked, CheckedDocuments

if TYPE_CHECKING:
    from pathlib import Path

    from llmops_tui.guard.asking import Ask
    from llmops_tui.guard.guarding import Guarding

__all__ = ["Checked", "CheckedDocuments", "load"]


def load(config: str = "", *, folder: str | Path | None = None, ask: Ask | None = None) -> Guarding:
    """The guardrails of a configuration as its files say now. Load once, at the start of a program.

    Args:
        config: its name; may be left out where there is only one, or the settings name a `default`.
        folder: at or below the workspace; by default the current one.
        ask: (messages, name of the model, parameters) → the answer's text, or an awaitable of it; for
            guardrails that ask a model. Without it the OpenAI-compatible endpoint of the workspace is asked.

    Raises:
        LlmopsError: there is no such workspace or configuration, its files have mistakes, or a model that is
            asked can't be asked from here; sentences with the remedy.
    """
    from llmops_tui.guard.loading import load

    return load(config, folder, ask)
