"""The Bench's filter over rows of the matrix: a row is held as the pair of two of its columns. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmops_tui.app.case_filter import Filter, matches
from llmops_tui.domain.comparison import Pair, make_pair
from llmops_tui.domain.matrix import Cell, Matrix
from llmops_tui.domain.run import Item, Row

#: Kinds of terms that ask for no result, and so for no pair.
_BY_NAME = frozenset(("tag", "id", "model", "text"))


def keep(
    matrix: Matrix,
    rows: Sequence[int],
    filter_: Filter,
    tags: Mapping[str, tuple[str, ...]],
    column: int,
    left: int | None,
) -> list[int]:
    """The rows that pass, in the order given.

    A bare text is looked for in ids and tags; outputs of so many versions are not read.

    Args:
        tags: case → its tags.
        column, left: `is:` and `score` are about this column, held against the one at its left.
    """
    names = tuple(t for t in filter_.terms if t.kind in _BY_NAME)
    looks = tuple(t for t in filter_.terms if t.kind not in _BY_NAME)
    at = [matrix.columns[k] for k in (column, left) if k is not None]
    known: dict[tuple[object, ...], bool] = {}

    def looks_so(n: int) -> bool:
        """What a result says of itself: rows that stand alike are looked at once."""
        state = tuple((c.states[n], _number(c.scores[n]), c.shares.get(n)) for c in at)
        found = known.get(state)
        if found is None:
            found = known[state] = matches(looks, pair_of(matrix, n, column, left), (), _nowhere)
        return found

    def named_so(n: int) -> bool:
        case, model = matrix.rows[n]
        return matches(names, _named(case, model), tags.get(case, ()), _nowhere)

    return [n for n in rows if (not looks or looks_so(n)) and (not names or named_so(n))]


def _number(value: float) -> float | None:
    """NaN is unlike itself."""
    return value if value == value else None


def _nowhere(_text: str, _pair: Pair) -> bool:
    return False


def _named(case: str, model: str) -> Pair:
    return Pair(case, model, "same", None, None, None, None, None)


def pair_of(matrix: Matrix, n: int, column: int, left: int | None) -> Pair:
    """A row's two cells as the Bench would pair them."""
    case, model = matrix.rows[n]
    cells = [matrix.cell(n, k) if k is not None else None for k in (left, column)]
    old, new = (_row(case, model, cell) for cell in cells)
    return make_pair(old, new) if old is not None or new is not None else _named(case, model)


def _row(case: str, model: str, cell: Cell | None) -> Row | None:
    if cell is None or cell.status == "absent":
        return None
    status = cell.status
    items = [Item(case, model, 0, status, cell.score)]
    if cell.is_flaky:
        statuses = ["passed"] * cell.passed + ["failed"] * (cell.trials - cell.passed)
        items = [Item(case, model, t, s) for t, s in enumerate(statuses)]  # type: ignore[arg-type]
    return Row(case, model, status, cell.score, tuple(items))
