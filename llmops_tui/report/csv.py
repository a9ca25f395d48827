"""A comparison as CSV: one row for each case and model, for a spreadsheet or a notebook."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from llmops_tui.domain.comparison import Comparison, Pair, pass_shares
from llmops_tui.domain.review import Decision, PairKey
from llmops_tui.domain.run import Item, Row
from llmops_tui.domain.safe_text import clean

#: What a spreadsheet takes for a formula, at the start of a cell. Source: OWASP, *CSV Injection*.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_SIDES = ("baseline", "candidate")
COLUMNS = (
    *("case", "model", "tags", "change", "flip", "pending"),
    *(f"{side}_status" for side in _SIDES),
    *(f"{side}_score" for side in _SIDES),
    "delta",
    *(f"{side}_pass_share" for side in _SIDES),
    *(f"{side}_trials" for side in _SIDES),
    *(f"{side}_cost_usd" for side in _SIDES),
    *(f"{side}_latency_s" for side in _SIDES),
    *("decision", "note"),
)
TEXT_COLUMNS = tuple(f"{side}_output" for side in _SIDES)


def comparison_csv(
    comparison: Comparison,
    tags: Mapping[str, Sequence[str]],
    decisions: Mapping[PairKey, Decision],
    texts: Mapping[int, str] | None = None,
) -> str:
    """The rows of a comparison by RFC 4180, in the order of the eval set, under a line of names.

    A cell of text that a spreadsheet would take for a formula gets an apostrophe in front; numbers are as
    they are. A figure that is not known is an empty cell. Cost and latency are means over planned trials.

    Args:
        tags: case → its tags.
        decisions: those that are about these outputs.
        texts: output → its text; given, the first trial's texts are two columns more.
    """
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *(TEXT_COLUMNS if texts is not None else ())])
    for pair in comparison.pairs:
        cells = _cells(pair, tags.get(pair.case_id, ()), decisions.get((pair.case_id, pair.model)))
        if texts is not None:
            cells += [_output(row, texts) for row in (pair.baseline, pair.candidate)]
        writer.writerow([safe_cell(value) for value in cells])
    return target.getvalue()


Value = str | float | int | bool | None


def _cells(pair: Pair, tags: Sequence[str], decision: Decision | None) -> list[Value]:
    sides = (pair.baseline, pair.candidate)
    shares = pass_shares(*sides) or (None, None)
    return [
        *(pair.case_id, pair.model, " ".join(tags), pair.change, pair.flip, pair.pending),
        *(row.status if row is not None else None for row in sides),
        *(row.score if row is not None else None for row in sides),
        pair.delta,
        *shares,
        *(len(row.planned) if row is not None else 0 for row in sides),
        *(_mean([i.cost_usd for i in _planned(row)]) for row in sides),
        *(_mean([i.latency_s for i in _planned(row)]) for row in sides),
        decision.choice if decision is not None else None,
        decision.note if decision is not None else None,
    ]


def _planned(row: Row | None) -> tuple[Item, ...]:
    return row.planned if row is not None else ()


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _output(row: Row | None, texts: Mapping[int, str]) -> str:
    output_id = row.first.output_id if row is not None else None
    return texts.get(output_id, "") if output_id is not None else ""


def safe_cell(value: Value) -> str:
    """A value as a cell of text that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    text = clean(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
