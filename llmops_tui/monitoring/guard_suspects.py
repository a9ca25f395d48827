"""Passes that look like misses, and what speaks for it: a hint for people, and part of no rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import msgspec

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.guarded import Guarded
from llmops_tui.domain.live.guards import GuardItem, row_of
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.request import Request
from llmops_tui.monitoring.queue import SIGNALS
from llmops_tui.store.live import LiveStore

#: Guardrail → phrases of the attacks that it is there for.
Phrases = Mapping[str, Sequence[str]]
NO_PHRASES: Phrases = MappingProxyType({})

#: Requests that are looked through: those that went wrong or were scored low first, then the newest.
MOST = 3_000
#: Inputs that are held against phrases, the newest, and phrases of a guardrail.
MOST_INPUTS, MOST_PHRASES = 1_000, 200
#: Characters of inputs times phrases that are compared, the newest first: two or three seconds.
MOST_COMPARED = 8_000_000
#: Likeness to a phrase from which on it is a reason; a phrase that is shorter is like too much.
LIKE, SHORTEST = 85.0, 12
#: Share of the threshold from which on a score is close below it.
CLOSE = 0.8

#: A weight and a sentence.
_Reason = tuple[float, str]


def suspects(
    store: LiveStore, wanted: LiveFilter, phrases: Phrases = NO_PHRASES, guardrail: str = ""
) -> dict[str, list[GuardItem]]:
    """Guardrail → passes without a review that something speaks against, the likeliest misses first.

    Those that were drawn for the random sample are left out: they wait there.

    Args:
        guardrail: only this one's; empty: of all.
    """
    requests = _candidates(store, wanted)
    drawn = store.guards.drawn(requests)
    known = {(review.trace_id, review.guardrail) for review in store.guards.reviews(wanted, guardrail)}
    weighed: dict[str, list[tuple[float, GuardItem]]] = {}
    likeness = _Likeness(phrases)
    for n, request in enumerate(requests.values()):
        if request.trace_id in drawn or not request.guarded:
            continue
        general = _general(request)
        for name, guarded in request.guarded.items():
            if guardrail not in ("", name) or guarded.fired or guarded.failed:
                continue
            if (request.trace_id, name) in known:
                continue
            reasons = [*general, *_close_below(guarded)]
            if n < MOST_INPUTS:
                reasons += likeness.reasons(name, request.input)
            row = row_of(request, name) if reasons else None
            if row is not None:
                reasons += _others(request, name)
                reasons.sort(key=lambda reason: -reason[0])
                why = tuple(sentence for _weight, sentence in reasons)
                weighed.setdefault(name, []).append((sum(w for w, _ in reasons), GuardItem(row, why)))
    for found in weighed.values():
        found.sort(key=lambda each: (-each[0], -each[1].row.at, each[1].row.trace_id))
    return {name: [item for _worth, item in found] for name, found in weighed.items()}


def _candidates(store: LiveStore, wanted: LiveFilter) -> dict[str, Request]:
    """By trace id, the newest first."""
    replace = msgspec.structs.replace
    found: dict[str, Request] = {}
    for part, order, limit in (
        (wanted, "newest", MOST),
        (replace(wanted, only="worth"), "newest", MOST),
        (replace(wanted, only="low"), "lowest", MOST // 3),
    ):
        found |= {
            each.request.trace_id: each.request
            for each in store.requests.listed(part, order=order, limit=limit)
        }
    return dict(sorted(found.items(), key=lambda each: -each[1].start))


def _general(request: Request) -> list[_Reason]:
    """What speaks against whatever let the request pass."""
    reasons: list[_Reason] = []
    for kind in dict.fromkeys(kind for kind, _value, is_bad in request.signals if is_bad):
        reasons.append((2.0, SIGNALS.get(kind, f"a bad signal: {kind}")))
    # A guardrail that stopped the request refused it, not the model.
    if request.refused and not any(each.fired or each.closed for each in request.guarded.values()):
        reasons.append((2.0, "the model refused"))
    failed = [name for name, (_value, passed) in request.scores.items() if passed is False]
    if failed:
        reasons.append((1.0, f"{', '.join(sorted(failed))} failed"))
    elif request.score is not None and request.score < 0.5:
        reasons.append((1.0, f"its score is {fmt.score(request.score)}"))
    return reasons


def _others(request: Request, name: str) -> list[_Reason]:
    """Adds weight, and is no reason by itself: most guardrails look for something else."""
    others = sorted(other for other, each in request.guarded.items() if other != name and each.fired)
    return [(3.0, f"{', '.join(others)} fired on the same request")] if others else []


def _close_below(guarded: Guarded) -> list[_Reason]:
    score, threshold = guarded.score, guarded.threshold
    if score is None or not threshold or not CLOSE * threshold <= score < threshold:
        return []
    said = f"its score {fmt.score(score)} is close below the threshold {fmt.score(threshold)}"
    return [(2.0 + score / threshold, said)]


class _Likeness:
    """How much a text is like phrases of attacks: the best match of a phrase within it."""

    def __init__(self, phrases: Phrases) -> None:
        self._phrases = {
            name: tuple([text for each in found if len(text := _plain(each)) >= SHORTEST][:MOST_PHRASES])
            for name, found in phrases.items()
        }
        self._left = dict.fromkeys(self._phrases, MOST_COMPARED)

    def reasons(self, guardrail: str, text: str) -> list[_Reason]:
        phrases = self._phrases.get(guardrail)
        if not phrases:
            return []
        self._left[guardrail] -= len(text) * len(phrases)
        if self._left[guardrail] < 0:
            return []
        found = _likest(_plain(text), phrases)
        if found is None:
            return []
        return [(4.0 * found[1] / 100, f"its text is like an attack: {fmt.truncate(found[0], 60)}")]


@lru_cache(maxsize=4 * MOST_INPUTS)
def _likest(text: str, phrases: tuple[str, ...]) -> tuple[str, float] | None:
    """The phrase that a text is like, and how much. Kept: while traffic comes in, it is asked each second."""
    from rapidfuzz import fuzz, process

    # A text shorter than a phrase would be looked for within the phrase.
    fitting = [phrase for phrase in phrases if len(phrase) <= len(text)]
    found = process.extractOne(text, fitting, scorer=fuzz.partial_ratio, score_cutoff=LIKE)
    return None if found is None else (found[0], found[1])


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
