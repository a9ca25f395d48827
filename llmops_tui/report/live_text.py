"""Live traffic as lines for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.arrival import LiveScore, Signal
from llmops_tui.domain.live.figure_text import noun, unit_text
from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
from llmops_tui.domain.live.overview import Figure, FiringAlert, GroupView, Overview, Plot
from llmops_tui.domain.live.request import Request
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report.text import EMPTY, Line

#: Status → (mark, style).
MARKS = {
    "ok": ("✓", "improved"),
    "warning": ("!", "regressed"),
    "critical": ("✗", "error"),
    "unknown": ("·", "dim"),
}
_BARS = "▁▂▃▄▅▆▇█"
_GROUP, _TITLE, _VALUE, _AROUND, _BEFORE, _N = 9, 24, 10, 20, 11, 9


def overview_lines(view: Overview, now: float, *, width: int = 100) -> list[Line]:
    """The six at a glance, and the alerts."""
    counts = " · ".join(f"{unit_text(f.value, 'count')} {noun(f.title, f.value)}" for f in view.traffic)
    newest = f" · newest {fmt.ago(view.newest_at, now)}" if view.newest_at is not None else ""
    lines: list[Line] = [
        (("Live", "bold"), (f" · {filter_words(view.filter)}", "")),
        ((counts + newest, "dim"),),
        EMPTY,
        _row("", "", "", "now", "95%", "before", "n", "dim"),
    ]
    spark = max(width - (2 + _GROUP + _TITLE + _VALUE + _AROUND + _BEFORE + _N + 2), 0)
    for group in view.groups:
        lines += _group_lines(group, spark)
    if view.dropped:
        lines += [EMPTY, ((f"{fmt.plural(view.dropped, 'record')} could not be taken in", "regressed"),)]
    return lines + alert_lines(view.alerts, now)


def _group_lines(group: GroupView, spark: int) -> list[Line]:
    lines = []
    for at, figure in enumerate((group.headline, *group.others)):
        name = group.group if at == 0 else ""
        lines.append(figure_line(figure, name, spark, group.status if at == 0 else figure.status))
        if figure.why and figure.status not in ("ok", "unknown"):
            lines.append(((" " * (2 + _GROUP) + clean_line(figure.why), "regressed"),))
    return lines


def figure_line(figure: Figure, group: str, spark: int, status: str) -> Line:
    """One figure: mark, value, interval, the window before, n, and its course."""
    mark, style = MARKS[status]
    around = ""
    if figure.low is not None and figure.high is not None and figure.value is not None:
        around = f"{unit_text(figure.low, figure.unit)}–{unit_text(figure.high, figure.unit)}"
    line = _row(
        *(mark, group, clean_line(figure.title), unit_text(figure.value, figure.unit), around),
        *(unit_text(figure.before, figure.unit), fmt.count(figure.n), style),
    )
    return (*line, ("  " + sparkline([p.value for p in figure.points], spark), "dim")) if spark > 7 else line


def _row(mark: str, group: str, title: str, value: str, around: str, before: str, n: str, style: str) -> Line:
    cells = (
        fmt.pad(value, _VALUE, right=True)
        + fmt.pad(around, _AROUND, right=True)
        + fmt.pad(before, _BEFORE, right=True)
        + fmt.pad(n, _N, right=True)
    )
    return (
        (fmt.pad(mark, 2), style),
        (fmt.pad(group, _GROUP), "bold"),
        (fmt.pad(title, _TITLE), ""),
        (cells, ""),
    )


def alert_lines(alerts: Sequence[FiringAlert], now: float) -> list[Line]:
    """Alerts that fire or fired, a line each; nothing where there are none."""
    lines: list[Line] = []
    for alert in alerts:
        state = (
            f"since {fmt.ago(alert.since, now)}"
            if alert.until is None
            else f"over {fmt.ago(alert.until, now)}"
        )
        style = "error" if alert.until is None and alert.severity == "critical" else "regressed"
        mark = "▲" if alert.until is None else "△"
        text = f"{clean_line(alert.rule)}: {clean_line(alert.sentence)} ({state})"
        lines.append(((f"{mark} ", style), (text, "" if alert.until is None else "dim")))
    return [EMPTY, (("Alerts", "bold"),), *lines] if lines else []


def plot_lines(plots: Sequence[Plot], *, width: int = 100) -> list[Line]:
    """Metrics by a dimension: a block a metric, a line a value."""
    lines: list[Line] = []
    spark = max(width - (2 + _GROUP + _TITLE + _VALUE + _AROUND + _BEFORE + _N + 2), 0)
    for plot in plots:
        if not plot.lines:
            return [(("Nothing came in this window.", "dim"),)]
        title = plot.lines[0].figure.title + (f" by {plot.by}" if plot.by else "")
        lines += [EMPTY, ((clean_line(title), "bold"),)]
        for line in plot.lines:
            name = clean_line(line.name) or line.figure.title
            figure = line.figure
            mark, style = MARKS[figure.status]
            around = ""
            if figure.low is not None and figure.high is not None:
                around = f"{unit_text(figure.low, figure.unit)}–{unit_text(figure.high, figure.unit)}"
            cells = (
                fmt.pad(unit_text(figure.value, figure.unit), _VALUE, right=True)
                + fmt.pad(around, _AROUND, right=True)
                + fmt.pad(unit_text(figure.before, figure.unit), _BEFORE, right=True)
                + fmt.pad(fmt.count(figure.n), _N, right=True)
            )
            course = "  " + sparkline([p.value for p in figure.points], spark) if spark > 7 else ""
            lines.append(
                (
                    (fmt.pad(mark, 2), style),
                    (fmt.pad(name, _GROUP + _TITLE), ""),
                    (cells, ""),
                    (course, "dim"),
                )
            )
    return lines[1:]


def request_lines(requests: Sequence[LiveRequest], now: float, *, width: int = 100) -> list[Line]:
    """Requests, a line each."""
    if not requests:
        return [(("No request is like that.", "dim"),)]
    head = _request_cells("trace", "when", "version", "latency", "cost", "score", "what")
    room = max(width - 64, 10)
    lines: list[Line] = [((head + "  input", "dim"),)]
    for listed in requests:
        request = listed.request
        cells = _request_cells(
            *(request.trace_id[:12], fmt.ago(request.start, now), clean_line(request.version)),
            *(fmt.seconds(request.latency_s), fmt.money(request.cost_usd if request.priced else None)),
            *(fmt.score(request.score), what_words(request)),
        )
        style = "error" if request.failed else "regressed" if what_words(request) else ""
        lines.append(((cells, style), ("  " + fmt.truncate(clean_line(request.input), room), "")))
    return lines


def _request_cells(
    trace: str, when: str, version: str, latency: str, cost: str, score: str, what: str
) -> str:
    return (
        fmt.pad(trace, 13) + fmt.pad(when, 11) + fmt.pad(version, 8) + fmt.pad(latency, 8, right=True)
        + fmt.pad(cost, 10, right=True) + fmt.pad(score, 6, right=True) + "  " + fmt.pad(what, 8)
    )  # fmt: skip


def what_words(request: Request) -> str:
    """What is wrong with it, in a word; empty where nothing is."""
    for is_so, word in (
        (request.failed, "failed"),
        (request.refused, "refused"),
        (request.flagged, "flagged"),
        (request.is_bad, "disliked"),
        (request.passed is False, "low"),
    ):
        if is_so:
            return word
    return ""


def verdict_lines(scores: Sequence[LiveScore], signals: Sequence[Signal], now: float) -> list[Line]:
    """What scorers and users said of a request."""
    lines: list[Line] = []
    for score in scores:
        style = {True: "improved", False: "regressed", None: ""}[score.passed]
        said = f"failed to judge: {score.error}" if score.error else fmt.score(score.value)
        reason = f" · {clean_line(score.reason)}" if score.reason else ""
        lines.append(
            (("  " + fmt.pad(clean_line(score.scorer), 24), ""), (clean_line(said), style), (reason, "dim"))
        )
    for signal in signals:
        who = f" by {clean_line(signal.user)}" if signal.user else ""
        comment = f" · {clean_line(signal.comment)}" if signal.comment else ""
        lines.append(
            (
                ("  " + fmt.pad(signal.kind, 24), ""),
                (f"{signal.value:g}", "regressed" if signal.is_bad else "improved"),
                (f"{who} {fmt.ago(signal.at, now)}{comment}", "dim"),
            )
        )
    return [EMPTY, (("What was said of it", "bold"),), *lines] if lines else []


def filter_words(wanted: LiveFilter) -> str:
    """`2026-11-27 04:00 – 2026-11-28 04:00 · version v12`; `since …` where the window has no end."""
    ends = wanted.until < 1e11
    if wanted.since > 0:
        since = fmt.moment(wanted.since)
        window = f"{since} – {fmt.moment(wanted.until)}" if ends else f"since {since}"
    else:
        window = f"until {fmt.moment(wanted.until)}" if ends else "all the time"
    named = [
        f"{name} {clean_line(value)}"
        for name in ("config", "version", "feature", "model", "provider", "user", "session", "only", "error")
        if (value := getattr(wanted, name))
    ]
    return " · ".join([window, *named])


def sparkline(values: Sequence[float | None], width: int) -> str:
    """Values as bars from the least to the largest, thinned to a width; a space where there is none."""
    if not values or width <= 0:
        return ""
    thinned = _thinned(values, width)
    known = [v for v in thinned if v is not None]
    if not known:
        return " " * len(thinned)
    low, high = min(known), max(known)
    if high - low <= 1e-12:
        return "".join(" " if v is None else _BARS[3] for v in thinned)
    return "".join(" " if v is None else _BARS[round((v - low) / (high - low) * 7)] for v in thinned)


def _thinned(values: Sequence[float | None], width: int) -> list[float | None]:
    """Means of neighbours, so that there are at most `width`."""
    if len(values) <= width:
        return list(values)
    made: list[float | None] = []
    for at in range(width):
        part = values[at * len(values) // width : (at + 1) * len(values) // width]
        known = [v for v in part if v is not None]
        made.append(sum(known) / len(known) if known else None)
    return made


def queue_lines(
    entries: Sequence[tuple[LiveRequest, float, tuple[str, ...], int]], now: float, *, width: int = 100
) -> list[Line]:
    """What is worth a look, two or three lines each.

    Args:
        entries: (request, worth, sentences, how many others ask nearly the same).
    """
    if not entries:
        return [(("Nothing is waiting for a look.", "dim"),)]
    lines: list[Line] = []
    for listed, worth, sentences, alike in entries:
        request = listed.request
        about = " · ".join(
            clean_line(word) for word in (request.version, request.feature, request.model) if word
        )
        more = f" · and {fmt.plural(alike, 'request')} like it" if alike else ""
        lines += [
            (
                (f"{worth:4.1f}  ", "bold"),
                (request.trace_id[:12], "bold"),
                (f"  {fmt.ago(request.start, now)} · {about}{more}", "dim"),
            ),
            ((fmt.truncate("      " + clean_line("; ".join(sentences)), width), "regressed"),),
            ((fmt.truncate("      " + (clean_line(request.input) or "(no text)"), width), ""),),
        ]
    return [
        *lines,
        EMPTY,
        (("llmops-tui case TRACE_ID makes one a case; queue done TRACE_ID lets it go.", "dim"),),
    ]
