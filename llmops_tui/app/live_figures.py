"""Figures of live traffic in words: values, changes, what they mean. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.app.lines import Span
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.figure_text import unit_text
from llmops_tui.domain.live.metrics import Unit
from llmops_tui.domain.live.overview import Figure, Point, Status

#: Status → (symbol, style).
STATUSES: dict[Status, tuple[str, str]] = {
    "ok": ("✓", "improved"),
    "warning": ("!", "bold warning"),
    "critical": ("✗", "bold error"),
    "unknown": ("–", "dim"),
}
#: Figures that grow with the window: neighbouring points are added up.
_SUMS = frozenset(("count", "tokens"))
#: Requests that a point should rest on, and points that are drawn of however few.
ENOUGH, LEAST_POINTS = 15, 12


def value_text(value: float | None, unit: Unit) -> str:
    """`92.4%`, `1.3 s`, `$0.0042`, `0.81`, `12,345`."""
    if value is None:
        return fmt.NONE
    match unit:
        case "count" | "tokens":
            return compact(value)
        case "words":
            return f"{value:.0f} words"
        case _:
            return unit_text(value, unit)


def compact(value: float) -> str:
    """`812`, `12,345`, `1.24 M`."""
    for limit, divisor, letter in ((1e9, 1e9, "G"), (1e6, 1e6, "M")):
        if abs(value) >= limit:
            return f"{value / divisor:.2f} {letter}"
    return fmt.count(round(value))


def figure_text(figure: Figure) -> str:
    return value_text(figure.value, figure.unit)


def status_word(status: Status) -> str:
    return "no data" if status == "unknown" else status


def change_of(figure: Figure) -> list[Span]:
    """Against the window before: `▲ +2.1 pts worse`, `▼ −12% better`, `≈ +0.2 pts`; nothing where unknown.

    A figure whose interval reaches the one before is only `≈`: chance does as much.
    """
    now, before = figure.value, figure.before
    if now is None or before is None:
        return []
    delta = now - before
    if figure.unit in ("share", "score"):
        text = fmt.points(delta) if figure.unit == "share" else fmt.delta(delta)
        small = abs(delta) < (0.0005 if figure.unit == "share" else 0.005)
    elif before:
        share = delta / abs(before)
        text = f"{'+' if share > 0 else fmt.MINUS}{abs(share):.0%}" if abs(share) < 9.995 else "×10 or more"
        small = abs(share) < 0.005
    else:
        text, small = "from nothing", not delta
    if small:
        return [("= as before", "dim")]
    if figure.low is not None and figure.high is not None and figure.low <= before <= figure.high:
        return [(f"≈ {text}", "dim")]
    arrow = "▲" if delta > 0 else "▼"
    if not figure.worse:
        return [(f"{arrow} {text}", "dim")]
    is_worse = (delta > 0) == (figure.worse == "up")
    word, style = ("worse", "regressed") if is_worse else ("better", "improved")
    return [(f"{arrow} {text} {word}", style)]


def values_of(figure: Figure, room: int) -> list[float | None]:
    """Values of its points, neighbours joined until they fit into so many cells."""
    return [point.value for point in joined(figure, fair_room([figure], room))]


def fair_room(figures: Sequence[Figure], room: int) -> int:
    """How many points are drawn of each: not so many that one rests on a handful of requests alone."""
    known = [figure for figure in figures if figure.value is not None]
    if not known or any(is_sum(figure) for figure in known):
        return room
    each = sum(figure.n for figure in known) // len(known)
    points = min(room, max(each // ENOUGH, LEAST_POINTS))
    # Points stand on whole cells: as many as fill the room.
    return room // -(-room // points) if points > 0 else 0


def is_sum(figure: Figure) -> bool:
    """It grows with the window."""
    return figure.unit in _SUMS or figure.metric == "cost"


def joined(figure: Figure, room: int) -> list[Point]:
    """Its points, as many as there is room for: neighbours become their sum, or their mean by requests.

    The newest group is a whole one; of shares and means this is exact, of quantiles a fair picture.
    """
    points: Sequence[Point] = figure.points
    if room <= 0 or not points:
        return []
    size = -(-len(points) // room)
    if size == 1:
        return list(points)
    ends = range(len(points), 0, -size)
    return [_one(points[max(end - size, 0) : end], figure) for end in reversed(ends)]


def _one(points: Sequence[Point], figure: Figure) -> Point:
    known = [p for p in points if p.value is not None]
    n = sum(p.n for p in points)
    if not known:
        return Point(points[0].at, None, n)
    values = [(p.value or 0.0, p.n) for p in known]
    if is_sum(figure):
        return Point(points[0].at, sum(v for v, _ in values), n)
    weights = sum(k for _, k in values)
    if not weights:
        return Point(points[0].at, sum(v for v, _ in values) / len(values), n)
    return Point(points[0].at, sum(v * k for v, k in values) / weights, n)
