"""Alerts that fire, or have fired within a window."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.live.alert_event import AlertEvent, firing_alert
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.overview import FiringAlert
from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.store.live import LiveStore

#: Events that are looked at.
_MOST = 2_000
_OVER = ("cleared", "ended")
_PARTS = ("config", "version", "feature", "model", "provider")


def firing(store: LiveStore, wanted: LiveFilter, settings: LiveSettings) -> tuple[FiringAlert, ...]:
    """Those that touch what a filter asks for: first what fires now, then the newest.

    Args:
        wanted: with its window filled in.
    """
    rules = {rule.name: rule for rule in settings.rules}
    states = store.alerts.states()
    now = [
        firing_alert(rules[name], state)
        for name, state in states.items()
        if name in rules and state.phase == "firing"
    ]
    fires = {alert.rule for alert in now}
    past = [
        alert
        for alert in episodes(store.alerts.events(until=wanted.until, limit=_MOST))
        if (alert.until is None or alert.until >= wanted.since)
        and not (alert.until is None and (alert.rule in fires or alert.rule in rules))
    ]
    found = [a for a in (*now, *past) if a.since <= wanted.until and _touches(a.filter, wanted)]
    return tuple(sorted(found, key=lambda alert: (alert.until is not None, -alert.since)))


def episodes(events: list[AlertEvent]) -> list[FiringAlert]:
    """From when to when each rule fired, in the order of their beginnings.

    Args:
        events: newest first.
    """
    made: list[FiringAlert] = []
    begun: dict[str, int] = {}
    for event in reversed(events):
        if event.what == "fired":
            begun[event.rule] = len(made)
            made.append(
                FiringAlert(
                    event.rule, event.metric, event.severity, event.at, None, event.sentence, event.filter
                )
            )
        elif event.what in _OVER and (at := begun.pop(event.rule, None)) is not None:
            made[at] = msgspec.structs.replace(made[at], until=event.at)
    return made


def _touches(alert: LiveFilter, wanted: LiveFilter) -> bool:
    """No part of both names another value."""
    return all(
        not (mine := getattr(wanted, name)) or not (its := getattr(alert, name)) or mine == its
        for name in _PARTS
    )
