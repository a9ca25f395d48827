"""What the ladder asks of guardrails and attacks: what they did in live traffic, what people said of it, and
what attacks came to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import msgspec

from llmops_tui.domain.attack import is_attack
from llmops_tui.domain.ladder.facts import Attacked, Guard
from llmops_tui.domain.live.listing import LiveFilter

if TYPE_CHECKING:
    from llmops_tui.domain.live.guards import GuardFigures, GuardReview
    from llmops_tui.domain.run import VersionInfo
    from llmops_tui.store import Store
    from llmops_tui.store.live import LiveStore

#: Why a run over attacks was begun.
ATTACK = "attack"


def guards_in_traffic(
    live: LiveStore, since: float, now: float, config: str
) -> tuple[tuple[Guard, ...], float | None]:
    """Each guardrail that looked at a live request, and when one was last reviewed (Unix seconds).

    Args:
        since: Unix seconds: requests from then on count.
        config: only requests of this configuration; empty: of all.
    """
    from llmops_tui.monitoring.guards import figures

    wanted = LiveFilter(since, now + 1.0, config=config)
    reviews: dict[str, list[GuardReview]] = {}
    for each in live.guards.reviews(wanted):
        reviews.setdefault(each.guardrail, []).append(each)
    newest = max((each.reviewed_at for found in reviews.values() for each in found), default=None)
    return tuple(_guard(each, reviews.get(each.name, [])) for each in figures(live, wanted, now)), newest


def _guard(found: GuardFigures, reviews: Sequence[GuardReview]) -> Guard:
    reviewed = sum(review.triggered for review in reviews)
    # Only those of the random sample tell what it lets pass.
    sampled = sum(review.drawn and not review.triggered for review in reviews)
    return Guard(
        *(found.name, found.looked, found.fired, min(reviewed, found.fired), sampled),
        *(found.precision, found.recall),
    )


def attacked(store: Store, config: str, present: VersionInfo | None, written: Collection[str]) -> Attacked:
    """The newest run over all attacks on a version.

    Args:
        present: the version on disk; None where it was never recorded.
        written: ids of the attacks in the files, as cases.
    """
    runs = [run for run in store.runs.list(config) if run.reason == ATTACK and run.state == "complete"]
    whole = [run for run in runs if run.total and run.asked_total >= run.total]
    ours = next((run for run in whole if present is not None and run.version_id == present.id), None)
    if present is None or ours is None:
        others = [store.versions.by_id(run.version_id).name for run in whole[:1]]
        name = present.name if present else ""
        return Attacked(config, name, before="".join(others), written=bool(written))
    snapshot = store.runs.snapshot(present.id, ours.id)
    rows = [row for row in snapshot.rows if is_attack(row.case_id)] if snapshot else []
    made = Attacked(config, present.name, ours.started_at, len(rows))
    untried = set(written).difference(row.case_id for row in rows)
    return msgspec.structs.replace(
        made,
        succeeded=sum(row.status == "failed" for row in rows),
        written=bool(written),
        untried=len(untried),
    )
