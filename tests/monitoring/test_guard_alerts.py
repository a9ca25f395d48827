"""A wave of firings, and guardrails that fail themselves, are told like any other change."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from live_minutes import DAY0, MINUTE, request

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Batch
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.settings import DEFAULT_RULES, AlertRule
from llmops_tui.domain.trace import Span
from llmops_tui.monitoring.alert_watch import AlertWatch
from llmops_tui.monitoring.overview import overview
from llmops_tui.store.live import LIVE_DATABASE, LiveStore

PER_MINUTE = 10
QUIET, WAVE = (0.02, 0.001), (0.4, 0.5)


def look(n: int, at: float, fired: bool, failed: bool) -> Batch:
    """A request in which a guardrail looks at the input and at the answer; the second look may fire."""
    batch = request(n, at)
    (root,) = batch.spans
    for k, has in enumerate(({}, {a.TRIGGERED: fired, **({a.GUARDRAIL_FAILED: "open"} if failed else {})})):
        attributes = {a.GUARDRAIL: "injection", a.TRIGGERED: False, **has}
        id_ = f"{k + 1:016x}"
        span = Span(id_, root.span.id, "injection", "guardrail", at, at, attributes=attributes)
        batch.spans.append(Arrived(root.trace_id, span))
    return batch


def traffic(store: LiveStore, since: float, minutes: int, shares: tuple[float, float], seed: int) -> float:
    chance = random.Random(seed)
    batches = [
        look(
            1_000_000 * seed + n, since + n * MINUTE / PER_MINUTE,
            chance.random() < shares[0], chance.random() < shares[1],
        )
        for n in range(minutes * PER_MINUTE)
    ]  # fmt: skip
    end = since + minutes * MINUTE
    store.ingest(batches, end)
    return end


@pytest.mark.parametrize(
    "rule",
    [
        next(rule for rule in DEFAULT_RULES if rule.metric == "guardrail_rate"),
        AlertRule("rate", "guardrail_rate", 900.0, above=0.1),
        AlertRule("one", "guardrail.injection", 900.0, increase=1.0),
        AlertRule("one", "guardrail.injection", 900.0, above=0.1),
        AlertRule("broken", "guardrail_failed", 900.0, above=0.05, severity="critical"),
        AlertRule("broken", "guardrail_failed", 900.0, increase=1.0),
    ],
)
def test_a_wave_fires_the_rule_and_the_quiet_before_it_does_not(tmp_path: Path, rule: AlertRule) -> None:
    (tmp_path / LIVE_DATABASE).parent.mkdir(parents=True)
    with LiveStore.open(tmp_path / LIVE_DATABASE) as store:
        quiet = traffic(store, DAY0, 360, QUIET, seed=1)
        end = traffic(store, quiet, 60, WAVE, seed=2)
        AlertWatch(store, (rule,)).look(end)
        events = store.alerts.events()
    assert [event.what for event in events] == ["fired"]
    assert quiet < events[0].at < quiet + 45 * MINUTE
    assert events[0].filter.only == ("" if rule.metric == "guardrail_failed" else "flagged")


def test_guardrails_that_failed_are_among_the_figures_of_safety(tmp_path: Path) -> None:
    from llmops_tui.domain.live.settings import LiveSettings

    (tmp_path / LIVE_DATABASE).parent.mkdir(parents=True)
    with LiveStore.open(tmp_path / LIVE_DATABASE) as store:
        end = traffic(store, DAY0, 30, (0.1, 0.2), seed=3)
        view = overview(store, LiveFilter(since=DAY0, until=end), LiveSettings(), end)
    (safety,) = [group for group in view.groups if group.group == "safety"]
    found = {figure.metric: figure for figure in (safety.headline, *safety.others)}
    assert 0.1 < (found["guardrail_failed"].value or 0) < 0.3
    # Of requests: each has two looks, and one of them at most fires.
    assert found["guardrail.injection"].n == 300
    assert found["guardrail.injection"].value == found["guardrail_rate"].value
