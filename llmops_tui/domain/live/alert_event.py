"""What alert rules did, and how it is told: a sentence, and the requests behind it. Pure."""

from __future__ import annotations

import time
from typing import Literal

import msgspec

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.alerting import AlertState, is_flapping
from llmops_tui.domain.live.figure_text import unit_text
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.metrics import metric_of
from llmops_tui.domain.live.overview import FiringAlert
from llmops_tui.domain.live.settings import DRIFT, AlertRule, Severity

EventKind = Literal["fired", "cleared", "ended", "reminder", "summary", "test", "sent", "failed"]

#: Metric → which of the requests are behind a bad figure of it.
_ONLY = {
    "error_rate": "failed",
    "refusal_rate": "refused",
    "guardrail_rate": "flagged",
    "guardrail": "flagged",
    "complaint_rate": "bad",
    "thumbs_down_rate": "bad",
    "pass_rate": "scored",
    "score": "scored",
    "passed": "scored",
    "hallucination_rate": "scored",
}
_ORDERS = {"latency": "slowest", "cost": "dearest", "quality": "lowest"}
_REFERENCES = {
    "before": "the day before",
    "same_hours": "at this hour of the days before",
    "version": "with the version before",
}


class AlertEvent(msgspec.Struct, frozen=True):
    """Something that a rule did.

    Attributes:
        what: it fired, was over, or came to an end otherwise; or a notification was sent or failed. The
            others are only told: a reminder, a summary in place of many, a test.
        at: Unix seconds, of the traffic; of notifications, when it was tried.
        sentence: what is wrong, with figures.
        filter: the requests behind it. order: which of them first.
        channel: of a notification.
    """

    rule: str
    what: EventKind
    at: float
    severity: Severity
    metric: str
    sentence: str
    value: float | None = None
    n: int = 0
    limit: float | None = None
    filter: LiveFilter = LiveFilter()
    order: str = "newest"
    channel: str = ""


def event_of(rule: AlertRule, state: AlertState, what: EventKind, at: float) -> AlertEvent:
    """What there is to tell of a rule."""
    return AlertEvent(
        rule.name,
        what,
        at,
        rule.severity,
        rule.metric,
        sentence_of(rule, state, what),
        state.value,
        state.n,
        state.reference.limit if state.reference else None,
        filter_of(rule, state, at),
        order_of(rule.metric),
    )


def firing_alert(rule: AlertRule, state: AlertState) -> FiringAlert:
    """A rule that fires, for the screen."""
    return FiringAlert(
        rule.name,
        rule.metric,
        rule.severity,
        state.since,
        None,
        sentence_of(rule, state, "fired"),
        filter_of(rule, state, state.looked_until),
    )


def filter_of(rule: AlertRule, state: AlertState, until: float) -> LiveFilter:
    """The requests behind an alert: since the change probably began, and at least the window's."""
    since = state.looked_until - rule.window_s
    if state.phase != "quiet" and state.onset:
        since = max(min(since, state.onset), state.looked_until - 86_400.0)
    stem, _, part = rule.metric.partition(".")
    wanted = msgspec.structs.replace(
        rule.filter(max(since, 0.0) // 60 * 60, until),
        only=_ONLY.get(stem, ""),
        error=part if stem == "error" else "",
    )
    if rule.reference == "version" and rule.is_change and not rule.version and state.reference is not None:
        wanted = msgspec.structs.replace(wanted, version=state.reference.about)
    return wanted


def order_of(metric: str) -> str:
    """Which of the requests behind a figure are to be seen first."""
    found = metric_of(metric)
    return _ORDERS.get(found.group, "newest") if found is not None else "newest"


def command_of(wanted: LiveFilter, order: str = "newest") -> tuple[str, ...]:
    """The words of the command that lists requests."""
    words = ["llmops-tui", "live", "requests"]
    if wanted.since > 0:
        words += ["--since", _minute(wanted.since)]
    if wanted.until < 1e12:
        words += ["--until", _minute(wanted.until)]
    for name in ("config", "version", "feature", "model", "provider", "only", "error"):
        if value := getattr(wanted, name):
            words += [f"--{name}", value]
    return tuple(words if order == "newest" else [*words, "--order", order])


def _minute(unix_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(unix_s))


# -- sentences


def sentence_of(rule: AlertRule, state: AlertState, what: str) -> str:
    """What a rule says of the figure, without a full stop; names in it come from outside."""
    if rule.is_drift and what == "test":
        return f"this is a test of the alert on {rule.metric}"
    if rule.is_drift:
        drifted = f"{rule.metric.removeprefix(DRIFT)} drifted against {span_words(7 * 86_400.0)} before"
        if what == "ended":
            return f"{rule.metric} is not told any more: too little came in, or the rule was changed"
        if what == "cleared":
            drifted = f"{rule.metric.removeprefix(DRIFT)} is as it was before again"
        return f"{drifted}: {state.detail}" if state.detail else drifted
    about = "".join(f" of {kind} {name}" for kind, name in _about(rule, state))
    value = figure_words(rule.metric, state.value)
    figure = (
        f"{rule.metric}{about} is {value} ({fmt.plural(state.n, 'value')} in {span_words(rule.window_s)})"
    )
    if what == "test":
        return f"this is a test of the alert on {rule.metric}{about}"
    if what == "ended":
        return f"{rule.metric}{about} is not told any more: too little came in, or the rule was changed"
    said = f"{figure}, {'back within the limit' if what == 'cleared' else _against(rule, state)}"
    return f"{said}; it fired {len(state.fired)} times lately" if is_flapping(state) else said


def _against(rule: AlertRule, state: AlertState) -> str:
    reference = state.reference
    if not rule.is_change:
        side = "below" if rule.is_falling else "above"
        return f"{side} {figure_words(rule.metric, rule.below if rule.is_falling else rule.above)}"
    more = rule.increase if rule.increase is not None else rule.decrease
    direction = "more" if rule.increase is not None else "less"
    was = figure_words(rule.metric, reference.value if reference else None)
    limit = figure_words(rule.metric, reference.limit if reference else None)
    return (
        f"{'below' if rule.is_falling else 'above'} {limit}; {_REFERENCES[rule.reference]} it was {was}, and"
        f" {fmt.percent(more)} {direction} than what is sure of it is put up with"
    )


def _about(rule: AlertRule, state: AlertState) -> list[tuple[str, str]]:
    version = rule.version
    if not version and rule.is_change and rule.reference == "version" and state.reference is not None:
        version = state.reference.about
    named = [("config", rule.config), ("version", version), ("feature", rule.feature)]
    named += [("model", rule.model), ("provider", rule.provider)]
    return [(kind, name) for kind, name in named if name]


def figure_words(metric: str, value: float | None) -> str:
    """A figure of a metric in its unit: `12.0%`, `4.2 s`, `$0.012`."""
    found = metric_of(metric)
    return unit_text(value, found.unit if found is not None else "count")


def span_words(seconds: float) -> str:
    """`15 min`, `1 h`, `7 d`."""
    return fmt.seconds(seconds)
