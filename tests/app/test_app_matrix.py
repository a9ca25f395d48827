"""The Matrix: cells, moving, orders, filter, models, and the way to the Bench."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from fake_session import FakeSession
from hypothesis import given
from hypothesis import strategies as st
from made_up import FREE, Answers, many, matrix_of, models_of, run_info, ten_versions, version
from piloting import SMALL, commands, opened, press, screen, settle, toasts
from rich.cells import cell_len
from test_app_looks import NASTY, whole

from llmops_tui.app.lines import line_width
from llmops_tui.app.matrix_lines import (
    DENSITIES,
    cell_spans,
    fit,
    footing_line,
    heading_lines,
    measure,
    row_line,
)
from llmops_tui.app.widgets.matrix_grid import MatrixGrid
from llmops_tui.domain.case import Case
from llmops_tui.domain.matrix import Matrix
from llmops_tui.domain.run import Item, Snapshot, make_rows
from llmops_tui.engine.events import RunStarted


def session_of(snapshots: list[Snapshot] | None = None) -> FakeSession:
    session = FakeSession(Path("/nowhere/helpdesk"))
    found = snapshots or ten_versions(session.answers)
    session.versions_matrix = matrix_of(*found)
    session.baseline, session.candidate = found[-3], found[-1]
    return session


def with_models(session: FakeSession) -> FakeSession:
    answers = session.answers
    rows = [("days", "P", "F"), ("hours", "F", "F"), ("refund", "P", "P")]
    items = [
        answers.item(case, f"{case} {model}", 1.0 if letter == "P" else 0.0, model=model)
        for case, *letters in rows
        for model, letter in zip(("echo/a", "echo/b"), letters, strict=True)
    ]
    session.models_matrix = models_of(
        Snapshot(version(10), run_info(10, 6), make_rows(items)), "echo/a", "echo/b"
    )
    return session


def line(app: Any, name: str) -> str:
    return next(text for text in screen(app).splitlines() if f" {name} " in text)


def grid(app: Any) -> MatrixGrid:
    return app.frame.query_one("#grid", MatrixGrid)  # type: ignore[no-any-return]


def column(app: Any) -> str:
    at = grid(app)
    return at.matrix.columns[at.column].version.name


async def test_trouble_is_on_top_and_flips_have_a_symbol_of_their_own() -> None:
    async with opened(session_of()) as (app, _, pilot):
        await press(pilot, "3")
        assert [case for case, _ in grid(app).keys] == [
            *("cancel-order", "refund-window", "gift-card", "shipping-cost", "warranty"),
            *("vat-number", "opening-hours", "newsletter"),
        ]
        cells = line(app, "cancel-order").split("cancel-order")[1].split()
        assert cells[:20:2] == list("✓✓✓✓▼✗▲✓✓▼")
        assert cells[1:20:2] == ["1.00"] * 4 + ["0.00"] * 2 + ["1.00"] * 3 + ["0.00"]
        assert line(app, "vat-number").split("vat-number")[1].split()[:3] == ["–", "–", "✗"]
        assert "!" in line(app, "gift-card")
        assert "50.0%" in line(app, "pass rate")
        assert "▾ baseline" in screen(app)


async def test_few_columns_show_scores_and_many_one_symbol_each() -> None:
    async with opened(session_of(), size=SMALL) as (app, _, pilot):
        await press(pilot, "3")
        assert "v1   v2   v3" in screen(app)
        assert "✓    ✓    ✓    ✓    ▼" in screen(app)
        await press(pilot, "w")
        assert "✓ 1.00" in screen(app)
        assert "‹" in screen(app)
        await press(pilot, "w", "w")
        assert "✓ ✓ ✓ ✓ ▼ ✗ ▲ ✓ ✓ ▼" in screen(app)
        assert "1 2 3 4 5 6 7 8 9 0" in screen(app)


async def test_the_cursor_moves_both_ways_and_the_cell_is_told_in_words() -> None:
    async with opened(session_of()) as (app, session, pilot):
        await press(pilot, "3")
        assert column(app) == "v10"
        assert "v10 · cancel-order" in screen(app)
        assert "failed 0.00 · pass → fail · v10 passes 50.0%" in screen(app)
        await press(pilot, "h", "left", "j", "down", "l")
        assert (column(app), grid(app).cursor[0]) == ("v9", "gift-card")
        assert commands(session, "matrix_cell")[-1] == ("matrix_cell", "gift-card", "v9")
        await press(pilot, *"hhhhhhhhhhhh")
        assert column(app) == "v1"
        await press(pilot, "G")
        assert "not judged" in screen(app)


async def test_enter_opens_the_diff_with_the_version_at_its_left_and_the_case_selected() -> None:
    async with opened(session_of()) as (app, session, pilot):
        await press(pilot, "3", "j")

        def choose(a: str | None, b: str | None) -> None:
            session.asked.append(("choose_comparison", a, b))
            known = {c.version.name: c for c in grid_matrix.columns}
            old = msgspec.structs.replace(session.baseline, version=known["v9"].version)
            session.baseline = old
            session.emit(session.compared())

        grid_matrix: Matrix = grid(app).matrix
        session.choose_comparison = choose  # type: ignore[method-assign]
        await press(pilot, "enter")
        assert commands(session, "choose_comparison") == [("choose_comparison", "v9", None)]
        assert app.frame.SCOPE == "bench"
        assert app.frame.query_one("#cases").cursor[0] == "refund-window"
        assert app.model.wanted_case is None


async def test_a_filter_of_the_bench_does_not_hide_the_case_that_is_asked_for() -> None:
    async with opened(session_of()) as (app, session, pilot):
        await press(pilot, "slash", *"warranty", "enter", "3", "b", "h", "h", "b", "l", "l", "enter")
        assert commands(session, "choose_comparison") == [("choose_comparison", None, None)]
        assert app.frame.query_one("#cases").cursor[0] == "cancel-order"


async def test_b_marks_another_left_side_and_esc_forgets_it() -> None:
    async with opened(session_of()) as (app, session, pilot):
        await press(pilot, "3", "h", "h", "h", "b")
        assert "◆" in screen(app)
        await press(pilot, "l")
        assert "enter compares v7 with v8 on the Bench" in screen(app)
        await press(pilot, "l", "enter")
        assert commands(session, "choose_comparison") == [("choose_comparison", "v7", "v9")]
        await press(pilot, "3", "h", "b", "escape")
        assert grid(app).marked is None
        assert app.frame.SCOPE == "matrix"


async def test_the_leftmost_version_is_held_against_the_baseline() -> None:
    async with opened(session_of()) as (_, session, pilot):
        await press(pilot, "3", *"hhhhhhhhh", "enter")
        assert commands(session, "choose_comparison") == [("choose_comparison", None, "v1")]


async def test_the_filter_is_that_of_the_bench_about_the_column_under_the_cursor() -> None:
    session = session_of()
    session.cases = [Case("warranty", {}, None, (), ("returns",)), Case("gift-card", {}, None, ())]
    async with opened(session) as (app, _, pilot):
        await press(pilot, "3", "slash", *"is:failed")
        assert [case for case, _ in grid(app).keys] == ["cancel-order", "refund-window", "shipping-cost"]
        assert "3 of 8" in screen(app)
        # The rates below are of what is shown.
        assert line(app, "pass rate").split()[-1] == "0.0%" or "0.0%" in line(app, "pass rate")
        await press(pilot, "escape")
        await press(pilot, "slash", *"tag:returns", "enter")
        assert [case for case, _ in grid(app).keys] == ["warranty"]
        await press(pilot, "escape", "slash", *"is:error", "enter")
        assert [case for case, _ in grid(app).keys] == ["gift-card"]
        await press(pilot, "escape")
        assert len(grid(app).keys) == 8


async def test_s_sorts_another_way_and_the_cursor_stays_on_its_case() -> None:
    async with opened(session_of()) as (app, _, pilot):
        await press(pilot, "3", "j", "j", "s")
        assert "as in the file" in screen(app)
        assert grid(app).cursor[0] == "gift-card"
        assert grid(app).keys[0][0] == "refund-window"
        await press(pilot, "s", "s")
        assert grid(app).keys[0][0] == "cancel-order"


async def test_v_shows_the_models_of_the_version_and_enter_holds_them_together() -> None:
    async with opened(with_models(session_of())) as (app, session, pilot):
        await press(pilot, "3", "h", "v")
        assert commands(session, "matrix")[-1] == ("matrix", "v9")
        assert "Cases × the models of v9" in screen(app)
        assert "echo/a" in screen(app)
        assert [case for case, _ in grid(app).keys] == ["days", "hours", "refund"]
        assert "enter compares echo/a with echo/b" in screen(app)
        await press(pilot, "enter")
        assert commands(session, "choose_comparison") == [("choose_comparison", "v10@echo/a", "v10@echo/b")]
        await press(pilot, "3", "v", "l", "enter")
        assert len(commands(session, "choose_comparison")) == 2
        assert commands(session, "choose_comparison")[1][1:] == ("v10@echo/a", "v10@echo/b")
        await press(pilot, "3", "v", "left_square_bracket")
        assert commands(session, "matrix")[-1] == ("matrix", "v9")
        await press(pilot, "escape")
        assert commands(session, "matrix")[-1] == ("matrix", None)


async def test_two_models_stand_side_by_side_on_the_bench_under_their_own_names() -> None:
    session = with_models(session_of())
    answers = session.answers
    rows = {
        model: make_rows(
            [answers.item(case, f"{case} {model}", score, model=model) for case in ("days", "hours")]
        )
        for model, score in (("echo/a", 1.0), ("echo/b", 0.0))
    }
    session.baseline, session.candidate = (
        Snapshot(version(10, model=model), run_info(10, 2), found) for model, found in rows.items()
    )
    async with opened(session) as (app, _, pilot):
        await press(pilot, "3", "v", "l", "enter")
        text = screen(app)
        assert "v10@echo/a → v10@echo/b" in text
        assert line(app, "case").split("case")[1].split()[:3] == ["a", "b", "Δ"]
        assert not app.model.bench.is_alone
        assert app.frame.query_one("#cases").cursor == ("days", "echo/b")
        # Results of the other model, while the version is evaluated anew, are none of this comparison's.
        app.model.bench.items_done([answers.item("days", "x", 1.0, model="echo/a")])
        assert len(app.model.bench.pairs) == 2


async def test_while_results_stream_in_the_order_stands_still_and_one_version_is_read() -> None:
    session = session_of()
    async with opened(session) as (app, _, pilot):
        await press(pilot, "3")
        before = list(grid(app).keys)
        snapshots = ten_versions(Answers())
        last = snapshots[-1]
        items = [Item(c, "m", 0, "failed", 0.0) for c in ("opening-hours", "brand-new")]
        snapshots[-1] = Snapshot(last.version, run_info(10, 8, "running"), make_rows(items))
        session.versions_matrix = matrix_of(*snapshots)
        run = run_info(10, 8, "running")
        asked = len(commands(session, "matrix"))
        session.emit(RunStarted(run, last.version, FREE))
        await settle(pilot)
        session.items(10, *items)
        app._follow()
        await settle(pilot)
        assert commands(session, "matrix_again")
        assert len(commands(session, "matrix")) == asked
        assert list(grid(app).keys) == [*before, ("brand-new", "")]
        assert "▼" in line(app, "opening-hours")


async def test_a_big_matrix_asks_once_and_draws_what_is_in_sight() -> None:
    answers = Answers()
    snapshot = many(answers, 10_000)[1]
    snapshots = [
        Snapshot(version(n + 1), run_info(n + 1, 10_000), snapshot.rows if n % 2 else snapshot.rows[:9_000])
        for n in range(3)
    ]
    session = FakeSession(Path("/nowhere/helpdesk"))
    three = matrix_of(*snapshots)
    columns = [
        msgspec.structs.replace(three.columns[n % 3], version=version(n + 1), run=run_info(n + 1, 10_000))
        for n in range(50)
    ]
    session.versions_matrix = Matrix("versions", three.rows, tuple(columns))
    looked: list[tuple[int, int]] = []
    cell = Matrix.cell
    async with opened(session, size=(90, 40)) as (app, _, pilot):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(
                Matrix, "cell", lambda self, row, at: looked.append((row, at)) or cell(self, row, at)
            )
            await press(pilot, "3")
            assert len({row for row, _ in looked}) <= 40
            assert len({at for _, at in looked}) <= 45
            await press(pilot, "G", "ctrl+u", *"hhhh")
        assert len({row for row, _ in looked}) <= 120
        assert len(commands(session, "matrix")) == 1
        assert "Cases × versions" in screen(app)


async def test_without_versions_or_with_an_engine_that_fails_it_says_so() -> None:
    session = FakeSession(Path("/nowhere/helpdesk"))
    session.versions_matrix = Matrix("versions", (), ())
    async with opened(session, size=SMALL) as (app, _, pilot):
        await press(pilot, "3")
        assert "Nothing was evaluated yet." in screen(app)
        await press(pilot, *"hjklvbswP", "enter", "y", "left_square_bracket", "slash", "x", "enter")
        await press(pilot, "escape", "escape")
        assert app.frame.SCOPE == "bench"
    session = session_of()
    async with opened(session, size=SMALL) as (app, _, pilot):
        session.fails = "the database is gone"
        await press(pilot, "3")
        assert "the database is gone" in screen(app)


async def test_promoting_and_copying() -> None:
    async with opened(session_of()) as (app, session, pilot):
        await press(pilot, "3", "h", "h", "P")
        assert "v8 is the baseline already" in toasts(app)
        await press(pilot, "l", "P", "enter")
        assert commands(session, "promote") == [("promote", "v9")]
        await press(pilot, "y")
        assert "cancel-order" in app.clipboard
        assert "v8 baseline" in app.clipboard


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
async def test_hostile_names_leave_the_layout_whole(text: str) -> None:
    answers = Answers()
    models = ("m", text[:60] or "n")
    items = [answers.item(case, "x", 0.0, model=m) for case in (text[:300] or "e", "b") for m in models]
    snapshots = [Snapshot(version(n), run_info(n, 4), make_rows(items)) for n in (1, 2, 3)]
    session = session_of(snapshots)
    session.models_matrix = models_of(snapshots[-1], *models)
    size = SMALL if len(text) % 2 else (160, 50)
    async with opened(session, size=size) as (app, _, pilot):
        for keys in (["3"], ["w"], ["v"], ["w"], ["b"], ["slash", "x"]):
            await press(pilot, *keys)
            whole(app, size)


async def test_without_colours_the_cursor_and_every_state_can_still_be_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(session_of()) as (app, _, pilot):
        await press(pilot, "3")
        strips = app.screen._compositor.render_strips()
        turned = ["".join(s.text for s in strip if s.style and s.style.reverse).strip() for strip in strips]
        assert [text for text in turned if text] == ["v10", "▼ 0.00"]
        assert set("✓✗▼▲!·–") <= set(screen(app))


letters = st.lists(st.text("PFEU ", min_size=1, max_size=60), min_size=1, max_size=3)


@given(letters, st.integers(10, 220), st.sampled_from((None, *DENSITIES)), st.data())
def test_every_line_of_the_grid_fits_and_columns_stand_under_their_names(
    rows: list[str], width: int, wanted: Any, data: Any
) -> None:
    names = {"P": "passed", "F": "failed", "E": "error", "U": "unscored"}
    count = max(map(len, rows))
    snapshots = [
        Snapshot(
            version(n + 1),
            run_info(n + 1, 1),
            make_rows(
                [
                    Item(f"case {k}", "m", 0, names[row[n]])  # type: ignore[arg-type]
                    for k, row in enumerate(rows)
                    if n < len(row) and row[n] != " "
                ]
            ),
        )
        for n in range(count)
    ]
    matrix = matrix_of(*snapshots)
    layout = fit(matrix, measure(matrix), width, wanted)
    first = data.draw(st.integers(0, max(count - layout.count, 0)))
    heads = heading_lines(matrix, layout, first, count - 1, None)
    assert len(heads) == layout.heading
    shown = min(layout.count, count)
    for head in heads:
        assert line_width(head) <= layout.gutter + shown * layout.cell + 1
    for n in range(len(matrix.rows)):
        assert line_width(row_line(matrix, n, layout, first, None)) == layout.gutter + shown * layout.cell
        assert line_width(cell_spans(matrix.cell(n, 0), layout, here=True)) == layout.cell
    rates = [matrix.columns[k].pass_rate for k in range(first, first + shown)]
    assert line_width(footing_line(rates, layout)) == layout.gutter + shown * layout.cell
    if width >= 30:
        assert layout.gutter + shown * layout.cell <= width
    assert cell_len("".join(t for t, _ in heads[-1])) == line_width(heads[-1])
