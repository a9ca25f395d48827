"""One entry of `alerts` → a rule."""

from __future__ import annotations

import re
from typing import Protocol

from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.live.duration import duration_s, percentage, plain_number
from llmops_tui.domain.live.metrics import METRICS, Metric, is_testable, metric_of
from llmops_tui.domain.live.settings import DRIFT, AlertRule
from llmops_tui.domain.live_schema import AlertEntry, Amount
from llmops_tui.workspace.validation import Loc

LIMITS = ("above", "below", "increase", "decrease")
_SHORTEST_S, _LONGEST_S = 60.0, 7 * 86_400.0
_DAY_S = 86_400.0
_DRIFTS = ("input_words", "output_words", "latency", "language", "terms", "score.NAME")
#: What `window` is where nobody says.
_WINDOW = "15m"
_IS_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Telling(Protocol):
    """Where mistakes go."""

    def fail(self, message: str, remedy: str, loc: Loc) -> None: ...
    def warn(self, message: str, remedy: str, loc: Loc) -> None: ...


def read_rule(telling: Telling, entry: AlertEntry, loc: Loc, channels: set[str]) -> AlertRule | None:
    """The rule that an entry is; None with its mistakes told.

    Args:
        loc: of the entry. channels: names that there are.
    """
    return _Entry(telling, entry, loc).rule(channels)


class _Entry:
    def __init__(self, telling: Telling, entry: AlertEntry, loc: Loc) -> None:
        self._telling = telling
        self._entry = entry
        self._loc = loc
        self._failed = False

    def _fail(self, message: str, remedy: str, *path: str | int) -> None:
        self._failed = True
        self._telling.fail(message, remedy, (*self._loc, *path))

    def _warn(self, message: str, remedy: str, *path: str | int) -> None:
        self._telling.warn(message, remedy, (*self._loc, *path))

    def rule(self, channels: set[str]) -> AlertRule | None:
        entry = self._entry
        if not _IS_NAME.fullmatch(entry.name):
            self._fail(f"'{entry.name}' is no name of an alert", "use letters, digits, dots, - and _", "name")
        is_drift = entry.metric.startswith(DRIFT)
        metric = None if is_drift else self._metric()
        limits = self._drift_limits() if is_drift else self._limits(metric)
        window_s = _DAY_S if is_drift and entry.window == _WINDOW else self._duration("window", entry.window)
        if window_s is not None and not _SHORTEST_S <= window_s <= _LONGEST_S:
            self._fail(f"the window of '{entry.name}' is {entry.window}", "write 1m to 7d", "window")
        for_s = self._duration("for", entry.for_)
        for n, name in enumerate(entry.to):
            if name not in channels:
                remedy = did_you_mean(name, channels) or f"add channels: {{{name}: {{webhook: …}}}}"
                self._fail(f"there is no channel '{name}'", remedy, "to", n)
        self._check_reference(is_drift)
        if metric is not None and not is_testable(entry.metric):
            self._warn(
                f"'{entry.metric}' is a total and not made of single observations: chance can't be told from"
                f" change, so '{entry.name}' fires whenever the window's figure is beyond the limit",
                "write for: 10m, and a limit far enough out",
                "metric",
            )
        if self._failed or window_s is None or for_s is None:
            return None
        return AlertRule(
            entry.name,
            entry.metric,
            window_s // 60 * 60,
            limits.get("above"),
            limits.get("below"),
            limits.get("increase"),
            limits.get("decrease"),
            entry.reference or "before",
            entry.min_n,
            for_s,
            entry.severity,
            entry.false_alarms_per_day,
            tuple(dict.fromkeys(entry.to)),
            *(entry.config or "", entry.version or "", entry.feature or ""),
            *(entry.model or "", entry.provider or ""),
        )

    def _metric(self) -> Metric | None:
        written = self._entry.metric
        found = metric_of(written)
        if found is not None:
            return found
        stem = written.partition(".")[0]
        if stem in METRICS and METRICS[stem].part:
            self._fail(f"'{written}' names no {METRICS[stem].part}", f"write {stem}.NAME", "metric")
        elif stem in METRICS:
            self._fail(f"'{stem}' has nothing after a dot", f"write metric: {stem}", "metric")
        else:
            remedy = did_you_mean(stem, set(METRICS))
            self._fail(f"there is no metric '{written}'", remedy, "metric")
        return None

    def _limits(self, metric: Metric | None) -> dict[str, float]:
        """The one limit, as a number in the unit of its metric."""
        given = [name for name in LIMITS if getattr(self._entry, name) is not None]
        if len(given) != 1:
            said = "none" if not given else " and ".join(given)
            self._fail(
                f"'{self._entry.name}' needs exactly one of {', '.join(LIMITS)}, not {said}",
                "write above: 5%, or increase: 20%",
            )
            return {}
        (name,) = given
        written = getattr(self._entry, name)
        value = self._change(name, written) if name in LIMITS[2:] else self._amount(name, written, metric)
        return {} if value is None else {name: value}

    def _drift_limits(self) -> dict[str, float]:
        name = self._entry.metric.removeprefix(DRIFT)
        known = name in _DRIFTS[:-1] or (name.startswith("score.") and name != "score.")
        if not known:
            self._fail(
                f"there is no metric '{self._entry.metric}'",
                f"what may drift: {', '.join(_DRIFTS)}",
                "metric",
            )
        given = [limit for limit in LIMITS if getattr(self._entry, limit) is not None]
        if given:
            self._fail(
                f"'{self._entry.name}' is about drift, which has no limit",
                f"remove {given[0]}: it fires where drift is proven and not small",
                given[0],
            )
        return {}

    def _change(self, name: str, written: Amount) -> float | None:
        value = percentage(written) if isinstance(written, str) else float(written)
        if value is None or not 0 <= value <= 1_000:
            self._fail(f"'{_shown(written)}' is not a change", f"write {name}: 20%, or 0.2", name)
            return None
        if name == "decrease" and not 0 < value < 1:
            self._fail(f"nothing can decrease by {_shown(written)}", "write decrease: 10%", name)
            return None
        return value

    def _amount(self, name: str, written: Amount, metric: Metric | None) -> float | None:
        unit = metric.unit if metric is not None else ""
        value: float | None
        if not isinstance(written, str):
            value = float(written)
        elif unit == "seconds":
            value = duration_s(written)
        elif unit in ("share", "score"):
            value = percentage(written)
        else:
            value = plain_number(written.strip().removeprefix("$"))
        example = {"seconds": "4s", "share": "5%", "score": "0.7", "usd": "0.02"}.get(unit, "100")
        if metric is None:
            return value
        if value is None or not 0 <= value < 1e15:
            self._fail(f"'{_shown(written)}' is no limit of {metric.title}", f"write {name}: {example}", name)
        elif unit in ("share", "score") and not 0 < value < 1:
            self._fail(
                f"{metric.title} lies between 0 and 1, so that {name}: {_shown(written)} never says anything",
                f"write {name}: {example}",
                name,
            )
        elif value == 0 and unit != "count":
            self._fail(f"{name}: {_shown(written)} never says anything", f"write {name}: {example}", name)
        else:
            return value
        return None

    def _duration(self, name: str, written: str) -> float | None:
        found = duration_s(written)
        if found is None or found > 90 * _DAY_S:
            self._fail(f"'{written}' is not a duration", f"write {name}: 15m, 6h or 7d", name)
            return None
        return found

    def _check_reference(self, is_drift: bool) -> None:
        entry = self._entry
        is_change = entry.increase is not None or entry.decrease is not None
        if entry.reference is not None and not is_change:
            what = "drift is held against the week before" if is_drift else "a limit needs no reference"
            self._fail(f"'{entry.name}' has a reference: {what}", "remove it", "reference")
        elif entry.reference == "version" and entry.version:
            self._fail(
                f"'{entry.name}' compares the newest version with the one before, and names a version",
                "remove one of both",
                "version",
            )


def _shown(written: Amount) -> str:
    return written if isinstance(written, str) else f"{written:g}"
