"""Canaries: a pinned version is asked its eval set again and again, so that a silent change is seen. Pure.

The first canary of a version is what all later ones are held against. The k-th look may err with a chance of
ALPHA/(k(k+1)), so that all of them together err with ALPHA at most, however long it goes on.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from llmops_tui.domain import format as fmt

#: Chance that a provider that never changes is ever called worse.
ALPHA = 0.05

State = Literal["first", "same", "changed", "worse", "better", "incomplete"]


class CanaryRun(msgspec.Struct, frozen=True):
    """One canary as it is kept.

    Attributes:
        version: its name; hash: of its manifest; eval_hash: of the cases and how they are judged.
        at: Unix seconds.
        scores: `case\\0model` → score of each trial; without those that erred.
        texts: the same → hash of each trial's answer.
        served: model → what the provider said it served, with its fingerprint.
        missing: rows without a result.
        repeats: equal requests give equal answers, as a property of the runtime.
    """

    config: str
    version: str
    hash: str
    eval_hash: str
    at: float
    scores: dict[str, list[float]]
    texts: dict[str, list[str]]
    served: dict[str, list[str]]
    missing: int = 0
    cost_usd: float | None = None
    repeats: bool = False


class CanaryResult(msgspec.Struct, frozen=True):
    """What a canary says.

    Attributes:
        look: how many there have been since the first, this one included; 0 for the first.
        before, after: mean score of the rows that both have.
        differ: rows that have another answer than at first, of `rows`.
        p: of "it did not drop"; None where nothing was tested.
    """

    run: CanaryRun
    state: State
    sentence: str
    look: int = 0
    since: float | None = None
    before: float | None = None
    after: float | None = None
    rows: int = 0
    differ: int = 0
    p: float | None = None


def compared(first: CanaryRun | None, now: CanaryRun, look: int) -> CanaryResult:
    """Hold a canary against the first one of the same version and the same cases."""
    if not now.scores:
        return CanaryResult(now, "incomplete", "no case has a score, so nothing can be said")
    if first is None:
        mean = _mean(now, list(now.scores))
        sentence = f"the first of {now.version}: mean score {fmt.score(mean)}; later ones are held against it"
        return CanaryResult(now, "first", sentence, after=mean, rows=len(now.scores))
    both = [key for key in now.scores if key in first.scores]
    if not both:
        return CanaryResult(now, "incomplete", "no case has a score on both sides", look, first.at)
    before, after = _mean(first, both), _mean(now, both)
    differ = sum(sorted(now.texts.get(key, [])) != sorted(first.texts.get(key, [])) for key in both)
    served = _served(first, now)
    p_drop, p_rise = _tested(first, now, both)
    level = ALPHA / (look * (look + 1))
    fact = now.repeats and differ > 0
    worse = after < before and (fact or p_drop <= level)
    better = after > before and (fact or p_rise <= level)
    state: State = "worse" if worse else "better" if better else "changed" if served or fact else "same"
    sentence = _sentence(state, first, before, after, differ, len(both), served, now.missing)
    return CanaryResult(now, state, sentence, look, first.at, before, after, len(both), differ, p_drop)


def _tested(first: CanaryRun, now: CanaryRun, keys: list[str]) -> tuple[float, float]:
    from llmops_tui.domain.statistics.permutation import drop_and_rise
    from llmops_tui.domain.statistics.sample import make_sample

    sample = make_sample((key.partition("\0")[0], first.scores[key], now.scores[key]) for key in keys)
    return drop_and_rise(sample, by_trials=True) if sample.rows else (1.0, 1.0)


def _mean(run: CanaryRun, keys: list[str]) -> float:
    means = [sum(run.scores[key]) / len(run.scores[key]) for key in keys]
    return sum(means) / len(means)


def _served(first: CanaryRun, now: CanaryRun) -> str:
    """What is served now and was not at first, as a clause."""
    for model, names in now.served.items():
        old = first.served.get(model, [])
        if old and set(names) != set(old):
            return f"{model} is served as {', '.join(names)}, at first as {', '.join(old)}"
    return ""


def _sentence(
    state: State,
    first: CanaryRun,
    before: float,
    after: float,
    differ: int,
    rows: int,
    served: str,
    missing: int,
) -> str:
    moved = f"mean score {fmt.score(before)} → {fmt.score(after)} since {fmt.moment(first.at)}"
    words = {
        "worse": f"model drift: {moved}, and chance does not explain it",
        "better": f"model drift, for the better: {moved}, and chance does not explain it",
        "changed": f"the model has changed, and its scores have not provably: {moved}",
    }.get(state, f"no drift: {moved}")
    parts = [words, f"{differ} of {rows} answers are others"]
    if served:
        parts.append(served)
    if missing:
        parts.append(f"{fmt.plural(missing, 'row')} without a result left out")
    return "; ".join(parts)
