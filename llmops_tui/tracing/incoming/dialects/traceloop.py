"""OpenLLMetry's decorators: `traceloop.*`, around what its instrumentations write by the conventions.

Source: traceloop/openllmetry, `semconv_ai` as of June 2026.
"""

from __future__ import annotations

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.incoming.reading import Reading, called_with, mapping, quoted, word

HEADS = frozenset(["traceloop"])
KINDS = {"workflow": "step", "task": "step", "agent": "step", "tool": "tool"}
_NAMES = {
    "traceloop.workflow.name": (a.WORKFLOW_NAME, word),
    "traceloop.prompt.template": (a.TEMPLATE, word),
    "traceloop.prompt.template_variables": (a.VARIABLES, mapping),
    "traceloop.prompt.key": ("gen_ai.prompt.name", word),
}
#: Properties that its users write by these names.
_PROPERTIES = {
    "user_id": a.USER,
    "userId": a.USER,
    "session_id": a.SESSION,
    "sessionId": a.SESSION,
    "chat_id": a.CONVERSATION,
    "conversation_id": a.CONVERSATION,
}


def read(reading: Reading) -> None:
    """Take what the decorators write."""
    reading.rename(_NAMES)
    reading.give(a.FEATURE, reading.found.get(a.WORKFLOW_NAME))
    kind = word(reading.take("traceloop.span.kind"))
    reading.be(KINDS.get(kind, "step") if kind else "")
    given = called_with(quoted(reading.take("traceloop.entity.input")))
    made = quoted(reading.take("traceloop.entity.output"))
    if reading.kind == "tool":
        reading.give(a.TOOL_NAME, word(reading.take("traceloop.entity.name")))
        reading.give(a.TOOL_ARGUMENTS, given)
        reading.give(a.TOOL_RESULT, made)
    else:
        reading.give(a.INPUT, given)
        reading.give(a.OUTPUT, made)
    about = reading.below("traceloop.association.properties.")
    for theirs, ours in _PROPERTIES.items():
        if theirs in about:
            reading.give(ours, word(about.pop(theirs)))
    reading.tell(a.METADATA, about)
