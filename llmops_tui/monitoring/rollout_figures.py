"""What is held against each other of two versions: how each figure is read off a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.histogram import histogram_of
from llmops_tui.domain.live.metrics import Unit
from llmops_tui.domain.live.request import Request

#: How much each figure may fall, as a share of requests or of a score's range.
DROPS: Mapping[str, float] = {
    "score": 0.05,
    "pass_rate": 0.05,
    "error_rate": 0.02,
    "refusal_rate": 0.02,
    "guardrail_rate": 0.02,
    "complaint_rate": 0.03,
    "latency": 0.05,
    "cost": 0.05,
}


class Seen(msgspec.Struct, frozen=True, gc=False):
    """What of a request is compared: many are held at a time.

    Attributes:
        latency_s: None where its root has not come in. cost_usd: None where it is not known in full.
        passed, scores: of the random sample alone; what was judged for being wrong is no part of any rate.
    """

    trace_id: str
    user: str
    session: str
    failed: bool
    refused: bool
    flagged: bool
    is_bad: bool
    latency_s: float | None
    cost_usd: float | None
    passed: bool | None
    scores: dict[str, float]


Value = Callable[[Seen], float | None]


def seen_of(r: Request) -> Seen:
    scores = {name: value for name, (value, _passed) in r.rated.items() if value is not None}
    return Seen(
        *(r.trace_id, r.user, r.session, r.failed, r.refused, r.flagged, r.is_bad),
        latency_s=r.latency_s if r.has_root else None,
        cost_usd=r.cost_usd if r.priced > 0 and r.priced >= r.calls else None,
        passed=r.rated_passed,
        scores=scores,
    )


class Read(msgspec.Struct, frozen=True):
    """One figure.

    Attributes:
        max_drop: how much its mean may fall.
        shown: of a request, as people read it. value: in [0, 1], where higher is better.
        p: people read this quantile of what is shown, not the mean.
    """

    name: str
    title: str
    unit: Unit
    about: str
    max_drop: float
    shown: Value
    value: Value
    p: float | None = None


def figures_of(every: Sequence[Seen], calm: Sequence[Seen], drops: Mapping[str, float]) -> list[Read]:
    """Figures that either version has observations of."""
    made = [_score(name, drops) for name in sorted({n for r in every for n in r.scores})]
    if any(_passed(r) is not None for r in every):
        made.insert(
            0, _share("pass_rate", "pass rate", "judged requests that pass every scorer", drops, _passed)
        )
    shares: tuple[tuple[str, str, str, Callable[[Seen], bool]], ...] = (
        ("error_rate", "errors", "requests that fail", lambda r: r.failed),
        ("refusal_rate", "refusals", "requests that the model refuses", lambda r: r.refused),
        ("guardrail_rate", "guardrails fired", "requests in which a guardrail fires", lambda r: r.flagged),
        ("complaint_rate", "bad signals", "requests with a bad signal of the user", lambda r: r.is_bad),
    )
    for name, title, about, is_so in shares:
        if name in ("error_rate", "complaint_rate") or any(is_so(r) for r in every):
            made.append(_bad_share(name, title, about, drops, is_so))
    latency = histogram_of(r.latency_s for r in calm if r.latency_s is not None).quantile(0.95)
    if latency:
        made.append(_latency(latency, drops))
    costs = [r.cost_usd for r in calm if r.cost_usd is not None]
    mean = sum(costs) / len(costs) if costs else 0.0
    if mean > 0:
        made.append(_cost(mean, drops))
    return made


def _passed(r: Seen) -> float | None:
    return None if r.passed is None else float(r.passed)


def _score(scorer: str, drops: Mapping[str, float]) -> Read:
    def value(r: Seen) -> float | None:
        found = r.scores.get(scorer)
        return None if found is None else min(max(found, 0.0), 1.0)

    name = f"score.{scorer}"
    about = f"mean score of {scorer} over judged requests"
    return Read(name, f"{scorer} score", "score", about, drops.get(name, drops["score"]), value, value)


def _share(name: str, title: str, about: str, drops: Mapping[str, float], value: Value) -> Read:
    return Read(name, title, "share", f"share of {about}", drops[name], value, value)


def _bad_share(
    name: str, title: str, about: str, drops: Mapping[str, float], is_so: Callable[[Seen], bool]
) -> Read:
    return Read(
        *(name, title, "share", f"share of {about}", drops[name]),
        shown=lambda r: float(is_so(r)),
        value=lambda r: float(not is_so(r)),
    )


def _latency(limit: float, drops: Mapping[str, float]) -> Read:
    """Requests that are not slower than 95 % of the old version's were."""
    return Read(
        *("latency_p95", "latency p95", "seconds"),
        f"share of requests over {fmt.seconds(limit)}, which 5 % of the old version's took",
        drops["latency"],
        shown=lambda r: r.latency_s,
        value=lambda r: None if r.latency_s is None else float(r.latency_s <= limit),
        p=0.95,
    )


def _cost(mean: float, drops: Mapping[str, float]) -> Read:
    """Costs as a share of four times the old mean, those beyond cut off there."""
    cap = 4 * mean
    return Read(
        *("cost_per_request", "cost a request", "usd"),
        f"cost a request, what is over {fmt.money(cap)} (four times the old mean) counted as that",
        drops["cost"],
        shown=lambda r: r.cost_usd,
        value=lambda r: None if r.cost_usd is None else 1 - min(r.cost_usd / cap, 1.0),
    )
