"""refusal: the model would not answer."""

from __future__ import annotations

from typing import Any

from llmops_tui.guardrails.registry import NOTHING, About, Check, Deadline, Found, guardrail
from llmops_tui.scorers.refusal import refusal_in


@guardrail("refusal")
def prepare(_options: dict[str, Any]) -> Check:
    """The same words as the scorer `refusal`."""

    def check(text: str, _about: About, _deadline: Deadline) -> Found:
        why = refusal_in(text, [])
        return Found(1.0, why) if why is not None else NOTHING

    return check
