"""What is read alike whoever wrote a span: who asked, what failed, what was refused, what else happened."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span
from llmops_tui.tracing.incoming.feedback import TOLD
from llmops_tui.tracing.incoming.messages import last_text
from llmops_tui.tracing.incoming.raw import CLIENT, ERROR
from llmops_tui.tracing.incoming.reading import Reading, count, word
from llmops_tui.tracing.incoming.safe import bounded, left_over
from llmops_tui.tracing.incoming.said import MESSAGE_EVENTS

#: Events that are kept with a span.
EVENTS_KEPT = 128
#: Characters of a sentence about an error.
SENTENCE = 2_000
#: Reasons to stop that mean that there was no answer, by any provider's word.
_REFUSALS = frozenset(
    [
        "content_filter",
        "content-filter",
        "contentfilter",
        "refusal",
        "safety",
        "prohibited_content",
        "blocklist",
        "spii",
        "guardrail_intervened",
        "content_filtered",
    ]
)
#: Told for every piece of a stream: of these only the first says something.
_FIRST_PIECE = frozenset(["gen_ai.content.completion.chunk", "First Token Stream Event"])
_PIECES = _FIRST_PIECE | {"ai.stream.firstChunk", "ai.stream.finish"}
_RESOURCE = {
    "service.name": a.SERVICE,
    "deployment.environment.name": a.ENVIRONMENT,
    "deployment.environment": a.ENVIRONMENT,
}
#: What SDKs call a service that nobody gave a name.
_UNNAMED = "unknown_service"
#: These mark spans that have nothing to do with a model too.
_ON_ANYTHING = frozenset(["", "logfire", "langfuse"])
_USERS = (a.USER, "enduser.id")


def finished(reading: Reading, dialect: str) -> Span:
    """The span, once every dialect has taken its share."""
    raw, found, left = reading.raw, reading.found, reading.left
    if dialect:
        found[a.DIALECT] = dialect
    kind = _kind(reading, dialect)
    _who(reading)
    _texts(reading, kind)
    if raw.events:
        _events(reading)
    failed, error = _error(reading)
    _refused(found)
    if left:
        if a.EVENTS in left and a.EVENTS in found:  # an attribute of this name is no list of events
            left[f"attribute.{a.EVENTS}"] = left.pop(a.EVENTS)
        left_over(left, found)
    return Span(
        raw.span_id,
        raw.parent_id,
        reading.name[:SENTENCE] or "unnamed",
        kind,
        reading.start,
        max(raw.end, reading.start),
        "error" if failed else "ok",
        error,
        found,
    )


def _kind(reading: Reading, dialect: str) -> str:
    kind = reading.kind
    if not kind:
        kind = "other" if dialect in _ON_ANYTHING else "step"
    return "request" if kind == "step" and not reading.raw.parent_id else kind


def _who(reading: Reading) -> None:
    """User, and what the resource says: of the whole program on roots, of every span what figures want."""
    left, found, resource = reading.left, reading.found, reading.raw.resource
    for name in _USERS:
        if name in left:
            reading.give(a.USER, word(left.pop(name)))
    if a.SESSION in left:
        reading.give(a.SESSION, word(left.pop(a.SESSION)))
    for name, value in resource.items():
        if name == a.SERVICE and str(value).startswith(_UNNAMED):
            continue
        if name in _RESOURCE:
            if _RESOURCE[name] not in left:
                reading.give(_RESOURCE[name], word(value))
        elif value is None or name in left or name in found:
            continue
        elif name.startswith("llmops.") or not reading.raw.parent_id:
            found[name] = bounded(value)


def _texts(reading: Reading, kind: str) -> None:
    """What went into and came out of a span that is no call, where only its messages say so."""
    found = reading.found
    if kind in ("model", "prompt"):
        return
    if a.INPUT_MESSAGES in found and a.INPUT not in found:
        reading.give(a.INPUT, last_text(found[a.INPUT_MESSAGES], "user"))
    if a.OUTPUT_MESSAGES in found and a.OUTPUT not in found:
        reading.give(a.OUTPUT, last_text(found[a.OUTPUT_MESSAGES], "assistant"))


def _events(reading: Reading) -> None:
    raw = reading.raw
    kept = [
        {"name": e.name, "time": e.at, "attributes": {k: bounded(v) for k, v in e.attributes.items()}}
        for e in raw.events
        if e.name not in MESSAGE_EVENTS and e.name not in _PIECES and e.name not in TOLD
    ]
    if kept:
        reading.found[a.EVENTS] = kept[:EVENTS_KEPT]
    first = min((e.at for e in raw.events if e.name in _FIRST_PIECE), default=0.0)
    if first >= raw.start > 0 and a.TIME_TO_FIRST_CHUNK not in reading.left:
        reading.give(a.TIME_TO_FIRST_CHUNK, round(first - raw.start, 6))


def _error(reading: Reading) -> tuple[bool, str]:
    """Whether it failed, and the sentence that says why."""
    raw, left, found = reading.raw, reading.left, reading.found
    told = next((event.attributes for event in reversed(raw.events) if event.name == "exception"), {})
    code = count(left.get("http.response.status_code", left.get("http.status_code")))
    failed = raw.status == ERROR or reading.error is not None
    if not failed and raw.status == 0:
        escaped = str(told.get("exception.escaped")).lower() == "true"
        failed = escaped or (code is not None and code >= (400 if raw.kind == CLIENT else 500))
    if not failed:
        return False, ""
    said, kind = told.get("exception.message"), told.get("exception.type")
    error = reading.error or raw.message or word(said) or word(kind) or (f"HTTP {code}" if code else "")
    if a.ERROR_TYPE not in left:
        reading.give(a.ERROR_TYPE, word(kind) or (str(code) if code and code >= 400 else None))
    if a.ERROR_TYPE not in found and a.ERROR_TYPE in left:
        found[a.ERROR_TYPE] = word(left.pop(a.ERROR_TYPE)) or "_OTHER"
    return True, (error or "it failed")[:SENTENCE]


def _refused(found: dict[str, Any]) -> None:
    """A refusal is a reason to stop, or a part of the answer."""
    if a.REFUSED in found:
        return
    reasons = found.get(a.FINISH_REASONS)
    if isinstance(reasons, list) and any(r.lower() in _REFUSALS for r in reasons if isinstance(r, str)):
        found[a.REFUSED] = True
        return
    for message in found.get(a.OUTPUT_MESSAGES) or ():
        refused = str(message.get("finish_reason", "")).lower() in _REFUSALS
        if refused or any(part.get("type") == "refusal" for part in message["parts"]):
            found[a.REFUSED] = True
