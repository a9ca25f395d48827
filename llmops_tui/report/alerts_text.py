"""How alert rules stand, as lines for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.alert_event import (
    AlertEvent,
    command_of,
    figure_words,
    filter_of,
    order_of,
    sentence_of,
)
from llmops_tui.domain.live.alerting import AlertState
from llmops_tui.domain.live.overview import FiringAlert
from llmops_tui.domain.live.settings import AlertRule
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report.alerts_json import Board
from llmops_tui.report.text import EMPTY, Line

_NAME, _METRIC, _FIGURE = 16, 20, 34
_MARKS = {"quiet": "○", "pending": "◐", "firing": "●"}
_STYLES = {"quiet": "dim", "pending": "", "firing": "regressed"}


def alerts_lines(
    board: Board, events: Sequence[AlertEvent], now: float, regressed: Sequence[FiringAlert] = ()
) -> list[Line]:
    """What fires first, then all rules, then what happened lately.

    Args:
        regressed: regressions of versions that fire.
    """
    if not board:
        none = (("there are no alert rules: alerts in llmops.yaml is empty", ""),)
        return [none, *(line for alert in regressed for line in _regression_lines(alert, now))]
    states = [state for _rule, state in board if state is not None]
    firing = [(rule, state) for rule, state in board if state is not None and state.phase == "firing"]
    head = f"{fmt.plural(len(firing), 'alert')} of {fmt.plural(len(board), 'rule')} {_fires(len(firing))}"
    looked = max((state.looked_until for state in states), default=None)
    about = f", looked at up to {fmt.moment(looked)}" if looked is not None else ", none was looked at yet"
    lines: list[Line] = [((head, "bold"), (about, "dim"))]
    lines += [line for alert in regressed for line in _regression_lines(alert, now)]
    for rule, state in firing:
        requests = filter_of(rule, state, state.looked_until)
        command = shlex.join(command_of(requests, order_of(rule.metric)))
        lines += [
            EMPTY,
            (
                (f"● {rule.severity}: {rule.name}", "regressed"),
                (f"  since {fmt.moment(state.since)}, {fmt.ago(state.since, now)}", "dim"),
            ),
            ((f"  {clean_line(sentence_of(rule, state, 'fired'))}", ""),),
            ((f"  {clean_line(command)}", "dim"),),
        ]
    lines += [EMPTY, *(_line(rule, state) for rule, state in board)]
    if events:
        lines += [EMPTY, *(_event_line(event) for event in events)]
    return lines


def _regression_lines(alert: FiringAlert, now: float) -> list[Line]:
    command = shlex.join(command_of(alert.filter, order_of(alert.metric)))
    return [
        EMPTY,
        (
            (clean_line(f"● {alert.severity}: {alert.rule}"), "regressed"),
            (f"  since {fmt.moment(alert.since)}, {fmt.ago(alert.since, now)}", "dim"),
        ),
        ((f"  {clean_line(alert.sentence)}", ""),),
        ((f"  {clean_line(command)}", "dim"),),
    ]


def _fires(n: int) -> str:
    return "fires" if n == 1 else "fire"


def _line(rule: AlertRule, state: AlertState | None) -> Line:
    phase = state.phase if state is not None else "quiet"
    said = phase if state is not None else "waiting"
    return (
        (f"{_MARKS[phase]} {fmt.pad(said, 8)}", _STYLES[phase]),
        (fmt.pad(rule.name, _NAME) + " ", ""),
        (fmt.pad(clean_line(rule.metric), _METRIC) + " ", ""),
        (fmt.pad(clean_line(_figures(rule, state)), _FIGURE), _STYLES[phase]),
        (_standing(rule, state), "dim"),
    )


def _figures(rule: AlertRule, state: AlertState | None) -> str:
    """`12.0% > 5.0%`: where the figure is and what it is held against."""
    if state is None:
        return fmt.NONE
    if rule.is_drift:
        return state.detail or fmt.NONE
    limit = state.reference.limit if state.reference is not None else None
    value = figure_words(rule.metric, state.value)
    if limit is None:
        return f"{value}, no limit yet"
    if state.value is None:
        return f"{fmt.NONE}, limit {figure_words(rule.metric, limit)}"
    sign = "=" if state.value == limit else ">" if state.value > limit else "<"
    return f"{value} {sign} {figure_words(rule.metric, limit)}"


def _standing(rule: AlertRule, state: AlertState | None) -> str:
    if state is None:
        return ""
    parts = [f"n {fmt.count(state.n)}"]
    if state.n < rule.min_n:
        parts.append(f"of {fmt.count(rule.min_n)} needed")
    if not rule.is_drift and state.detector is not None:
        parts.append(f"evidence {state.evidence:.0%}")
    return "  ".join(parts)


def _event_line(event: AlertEvent) -> Line:
    what = f"{event.what} to {event.channel}" if event.channel else event.what
    name = event.rule or "alerts"
    return (
        (f"{fmt.moment(event.at)}  ", "dim"),
        (clean_line(f"{name} {what}: {event.sentence}"), "error" if event.what == "failed" else ""),
    )


def told_lines(results: Mapping[str, str]) -> list[Line]:
    """What became of a test, channel by channel."""
    return [
        ((f"{name}: told", ""),) if not why else ((clean_line(f"failed: {why}"), "error"),)
        for name, why in results.items()
    ]
