"""How alert rules stand, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from llmops_tui.domain.live.alert_event import (
    AlertEvent,
    command_of,
    filter_of,
    order_of,
    sentence_of,
)
from llmops_tui.domain.live.alerting import AlertState
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.overview import FiringAlert
from llmops_tui.domain.live.settings import AlertRule

Json = dict[str, Any]
#: Every rule, with how it stands; None where it was not looked at yet.
Board = Sequence[tuple[AlertRule, AlertState | None]]


def alerts_json(
    board: Board, events: Sequence[AlertEvent], *, checked: bool, regressed: Sequence[FiringAlert] = ()
) -> Json:
    """All rules, what fires, and what happened lately.

    Args:
        checked: the rules were brought up to date just now.
        regressed: regressions of versions that fire; no rule of theirs is written anywhere.
    """
    firing = [rule.name for rule, state in board if state is not None and state.phase == "firing"]
    return {
        "firing": [*firing, *(alert.rule for alert in regressed)],
        "checked": checked,
        "rules": [rule_json(rule, state) for rule, state in board],
        "regressions": [_regression_json(alert) for alert in regressed],
        "events": [event_json(event) for event in events],
    }


def _regression_json(alert: FiringAlert) -> Json:
    return {
        "name": alert.rule,
        "metric": alert.metric,
        "severity": alert.severity,
        "since": alert.since,
        "sentence": alert.sentence,
        "requests": filter_json(alert.filter),
        "command": list(command_of(alert.filter, order_of(alert.metric))),
    }


def rule_json(rule: AlertRule, state: AlertState | None) -> Json:
    reference = state.reference if state is not None else None
    limits = {name: getattr(rule, name) for name in ("above", "below", "increase", "decrease")}
    written: Json = {
        "name": rule.name,
        "metric": rule.metric,
        "severity": rule.severity,
        "window_s": rule.window_s,
        **{name: value for name, value in limits.items() if value is not None},
        "reference": rule.reference if rule.is_change else None,
        "min_n": rule.min_n,
        "for_s": rule.for_s,
        "false_alarms_per_day": rule.false_alarms_per_day,
        "to": list(rule.to),
        "of": filter_json(rule.filter()),
    }
    if state is None:
        return {**written, "state": None}
    requests = filter_of(rule, state, state.looked_until)
    return {
        **written,
        "state": state.phase,
        "since": state.since,
        "looked_until": state.looked_until,
        "value": state.value,
        "n": state.n,
        "limit": reference.limit if reference is not None else None,
        "usual": reference.value if reference is not None and rule.is_change else None,
        "evidence": state.evidence,
        "sentence": sentence_of(rule, state, "fired") if state.phase == "firing" else None,
        "requests": filter_json(requests),
        "command": list(command_of(requests, order_of(rule.metric))),
    }


def event_json(event: AlertEvent) -> Json:
    return {
        "rule": event.rule,
        "what": event.what,
        "at": event.at,
        "severity": event.severity,
        "metric": event.metric,
        "sentence": event.sentence,
        "value": event.value,
        "n": event.n,
        "limit": event.limit,
        "channel": event.channel or None,
        "requests": filter_json(event.filter),
    }


def told_json(rule: AlertRule, results: Mapping[str, str]) -> Json:
    """What became of a test: channel → why it failed, null where it did not."""
    return {"rule": rule.name, "channels": {name: why or None for name, why in results.items()}}


def filter_json(wanted: LiveFilter) -> Json:
    """What a filter says, without what it leaves open."""
    plain = LiveFilter()
    named: Json = msgspec.to_builtins(wanted)
    return {name: value for name, value in named.items() if value != getattr(plain, name)}
