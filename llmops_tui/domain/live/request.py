"""What is known of one request to a live system: its trace, folded into one row.

Spans come in any order and in several portions; folding them in whatever portions gives the same row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import LiveScore, Signal
from llmops_tui.domain.trace import Span

#: Characters of what went in and came out that are kept with the row; the spans have all of it.
PREVIEW = 240
#: (dimension, value) → the value, or what stands for the rest where a dimension has too many.
Label = Callable[[str, str], str]
_SEP = " · "


class Series(msgspec.Struct, frozen=True, array_like=True):
    """What figures are split by. Empty where a trace doesn't say.

    Attributes:
        version: as people call it (`v12`), or its hash.
    """

    config: str = ""
    version: str = ""
    feature: str = ""
    model: str = ""
    provider: str = ""


class Request(msgspec.Struct):
    """One trace, as far as it has come in.

    Attributes:
        start, end: Unix seconds, of all its spans.
        has_root: its root has come in; before that it may still be under way.
        is_request: it has a span of a kind that concerns a model; other traces are kept and not counted.
        model: of the call that ended last, as the provider served it or was asked for it.
        error: kind of the error it failed with; empty where it did not fail.
        steps: step → seconds spent in it.
        guardrails: name → (times it looked, times it fired).
        first_token_at: of the call that ended last, Unix seconds.
        input, output: beginnings of what went in and came out; untrusted.
        scores: scorer → (value, passed); the newest counts.
        picked: it was judged because something was wrong with it, so its scores are no part of any rate.
        signals: (kind, value, bad), in the order they came.
        ranks: how sure a text or a name is: the root's word counts for more than a step's.
        traits: what was found out about its texts afterwards: trait → values.
    """

    trace_id: str
    start: float
    end: float
    has_root: bool = False
    is_request: bool = False
    name: str = ""
    config: str = ""
    version: str = ""
    version_hash: str = ""
    prompt_hash: str = ""
    feature: str = ""
    user: str = ""
    session: str = ""
    environment: str = ""
    model: str = ""
    provider: str = ""
    spans: int = 0
    calls: int = 0
    priced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    failed: bool = False
    error: str = ""
    refused: bool = False
    steps: dict[str, float] = {}
    guardrails: dict[str, tuple[int, int]] = {}
    first_token_at: float | None = None
    input: str = ""
    output: str = ""
    input_words: int = 0
    output_words: int = 0
    tags: tuple[str, ...] = ()
    scores: dict[str, tuple[float | None, bool | None]] = {}
    picked: bool = False
    signals: list[tuple[str, float, bool]] = []
    traits: dict[str, list[str]] = {}
    ranks: dict[str, tuple[int, float]] = {}

    @property
    def latency_s(self) -> float:
        return max(self.end - self.start, 0.0)

    @property
    def ttft_s(self) -> float | None:
        """From the start of the request to the first token of its answer."""
        return None if self.first_token_at is None else max(self.first_token_at - self.start, 0.0)

    @property
    def flagged(self) -> bool:
        """A guardrail fired."""
        return any(fired for _looked, fired in self.guardrails.values())

    @property
    def is_bad(self) -> bool:
        """Its user was not happy with it."""
        return any(bad for _kind, _value, bad in self.signals)

    @property
    def score(self) -> float | None:
        """Mean of its scores that have a value."""
        values = [value for value, _passed in self.scores.values() if value is not None]
        return sum(values) / len(values) if values else None

    @property
    def passed(self) -> bool | None:
        """Every scorer that decides passed; None where none did."""
        decided = [passed for _value, passed in self.scores.values() if passed is not None]
        return all(decided) if decided else None

    @property
    def series(self) -> Series:
        return Series(self.config, self.version, self.feature, self.model, self.provider)


def begin(trace_id: str) -> Request:
    return Request(trace_id, math.inf, -math.inf)


def fold(request: Request, spans: Iterable[Span], label: Label = lambda _dimension, value: value) -> Request:
    """Take spans of its trace in, each of them once; gives the same object."""
    for span in spans:
        _take(request, span, label)
    return request


def take_score(request: Request, score: LiveScore, label: Label) -> None:
    """Take a score in; an error of the scorer is no score."""
    if not score.error:
        request.picked = request.picked or score.source == "worth"
        request.scores = {**request.scores, label("scorer", score.scorer): (score.value, score.passed)}


def take_signal(request: Request, signal: Signal) -> None:
    request.signals = [*request.signals, (signal.kind, signal.value, signal.is_bad)]


# -- one span


def _take(r: Request, span: Span, label: Label) -> None:
    has = span.attributes
    r.spans += 1
    r.start = min(r.start, span.start)
    r.end = max(r.end, span.end)
    is_root = not span.parent_id
    rank = 2 if is_root else 1
    if is_root:
        r.has_root = True
        _settle(r, "name", span.name, 2, span)
        if span.status == "error":
            _fail(r, span, label, 3)
    r.is_request = r.is_request or span.kind != "other"
    for field, name in _NAMED:
        value = has.get(name)
        if value is not None and value != "":
            _settle(r, field, value if isinstance(value, str) else str(value), rank, span)
    if (tags := has.get(a.TAGS)) and isinstance(tags, list | tuple):
        r.tags = tuple(sorted({*r.tags, *(str(tag)[:80] for tag in tags[:20])}))[:20]
    if has.get(a.REFUSED) is True:
        r.refused = True
    _texts(r, span, is_root)
    match span.kind:
        case "model":
            _call(r, span, label)
        case "embedding":
            _spend(r, has)
        case "guardrail":
            _guard(r, span, label)
        case _:
            pass
    if not is_root and span.kind not in ("other", "scorer", "turn", "request"):
        step = label("step", str(has.get(a.STEP) or span.name or span.kind)[:60])
        r.steps = {**r.steps, step: r.steps.get(step, 0.0) + span.length_s}


_NAMED = (
    ("config", a.CONFIG),
    ("version", a.VERSION),
    ("version_hash", a.VERSION_HASH),
    ("prompt_hash", a.PROMPT_HASH),
    ("feature", a.FEATURE),
    ("user", a.USER),
    ("session", a.SESSION),
    ("session", a.CONVERSATION),
    ("environment", a.ENVIRONMENT),
)


def _settle(r: Request, field: str, value: str, rank: int, span: Span, limit: int = 200) -> bool:
    """Take a value over where it is surer than what is there; of equals, the earliest span's."""
    order = (-rank, span.start)
    found = r.ranks.get(field)
    if found is not None and (found[0], found[1]) <= order:
        return False
    r.ranks = {**r.ranks, field: order}
    setattr(r, field, value[:limit])
    return True


def _call(r: Request, span: Span, label: Label) -> None:
    has = span.attributes
    r.calls += 1
    _spend(r, has)
    provider = str(has.get(a.PROVIDER) or "")
    # The call that ended last is the one that answered.
    order = (0, -span.end)
    found = r.ranks.get("model")
    if found is None or order < (found[0], found[1]):
        r.ranks = {**r.ranks, "model": order}
        r.model = str(has.get(a.MODEL) or has.get(a.RESPONSE_MODEL) or "")[:120]
        r.provider = provider[:60]
        first = has.get(a.TIME_TO_FIRST_CHUNK)
        known = isinstance(first, int | float) and not isinstance(first, bool) and math.isfinite(first)
        r.first_token_at = span.start + float(first) if known and first is not None else None
    if span.status == "error":
        _fail(r, span, label, 2)


def _spend(r: Request, has: Mapping[str, Any]) -> None:
    r.input_tokens += whole(has.get(a.INPUT_TOKENS))
    r.output_tokens += whole(has.get(a.OUTPUT_TOKENS))
    cost = has.get(a.COST)
    if isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < math.inf:
        r.priced += 1
        r.cost_usd += float(cost)


def whole(value: Any) -> int:
    """A count that somebody's program told of; 0 where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        return 0
    return int(value)


def _fail(r: Request, span: Span, label: Label, rank: int) -> None:
    """What a request failed with is best told by the call that failed; that it failed, by its root."""
    if rank == 3:
        r.failed = True
        if "error" in r.ranks:
            return
    kind = str(span.attributes.get(a.ERROR_TYPE) or "error")[:80]
    provider = str(span.attributes.get(a.PROVIDER) or "")[:40]
    named = label("error", f"{provider}{_SEP}{kind}" if provider else kind)
    _settle(r, "error", named, 1 if rank == 3 else 2, span)


def _guard(r: Request, span: Span, label: Label) -> None:
    name = label("guardrail", str(span.attributes.get(a.GUARDRAIL) or span.name)[:60])
    looked, fired = r.guardrails.get(name, (0, 0))
    has_fired = span.attributes.get(a.TRIGGERED) is True
    r.guardrails = {**r.guardrails, name: (looked + 1, fired + has_fired)}


def _texts(r: Request, span: Span, is_root: bool) -> None:
    """What the user put in, and what came out."""
    has = span.attributes
    given, made = has.get(a.INPUT), has.get(a.OUTPUT)
    if span.kind == "model":
        given = last_said(has.get(a.INPUT_MESSAGES), "user") or given
        made = last_said(has.get(a.OUTPUT_MESSAGES), "") or made
    elif not is_root:
        return
    rank = 2 if is_root else 1
    if given is not None and (text := _plain(given)) and _settle(r, "input", text, rank, span, PREVIEW):
        r.input_words = len(text.split())
    if made is not None and (text := _plain(made)):
        # Of steps, the last one's is the answer.
        order = (-rank, -span.end)
        found = r.ranks.get("output")
        if found is None or order < (found[0], found[1]):
            r.ranks = {**r.ranks, "output": order}
            r.output, r.output_words = text[:PREVIEW], len(text.split())


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and len(value) == 1:
        (only,) = value.values()
        if isinstance(only, str):
            return only
    return msgspec.json.encode(value).decode() if value not in (None, "", [], {}) else ""


def last_said(messages: Any, role: str) -> str:
    """Text of the last message of a role (any role where it is empty) that has some."""
    for message in reversed(messages) if isinstance(messages, list | tuple) else ():
        if not isinstance(message, dict) or (role and message.get("role") != role):
            continue
        parts = message.get("parts")
        said = [
            part["content"]
            for part in (parts if isinstance(parts, list | tuple) else ())
            if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("content"), str)
        ]
        if said:
            return "\n".join(said)
    return ""
