"""What is counted of requests, in a form that can be added up and taken away again."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

import msgspec

from llmops_tui.domain.live.amounts import seconds as as_seconds
from llmops_tui.domain.live.amounts import share
from llmops_tui.domain.live.histogram import Histogram
from llmops_tui.domain.live.request import Request


class Sums(msgspec.Struct, array_like=True):
    """Of values: how many, their sum and sum of squares.

    Attributes:
        decided, passed: of scores: how many decide, and how many of these passed.
        bad: of signals: how many speak against the answer.
    """

    n: int = 0
    total: float = 0.0
    squares: float = 0.0
    decided: int = 0
    passed: int = 0
    bad: int = 0

    def merge(self, other: Sums, sign: int = 1) -> None:
        self.n += sign * other.n
        self.total += sign * other.total
        self.squares += sign * other.squares
        self.decided += sign * other.decided
        self.passed += sign * other.passed
        self.bad += sign * other.bad

    @property
    def is_empty(self) -> bool:
        return not (self.n or self.decided or self.passed or self.bad or self.total or self.squares)


class Tally(msgspec.Struct, array_like=True):
    """Sums over requests that began within a time, of one series.

    Attributes:
        traces, spans: all; the rest counts requests alone.
        errors: kind → requests that failed so.
        refused: the model would not answer. flagged: a guardrail fired.
        judged, passed: requests of the sample that a scorer decided on, and those that passed all of theirs.
        calls, priced: calls of models, and those whose cost is known; embeddings only where it is.
        latency, ttft: seconds. cost: USD a request, where every call's is known.
        steps: step → seconds in it.
        guardrails: name → (looks, looks that fired).
        scores: scorer → its values. signals: kind → their values.
        complained: requests with a bad signal; signalled: with any.
        traits: trait → value → requests.
        guarded: guardrail → requests (it looked, fired, failed itself, passed: neither fired nor failed).
        unguarded: requests in which a guardrail failed itself.
    """

    traces: int = 0
    spans: int = 0
    requests: int = 0
    failed: int = 0
    refused: int = 0
    flagged: int = 0
    judged: int = 0
    passed: int = 0
    signalled: int = 0
    complained: int = 0
    calls: int = 0
    priced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    errors: dict[str, int] = {}
    latency: Histogram = msgspec.field(default_factory=Histogram)
    ttft: Histogram = msgspec.field(default_factory=Histogram)
    cost: Histogram = msgspec.field(default_factory=Histogram)
    input_words: Histogram = msgspec.field(default_factory=Histogram)
    output_words: Histogram = msgspec.field(default_factory=Histogram)
    steps: dict[str, Histogram] = {}
    guardrails: dict[str, tuple[int, int]] = {}
    scores: dict[str, Sums] = {}
    signals: dict[str, Sums] = {}
    traits: dict[str, dict[str, int]] = {}
    guarded: dict[str, tuple[int, int, int, int]] = {}
    unguarded: int = 0

    def merge(self, other: Tally, sign: int = 1) -> None:
        """Add another to this one, or with sign −1 take it away again.

        What was added and taken away leaves nothing, in whatever order; a difference may be negative.
        """
        self._merge_counts(other, sign)
        self.latency.merge(other.latency, sign)
        self.ttft.merge(other.ttft, sign)
        self.cost.merge(other.cost, sign)
        self.input_words.merge(other.input_words, sign)
        self.output_words.merge(other.output_words, sign)
        if other.errors:
            _counts(self.errors, other.errors, sign)
        for step, histogram in other.steps.items():
            mine = self.steps.get(step)
            if mine is None:
                mine = self.steps[step] = Histogram()
            mine.merge(histogram, sign)
            if mine.is_empty:
                del self.steps[step]
        for name, (looked, fired) in other.guardrails.items():
            was = self.guardrails.get(name, (0, 0))
            now = (was[0] + sign * looked, was[1] + sign * fired)
            if now == (0, 0):
                self.guardrails.pop(name, None)
            else:
                self.guardrails[name] = now
        for name, outcome in other.guarded.items():
            _outcomes(self.guarded, name, outcome, sign)
        for scorer, sums in other.scores.items():
            _sums(self.scores, scorer, sums, sign)
        for kind, sums in other.signals.items():
            _sums(self.signals, kind, sums, sign)
        for trait, values in other.traits.items():
            _counts(_part(self.traits, trait, dict), values, sign)
            if not self.traits[trait]:
                del self.traits[trait]

    def _merge_counts(self, other: Tally, sign: int) -> None:
        # Written out: this is what taking traffic in spends its time on.
        self.traces += sign * other.traces
        self.spans += sign * other.spans
        self.requests += sign * other.requests
        self.failed += sign * other.failed
        self.refused += sign * other.refused
        self.flagged += sign * other.flagged
        self.judged += sign * other.judged
        self.passed += sign * other.passed
        self.signalled += sign * other.signalled
        self.complained += sign * other.complained
        self.calls += sign * other.calls
        self.priced += sign * other.priced
        self.input_tokens += sign * other.input_tokens
        self.output_tokens += sign * other.output_tokens
        self.cost_usd += sign * other.cost_usd
        self.unguarded += sign * other.unguarded

    @property
    def is_empty(self) -> bool:
        return not (self.traces or self.signals)


def _part(mapping: dict[str, Any], name: str, make: Any) -> Any:
    found = mapping.get(name)
    if found is None:
        found = mapping[name] = make()
    return found


def _sums(mine: dict[str, Sums], name: str, sums: Sums, sign: int) -> None:
    found: Sums = _part(mine, name, Sums)
    found.merge(sums, sign)
    if found.is_empty:
        del mine[name]


_NOTHING = (0, 0, 0, 0)


def _outcomes(
    mine: dict[str, tuple[int, int, int, int]], name: str, outcome: tuple[int, int, int, int], sign: int = 1
) -> None:
    looked, fired, failed, passed = mine.get(name, _NOTHING)
    more = outcome
    now = (looked + sign * more[0], fired + sign * more[1], failed + sign * more[2], passed + sign * more[3])
    if now == _NOTHING:
        mine.pop(name, None)
    else:
        mine[name] = now


def _counts(mine: dict[str, int], theirs: dict[str, int], sign: int) -> None:
    for name, count in theirs.items():
        now = mine.get(name, 0) + sign * count
        if now:
            mine[name] = now
        else:
            mine.pop(name, None)


def tally_of(request: Request) -> Tally:
    """What one request adds to the sums."""
    tally = Tally()
    count_in(tally, request)
    return tally


def count_in(tally: Tally, request: Request) -> None:
    """Add what one request adds to the sums."""
    tally.traces += 1
    tally.spans += request.spans
    if not request.is_request:
        return
    tally.requests += 1
    tally.failed += request.failed
    tally.refused += request.refused
    tally.flagged += request.flagged
    tally.calls += request.calls
    tally.priced += request.priced
    tally.input_tokens += request.input_tokens
    tally.output_tokens += request.output_tokens
    tally.cost_usd += request.cost_usd
    if request.failed:
        kind = request.error or "error"
        tally.errors[kind] = tally.errors.get(kind, 0) + 1
    if request.has_root:
        tally.latency.add(as_seconds(request.latency_s))
    if request.ttft_s is not None:
        tally.ttft.add(as_seconds(request.ttft_s))
    if request.priced and request.priced >= request.calls:
        tally.cost.add(request.cost_usd)
    if request.input_words:
        tally.input_words.add(request.input_words)
    if request.output_words:
        tally.output_words.add(request.output_words)
    for step, seconds in request.steps.items():
        _part(tally.steps, step, Histogram).add(seconds)
    for name, (looked, fired) in request.guardrails.items():
        was = tally.guardrails.get(name, (0, 0))
        tally.guardrails[name] = (was[0] + looked, was[1] + fired)
    if request.guarded:
        for name, guarded in request.guarded.items():
            _outcomes(tally.guarded, name, guarded.outcome)
        tally.unguarded += any(guarded.failed for guarded in request.guarded.values())
    passed = request.rated_passed
    if passed is not None:
        tally.judged += 1
        tally.passed += passed
    for scorer, (value, did_pass) in request.rated.items():
        sums = _part(tally.scores, scorer, Sums)
        if value is not None:
            exact = share(value)
            sums.merge(Sums(1, exact, exact * exact))
        if did_pass is not None:
            sums.merge(Sums(decided=1, passed=int(did_pass)))
    if request.signals:
        tally.signalled += 1
        tally.complained += request.is_bad
    for kind, value, bad in request.signals:
        _part(tally.signals, kind, Sums).merge(Sums(1, value, value * value, bad=int(bad)))
    for trait, values in request.traits.items():
        counts = _part(tally.traits, trait, dict)
        for each in dict.fromkeys(values):
            counts[each] = counts.get(each, 0) + 1


def lean(tally: Tally, groups: Collection[str]) -> Tally:
    """The same sums without what only figures of other groups are made of: to be added up quickly.

    Args:
        groups: of metrics (`live.metrics`).
    """
    made = copy.copy(tally)
    for group, names in _ONLY_OF.items():
        if group not in groups:
            for name in names:
                setattr(made, name, Histogram() if name in _HISTOGRAMS else {})
    made.input_words, made.output_words, made.traits = Histogram(), Histogram(), {}
    return made


#: Group of metrics → what nothing else needs.
_ONLY_OF = {
    "quality": ("scores",),
    "cost": ("cost",),
    "latency": ("latency", "ttft", "steps"),
    "safety": ("guardrails", "guarded"),
    "signals": ("signals",),
    "errors": ("errors",),
}
_HISTOGRAMS = frozenset(["latency", "ttft", "cost"])


def parts_of(request: Request) -> list[str]:
    """What of a series a request is part of, as a filter asks for it; these have sums of their own."""
    if not request.is_request:
        return []
    score = request.score
    is_bad = request.is_bad
    is_worth = request.failed or request.refused or request.flagged or is_bad
    said = (
        *(("failed", request.failed), ("refused", request.refused), ("flagged", request.flagged)),
        *(("bad", is_bad), ("worth", is_worth)),
        *(("scored", score is not None), ("low", score is not None and score < 0.5)),
    )
    parts = [name for name, is_so in said if is_so]
    return [*parts, error_part(request.error)] if request.error else parts


def error_part(kind: str) -> str:
    """The part of a series that failed in one way."""
    return f"error {kind}"


def sum_of(tallies: Any) -> Tally:
    """All of them together."""
    whole = Tally()
    for tally in tallies:
        whole.merge(tally)
    return whole
