"""Every key does what the table of actions says."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from fake_session import FakeSession
from made_up import FREE, SMOL, helpdesk, run_info, version
from piloting import SMALL, commands, cursor, opened, press, screen, settle, toasts

from llmops_tui.app.app import LlmopsApp
from llmops_tui.app.widgets.output_pane import OutputPane
from llmops_tui.engine.events import AskFirst, RunRequest


def output(app: LlmopsApp) -> OutputPane:
    return app.screen.query_one("#output", OutputPane)


# -- moving


async def test_arrows_and_vim_keys_move_the_cursor() -> None:
    async with opened() as (app, _, pilot):
        for key, case in [
            ("j", "cancel-order"),
            ("down", "shipping-cost"),
            ("k", "cancel-order"),
            ("up", "refund-window"),
            ("up", "refund-window"),
            ("G", "pickup-point"),
            ("g", "refund-window"),
        ]:
            await press(pilot, key)
            assert cursor(app) == case


async def test_half_pages_move_by_what_is_in_sight() -> None:
    async with opened(size=SMALL) as (app, _, pilot):
        await press(pilot, "ctrl+d")
        low = cursor(app)
        assert low != "refund-window"
        await press(pilot, "ctrl+u")
        assert cursor(app) == "refund-window"


async def test_the_output_follows_the_cursor() -> None:
    async with opened() as (app, _, pilot):
        assert "You can ask for a refund" in screen(app)
        await press(pilot, "j")
        assert "within one hour" in screen(app)
        assert "You can ask for a refund" not in screen(app)


async def test_n_and_N_visit_changed_cases_only() -> None:
    async with opened() as (app, _, pilot):
        visited = []
        for _ in range(6):
            await press(pilot, "n")
            visited.append(cursor(app))
        assert visited == [
            "cancel-order",
            "shipping-cost",
            "warranty",
            "gift-card",
            "contact-phone",
            "refund-window",
        ]
        await press(pilot, "N")
        assert cursor(app) == "contact-phone"


async def test_tab_goes_round_the_panes_and_keys_act_on_the_focused_one() -> None:
    async with opened() as (app, _, pilot):
        order = []
        for _ in range(4):
            await press(pilot, "tab")
            order.append(app.screen.focused.id)
        assert order == ["output", "scores", "changes", "cases"]
        await press(pilot, "shift+tab")
        assert app.screen.focused.id == "changes"
        await press(pilot, "j")
        assert cursor(app) == "refund-window"


async def test_list_and_detail_take_turns_on_a_small_terminal() -> None:
    async with opened(size=SMALL) as (app, _, pilot):
        assert "pickup-point" in screen(app) or "bulk-order" in screen(app)
        assert "at any time" not in screen(app)
        await press(pilot, "enter")
        assert "at any time" in screen(app)
        assert "cancel-order" not in screen(app)
        assert '"30 days" is not in the output' in screen(app)
        await press(pilot, "n")
        assert "within one hour" in screen(app)
        await press(pilot, "escape")
        assert cursor(app) == "cancel-order"
        assert "shipping-cost" in screen(app)


async def test_f_gives_a_pane_the_whole_screen_and_back() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "tab", "f")
        assert output(app).size.width > 100
        assert "shipping-cost" not in screen(app)
        await press(pilot, "escape")
        assert "shipping-cost" in screen(app)


async def test_w_cuts_long_lines_and_lets_them_be_scrolled_to() -> None:
    async with opened(size=(100, 40)) as (app, _, pilot):
        rows = len(output(app).lines)
        await press(pilot, "w")
        assert len(output(app).lines) < rows
        await press(pilot, "w")
        assert len(output(app).lines) == rows


async def test_v_switches_between_side_by_side_and_inline() -> None:
    async with opened() as (app, _, pilot):
        assert output(app).is_split
        assert "− You have" not in screen(app)
        await press(pilot, "v")
        assert "− You have" in screen(app)
        assert "+ You can" in screen(app)


async def test_under_120_columns_outputs_are_inline_by_themselves() -> None:
    async with opened(size=(118, 40)) as (app, _, _pilot):
        assert not output(app).is_split


async def test_brackets_go_from_change_to_change_inside_an_output() -> None:
    session = FakeSession(Path("/nowhere/helpdesk"))
    filler = "\n".join(f"line {k}" for k in range(60))
    long = f"one\n{filler}\ntwo\n{filler}\nthree"
    rows = list(session.candidate.rows)
    before = list(session.baseline.rows)
    from llmops_tui.domain.run import make_row

    rows[1] = make_row([session.answers.item("refund-window", long, 0.0)])
    changed = long.replace("one", "ONE").replace("two", "TWO").replace("three", "THREE")
    before[1] = make_row([session.answers.item("refund-window", changed, 1.0)])
    session.candidate = msgspec.structs.replace(session.candidate, rows=tuple(rows))
    session.baseline = msgspec.structs.replace(session.baseline, rows=tuple(before))
    async with opened(session) as (app, _, pilot):
        assert "TWO" not in screen(app)
        await press(pilot, "]")
        while "TWO" not in screen(app) and output(app).hunk(1):
            await settle(pilot)
        assert "TWO" in screen(app)
        place = output(app).scroll_offset.y
        await press(pilot, "]")
        assert output(app).scroll_offset.y > place
        await press(pilot, "[")
        assert output(app).scroll_offset.y <= place


# -- looking


async def test_the_filter_narrows_the_list_while_it_is_typed() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "slash", *"is:improved")
        assert "3 of 20" in screen(app)
        assert "cancel-order" not in screen(app)
        await press(pilot, "enter")
        assert app.screen.focused.id == "cases"
        await press(pilot, "j")
        assert cursor(app) == "warranty"
        await press(pilot, "escape")
        assert "cancel-order" in screen(app)
        assert cursor(app) == "warranty"


async def test_the_filter_searches_inside_outputs() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "slash", *"every")
        await press(pilot, "space", *"invoice")
        assert [c for c, _ in app.model.bench.visible] == ["vat-number"]
        assert commands(session, "output_texts")


async def test_a_mistake_in_the_filter_is_said_beside_it() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "slash", *"is:regresed")
        assert "did you mean 'regressed'?" in screen(app)


async def test_sorting_leaves_the_cursor_on_its_case() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "j", "s")
        assert cursor(app) == "cancel-order"
        assert "as in the file" in screen(app)
        await press(pilot, "s")
        assert "by name" in screen(app)
        assert [c for c, _ in app.model.bench.visible][:2] == ["bulk-order", "cancel-order"]


async def test_o_switches_configuration() -> None:
    async with opened() as (_, session, pilot):
        await press(pilot, "o", "j", "enter")
        assert commands(session, "choose_config") == [("choose_config", "triage")]


async def test_o_shows_one_model_only() -> None:
    session = FakeSession(Path("/nowhere/helpdesk"))
    session.models = [SMOL, "gateway/big"]
    extra = [session.answers.item("refund-window", "30 days", 1.0, model="gateway/big")]
    from llmops_tui.domain.run import make_rows

    session.candidate = msgspec.structs.replace(
        session.candidate, rows=(*session.candidate.rows, *make_rows(extra))
    )
    async with opened(session) as (app, _, pilot):
        await press(pilot, "o", "end", "enter")
        assert app.model.bench.visible == [("refund-window", "gateway/big")]
        await press(pilot, "escape")
        assert len(app.model.bench.visible) == 21


# -- evaluating


async def test_r_asks_the_case_again_as_a_further_trial() -> None:
    async with opened() as (_, session, pilot):
        await press(pilot, "j", "r")
        [(_, request)] = commands(session, "run")
        assert request == RunRequest("helpdesk", "ask again", extra_trial=("cancel-order",))


async def test_F_asks_what_failed() -> None:
    async with opened() as (_, session, pilot):
        await press(pilot, "F")
        assert commands(session, "run") == [("run", RunRequest("helpdesk", "retry", only_failed=True))]


async def test_R_asks_for_everything_and_spends_nothing_before_a_yes() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "R")
        [(_, request)] = commands(session, "run")
        assert request.fresh
        assert not request.agreed
        session.emit(
            AskFirst(request, msgspec.structs.replace(FREE, cost_usd=0.0421), "Ask again everything?")
        )
        await settle(pilot)
        assert "20 requests, about $0.042" in screen(app)
        await press(pilot, "escape")
        assert len(commands(session, "run")) == 1
        session.emit(AskFirst(request, FREE, "Ask again everything?"))
        await settle(pilot)
        await press(pilot, "enter")
        assert commands(session, "run")[1] == ("run", msgspec.structs.replace(request, agreed=True))


async def test_enter_that_was_meant_for_a_case_does_not_start_a_run_that_has_just_asked() -> None:
    async with opened(arm_after_s=3600) as (app, session, pilot):
        session.emit(AskFirst(RunRequest("helpdesk", "save"), FREE, "Evaluate what changed?"))
        await settle(pilot)
        await press(pilot, "enter")
        assert not commands(session, "run")
        assert "Evaluate what changed?" in screen(app)


async def test_C_cancels_a_run_and_is_offered_only_while_one_is_under_way() -> None:
    async with opened() as (app, session, pilot):
        assert "cancel" not in screen(app).splitlines()[-1]
        await press(pilot, "C")
        assert not commands(session, "cancel")
        assert "Nothing is running." in toasts(app)
        _, candidate, _ = helpdesk(session.answers)
        session.start_run(
            msgspec.structs.replace(candidate, version=version(13), run=run_info(13, 20, "running"))
        )
        await settle(pilot)
        assert "C cancel" in screen(app).splitlines()[-1]
        await press(pilot, "C")
        assert commands(session, "cancel") == [("cancel",)]


async def test_a_full_stop_pauses_watching() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "full_stop")
        assert "○ paused" in screen(app)
        await press(pilot, "full_stop")
        assert "● watching" in screen(app)
        assert commands(session, "set_watching") == [("set_watching", False), ("set_watching", True)]


# -- versions and files


async def test_P_promotes_after_asking() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "P")
        assert "Make v12 the baseline of helpdesk?" in screen(app)
        await press(pilot, "escape")
        assert not commands(session, "promote")
        await press(pilot, "P", "enter")
        assert commands(session, "promote") == [("promote", "v12")]
        assert "v12 is the baseline now" in toasts(app)


async def test_P_refuses_while_cases_are_missing() -> None:
    session = FakeSession(Path("/nowhere/helpdesk"))
    session.candidate = msgspec.structs.replace(
        session.candidate, run=run_info(12, 20, "cancelled"), rows=session.candidate.rows[:8]
    )
    async with opened(session) as (app, _, pilot):
        await press(pilot, "P", "enter")
        assert not commands(session, "promote")
        assert "v12 can't be promoted: 12 cases erred or missing" in toasts(app)


async def test_E_exports_and_says_where() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "E")
        assert commands(session, "export") == [("export", "v11", "v12")]
        assert "/nowhere/helpdesk/report.md" in toasts(app)


async def test_y_copies_the_output_and_says_where_it_went(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")
    async with opened() as (app, _, pilot):
        await press(pilot, "y")
        assert app.clipboard == "You can ask for a refund at any time by contacting support."
        assert "the terminal's clipboard" in toasts(app)
        await press(pilot, "tab", "tab", "tab", "y")
        assert "+ Answer the question." in app.clipboard


async def test_Y_writes_what_y_copies_into_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with opened() as (app, _, pilot):
        await press(pilot, "Y")
        [file] = list(tmp_path.glob("*"))  # noqa: ASYNC240
        assert file.read_text() == "You can ask for a refund at any time by contacting support."
        assert str(file) in toasts(app)


async def test_e_opens_the_case_at_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened_with = tmp_path / "opened"
    editor = tmp_path / "subl"
    editor.write_text(f'#!/bin/sh\necho "$@" > {opened_with}.part && mv {opened_with}.part {opened_with}\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    session = FakeSession(tmp_path)
    from piloting import until

    async with opened(session) as (_, _, pilot):
        await press(pilot, "e")
        await until(pilot, opened_with.exists)
        assert opened_with.read_text().strip() == f"{tmp_path}/evals/helpdesk.yaml:10"
        opened_with.unlink()
        await press(pilot, "p")
        await until(pilot, opened_with.exists)
        assert opened_with.read_text().strip() == f"{tmp_path}/prompts/helpdesk.md:1"


async def test_without_an_editor_e_says_how_to_set_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    async with opened() as (app, _, pilot):
        await press(pilot, "e")
        assert "no editor is set; set EDITOR" in toasts(app)


# -- the mouse


async def test_a_click_puts_the_cursor_on_a_row_and_a_second_one_opens_it() -> None:
    async with opened(size=SMALL) as (app, _, pilot):
        await pilot.click("#cases", offset=(8, 4))
        await settle(pilot)
        assert cursor(app) == "shipping-cost"
        await pilot.click("#cases", offset=(8, 4), times=2)
        await settle(pilot)
        assert "Shipping costs 4.90" in screen(app)


async def test_a_click_on_a_key_of_the_footer_does_what_the_key_does() -> None:
    async with opened() as (app, _, pilot):
        x = screen(app).splitlines()[-1].index("next change")
        await pilot.click("KeyLine", offset=(x, 0))
        await settle(pilot)
        assert cursor(app) == "cancel-order"
        x = screen(app).splitlines()[-1].index("help")
        await pilot.click("KeyLine", offset=(x, 0))
        await settle(pilot)
        assert "Keys of the Bench" in screen(app)
