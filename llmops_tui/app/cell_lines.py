"""One cell of the matrix in words: how it stands, why, and what `enter` does. Pure."""

from __future__ import annotations

import msgspec

from llmops_tui.app.lines import Line, Span, shown_line, wrap
from llmops_tui.app.matrix_lines import column_name, key_words, symbol
from llmops_tui.domain import format as fmt
from llmops_tui.domain.matrix import Cell, Matrix
from llmops_tui.domain.run import Item
from llmops_tui.engine.matrix import CellDetail

_WORDS = {
    "absent": "not evaluated",
    "passed": "passed",
    "failed": "failed",
    "error": "could not be had",
    "unscored": "not judged",
    "missing": "still to come",
}
_STYLES = {"failed": "regressed", "error": "error", "passed": "improved"}


class Place(msgspec.Struct, frozen=True):
    """A cell, and the column that it is held against."""

    matrix: Matrix
    row: int
    column: int
    left: int | None

    @property
    def cell(self) -> Cell:
        return self.matrix.cell(self.row, self.column)

    @property
    def title(self) -> str:
        return f"{column_name(self.matrix, self.column)} · {key_words(self.matrix.rows[self.row])}"


def cell_lines(place: Place, detail: CellDetail | None, width: int) -> list[Line]:
    """What is known of a cell.

    Args:
        detail: scores with their reasons; None until they are read.
    """
    lines = wrap([*_state(place), *_figures(detail)], width, 2)
    for text, style in _reasons(detail):
        lines += wrap([(text, style)], width, 2)[:3]
    lines += wrap([(_enter(place), "dim")], width, 2)
    return lines


def _state(place: Place) -> list[Span]:
    cell = place.cell
    mark, style = symbol(cell)
    spans: list[Span] = [(mark, style), (f" {_WORDS[cell.status]}", _STYLES.get(cell.status, ""))]
    if cell.score is not None:
        spans.append((f" {fmt.score(cell.score)}", "bold"))
    if cell.trials > 1:
        said = f" · {cell.passed} of {cell.trials} trials passed"
        spans.append((said + (", flaky" if cell.is_flaky else ""), "warning" if cell.is_flaky else ""))
    if cell.flip is not None:
        spans.append((f" · {cell.flip.replace('→', ' → ')}", "regressed" if mark == "▼" else ""))
    rate = place.matrix.columns[place.column].pass_rate
    if place.matrix.columns[place.column].run is not None:
        name = column_name(place.matrix, place.column)
        spans.append((f" · {name} passes {fmt.percent(rate)}", "dim"))
    return spans


def _figures(detail: CellDetail | None) -> list[Span]:
    """Latency and cost, as means over the planned trials that have them."""
    items = detail.row.planned if detail is not None else ()
    latency, cost = _mean([i.latency_s for i in items]), _mean([i.cost_usd for i in items])
    parts = [fmt.seconds(latency)] if latency is not None else []
    parts += [fmt.money(cost)] if cost is not None else []
    return [(f" · {' · '.join(parts)}", "dim")] if parts else []


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def _reasons(detail: CellDetail | None) -> list[tuple[str, str]]:
    """Why it failed or erred: each reason once."""
    if detail is None:
        return []
    found: list[tuple[str, str]] = []
    for trial, item in zip(detail.trials, detail.row.items, strict=True):
        found += [(shown_line(trial.failure), "error")] if trial.failure else []
        for score in trial.scores:
            if score.error:
                found.append((f"{shown_line(score.label)}: {shown_line(score.error)}", "error"))
            elif score.passed is False or _is_low(item, score.value):
                found.append((f"{shown_line(score.label)}: {shown_line(score.reason)}", ""))
    return list(dict.fromkeys(found))


def _is_low(item: Item, value: float | None) -> bool:
    return item.status == "failed" and value is not None and value < 1


def _enter(place: Place) -> str:
    matrix, column, left = place.matrix, place.column, place.left
    if left is None and matrix.by == "models" and len(matrix.columns) > 1:
        left, column = column, column + 1
    if left is None:
        return "enter shows it on the Bench"
    names = f"{column_name(matrix, left)} with {column_name(matrix, column)}"
    text = f"enter compares {names} on the Bench"
    if place.cell.judged_otherwise or matrix.cell(place.row, left).judged_otherwise:
        return f"* judged by other scorers than the newest version; {text}, by the cases on disk"
    return text
