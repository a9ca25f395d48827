"""Which live requests are most worth a look, and why. Each reason has a weight and a sentence."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
from llmops_tui.domain.live.request import Request
from llmops_tui.store.live import LiveStore

#: Requests that are weighed: those that went wrong or were scored low first, then the newest.
MOST = 3_000
#: Words of an input that are looked at.
_WORDS = 80
#: Likeness from which on two inputs are one (share of words in common), and rare enough to be a reason.
_SAME, _RARE = 0.8, 0.5
_WORD = re.compile(r"[^\W_]{3,}")
SIGNALS = {
    "thumb": "the user gave a thumb down",
    "rating": "the user rated it low",
    "edit": "the user changed much of it",
    "retry": "the user tried again",
    "escalation": "the user asked for a person",
    "abandon": "the user gave up",
}


class Reason(msgspec.Struct, frozen=True):
    """One thing that makes a request worth a look."""

    weight: float
    sentence: str


class Queued(msgspec.Struct, frozen=True):
    """A request worth a look.

    Attributes:
        worth: sum of the reasons' weights.
        reasons: the weightiest first.
        alike: other requests of the queue that ask nearly the same; they are left out.
    """

    listed: LiveRequest
    worth: float
    reasons: tuple[Reason, ...]
    alike: int = 0


def queue(
    store: LiveStore, wanted: LiveFilter, limit: int, known: Sequence[str] = (), cased: Iterable[str] = ()
) -> list[Queued]:
    """Requests worth a look, the worthiest first; those that were looked at are left out.

    Args:
        known: inputs of the eval set: what is far from them is rarer.
        cased: traces that are cases already.
    """
    requests = _candidates(store, wanted)
    done = {*store.looked.of(each.request.trace_id for each in requests), *cased}
    words = {each.id: words_of(each.request.input) for each in requests}
    slow = _slow(requests)
    rarity = Rarity([*words.values(), *(words_of(text) for text in known)], [words_of(t) for t in known])
    weighed: list[Queued] = []
    for each in requests:
        if each.request.trace_id in done:
            continue
        reasons = [*reasons_of(each.request), *_outlier(each.request, slow)]
        rare = rarity.of(words[each.id])
        if rare is not None:
            reasons.append(rare)
        if reasons:
            reasons.sort(key=lambda reason: -reason.weight)
            weighed.append(Queued(each, sum(r.weight for r in reasons), tuple(reasons)))
    weighed.sort(key=lambda q: (-q.worth, -q.listed.request.start))
    return _one_of_each(weighed, words, limit)


def _candidates(store: LiveStore, wanted: LiveFilter) -> list[LiveRequest]:
    replace = msgspec.structs.replace
    found: dict[int, LiveRequest] = {}
    for part, order, limit in (
        (replace(wanted, only="worth"), "newest", MOST),
        (replace(wanted, only="low"), "lowest", MOST // 3),
        (replace(wanted, only="scored"), "newest", MOST // 3),
        (wanted, "newest", MOST // 3),
        (wanted, "slowest", 50),
    ):
        found |= {each.id: each for each in store.requests.listed(part, order=order, limit=limit)}
    return list(found.values())


def reasons_of(request: Request) -> list[Reason]:
    """What speaks for looking at a request by itself."""
    reasons: list[Reason] = []
    bad = Counter(kind for kind, _value, is_bad in request.signals if is_bad)
    for kind, times in bad.items():
        sentence = SIGNALS.get(kind, f"a bad signal: {kind}")
        reasons.append(
            Reason(3.0 + 0.5 * (min(times, 3) - 1), sentence + (f", {times} times" if times > 1 else ""))
        )
    if request.failed:
        reasons.append(Reason(2.5, f"it failed ({request.error})" if request.error else "it failed"))
    if request.flagged:
        names = ", ".join(name for name, (_looked, fired) in request.guardrails.items() if fired)
        reasons.append(Reason(2.0, f"a guardrail fired ({names})"))
    if request.refused:
        reasons.append(Reason(1.5, "the model refused"))
    failed = [name for name, (_value, passed) in request.scores.items() if passed is False]
    if failed:
        reasons.append(Reason(2.0 + 0.25 * (len(failed) - 1), f"{', '.join(failed)} failed"))
    elif request.score is not None and request.score < 0.5:
        reasons.append(Reason(1.5, f"its score is {fmt.score(request.score)}"))
    values = [value for value, _passed in request.scores.values() if value is not None]
    if len(values) > 1 and max(values) - min(values) >= 0.5:
        reasons.append(
            Reason(1.0, f"scorers disagree ({fmt.score(min(values))} to {fmt.score(max(values))})")
        )
    if request.passed and request.is_bad:
        reasons.append(Reason(1.5, "scorers passed it and the user was not happy"))
    return reasons


def _slow(requests: Sequence[LiveRequest]) -> float:
    """Seconds from which on a request is an outlier: far beyond the upper quartile (Tukey's outer fence)."""
    seconds = sorted(each.request.latency_s for each in requests if not each.request.failed)
    if len(seconds) < 20:
        return math.inf
    low, high = seconds[len(seconds) // 4], seconds[3 * len(seconds) // 4]
    return high + 3 * max(high - low, 0.05 * high)


def _outlier(request: Request, slow: float) -> list[Reason]:
    if request.latency_s <= slow or request.latency_s <= 0:
        return []
    return [Reason(0.75, f"it took {fmt.seconds(request.latency_s)}, far more than others")]


class Rarity:
    """How far an input is from all others: inverse document frequency of its words.

    Args:
        every: words of each input. known: those of the eval set.
    """

    def __init__(self, every: Sequence[frozenset[str]], known: Sequence[frozenset[str]]) -> None:
        self._total = len(every)
        self._often = Counter(word for words in every for word in words)
        self._known = frozenset().union(*known)

    def of(self, words: frozenset[str]) -> Reason | None:
        """A reason, where most of its words are rare; None for what others ask too."""
        if self._total < 20 or len(words) < 3:
            return None
        scale = math.log(self._total)
        rare = {
            word: math.log(self._total / self._often[word]) / scale for word in words if self._often[word]
        }
        mean = sum(rare.values()) / len(words)
        if mean < _RARE:
            return None
        news = sorted((w for w in rare if w not in self._known), key=lambda w: (-rare[w], w))[:3]
        if not news:
            return None
        where = "other requests and the eval set hardly have" if self._known else "other requests hardly have"
        return Reason(mean, f"it has words that {where}: {', '.join(news)}")


def words_of(text: str) -> frozenset[str]:
    """Words of an input that tell it apart."""
    return frozenset(_WORD.findall(text.lower())[:_WORDS])


def _one_of_each(weighed: list[Queued], words: dict[int, frozenset[str]], limit: int) -> list[Queued]:
    """Of inputs that are nearly the same the worthiest, with how many others there were."""
    kept: list[Queued] = []
    for each in weighed:
        mine = words[each.listed.id]
        twin = next((at for at, k in enumerate(kept) if _is_same(mine, words[k.listed.id], each, k)), None)
        if twin is not None:
            kept[twin] = msgspec.structs.replace(kept[twin], alike=kept[twin].alike + 1)
        elif len(kept) < limit:
            kept.append(each)
    return kept


def _is_same(a: frozenset[str], b: frozenset[str], one: Queued, other: Queued) -> bool:
    if not a or not b:
        mine, theirs = one.listed.request.input, other.listed.request.input
        return bool(mine) and mine == theirs
    return len(a & b) >= _SAME * len(a | b)
