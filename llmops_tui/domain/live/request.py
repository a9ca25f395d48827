"""What is known of one request to a live system: its trace, folded into one row.

Spans come in any order and in several portions; folding them in whatever portions gives the same row.
"""

from __future__ import annotations

import math
import struct
from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.amounts import number, seconds, share
from llmops_tui.domain.live.arrival import LiveScore, Signal
from llmops_tui.domain.live.calls import (
    MOST_BETWEEN,
    MOST_CALLS,
    Call,
    around,
    call_of,
    parent_of,
    trouble_of,
    within,
)
from llmops_tui.domain.live.guarded import Guarded, take_look
from llmops_tui.domain.live.said import last_said, plain
from llmops_tui.domain.trace import Span

#: Characters of what went in and came out that are kept with the row; the spans have all of it.
PREVIEW = 240
#: (dimension, value) → the value, or what stands for the rest where a dimension has too many.
Label = Callable[[str, str], str]
#: Signals of one request that are counted; the store has all of them.
MOST_SIGNALS = 100
_MOST_TAGS = 20


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


class Request(msgspec.Struct, omit_defaults=True):
    """One trace, as far as it has come in.

    Attributes:
        start, end: Unix seconds, of all its spans.
        has_root: its root has come in; before that it may still be under way.
        is_request: it has a span of a kind that concerns a model; other traces are kept and not counted.
        model: of the call that ended last, as it was asked for, or as the provider says it served it.
        failed: its root failed; a call that failed and was tried again with success is no failure. Where no
            root has come (its parent may be a service that sends elsewhere), the call that ended last failed.
        root_failed, call_failed: the two.
        error: kind of the error it failed with; empty where it did not fail. trouble: of a step's, whether
            or not the whole failed. root_trouble: of its root.
        steps: step → seconds spent in it.
        guardrails: name → (times it looked, times it fired). guarded: name → all that is known of it; empty
            of what was folded before that was kept.
        first_token_at: of the call that ended last, Unix seconds.
        input, output: beginnings of what went in and came out; untrusted.
        scores: scorer → (value, passed); the newest counts, of several of one moment always the same one.
        picked_by: scorers that judged it because something was wrong with it: what they say is no part of any
            rate. Scores that came from elsewhere are.
        signals: (kind, value, bad), sorted; at most `MOST_SIGNALS`.
        ranks: how sure a text or a name is: the root's word counts for more than a step's, then the time,
            then the span's id, so that the order they come in never matters.
        traits: what was found out about its texts afterwards: trait → values.
        called: span id → call, at most `MOST_CALLS`; one around another does not count (`calls.around`).
        between: spans that may stand between two calls: span id → parent's.
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
    root_failed: bool = False
    call_failed: bool = False
    error: str = ""
    trouble: str = ""
    root_trouble: str = ""
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
    picked_by: set[str] = set()
    signals: list[tuple[str, float, bool]] = []
    traits: dict[str, list[str]] = {}
    ranks: dict[str, tuple[int, float, int]] = {}
    called: dict[int, Call] = {}
    between: dict[int, int] = {}
    guarded: dict[str, Guarded] = {}

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
        return _all_passed(self.scores)

    @property
    def rated(self) -> dict[str, tuple[float | None, bool | None]]:
        """Those of its scores that rates are made of."""
        return {name: found for name, found in self.scores.items() if name not in self.picked_by}

    @property
    def rated_passed(self) -> bool | None:
        """`passed`, of those alone."""
        return _all_passed(self.rated)

    @property
    def series(self) -> Series:
        return Series(self.config, self.version, self.feature, self.model, self.provider)


def _all_passed(scores: Mapping[str, tuple[float | None, bool | None]]) -> bool | None:
    decided = [passed for _value, passed in scores.values() if passed is not None]
    return all(decided) if decided else None


def begin(trace_id: str) -> Request:
    return Request(trace_id, math.inf, -math.inf)


def fold(request: Request, spans: Iterable[Span], label: Label = lambda _dimension, value: value) -> Request:
    """Take spans of its trace in, each of them once; gives the same object."""
    for span in spans:
        _take(request, span, label)
    if len(request.called) > 1 or (request.called and request.guarded):
        _leave_out(request, label)
    request.failed = request.root_failed if request.has_root else request.call_failed
    request.error = request.trouble if request.failed else ""
    return request


def take_score(request: Request, score: LiveScore, label: Label) -> None:
    """Take a score in; an error of the scorer is no score."""
    if score.error:
        return
    name = label("scorer", score.scorer[:120])
    if score.source == "worth":
        request.picked_by.add(name)
    value = None if score.value is None else number(score.value)
    found = (None if value is None else min(max(value, 0.0), 1.0), score.passed)
    if _is_surer(request, f"score {name}", (0, -(number(score.at) or 0.0), _lowness(*found))):
        request.scores[name] = found


def _lowness(value: float | None, passed: bool | None) -> int:
    """Of scores of one moment the lowest counts: none before 0, not decided before not passed."""
    # The bits of floats that are not negative are in their order.
    bits = 0 if value is None else 1 + int.from_bytes(struct.pack(">d", abs(value)))
    return bits << 2 | (0 if passed is None else 1 + passed)


def take_signal(request: Request, signal: Signal, sign: int = 1) -> None:
    """Take a signal in, or with sign −1 out again."""
    said = (signal.kind, share(signal.value), signal.is_bad)
    if sign > 0:
        if len(request.signals) < MOST_SIGNALS:
            insort(request.signals, said)
    elif said in request.signals:
        request.signals.remove(said)


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
            _root_failed(r, span, label)
    r.is_request = r.is_request or span.kind != "other"
    for field, name in _NAMED:
        value = has.get(name)
        if value is not None and value != "":
            surer = 2 if field in _VERSION and _is_whole(has) else 0
            _settle(r, field, value if isinstance(value, str) else str(value), rank + surer, span)
    if service := has.get(a.SERVICE):  # which part of a product asked, where no span says so
        _settle(r, "feature", str(service), 0, span)
    if (tags := has.get(a.TAGS)) and isinstance(tags, list | tuple):
        r.tags = tuple(sorted({*r.tags, *(str(tag)[:80] for tag in tags[:_MOST_TAGS])})[:_MOST_TAGS])
    if has.get(a.REFUSED) is True:
        r.refused = True
    _texts(r, span, is_root)
    match span.kind:
        case "model" | "embedding":
            _call(r, span, label)
        case "guardrail":
            _guard(r, span, label)
        case "other" | "step" if len(r.between) < MOST_BETWEEN and (parent := parent_of(span)):
            r.between[_tie(span)] = parent
        case _:
            pass
    if not is_root and span.kind not in ("other", "scorer", "turn", "request"):
        step = label("step", str(has.get(a.STEP) or span.name or span.kind)[:60])
        r.steps[step] = r.steps.get(step, 0.0) + seconds(span.length_s)


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


#: Told together: a root may name the release of its program, and a call the version of its configuration.
_VERSION = frozenset(["config", "version", "version_hash"])


def _is_whole(has: Mapping[str, Any]) -> bool:
    """Whether a span names a version of a configuration, and not only some version of something."""
    return bool(has.get(a.VERSION_HASH) or (has.get(a.CONFIG) and has.get(a.VERSION)))


def _is_surer(r: Request, field: str, order: tuple[int, float, int]) -> bool:
    """Whether this one counts and not what is there: the lowest order does."""
    found = r.ranks.get(field)
    if found is not None and found <= order:
        return False
    r.ranks[field] = order
    return True


def _settle(r: Request, field: str, value: str, rank: int, span: Span, limit: int = 200) -> bool:
    """Take a value over where it is surer than what is there; of equals, the earliest span's."""
    if not _is_surer(r, field, (-rank, span.start, _tie(span))):
        return False
    setattr(r, field, value[:limit])
    return True


def _tie(span: Span) -> int:
    return int(span.id, 16)


def _call(r: Request, span: Span, label: Label) -> None:
    id_, call = _tie(span), call_of(span)
    _count(r, call, 1)
    if not call.is_embedding:
        _answer(r, id_, call, label)
    if len(r.called) < MOST_CALLS:
        r.called[id_] = call


def _count(r: Request, call: Call, sign: int) -> None:
    """Count a call, or with sign −1 no more."""
    is_priced = call.cost_usd is not None
    # An embedding whose cost is not known (a model of one's own) makes no request's cost unknown.
    r.calls += sign * (is_priced or not call.is_embedding)
    r.priced += sign * is_priced
    r.cost_usd += sign * (call.cost_usd or 0.0)
    r.input_tokens += sign * call.input_tokens
    r.output_tokens += sign * call.output_tokens


def _answer(r: Request, id_: int, call: Call, label: Label) -> None:
    # The call that ended last is the one that answered.
    if _is_surer(r, "model", (0, -call.end, id_)):
        r.model, r.provider = call.model, call.provider
        r.call_failed, r.first_token_at = bool(call.error), call.first_token_at
    # What went wrong is best told by the call that failed; that the whole failed, by its root.
    if call.error and _is_surer(r, "trouble", (-2, call.start, id_)):
        r.trouble = label("error", call.error)


def _leave_out(r: Request, label: Label) -> None:
    """Count those calls no more that turned out to be spans around calls; what a guardrail asked is no
    answer."""
    gone = {id_ for id_ in around(r.called, r.between) if r.called[id_].counts}
    for id_ in gone:
        r.called[id_].counts = False
        _count(r, r.called[id_], -1)
    for id_ in within(r.called, {id_ for guarded in r.guarded.values() for id_ in guarded.looks}):
        gone.add(id_)
        r.called[id_].answers = False
    told = [f for f in ("model", "trouble") if f in r.ranks and r.ranks[f][2] in gone]
    if "model" in told:
        r.model, r.provider, r.call_failed, r.first_token_at = "", "", False, None
        del r.ranks["model"]
    if "trouble" in told:
        r.trouble = label("error", r.root_trouble) if r.root_trouble else ""
        del r.ranks["trouble"]
        if r.root_trouble:
            r.ranks["trouble"] = r.ranks["root_trouble"]
    for id_, call in r.called.items() if told else ():
        if call.counts and call.answers and not call.is_embedding:
            _answer(r, id_, call, label)


def _root_failed(r: Request, span: Span, label: Label) -> None:
    r.root_failed = True
    order = (-1, span.start, _tie(span))
    if _is_surer(r, "root_trouble", order):
        r.root_trouble = trouble_of(span)
    if _is_surer(r, "trouble", order):
        r.trouble = label("error", r.root_trouble)


def _guard(r: Request, span: Span, label: Label) -> None:
    name = label("guardrail", str(span.attributes.get(a.GUARDRAIL) or span.name)[:60])
    looked, fired = r.guardrails.get(name, (0, 0))
    has_fired = span.attributes.get(a.TRIGGERED) is True
    r.guardrails[name] = (looked + 1, fired + has_fired)
    if name not in r.guarded:
        r.guarded[name] = Guarded()
    take_look(r.guarded[name], span)


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
    if given is not None and (text := plain(given)) and _settle(r, "input", text, rank, span, PREVIEW):
        r.input_words = len(text.split())
    # Of steps, the last one's is the answer.
    order = (-rank, -span.end, _tie(span))
    if made is not None and (text := plain(made)) and _is_surer(r, "output", order):
        r.output, r.output_words = text[:PREVIEW], len(text.split())
