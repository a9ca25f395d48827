"""What of the guardrails waits for a person's word, and what the person said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.live.guards import GuardItem, GuardReview, GuardRow, Queue
from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
from llmops_tui.domain.live.looked_at import looked_at
from llmops_tui.monitoring.guard_suspects import NO_PHRASES, Phrases, suspects
from llmops_tui.store.live import LiveStore

ALL = LiveFilter()
#: Firings at the head of the queue of which each may be taken: whoever is not sure of one goes on to the
#: next. It is passed over and stays, so that no more than these can ever be left out by choice.
AHEAD = 10
_TRACE_ID = re.compile("[0-9a-f]{32}")


def of_series(wanted: LiveFilter) -> LiveFilter:
    """The window and the series of a filter alone: what there are sums of."""
    return msgspec.structs.replace(wanted, user="", session="", only="", error="")


def items(
    store: LiveStore,
    guardrail: str,
    queue: Queue,
    wanted: LiveFilter,
    limit: int,
    phrases: Phrases = NO_PHRASES,
) -> tuple[GuardItem, ...]:
    """What waits for a person's word, in the order in which it should be looked at; what was reviewed is not.

    Firings and the sample come in a random order that stays the same, so that those that were reviewed so far
    are a random sample of all; suspected misses come with the likeliest first, failures with the newest. A
    pass that was drawn waits in the sample alone, however suspicious it is: were it picked, the sample would
    be none.

    Args:
        phrases: see `suspects`.
    """
    wanted = of_series(wanted)
    if queue == "suspected":
        found = suspects(store, wanted, phrases, guardrail).get(guardrail, [])[:limit]
    elif queue == "failures":
        found = [GuardItem(row) for row in store.guards.failures(wanted, guardrail, limit)]
    else:
        rows = store.guards.waiting(wanted, guardrail, firings=queue == "firings", limit=limit)
        found = [GuardItem(row) for row in rows]
    return tuple(with_texts(store, item) for item in found)


def counts(store: LiveStore, queue: str, wanted: LiveFilter, phrases: Phrases = NO_PHRASES) -> dict[str, int]:
    """Guardrail → how many `items` (or, of queue `reviewed`, `reviewed`) would give without a limit."""
    wanted = of_series(wanted)
    if queue == "suspected":
        return {name: len(found) for name, found in suspects(store, wanted, phrases).items()}
    if queue == "reviewed":
        return dict(Counter(review.guardrail for review in store.guards.reviews(wanted)))
    part = {"firings": "waiting", "sample": "unseen", "failures": "failed"}[queue]
    return {name: getattr(kept, part) for name, kept in store.guards.kept(wanted).items()}


def with_texts(store: LiveStore, item: GuardItem) -> GuardItem:
    """The item with what was looked at; as it is where the request is not kept any more."""
    listed = store.requests.find(item.row.trace_id)
    trace = store.requests.trace(listed.id) if listed is not None else None
    if trace is None:
        return item
    return msgspec.structs.replace(item, texts=looked_at(trace, item.row.guardrail, item.row.stage))


def reviewed(store: LiveStore, guardrail: str, wanted: LiveFilter, limit: int) -> tuple[GuardItem, ...]:
    """What was reviewed, the newest review first; of requests that were dropped there are no texts."""
    found = []
    for review in reversed(store.guards.reviews(of_series(wanted), guardrail)[-limit:]):
        listed = store.requests.find(review.trace_id)
        row = store.guards.row(listed, guardrail) if listed is not None else None
        found.append(with_texts(store, GuardItem(row or _row_of(review), review=review)))
    return tuple(found)


def _row_of(review: GuardReview) -> GuardRow:
    return GuardRow(
        review.trace_id,
        review.guardrail,
        review.at,
        review.series,
        triggered=review.triggered,
        score=review.score,
        drawn=review.drawn,
    )


def review(
    store: LiveStore,
    guardrail: str,
    trace_ids: Sequence[str],
    right: bool,
    now: float,
    by: str = "",
    wanted: LiveFilter = ALL,
) -> tuple[GuardReview, ...]:
    """Keep what a person said of rows; what was said of them before is replaced.

    Args:
        trace_ids: whole ones, or beginnings of eight digits at least.
        right: of a firing: it should have fired; of a pass: it should not have.
        now: Unix seconds.
        by: who, where that is known.
        wanted: what `items` was asked for when they were chosen: it tells whose turn it was.

    Raises:
        UsageError: this guardrail did not look at such a request, or failed itself there; nothing was kept.
        StoreError: it can't be written.
    """
    known = store.guards.by_trace(guardrail)
    made: dict[str, GuardReview] = {}
    rows: list[GuardRow] = []
    for trace_id in trace_ids:
        listed = store.requests.find(trace_id)
        if listed is None and trace_id in known:
            # The request was dropped: of what was said, only whether it was right can be changed.
            made[trace_id] = msgspec.structs.replace(known[trace_id], right=right, reviewed_at=now, by=by)
        else:
            rows.append(_row(store, guardrail, trace_id, listed))
    turn = _turn(store, guardrail, wanted, rows, known)
    for row in rows:
        before = known.get(row.trace_id)
        drawn = before.drawn if before is not None else row.drawn or row.trace_id in turn
        made[row.trace_id] = GuardReview(
            *(row.trace_id, guardrail, row.triggered, right, drawn, row.score, row.series, row.at, now, by)
        )
    store.guards.review(*made.values())
    return tuple(made.values())


def _row(store: LiveStore, guardrail: str, trace_id: str, listed: LiveRequest | None) -> GuardRow:
    if listed is None:
        remedy = "`llmops-tui guards review` lists them; give more digits where several begin alike"
        raise UsageError(Problem(f"no request, or more than one, is called '{trace_id[:40]}'", remedy))
    row = store.guards.row(listed, guardrail)
    short = listed.request.trace_id[:12]
    if row is None:
        there = ", ".join(sorted(listed.request.guarded)) or "none did"
        raise UsageError(Problem(f"'{guardrail}' did not look at {short}", f"these did: {there}"))
    if row.failed and not row.triggered:
        raise UsageError(
            Problem(f"'{guardrail}' failed itself in {short}", "only what it decided can be right or wrong")
        )
    return row


def _turn(
    store: LiveStore,
    guardrail: str,
    wanted: LiveFilter,
    rows: Iterable[GuardRow],
    known: dict[str, GuardReview],
) -> set[str]:
    """Traces of those firings that are at the head of the queue: nobody chose them."""
    firings = {row.trace_id for row in rows if row.triggered and row.trace_id not in known}
    if not firings:
        return set()
    limit = len(firings) - 1 + AHEAD
    head = store.guards.waiting(of_series(wanted), guardrail, firings=True, limit=limit)
    return firings & {row.trace_id for row in head}


def take_back(store: LiveStore, guardrail: str, trace_ids: Iterable[str]) -> int:
    """Take reviews back; gives how many there were.

    Raises:
        UsageError: no request is called so.
    """
    whole: list[str] = []
    for trace_id in trace_ids:
        listed = store.requests.find(trace_id)
        if listed is None and not _TRACE_ID.fullmatch(trace_id):
            raise UsageError(
                Problem(f"no request, or more than one, is called '{trace_id[:40]}'", "give more digits")
            )
        whole.append(listed.request.trace_id if listed is not None else trace_id)
    return store.guards.take_back(guardrail, whole)
