"""The lines on top of the Live screen: what is shown, how much came in, what fires. Pure."""

from __future__ import annotations

from llmops_tui.app.header_text import Part, fitted
from llmops_tui.app.lines import Line, Span, cut, ends, shown_line, wrap
from llmops_tui.app.live_figures import change_of, figure_text
from llmops_tui.app.live_filter import text_of
from llmops_tui.app.live_state import LiveState
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.figure_text import noun
from llmops_tui.domain.live.overview import FiringAlert, Overview

#: Alerts that are told in full.
MOST_ALERTS = 2


def live_line(workspace: str, state: LiveState, overview: Overview | None, now: float, width: int) -> Line:
    """`helpdesk ▸ live   last 24 h   feature:refunds            newest 12 s ago`."""
    newest = overview.newest_at if overview is not None else None
    end: list[Span] = [("nothing collected", "dim")]
    if newest is not None:
        fresh = now - newest < 300
        end = [(f"{'●' if fresh else '○'} newest {fmt.ago(newest, now)}", "accent" if fresh else "warning")]
    end.append((" ", ""))
    typed = shown_line(text_of(state.wanted))
    parts: list[Part] = [
        (2, [(" ", ""), (shown_line(cut(workspace, 24)), "bold"), (" ▸ live", "dim")]),
        (0, [("   last ", "dim"), (state.window, "bold accent")]),
        (1, [("   only ", "dim"), (cut(typed, max(width - 45, 12)), "warning")] if typed else []),
    ]
    room = width - sum(len(text) for text, _ in end) - 1
    return ends(fitted([p for p in parts if p[1]], room), end, width)


def traffic_line(overview: Overview | None, width: int) -> Line:
    """`12,345 requests  ▲ +3% │ 13,000 traces │ 52,100 spans │ 3 set aside │ 2 alerts`."""
    if overview is None:
        return ()
    parts: list[Part] = []
    for rank, figure in enumerate(sorted(overview.traffic, key=lambda f: f.metric != "requests")):
        what = shown_line(noun(figure.title, figure.value))
        words: list[Span] = [(figure_text(figure), "bold"), (f" {what}", "")]
        change = change_of(figure)
        parts.append(
            (rank, [(" ", "") if not rank else ("", ""), *words, ("  " if change else "", ""), *change])
        )
    if overview.dropped:
        parts.append((2, [(f"{fmt.count(overview.dropped)} set aside", "warning")]))
    firing = sum(alert.until is None for alert in overview.alerts)
    if firing:
        parts.append((0, [(f"a: {fmt.plural(firing, 'alert')}", "bold error")]))
    return tuple(fitted(parts, width - 1, gap=" │ "))


def alert_bars(overview: Overview | None, now: float, width: int) -> list[tuple[Line, str]]:
    """What fires now, the gravest first, each in words."""
    firing = [a for a in overview.alerts if a.until is None] if overview is not None else []
    firing.sort(key=lambda alert: (alert.severity != "critical", -alert.since))
    bars: list[tuple[Line, str]] = []
    for alert in firing[:MOST_ALERTS]:
        over = "problem-bar" if alert.severity == "critical" else "attention-bar"
        rows = wrap(((f" {alert_words(alert, now)}", ""),), width - 1, 3)
        bars += [(row, over) for row in rows[:2]]
    if len(firing) > MOST_ALERTS:
        bars.append((((f" and {len(firing) - MOST_ALERTS} more; a lists them", ""),), "attention-bar"))
    return bars


def alert_words(alert: FiringAlert, now: float) -> str:
    """`! warning since 12 min: slow-answers: p95 is 8.1 s, …`."""
    symbol = {"critical": "✗", "warning": "!"}.get(alert.severity, "·")
    until = now if alert.until is None else alert.until
    lasted = fmt.seconds(max(until - alert.since, 0.0))
    when = f"for {lasted}" if alert.until is None else f"over, {fmt.ago(alert.until, now)}, after {lasted}"
    named = f"{symbol} {shown_line(alert.severity)} {when} · {shown_line(alert.rule)}"
    return f"{named}: {shown_line(alert.sentence)}"
