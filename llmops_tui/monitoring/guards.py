"""Guardrails of live traffic: how each did, and what would be with another threshold."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from llmops_tui.domain import format as fmt
from llmops_tui.domain.guardrails.catalogue import is_tunable
from llmops_tui.domain.guardrails.kind import NOTHING_TO_TUNE
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.domain.live.guards import (
    GuardBucket,
    GuardFigures,
    GuardReview,
    GuardVersion,
    ThresholdCurve,
)
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.request import Series
from llmops_tui.domain.live.statistics.guards import (
    Judged,
    Strata,
    false_alarms_of,
    points_of,
    rate_of,
    recall_of,
    share_of,
)
from llmops_tui.domain.live.tally import Tally
from llmops_tui.monitoring.guard_counting import Counting, counting
from llmops_tui.monitoring.guard_queue import ALL, counts, items, of_series, review, reviewed, take_back
from llmops_tui.monitoring.guard_suspects import NO_PHRASES, Phrases, suspects
from llmops_tui.store.live import LiveStore
from llmops_tui.store.live.guards import Kept
from llmops_tui.store.live.rollups import resolution_for

__all__ = [
    "ALL",
    "Phrases",
    "counts",
    "curve",
    "figures",
    "fires_or_not",
    "items",
    "names_of",
    "review",
    "reviewed",
    "take_back",
]

_NEVER = (0, 0, 0, 0)
#: The newest failures of which it is told how they failed most often.
_FAILURES = 200
#: Rows with scores from which on it is believed that there are only 1 and 0.
_ENOUGH = 10
_Sums = list[tuple[int, Series, Tally]]


def figures(
    store: LiveStore, wanted: LiveFilter, now: float, phrases: Phrases = NO_PHRASES
) -> tuple[GuardFigures, ...]:
    """Every guardrail that looked in a window, by name.

    Args:
        wanted: a window and a series (configuration, version, feature, model, provider); what else it asks
            for is left out, as there are no sums of it. The window is taken at whole buckets.
        now: Unix seconds.
        phrases: see `suspects`.
    """
    wanted, resolution = _window(wanted, now)
    sums = store.tallies(wanted, resolution, ("config", "version"))
    names = _names(sums)
    kept = store.guards.kept(wanted)
    suspected = suspects(store, wanted, phrases) if names else {}
    reviews: dict[str, list[GuardReview]] = {}
    for each in store.guards.reviews(wanted):
        reviews.setdefault(each.guardrail, []).append(each)
    return tuple(
        msgspec.structs.replace(
            _figures(
                name, sums, counting(store, name, wanted, reviews.get(name, [])), kept.get(name, Kept())
            ),
            **_latency(store.guards.elapsed_s(wanted, name)),
            suspected=len(suspected.get(name, ())),
            failure=_failure(store, name, wanted) if kept.get(name, Kept()).failed else "",
        )
        for name in names
    )


def names_of(store: LiveStore, wanted: LiveFilter, now: float) -> list[str]:
    """Guardrails that looked in a window."""
    wanted, resolution = _window(wanted, now)
    return _names(store.tallies(wanted, resolution, ()))


def _names(sums: _Sums) -> list[str]:
    return sorted({name for _at, _series, tally in sums for name in tally.guarded})


def _window(wanted: LiveFilter, now: float) -> tuple[LiveFilter, int]:
    """A window of whole buckets, and seconds of one: sums, rows and reviews are then of the same requests."""
    wanted = of_series(wanted)
    until = min(wanted.until, now)
    resolution = resolution_for(max(until - wanted.since, 1.0), now - wanted.since)
    whole = msgspec.structs.replace(
        wanted,
        since=wanted.since // resolution * resolution,
        until=-(-wanted.until // resolution) * resolution,
    )
    return whole, resolution


def _figures(name: str, sums: _Sums, said: Counting, kept: Kept) -> GuardFigures:
    looked, fired, failed, passed = _whole(name, sums)
    firings, passes = said.firings, said.passes
    right, missed = sum(r.right for r in firings), sum(not r.right for r in passes)
    strata = Strata(fired, passed, len(firings), right, len(passes), missed)
    return GuardFigures(
        name,
        looked,
        fired,
        rate_of(fired, looked),
        share_of(right, len(firings)),
        recall_of(strata),
        false_alarms_of(strata),
        failed=failed,
        cost_usd=kept.drawn_usd / kept.drawn * looked if kept.drawn else 0.0,
        buckets=_buckets(name, sums),
        versions=_versions(name, sums),
        waiting=kept.waiting,
        unseen=kept.unseen,
        thresholds=kept.thresholds,
        tunable=kept.scored,
        notes=_notes(said, strata, kept),
    )


def _whole(name: str, sums: _Sums) -> tuple[int, int, int, int]:
    """Requests: looked, fired, failed, passed."""
    found = [tally.guarded[name] for _at, _series, tally in sums if name in tally.guarded]
    return tuple(map(sum, zip(*found, strict=True))) if found else _NEVER  # type: ignore[return-value]


def _notes(said: Counting, s: Strata, kept: Kept) -> tuple[str, ...]:
    notes: list[str] = []
    for early, one, several in (
        (said.early_firings, "reviewed firing", "reviewed firings"),
        (said.early_passes, "reviewed pass", "reviewed passes"),
    ):
        if early:
            verb = "does" if early == 1 else "do"
            notes.append(
                f"{fmt.plural(early, one, several)} {verb} not count yet: others have their turn first;"
                " go on from the top of the queue"
            )
    gone = s.fired - kept.waiting - s.reviewed_firings - said.early_firings
    if gone > 0 and s.reviewed_firings:
        notes.append(
            f"{fmt.plural(gone, 'firing')} went with old requests before anybody reviewed them, and precision"
            " may not hold for them; take a shorter window"
        )
    if s.fired and not s.reviewed_firings:
        notes.append("no firing that counts is reviewed: nothing is known of its precision")
    if s.passed and not s.reviewed_passes:
        notes.append("no pass of the random sample is reviewed: nothing is known of its recall")
    return tuple(notes)


def _buckets(name: str, sums: _Sums) -> tuple[GuardBucket, ...]:
    found: dict[int, tuple[int, int]] = {}
    for at, _series, tally in sums:
        looked, fired, *_rest = tally.guarded.get(name, _NEVER)
        if looked:
            before = found.get(at, (0, 0))
            found[at] = (before[0] + looked, before[1] + fired)
    return tuple(GuardBucket(at, looked, fired) for at, (looked, fired) in sorted(found.items()))


def _versions(name: str, sums: _Sums) -> tuple[GuardVersion, ...]:
    """Those with the newest traffic first."""
    found: dict[tuple[str, str], tuple[int, int, int]] = {}
    for at, series, tally in sums:
        looked, fired, *_rest = tally.guarded.get(name, _NEVER)
        if looked:
            key = (series.config, series.version)
            before = found.get(key, (0, 0, 0))
            found[key] = (max(before[0], at), before[1] + looked, before[2] + fired)
    ordered = sorted(found.items(), key=lambda each: (-each[1][0], each[0]))
    return tuple(
        GuardVersion(config, version, looked, fired, rate_of(fired, looked))
        for (config, version), (_newest, looked, fired) in ordered
    )


def _latency(elapsed_s: Sequence[float]) -> Mapping[str, float]:
    """Nearest ranks."""
    if not elapsed_s:
        return {}
    ordered = sorted(elapsed_s)
    p50, p95 = (ordered[-(-len(ordered) * p // 100) - 1] for p in (50, 95))
    return {"latency_p50_s": p50, "latency_p95_s": p95}


def _failure(store: LiveStore, name: str, wanted: LiveFilter) -> str:
    """How it failed most often, the newest of those that are as frequent."""
    rows = store.guards.failures(wanted, name, _FAILURES)
    said = Counter(row.reason for row in rows if row.reason and not row.triggered)
    return said.most_common(1)[0][0] if said else ""


def fires_or_not(
    store: LiveStore, guardrail: str, wanted: LiveFilter, now: float, uses: Sequence[GuardrailUse] = ()
) -> bool:
    """It knows only 1 and 0: by its kind, else as far as what is kept of a window tells.

    Args:
        uses: the guardrail in the configurations on disk.
    """
    wanted, _resolution = _window(wanted, now)
    return _fires_or_not(store.guards.kept(wanted).get(guardrail, Kept()), uses)


def _fires_or_not(kept: Kept, uses: Sequence[GuardrailUse]) -> bool:
    known = [found for use in uses if (found := is_tunable(use)) is not None]
    if known:
        return not any(known)
    return kept.told >= _ENOUGH and not kept.scored


def curve(
    store: LiveStore,
    guardrail: str,
    wanted: LiveFilter,
    now: float | None = None,
    uses: Sequence[GuardrailUse] = (),
) -> ThresholdCurve:
    """What would be with other thresholds, from what was reviewed in a window.

    Args:
        now: Unix seconds; by default the clock's.
        uses: the guardrail in the configurations on disk that the filter takes: where all have one threshold,
            that is the present one.
    """
    wanted, resolution = _window(wanted, time.time() if now is None else now)
    sums = store.tallies(wanted, resolution, ("config", "version"))
    looked, fired, _failed, passed = _whole(guardrail, sums)
    kept = store.guards.kept(wanted).get(guardrail, Kept())
    current = _present(kept, uses)
    others = tuple(sorted(each for each in kept.thresholds if each != current))
    if _fires_or_not(kept, uses):
        return ThresholdCurve(guardrail, current, problem=NOTHING_TO_TUNE)
    said = counting(store, guardrail, wanted, store.guards.reviews(wanted, guardrail))
    rows = [*said.firings, *said.passes]
    if problem := _problem(guardrail, looked, rows):
        return ThresholdCurve(guardrail, current, reviewed=len(rows), problem=problem, others=others)
    judged = [
        Judged(row.score, row.triggered, row.right == row.triggered) for row in rows if row.score is not None
    ]
    points = points_of(judged, fired, passed, kept.thresholds, () if current is None else (current,))
    return ThresholdCurve(guardrail, current, points, len(rows), others=others)


def _present(kept: Kept, uses: Sequence[GuardrailUse]) -> float | None:
    """The threshold on disk, where there is one; else that of the newest traffic."""
    newest = kept.thresholds[-1] if kept.thresholds else None
    on_disk = {use.threshold for use in uses}
    if len(on_disk) != 1:
        return newest
    (present,) = on_disk
    return next((each for each in kept.thresholds if abs(each - present) < 1e-9), present)


def _problem(guardrail: str, looked: int, rows: Sequence[GuardReview]) -> str:
    """Why there is no curve; empty where there is one."""
    if not looked:
        return f"'{guardrail}' did not look at any request of this window"
    if not rows:
        return "nothing that counts is reviewed: review firings and the random sample of passes first"
    untold = sum(row.score is None for row in rows)
    if untold:
        return (
            f"{untold:,} of {fmt.plural(len(rows), 'reviewed row')} tell no score: take a window without them"
        )
    if all(row.score in (0.0, 1.0) for row in rows):
        return NOTHING_TO_TUNE
    return ""
