"""The matrix as text, CSV and JSON: the grid that the app shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.matrix import Cell, Column, Matrix
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report.csv import safe_cell
from llmops_tui.report.json import Json, version_json
from llmops_tui.report.text import EMPTY, Line, Piece

_ID_WIDTH = 40
_MODEL_WIDTH = 24
LEGEND = (
    "✓ passed  ✗ failed  ▼ failed, and passed before  ▲ passed, and failed before  ~ trials disagree  "
    "! error  · not judged  – not evaluated"
)


def matrix_lines(matrix: Matrix, rows: Sequence[int] | None = None) -> list[Line]:
    """One line a case, one column a version or model, the pass rates below.

    Args:
        rows: which, in which order; None: all, as in the eval set.
    """
    if not matrix.columns:
        return [(("nothing was evaluated yet", "dim"),)]
    chosen = range(len(matrix.rows)) if rows is None else rows
    names = [_heading(matrix, column) for column in matrix.columns]
    widths = [max(fmt.cell_width(name), 6) + 2 for name in names]
    cases = [clean_line(matrix.rows[n][0]) for n in chosen]
    case = min(max(fmt.cell_width(c) for c in ("pass rate", *cases)), _ID_WIDTH)
    models = [clean_line(matrix.rows[n][1]) for n in chosen]
    model = min(max((fmt.cell_width(m) for m in models), default=0), _MODEL_WIDTH)
    head = fmt.pad("case", case) + (" " + fmt.pad("model", model) if model else "")
    lines: list[Line] = [
        ((head + "".join(fmt.pad(n, w, right=True) for n, w in zip(names, widths, strict=True)), "dim"),)
    ]
    for n, name, own in zip(chosen, cases, models, strict=True):
        pieces: list[Piece] = [(fmt.pad(name, case), "")]
        if model:
            pieces.append((" " + fmt.pad(own, model), "dim"))
        for k, width in enumerate(widths):
            text, style = _cell(matrix.cell(n, k))
            pieces.append((fmt.pad(text, width, right=True), style))
        lines.append(tuple(pieces))
    whole = rows is None or len(rows) == len(matrix.rows)
    rates = [c.pass_rate if whole else c.rate(chosen) for c in matrix.columns]
    foot = "".join(fmt.pad(fmt.percent(r), w, right=True) for r, w in zip(rates, widths, strict=True))
    room = case + (1 + model if model else 0)
    lines.append(((fmt.pad("pass rate", room), "dim"), (foot, "bold")))
    return [*lines, EMPTY, ((LEGEND, "dim"),)]


def _heading(matrix: Matrix, column: Column) -> str:
    version = column.version
    if matrix.by == "models":
        return fmt.truncate(clean_line(version.model), 26)
    return f"{version.name} baseline" if version.is_baseline else version.name


def _cell(cell: Cell) -> tuple[str, str]:
    mark, style = _mark(cell)
    return f"{mark} {fmt.score(cell.score) if cell.score is not None else '':>4}", style


def _mark(cell: Cell) -> tuple[str, str]:
    if cell.is_flaky:
        return "~", "regressed"
    if cell.flip is not None:
        return ("▼", "regressed") if cell.flip == "pass→fail" else ("▲", "improved")
    found = {
        "passed": ("✓", ""),
        "failed": ("✗", "regressed"),
        "error": ("!", "error"),
        "unscored": ("·", "dim"),
    }
    return found.get(cell.status, ("…" if cell.status == "missing" else fmt.NONE, "dim"))


def matrix_csv(matrix: Matrix, rows: Sequence[int], tags: Mapping[str, Sequence[str]]) -> str:
    """One row for each cell, by RFC 4180 under a line of names: to be pivoted in a spreadsheet or a notebook.

    Args:
        tags: case → its tags.
    """
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(
        ("case", "model", "tags", "version", "is_baseline", "status", "score", "passed", "trials", "flip")
    )
    for n in rows:
        case = matrix.rows[n][0]
        for k, column in enumerate(matrix.columns):
            cell = matrix.cell(n, k)
            whole = column.version.name.partition("@")[0]
            values = (case, matrix.model_of(n, k), " ".join(tags.get(case, ())), whole)
            figures = (
                column.version.is_baseline,
                cell.status,
                cell.score,
                cell.passed,
                cell.trials,
                cell.flip,
            )
            writer.writerow([safe_cell(value) for value in (*values, *figures)])
    return target.getvalue()


def matrix_json(config: str, matrix: Matrix, rows: Sequence[int]) -> Json:
    """The matrix with its rows in this order."""
    return {
        "config": config,
        "by": matrix.by,
        "columns": [_column_json(column) for column in matrix.columns],
        "cases": [
            {
                "id": matrix.rows[n][0],
                "model": matrix.rows[n][1] or None,
                "cells": [_cell_json(matrix, n, k) for k in range(len(matrix.columns))],
            }
            for n in rows
        ],
    }


def _column_json(column: Column) -> Json:
    return {
        **version_json(column.version),
        "model": column.version.model or None,
        "state": column.run.state if column.run is not None else None,
        "pass_rate": column.pass_rate,
    }


def _cell_json(matrix: Matrix, n: int, k: int) -> Json | None:
    cell = matrix.cell(n, k)
    if cell.status == "absent":
        return None
    return {
        "status": cell.status,
        "score": cell.score,
        "passed": cell.passed,
        "trials": cell.trials,
        "flaky": cell.is_flaky,
        "flip": cell.flip,
        "model": matrix.model_of(n, k),
        "judged_otherwise": cell.judged_otherwise,
    }
