"""The six groups of figures as tiles, or as rows where there is less room. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.app.lines import (
    Line,
    Span,
    cut_line,
    ends,
    left,
    line_width,
    pad_line,
    right,
    shown_line,
    wrap,
)
from llmops_tui.app.live_figures import STATUSES, change_of, figure_text, status_word, values_of
from llmops_tui.app.sparkline import sparkline
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.overview import Figure, GroupView

#: Tiles side by side.
ACROSS = 3
_STATUS, _NAME, _TITLE, _VALUE, _CHANGE = 12, 9, 17, 9, 19


def spark_of(figure: Figure, width: int) -> Span:
    """Its points as bars, as wide as can be."""
    points = values_of(figure, width)
    if not any(value is not None for value in points):
        return ("", "")
    if not any(points):
        return "".join("·" if value is None else "▁" for value in points), "dim"  # zero lies on the ground
    return sparkline(points, width), "accent"


def row_line(view: GroupView, width: int) -> Line:
    """`✓ ok  quality  pass rate  92.4%  ▼ −3.1 pts worse  ▂▃▄▅▆▇`."""
    figure = view.headline
    symbol, style = STATUSES[view.status]
    spans: list[Span] = [
        (left(f" {symbol} {status_word(view.status)}", _STATUS), style),
        (left(view.group, _NAME), "bold"),
        (left(shown_line(figure.title), _TITLE), "dim"),
        (right(figure_text(figure), _VALUE), "bold"),
        ("  ", ""),
        *pad_line(change_of(figure), _CHANGE),
    ]
    room = width - line_width(spans) - 1
    if room >= 6:
        spans += [(" ", ""), spark_of(figure, room)]
    return tuple(spans)


def row_heading() -> Line:
    text = left(" status", _STATUS) + left("", _NAME) + left("figure", _TITLE) + right("now", _VALUE)
    return ((f"{text}  {left('against before', _CHANGE)} over time", "dim"),)


def tile_lines(view: GroupView, width: int, height: int, *, chosen: bool) -> list[Line]:
    """One tile, exactly so large: the figure, its line over time, why it is not ok, what else there is."""
    figure = view.headline
    symbol, style = STATUSES[view.status]
    bar: Span = ("▌" if chosen else " ", "accent")
    head: Line = (bar, (view.group.upper(), "bold"), (f"  {shown_line(figure.title)}", "dim"))
    word: Line = ((f"{symbol} {status_word(view.status)} ", style),)
    value = [bar, (figure_text(figure), "bold"), ("  ", ""), *change_of(figure)]
    count: Line = ((f"n {fmt.count(figure.n)} ", "dim"),)
    room = max(width - 2, 1)
    lines = [ends(head, word, width), ends(value, count, width), (bar, spark_of(figure, room))]
    lines += [(bar, *line) for line in _below(view, room, max(height - 3, 0))]
    lines += [(bar,)] * (height - len(lines))
    return [pad_line(line, width) for line in lines[:height]]


def _below(view: GroupView, width: int, height: int) -> list[Line]:
    """Why, where something is; else further figures."""
    lines: list[Line] = []
    why = shown_line(view.headline.why or next((f.why for f in view.others if f.why), ""))
    if why:
        lines = wrap(((why, STATUSES[view.status][1].replace("bold ", "")),), width)[: max(height, 1)]
    rest: list[Line] = []
    for figure in view.others:
        if figure.value is None:
            continue
        spans: Line = ((f"{shown_line(figure.title)} ", "dim"), (figure_text(figure), ""))
        if rest and line_width(rest[-1]) + line_width(spans) + 3 <= width:
            rest[-1] = (*rest[-1], (" · ", "rule"), *spans)
        else:
            rest.append(cut_line(spans, width))
    return (lines + rest)[:height]


def tiled(views: Sequence[GroupView], width: int, height: int, chosen: str) -> list[list[tuple[Line, bool]]]:
    """Lines of all tiles: of each line its pieces, and whether each is of the chosen tile.

    Args:
        height: of one tile.
    """
    gap = 1
    each = max((width - gap * (ACROSS - 1)) // ACROSS, 10)
    out: list[list[tuple[Line, bool]]] = []
    for start in range(0, len(views), ACROSS):
        row = views[start : start + ACROSS]
        tiles = [tile_lines(v, each, height, chosen=v.group == chosen) for v in row]
        for y in range(height):
            pieces: list[tuple[Line, bool]] = []
            for n, tile in enumerate(tiles):
                if n:
                    pieces.append((((" " * gap, ""),), False))
                pieces.append((tile[y], row[n].group == chosen))
            out.append(pieces)
        if start + ACROSS < len(views):
            out.append([])
    return out
