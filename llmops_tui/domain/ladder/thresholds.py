"""How much is enough: all of the ladder's limits in one place. `docs/doctor.md` says why."""

from __future__ import annotations

import msgspec

DAY_S = 86_400.0


class Thresholds(msgspec.Struct, frozen=True):
    """Limits of the rules; durations in seconds.

    Attributes:
        cases: of an eval set, at least.
        edited_for_s: so long may a file differ from the newest commit: somebody works on it.
        live_within_s: live traffic, online scores and canaries count that are so young.
        gated_within_s: versions committed in this time need a verdict.
        traced, priced, named: shares of live requests, calls and requests, at least.
        judged: share of live requests with a score, at least; judged_enough: or so many of them.
        watched_within_s: the rules were looked at so lately.
        reviewed_within_s: firings of this time should be reviewed. reviewed: which share, at least;
            reviewed_enough: or so many of them. sampled: passes of the random sample that were reviewed.
        tried: share of the attacks that the run tried, at least.
        attacked_within_s, learned_within_s: an attack run, and a case made of a live request, so young.
    """

    cases: int = 10
    edited_for_s: float = DAY_S
    live_within_s: float = 7 * DAY_S
    gated_within_s: float = 30 * DAY_S
    traced: float = 0.9
    priced: float = 0.9
    named: float = 0.9
    judged: float = 0.01
    judged_enough: int = 100
    watched_within_s: float = 3_600.0
    reviewed_within_s: float = 30 * DAY_S
    reviewed: float = 0.8
    reviewed_enough: int = 50
    sampled: int = 20
    tried: float = 0.9
    attacked_within_s: float = 30 * DAY_S
    learned_within_s: float = 30 * DAY_S


THRESHOLDS = Thresholds()
