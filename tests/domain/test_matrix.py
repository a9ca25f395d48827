"""Cases × versions and cases × models, put together from what runs recorded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.matrix import (
    Matrix,
    Place,
    Source,
    by_models,
    by_versions,
    with_source,
)
from llmops_tui.domain.matrix_order import MODEL_ORDERS, ORDERS, order
from llmops_tui.domain.run import Item, RunInfo, VersionInfo, make_rows, passes, tally

LETTERS = {"P": "passed", "F": "failed", "E": "error", "U": "unscored", "-": "missing"}


class Book:
    """Numbers places as the store does."""

    def __init__(self) -> None:
        self.numbers: dict[Place, int] = {}

    @property
    def places(self) -> dict[int, Place]:
        return {n: place for place, n in self.numbers.items()}

    def source(self, number: int, items: list[Item], judge: int | None = 7) -> Source:
        recorded = [
            (
                self.numbers.setdefault((i.case_id, i.model, i.trial, i.extra), len(self.numbers)),
                i.status,
                i.score,
                judge,
            )
            for i in items
        ]
        run = RunInfo(number, number, "save", "complete", 0.0, len(items), len(items))
        return Source(VersionInfo(number, "bench", number, f"{number:064}", 0.0), run, recorded)


def item(case: str, letter: str, model: str = "m", trial: int = 0, *, extra: bool = False) -> Item:
    score = {"P": 1.0, "F": 0.0}.get(letter)
    status: Any = LETTERS[letter]
    return Item(case, model, trial, status, score, extra=extra)


def grid(**cases: str) -> Matrix:
    """`grid(days="PPF")`: a row of three versions; a space is a case that a version does not have."""
    book = Book()
    width = max(len(letters) for letters in cases.values())
    sources = [
        book.source(n + 1, [item(c, letters[n]) for c, letters in cases.items() if letters[n] != " "])
        for n in range(width)
    ]
    return by_versions(sources, book.places)


def drawn(matrix: Matrix, row: int) -> str:
    back = {status: letter for letter, status in LETTERS.items()} | {"absent": " "}
    return "".join(back[matrix.cell(row, k).status] for k in range(len(matrix.columns)))


def names(matrix: Matrix, name: str) -> list[str]:
    return [matrix.rows[n][0] for n in order(matrix, name)]


def test_each_case_is_a_row_and_each_version_a_column() -> None:
    matrix = grid(days="PPF", hours="F P", refund="UE-")
    assert matrix.rows == (("days", ""), ("hours", ""), ("refund", ""))
    assert [drawn(matrix, row) for row in range(3)] == ["PPF", "F P", "UE-"]
    assert [c.pass_rate for c in matrix.columns] == [0.5, 1.0, 0.5]
    assert matrix.model_of(0, 1) == "m"


def test_a_flip_is_against_the_nearest_judged_version_at_the_left() -> None:
    matrix = grid(days="PP F", hours="FE-P", refund="PFFP")
    assert [matrix.cell(0, k).flip for k in range(4)] == [None, None, None, "pass→fail"]
    assert [matrix.cell(1, k).flip for k in range(4)] == [None, None, None, "fail→pass"]
    assert [matrix.cell(2, k).flip for k in range(4)] == [None, "pass→fail", None, "fail→pass"]


def test_what_failed_most_lately_comes_first_and_of_that_what_broke_most_lately() -> None:
    matrix = grid(always="PPPP", once="FPPP", lately="PPFP", long="FFFF", now="PPPF", gone="PPF ", err="PPPE")
    assert names(matrix, "trouble first") == ["now", "gone", "err", "long", "lately", "once", "always"]
    assert names(matrix, "by name")[:3] == ["always", "err", "gone"]
    assert names(matrix, "as in the file")[0] == "always"


def test_the_most_flips_first() -> None:
    assert names(grid(a="PPPP", b="PFPF", c="PPPF"), "most flips first") == ["b", "c", "a"]


def test_trials_that_disagree_are_one_flaky_cell() -> None:
    book = Book()
    items = [item("a", "P"), item("a", "F", trial=1), item("a", "P", trial=2), item("b", "P")]
    matrix = by_versions([book.source(1, items)], book.places)
    cell = matrix.cell(0, 0)
    assert (cell.status, cell.is_flaky, cell.passed, cell.trials) == ("failed", True, 2, 3)
    assert matrix.columns[0].pass_rate == (2 / 3 + 1) / 2
    assert not matrix.cell(1, 0).is_flaky


def test_a_trial_asked_by_hand_does_not_count() -> None:
    book = Book()
    matrix = by_versions([book.source(1, [item("a", "P"), item("a", "F", trial=1, extra=True)])], book.places)
    assert matrix.cell(0, 0).status == "passed"


def test_cases_that_the_newest_set_lacks_come_last() -> None:
    matrix = grid(old="P ", kept="PP", new=" P")
    assert [key for key, _ in matrix.rows] == ["kept", "new", "old"]
    assert drawn(matrix, 2) == "P "


def test_a_model_that_was_replaced_is_one_row_with_its_replacement() -> None:
    book = Book()
    first = book.source(1, [item("a", "P", "old/a"), item("a", "P", "b")])
    second = book.source(2, [item("a", "F", "new/a"), item("a", "P", "b")])
    matrix = by_versions([first, second], book.places)
    assert matrix.rows == (("a", "new/a"), ("a", "b"))
    assert (drawn(matrix, 0), matrix.cell(0, 1).flip) == ("PF", "pass→fail")
    assert (matrix.model_of(0, 0), matrix.model_of(0, 1)) == ("old/a", "new/a")


def test_two_models_never_share_a_row() -> None:
    book = Book()
    sources = [
        book.source(1, [item("a", "P", "x"), item("a", "F", "y")]),
        book.source(2, [item("a", "P", "x")]),
        book.source(3, [item("a", "P", "y")]),
    ]
    matrix = by_versions(sources, book.places)
    assert sorted(drawn(matrix, row) for row in range(2)) == ["FPP", "P  "]


def test_models_of_a_version_side_by_side() -> None:
    book = Book()
    letters = {"same": "PP", "apart": "PF", "both": "FF", "err": "PE"}
    items = [item(c, x, m) for c, text in letters.items() for m, x in zip("ab", text, strict=True)]
    matrix = by_models(book.source(4, items), book.places, ("a", "b", "silent"))
    assert [c.version.name for c in matrix.columns] == ["v4@a", "v4@b", "v4@silent"]
    assert [drawn(matrix, row) for row in range(4)] == ["PP ", "PF ", "FF ", "PE "]
    assert matrix.cell(1, 1).flip is None
    assert names(matrix, "trouble first") == ["apart", "err", "both", "same"]
    assert matrix.columns[2].pass_rate is None


def test_one_version_is_read_anew_and_rows_stay_where_they_are() -> None:
    book = Book()
    first = book.source(1, [item("a", "P"), item("b", "P")])
    matrix = by_versions([first, book.source(2, [item("a", "-"), item("b", "-")])], book.places)
    again = with_source(matrix, book.source(2, [item("z", "P"), item("a", "F"), item("b", "-")]), book.places)
    assert again is not None
    assert again.rows == (("a", ""), ("b", ""), ("z", ""))
    assert [drawn(again, row) for row in range(3)] == ["PF", "P-", " P"]
    assert with_source(matrix, book.source(3, []), book.places) is None
    assert with_source(matrix, book.source(2, [item("a", "P", "other")]), book.places) is None
    models = by_models(first, book.places, ("m",))
    later = with_source(models, book.source(1, [item("c", "P"), item("a", "F")]), book.places)
    assert later is not None
    assert [later.rows[n][0] + drawn(later, n) for n in range(3)] == ["aF", "b ", "cP"]


def test_a_cell_that_other_scorers_judged_is_known_as_such() -> None:
    book = Book()
    sources = [book.source(1, [item("a", "P")], judge=6), book.source(2, [item("a", "F")], judge=7)]
    matrix = by_versions(sources, book.places)
    assert [matrix.cell(0, k).judged_otherwise for k in range(2)] == [True, False]
    again = with_source(matrix, book.source(1, [item("a", "P")], judge=7), book.places)
    assert again is not None
    assert not again.cell(0, 0).judged_otherwise


def test_nothing_at_all_is_an_empty_matrix() -> None:
    matrix = by_versions([], {})
    assert (matrix.rows, matrix.columns) == ((), ())
    for name in ORDERS:
        assert order(matrix, name) == []
    book = Book()
    never = by_models(book.source(1, []), book.places, ())
    assert [order(never, name) for name in MODEL_ORDERS] == [[], [], []]


cells = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.sampled_from(["m", "n"]), st.integers(0, 3), st.sampled_from("PFEU-")
    ),
    max_size=24,
    unique_by=lambda t: t[:3],
)


@given(st.lists(cells, max_size=5))
def test_a_column_says_what_the_snapshot_of_its_version_says(versions: list[list[Any]]) -> None:
    book = Book()
    # The last trials are beyond the planned ones.
    runs = [[item(c, x, m, t, extra=t == 3) for c, m, t, x in cells] for cells in versions]
    sources = [book.source(n + 1, items) for n, items in enumerate(runs)]
    matrix = by_versions(sources, book.places)
    for k, items in enumerate(runs):
        rows = make_rows(items)
        column = matrix.columns[k]
        assert column.pass_rate == pytest.approx(tally(rows).pass_rate)
        there = {(row.case_id, row.model): row for row in rows}
        for n, (case, _) in enumerate(matrix.rows):
            cell, row = matrix.cell(n, k), there.pop((case, matrix.model_of(n, k)), None)
            if row is None:
                assert cell.status == "absent"
                continue
            assert (cell.status, cell.score) == (row.status, row.score)
            if passes(row):
                assert column.share(n) == sum(passes(row)) / len(passes(row))
        assert not there
    for name in ORDERS:
        assert sorted(order(matrix, name)) == list(range(len(matrix.rows)))
    for source in sources:
        assert repr(with_source(matrix, source, book.places)) == repr(matrix)  # NaN is unlike itself
