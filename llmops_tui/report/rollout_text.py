"""A rollout for a terminal, and as markdown: the answer first, then each figure, then how far to trust it."""

from __future__ import annotations

import textwrap

from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.figure_text import unit_text
from llmops_tui.domain.live.rollout_view import Compared, RolloutView
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report.markdown_text import inline, table
from llmops_tui.report.text import EMPTY, Line

STYLE = {"pass": "improved", "fail": "regressed", "inconclusive": "error"}
MARKS = {"pass": "✓", "fail": "✗", "inconclusive": "?"}
#: Cells of each column after the mark. Where there is little room the last one, n, stands below.
_WIDE, _NARROW = (24, 10, 10, 11, 22, 14), (18, 10, 11, 11, 20)
_HEAD = ("figure", "old", "new", "better by", "surely between", "n")


def rollout_lines(view: RolloutView, *, width: int = 100) -> list[Line]:
    """A rollout in full."""
    columns = _WIDE if width >= 2 + sum(_WIDE) else _NARROW
    lines: list[Line] = [
        ((view.verdict, STYLE[view.verdict]), (f"  {clean_line(title(view))}", "bold")),
        *_wrapped(view.sentence, width, "bold"),
        EMPTY,
        *_wrapped(times_words(view), width, "dim"),
        EMPTY,
        ((_cells(columns, "", *_HEAD), "dim"),),
    ]
    for each in view.figures:
        r = each.result
        cells = _cells(
            *(columns, MARKS[r.verdict], clean_line(each.title), unit_text(each.old, each.unit)),
            *(unit_text(each.new, each.unit), fmt.points(r.delta), bounds_words(each), n_words(each)),
        )
        lines.append(((cells, STYLE[r.verdict] if r.verdict != "pass" else ""),))
        n = f"; n {n_words(each)}" if columns is _NARROW else ""
        lines += _wrapped(what_words(each) + n, width, "dim", "    ")
    lines.append(EMPTY)
    for note in view.notes:
        lines += _wrapped(note, width, "dim", "· ")
    return lines


def rollout_markdown(view: RolloutView) -> str:
    rows = [
        [
            MARKS[each.result.verdict],
            inline(each.title),
            _dollars(unit_text(each.old, each.unit)),
            _dollars(unit_text(each.new, each.unit)),
            fmt.points(each.result.delta),
            bounds_words(each),
            n_words(each),
            inline(what_words(each)),
        ]
        for each in view.figures
    ]
    head = ["", "figure", "old", "new", "better by", "surely between", "n", "what it is"]
    parts = [
        f"# {view.verdict}: {inline(title(view))}",
        f"**{inline(view.sentence)}**",
        inline(times_words(view)),
        table(head, rows, right=(2, 3, 4, 5, 6)),
        "\n".join(f"- {inline(note)}" for note in view.notes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def title(view: RolloutView) -> str:
    return f"{view.config} {view.new} against {view.old}".strip()


def times_words(view: RolloutView) -> str:
    """Which times are compared."""
    new = f"{fmt.moment(view.since)} – {fmt.moment(view.until)}"
    if view.kind == "split":
        counts = f"{fmt.plural(view.n_new, 'request')} of {view.new}, {fmt.count(view.n_old)} of {view.old}"
        return f"both at once, {new}: {counts}"
    old = f"{fmt.moment(view.old_since)} – {fmt.moment(view.old_until)}"
    return (
        f"{view.new}: {fmt.plural(view.n_new, 'request')}, {new}; "
        f"{view.old}: {fmt.plural(view.n_old, 'request')}, {old}"
    )


def bounds_words(each: Compared) -> str:
    return f"{fmt.points(each.result.low).removesuffix(' pts')} … {fmt.points(each.result.high)}"


def n_words(each: Compared) -> str:
    return f"{fmt.count(round(each.result.n_old))}/{fmt.count(round(each.result.n_new))}"


def what_words(each: Compared) -> str:
    """What is compared, what it may lose, and what is lacking."""
    said = f"{each.about}; it may fall by {fmt.points(each.result.max_drop).lstrip('+')}"
    if each.more is not None:
        said += f"; about {fmt.plural(each.more, 'more request', 'more requests')} would decide it"
    return said


def _cells(columns: tuple[int, ...], mark: str, name: str, *values: str) -> str:
    cells = zip(values, columns[1:], strict=False)
    return (
        fmt.pad(mark, 2)
        + fmt.pad(name, columns[0])
        + "".join(fmt.pad(value, wide, right=True) for value, wide in cells)
    )


def _wrapped(text: str, width: int, style: str, lead: str = "") -> list[Line]:
    rows = textwrap.wrap(clean_line(text), max(width - len(lead), 20))
    return [((lead if at == 0 else " " * len(lead), "dim"), (row, style)) for at, row in enumerate(rows)]


def _dollars(text: str) -> str:
    return text.replace("$", "\\$").replace("<", "&lt;")
