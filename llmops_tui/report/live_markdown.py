"""Live traffic as markdown: a window, and the weekly report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.arrival import LiveScore, Signal
from llmops_tui.domain.live.figure_text import noun, unit_text
from llmops_tui.domain.live.listing import LiveRequest
from llmops_tui.domain.live.overview import Figure, FiringAlert, Overview, Plot
from llmops_tui.report.live_text import filter_words, what_words
from llmops_tui.report.markdown_text import code, inline, table

_MARKS = {"ok": "✓", "warning": "⚠", "critical": "✗", "unknown": "·"}
_INPUT = 80


class _Drift(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def size(self) -> str: ...
    @property
    def drifted(self) -> bool: ...
    @property
    def notes(self) -> tuple[str, ...]: ...


class NewCaseOf(Protocol):
    """A case that came from live traffic."""

    @property
    def id(self) -> str: ...
    @property
    def file(self) -> str: ...


def verdicts_markdown(scores: Sequence[LiveScore], signals: Sequence[Signal]) -> list[str]:
    """What scorers and users said of a request; nothing where they said nothing."""
    rows = [
        [
            inline(score.scorer),
            inline(f"failed to judge: {score.error}" if score.error else fmt.score(score.value)),
            inline(score.reason),
        ]
        for score in scores
    ]
    rows += [
        [
            signal.kind,
            f"{signal.value:g}",
            inline(" · ".join(x for x in (signal.user, fmt.moment(signal.at), signal.comment) if x)),
        ]
        for signal in signals
    ]
    return ["## What was said of it", table(["who", "value", ""], rows, right=(1,))] if rows else []


def overview_markdown(view: Overview, plots: Sequence[Plot] = ()) -> str:
    """A window: the six, plots as tables, and alerts."""
    parts = [f"# Live traffic\n\n{_head(view)}", six_table(view)]
    parts += [plots_table(plots)] if plots else []
    return "\n\n".join([*parts, *_alerts(view.alerts)]) + "\n"


def _head(view: Overview) -> str:
    counts = " · ".join(f"{unit_text(f.value, 'count')} {noun(f.title, f.value)}" for f in view.traffic)
    return f"{inline(filter_words(view.filter))}\n\n{counts}"


def six_table(view: Overview) -> str:
    rows = []
    for group in view.groups:
        for at, figure in enumerate((group.headline, *group.others)):
            status = group.status if at == 0 else figure.status
            name = f"**{group.group}**" if at == 0 else ""
            rows.append([_MARKS[status], name, inline(figure.title), *_cells(figure)])
    return table(["", "", "figure", "now", "95 %", "before", "n"], rows, right=(3, 4, 5, 6))


def _cells(figure: Figure) -> list[str]:
    around = ""
    if figure.low is not None and figure.high is not None and figure.value is not None:
        around = f"{unit_text(figure.low, figure.unit)}–{unit_text(figure.high, figure.unit)}"
    now, before = unit_text(figure.value, figure.unit), unit_text(figure.before, figure.unit)
    return [_plain(now), _plain(around), _plain(before), fmt.count(figure.n)]


def _plain(text: str) -> str:
    return text.replace("$", "\\$").replace("<", "&lt;")


def plots_table(plots: Sequence[Plot]) -> str:
    """Values of a dimension against metrics."""
    head = [plots[0].by or "", *(inline(p.lines[0].figure.title) if p.lines else p.metric for p in plots)]
    rows = [
        [
            code(line.name) or "all",
            *(_plain(unit_text(p.lines[at].figure.value, p.lines[at].figure.unit)) for p in plots),
        ]
        for at, line in enumerate(plots[0].lines)
    ]
    return table(head, rows, right=range(1, len(plots) + 1))


def _alerts(alerts: Sequence[FiringAlert]) -> list[str]:
    if not alerts:
        return []
    rows = [
        [
            inline(alert.rule),
            alert.severity,
            fmt.moment(alert.since),
            "fires" if alert.until is None else fmt.moment(alert.until),
            inline(alert.sentence),
        ]
        for alert in alerts
    ]
    return ["## Alerts", table(["rule", "severity", "since", "until", "what"], rows)]


def weekly_markdown(week: Any, cases: Sequence[NewCaseOf]) -> str:
    """The weekly report.

    Args:
        week: `monitoring.weekly.Week`.
        cases: those that were made of this week's traffic.
    """
    view: Overview = week.view
    parts = [f"# The week in live traffic\n\n{_head(view)}", "## At a glance", six_table(view)]
    if week.versions and week.versions[0].lines:
        parts += ["## By version", plots_table(week.versions)]
    parts += ["## What got worse", _regressions(week.regressions)]
    parts += _alerts(view.alerts) or ["## Alerts", "None fired."]
    parts += _spenders("features", week.features) + _spenders("users", week.users)
    if week.worst:
        parts += ["## Worth a look", _requests(week.worst)]
    listed = "\n".join(f"- {code(case.id)} in {code(case.file)}" for case in cases)
    parts += [
        "## Cases made of traffic",
        listed or "None this week: `llmops-tui queue` lists what is worth one.",
    ]
    parts += _drift(week.drift)
    return "\n\n".join(parts) + "\n"


def _regressions(found: Sequence[Any]) -> str:
    if not found:
        return "Nothing is plainly worse than the week before."
    rows = [
        [
            inline(each.figure.title),
            f"{each.dimension} {code(each.value)}" if each.value else "all",
            _plain(unit_text(each.figure.before, each.figure.unit)),
            _plain(unit_text(each.figure.value, each.figure.unit)),
            fmt.count(each.figure.n),
        ]
        for each in found
    ]
    return table(["figure", "of", "before", "now", "n"], rows, right=(2, 3, 4))


def _spenders(what: str, found: Sequence[Any]) -> list[str]:
    if not found:
        return []
    rows = [
        [
            code(each.name),
            fmt.count(each.requests),
            _plain(fmt.money(each.cost_usd)),
            _plain(fmt.money(each.before_usd)),
            _plain(fmt.money(each.cost_usd / each.requests if each.requests else None)),
        ]
        for each in found
    ]
    head = [what[:-1], "requests", "cost", "the week before", "a request"]
    return [f"## The dearest {what}", table(head, rows, right=(1, 2, 3, 4))]


def _requests(found: Sequence[LiveRequest]) -> str:
    rows = [
        [
            code(each.request.trace_id[:12]),
            fmt.moment(each.request.start),
            inline(each.request.version),
            what_words(each.request),
            fmt.score(each.request.score),
            inline(fmt.truncate(each.request.input, _INPUT)),
        ]
        for each in found
    ]
    return table(["trace", "when", "version", "what", "score", "input"], rows)


def _drift(found: Sequence[_Drift]) -> list[str]:
    if not found:
        return []
    rows = [
        [inline(each.name), "**drifted**" if each.drifted else "no", each.size, inline("; ".join(each.notes))]
        for each in found
    ]
    return ["## Drift", table(["of", "drifted", "effect", "what"], rows)]
