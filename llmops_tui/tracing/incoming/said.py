"""Messages that were told of as events, on spans or as log records.

Source: semantic-conventions 1.36 and before (`gen_ai.user.message` and so on, `gen_ai.choice`), 1.27 and
before (`gen_ai.content.prompt`, `gen_ai.content.completion`); since,
`gen_ai.client.inference.operation.details`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from llmops_tui.tracing.incoming.messages import message, messages
from llmops_tui.tracing.incoming.safe import decoded

DETAILS = "gen_ai.client.inference.operation.details"
_ASKED = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_PROMPT, _COMPLETION = "gen_ai.content.prompt", "gen_ai.content.completion"
MESSAGE_EVENTS = frozenset([*_ASKED, _CHOICE, _PROMPT, _COMPLETION, DETAILS])
#: Attributes of such an event that are no part of its message.
_ABOUT = frozenset(["gen_ai.system", "gen_ai.provider.name", "event.name", "gen_ai.message.index"])


class Said(msgspec.Struct):
    """What events told of.

    Attributes:
        details: attributes of a span that an event carried instead.
    """

    asked: list[dict[str, Any]] = []
    answered: list[dict[str, Any]] = []
    reasons: list[str] = []
    details: dict[str, Any] = {}


def said_in_events(events: Iterable[tuple[str, Mapping[str, Any], Any]]) -> Said:
    """Messages of events in their order.

    Args:
        events: name, attributes and body of each; those of other names are passed over.
    """
    said = Said()
    for name, attributes, body in events:
        if name in _ASKED:
            said.asked.append(message(_held(attributes, body), _ASKED[name]))
        elif name == _CHOICE:
            _choice(said, _held(attributes, body))
        elif name == _PROMPT:
            said.asked += messages(attributes.get("gen_ai.prompt"), "user") or []
        elif name == _COMPLETION:
            said.answered += messages(attributes.get("gen_ai.completion"), "assistant") or []
        elif name == DETAILS:
            more = {k: v for k, v in attributes.items() if k != "event.name"}
            said.details.update(body if isinstance(body, dict) else {})
            said.details.update(more)
    return said


def _held(attributes: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """A message: the body of the event, a JSON text in an attribute, or the attributes themselves."""
    for value in (body, attributes.get("gen_ai.event.content")):
        if isinstance(held := decoded(value), dict):
            return held
        if isinstance(held, str) and held:
            return {"content": held}
    return {name: value for name, value in attributes.items() if name not in _ABOUT}


def _choice(said: Said, held: dict[str, Any]) -> None:
    inner = decoded(held.get("message"))
    if isinstance(inner, str):
        inner = {"content": inner}
    made = message(inner if isinstance(inner, dict) else held, "assistant")
    reason = held.get("finish_reason")
    if isinstance(reason, str) and reason:
        made["finish_reason"] = reason
        said.reasons.append(reason)
    said.answered.append(made)
