"""Guardrails of live traffic: how each did, what waits for a person's word, and its threshold's curve."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain.live.guards import GuardFigures, GuardItem, GuardReview, Queue, ThresholdCurve
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.store.live import LiveStore

ALL = LiveFilter()


def figures(
    store: LiveStore, wanted: LiveFilter, now: float, phrases: Sequence[str] = ()
) -> tuple[GuardFigures, ...]:
    """Every guardrail that looked in a window, by name.

    Args:
        wanted: a window and a series (configuration, version, feature, model, provider); what else it asks
            for is left out, as there are no sums of it.
        phrases: of attacks that are known: a pass whose input is like one is suspected.
    """
    raise NotImplementedError


def items(
    store: LiveStore,
    guardrail: str,
    queue: Queue,
    wanted: LiveFilter,
    limit: int,
    phrases: Sequence[str] = (),
) -> tuple[GuardItem, ...]:
    """What waits for a person's word, in the order in which it should be looked at.

    Firings and the sample come in a random order that stays the same, so that those that were reviewed so far
    are a random sample of all; suspected misses come with the likeliest first. What was reviewed is left out.
    """
    raise NotImplementedError


def reviewed(store: LiveStore, guardrail: str, wanted: LiveFilter, limit: int) -> tuple[GuardItem, ...]:
    """What was reviewed, the newest review first; `input` and `evidence` are empty of what was dropped."""
    raise NotImplementedError


def review(
    store: LiveStore,
    guardrail: str,
    trace_ids: Sequence[str],
    right: bool,
    now: float,
    wanted: LiveFilter = ALL,
    by: str = "",
) -> tuple[GuardReview, ...]:
    """Keep what a person said of rows; what was said of them before is replaced.

    Args:
        wanted: what `items` was asked for when they were chosen: it tells whose turn it was.
        right: of a firing: it should have fired; of a pass: it should not have.
        trace_ids: whole ones, or beginnings of eight digits at least.

    Raises:
        UsageError: this guardrail did not look at such a request, or failed itself there; nothing was kept.
        StoreError: it can't be written.
    """
    raise NotImplementedError


def take_back(store: LiveStore, guardrail: str, trace_ids: Sequence[str]) -> int:
    """Take reviews back; gives how many there were."""
    raise NotImplementedError


def curve(store: LiveStore, guardrail: str, wanted: LiveFilter) -> ThresholdCurve:
    """What would be with other thresholds, from what was reviewed in a window."""
    raise NotImplementedError
