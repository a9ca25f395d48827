"""Our own: what `trace export` and the SDK write (`tracing.attributes`)."""

from __future__ import annotations

from typing import get_args

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Kind
from llmops_tui.tracing.incoming.reading import Reading, anything, count, mapping, number, texts, word

HEADS = frozenset(["llmops"])
SCOPES = ("llmops-tui",)
_KINDS = frozenset(get_args(Kind))
_NAMES = {
    a.FEATURE: (a.FEATURE, word),
    a.CONFIG: (a.CONFIG, word),
    a.VERSION: (a.VERSION, word),
    a.VERSION_HASH: (a.VERSION_HASH, word),
    a.PROMPT_HASH: (a.PROMPT_HASH, word),
    a.COST: (a.COST, number),
    a.ATTEMPTS: (a.ATTEMPTS, count),
    a.TAGS: (a.TAGS, texts),
    a.METADATA: (a.METADATA, mapping),
    a.RAW_RESPONSE: (a.RAW_RESPONSE, anything),
    a.RESPONSE_FORMAT: (a.RESPONSE_FORMAT, anything),
    a.GUARDRAIL_PIECES: (a.GUARDRAIL_PIECES, anything),
}
#: What the export adds for other tools: said by our own names already.
_FOR_TOOLS = (
    "langsmith.span.kind",
    "langfuse.version",
    "langfuse.observation.cost_details",
    "langfuse.observation.completion_start_time",
)


def read(reading: Reading) -> None:
    """Take what is ours alone."""
    left = reading.left
    reading.rename(_NAMES)
    if word(left.get(a.KIND)) in _KINDS:
        reading.be(reading.take(a.KIND))
    reading.drop(a.DIALECT)
    if not reading.raw.scope.startswith(SCOPES):
        return
    version = left.get("langfuse.version")
    if "langsmith.span.kind" in left and str(left.get(a.SESSION, "")).endswith(f" {version}"):
        # The export sorts traces by version so; nobody's session.
        reading.drop(a.SESSION)
    reading.drop(*_FOR_TOOLS)
    reading.below(a.PROMPT_VARIABLE)
    reading.below("evaluations.")
    reading.below("evaluation.")
