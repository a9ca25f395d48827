"""What stands on screen in every state: first paint, running, empty, broken, provider down, viewing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from fake_session import FakeSession
from made_up import FREE, helpdesk, run_info, version
from piloting import WIDE, commands, cursor, opened, press, screen, settle, toasts, until

from llmops_tui.domain.configuration import Watch
from llmops_tui.domain.errors import Problem
from llmops_tui.domain.run import RunInfo, Snapshot, make_row, tally
from llmops_tui.engine.events import (
    AskFirst,
    NothingToDo,
    Notice,
    RunEnded,
    RunRequest,
    Viewing,
    WorkspaceBroken,
)

HERE = Path("/nowhere/helpdesk")


def running(session: FakeSession, number: int = 13) -> Snapshot:
    _, candidate, _ = helpdesk(session.answers)
    run = run_info(number, 20, "running", elapsed_s=None)
    return msgspec.structs.replace(candidate, version=version(number), run=run)


# -- the first second


async def test_the_last_comparison_is_painted_before_the_engine_has_said_anything() -> None:
    session = FakeSession(HERE)
    session.opening = []
    async with opened(session) as (app, _, _pilot):
        assert "refund-window" in screen(app)
        assert "v11 baseline → v12: prompt changed" in screen(app)
        assert commands(session, "start", "detail") == [("start",)]


def test_the_app_loads_nothing_for_its_first_frame_that_it_does_not_need() -> None:
    heavy = "{'pydantic', 'yaml', 'ruamel', 'jinja2', 'rich.markdown', 'sqlite3', 'numpy', 'click'}"
    code = f"import sys, llmops_tui.app.app; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


async def test_opening_the_app_asks_nothing_that_costs_money() -> None:
    async with opened() as (_, session, _pilot):
        assert not commands(session, "run")


# -- the lines on top


async def test_two_lines_say_what_is_compared_and_how_it_stands() -> None:
    async with opened(size=(160, 50)) as (app, _, _pilot):
        first, second = (" ".join(line.split()) for line in screen(app).splitlines()[:2])
        assert first == (
            "helpdesk ▸ configs/helpdesk.yaml v11 baseline → v12: prompt changed, 1 h ago "
            "local/smollm2-135m-instruct ● watching"
        )
        assert second == (
            "FAIL critical: refund-window │ ▼ 2 ▲ 3 ≈ 15 (1 reworded) "
            "│ pass 85.0% → 90.0% +5.0 pts, these 20 cases │ 20/20 · 7 s · $0 · p95 1.3 s"
        )


async def test_a_small_terminal_keeps_what_matters_most() -> None:
    async with opened(size=(60, 24)) as (app, _, _pilot):
        first, second = screen(app).splitlines()[:2]
        assert "v11 baseline → v12" in first
        assert "● watching" in first
        assert "▼ 2  ▲ 3" in second


async def test_a_version_beside_itself_shows_its_own_results() -> None:
    session = FakeSession(HERE)
    session.baseline = session.candidate
    async with opened(session) as (app, _, _pilot):
        text = screen(app)
        assert "✓ 18  ✗ 2" in text
        assert "This version stands by itself: save a change of the prompt" in text
        assert cursor(app) == "refund-window"
        assert "Δ" not in text


# -- running


async def test_results_stream_in_and_the_list_does_not_move() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "j")
        new = running(session)
        session.start_run(new)
        await settle(pilot)
        assert "v13" in screen(app)
        order = [line[3:20] for line in screen(app).splitlines()[4:20]]
        session.items(13, session.answers.item("pickup-point", "No.", 0.0))
        session.progress(13, 1, 20)
        await until(pilot, lambda: "1/20 · 4.1/s · 2 s left" in screen(app))
        assert "▼ 1  ▲ 0" in screen(app)
        assert [line[3:20] for line in screen(app).splitlines()[4:20]] == order
        assert cursor(app) == "cancel-order"


async def test_after_a_run_the_list_is_sorted_and_the_cursor_is_on_its_case_still() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "j", "j")
        assert cursor(app) == "shipping-cost"
        new = running(session)
        session.start_run(new)
        rows = list(new.rows)
        rows[-1] = make_row([session.answers.item("pickup-point", "No.", 0.0)])
        session.end_run(msgspec.structs.replace(new, run=run_info(13, 20), rows=tuple(rows)))
        await settle(pilot)
        assert cursor(app) == "shipping-cost"
        assert [case for case, _ in app.model.bench.visible][:2] == ["refund-window", "pickup-point"]


async def test_a_cursor_that_nobody_moved_is_on_the_worst_case_after_the_run() -> None:
    async with opened() as (app, session, pilot):
        new = running(session)
        session.start_run(new)
        rows = list(new.rows)
        rows[1] = make_row([session.answers.item("refund-window", "You have 30 days.", 1.0)])
        session.end_run(msgspec.structs.replace(new, run=run_info(13, 20), rows=tuple(rows)))
        await settle(pilot)
        assert cursor(app) == "cancel-order"


async def test_the_case_on_screen_is_shown_anew_when_its_result_comes() -> None:
    async with opened() as (app, session, pilot):
        session.start_run(running(session))
        await settle(pilot)
        session.items(13, session.answers.item("refund-window", "Within thirty days.", 0.0))
        await until(pilot, lambda: "Within thirty" in screen(app))


async def test_who_is_waited_for_is_said_while_it_lasts() -> None:
    async with opened() as (app, session, pilot):
        session.start_run(running(session))
        said = "gateway: 429 Too Many Requests; asked again in 3 s"
        session.progress(13, 2, 20, waiting=2, waiting_for=said)
        await until(pilot, lambda: f"2 requests waiting for {said}" in screen(app))
        session.progress(13, 3, 20)
        await until(pilot, lambda: "429" not in screen(app))


async def test_a_run_of_another_version_leaves_a_chosen_comparison_alone() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "2", "j", "j", "b", "k", "enter")
        assert app.model.chosen == ("v10", "v11")
        session.start_run(running(session))
        session.items(13, session.answers.item("vat-number", "No.", 0.0))
        session.emit(RunEnded(run_info(13, 20), version(13), tally(())))
        await settle(pilot)
        assert app.model.bench.totals.counts["regressed"] == 2
        assert "v13" not in screen(app).splitlines()[0]


async def test_a_hundred_thousand_cases_scroll() -> None:
    from made_up import many

    session = FakeSession(HERE)
    session.baseline, session.candidate, session.cases = many(session.answers, 100_000)
    session.opening = []
    async with opened(session) as (app, _, pilot):
        await press(pilot, "G")
        assert cursor(app) == "case-099999"
        assert "case-099999" in screen(app)
        await press(pilot, "ctrl+u", "g")
        assert cursor(app) == "case-000000"
        assert len(screen(app).splitlines()) == WIDE[1]


# -- nothing to do, not finished, errors


async def test_nothing_changed_is_said_with_figures() -> None:
    async with opened() as (app, session, pilot):
        session.emit(
            NothingToDo(session.candidate.version, tally(session.candidate.rows)),
        )
        same = msgspec.structs.replace(session.candidate, rows=session.baseline.rows)
        session.candidate, session.changes = same, []
        session.emit(session.compared())
        await settle(pilot)
        assert "0 regressions, 20 unchanged, nothing asked" in screen(app)


async def test_a_run_that_was_cut_short_is_shown_as_such() -> None:
    session = FakeSession(HERE)
    session.candidate = msgspec.structs.replace(
        session.candidate, run=run_info(12, 20, "cancelled"), rows=session.candidate.rows[:8]
    )
    async with opened(session) as (app, _, _pilot):
        assert "… 12 missing, cancelled" in screen(app)
        assert "F rerun failed" in screen(app)


async def test_a_provider_that_is_down_makes_errors_and_no_regressions() -> None:
    session = FakeSession(HERE)
    rows = list(session.candidate.rows)
    rows[1] = make_row([session.answers.item("refund-window", None, None)])
    down = msgspec.structs.replace(session.candidate, rows=tuple(rows))
    async with opened(session) as (app, _, pilot):
        session.end_run(down, ("gateway: 503 [Service] Unavailable",))
        await settle(pilot)
        text = screen(app)
        assert "✗ 1 output could not be had: gateway: 503 [Service] Unavailable" in text
        assert "F all" in text
        assert "▼ 1" in text
        assert "✗ refund-window" in text
        assert "err" in text
        await press(pilot, "n")
        while cursor(app) != "refund-window":
            await press(pilot, "n")
        assert "gateway did not answer within 60 s" in screen(app)


async def test_a_broken_file_is_a_red_line_over_the_last_good_state_until_it_is_mended() -> None:
    async with opened() as (app, session, pilot):
        wrong = Problem("unknown variable 'contxt'", "did you mean 'context'?", "prompts/[helpdesk].md", 4)
        session.emit(WorkspaceBroken((wrong,)))
        await settle(pilot)
        assert "prompts/[helpdesk].md:4 unknown variable 'contxt'; did you mean 'context'?" in screen(app)
        assert "refund-window" in screen(app)
        session.emit(session.loaded())
        await settle(pilot)
        assert "contxt" not in screen(app)


async def test_e_goes_to_the_mistake_while_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    editor = tmp_path / "code"
    editor.write_text(f'#!/bin/sh\necho "$@" > {told}.part && mv {told}.part {told}\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    session = FakeSession(tmp_path)
    async with opened(session) as (_, _, pilot):
        session.emit(WorkspaceBroken((Problem("not YAML", "", "configs/helpdesk.yaml", 7),)))
        await settle(pilot)
        await press(pilot, "e")
        await until(pilot, told.exists)
        assert told.read_text().strip() == f"--goto {tmp_path}/configs/helpdesk.yaml:7"


# -- empty


async def test_a_workspace_that_cannot_be_read_says_so_and_what_mends_it() -> None:
    session = FakeSession(HERE)
    session.stored = False
    session.opening = [WorkspaceBroken((Problem("there is no configs/", "llmops-tui init makes one"),))]
    async with opened(session) as (app, _, pilot):
        assert "there is no configs/; llmops-tui init makes one" in screen(app)
        for key in ("j", "n", "enter", "r", "P", "E", "y", "s", "]", "f", "v", "w", "R", "F", "escape"):
            await pilot.press(key)
        await settle(pilot)
        assert app.is_running


async def test_a_configuration_without_cases_names_the_key_that_mends_it() -> None:
    session = FakeSession(HERE)
    session.stored, session.cases = False, []
    session.opening = [session.loaded()]
    async with opened(session) as (app, _, _pilot):
        assert "configs/helpdesk.yaml has no cases." in screen(app)
        assert "r ask again" not in screen(app)


async def test_nothing_evaluated_yet_says_what_to_do() -> None:
    session = FakeSession(HERE)
    session.stored = False
    session.opening = [session.loaded()]
    async with opened(session) as (app, _, _pilot):
        assert "Save prompts/helpdesk.md, or press F" in screen(app)


# -- money, other apps, notices


async def test_a_save_that_would_cost_more_than_the_budget_asks_with_the_estimate() -> None:
    async with opened() as (app, session, pilot):
        price = msgspec.structs.replace(FREE, to_ask=400, cost_usd=3.2, spent_today_usd=1.0)
        request = RunRequest("helpdesk", "save")
        session.emit(AskFirst(request, price, "This run costs more than budget.per_run_usd ($1.00)"))
        await settle(pilot)
        assert "400 requests, about $3.20 ($1.00 spent today)" in screen(app)
        await press(pilot, "enter")
        assert commands(session, "run") == [("run", msgspec.structs.replace(request, agreed=True))]


async def test_a_question_is_gone_when_a_newer_save_made_it_pointless() -> None:
    async with opened() as (app, session, pilot):
        session.emit(AskFirst(RunRequest("helpdesk", "save"), FREE, "Evaluate what changed?"))
        await settle(pilot)
        session.start_run(running(session))
        await settle(pilot)
        assert "Evaluate what changed?" not in screen(app)
        await press(pilot, "enter")
        assert not commands(session, "run")


async def test_a_second_app_views() -> None:
    async with opened() as (app, session, pilot):
        session.emit(Viewing("process 4711 has this workspace open"))
        await settle(pilot)
        assert "○ viewing" in screen(app)
        assert "Viewing only: process 4711 has this workspace open" in screen(app)
        await press(pilot, "full_stop")
        assert not commands(session, "set_watching")


async def test_watching_that_is_off_in_the_settings_is_said() -> None:
    session = FakeSession(HERE)
    session.watch = Watch(mode="off")
    async with opened(session) as (app, _, _pilot):
        assert "○ not watching" in screen(app)


async def test_what_needs_someone_stays_and_what_needs_nobody_passes() -> None:
    async with opened() as (app, session, pilot):
        session.emit(Notice("error", "the disk is [full]", key="disk"), Notice("info", "worker [restarted]"))
        await settle(pilot)
        assert "the disk is [full]" in screen(app)
        assert "worker [restarted]" in toasts(app)
        session.emit(Notice("error", "", key="disk"))
        await settle(pilot)
        assert "the disk is" not in screen(app)


async def test_model_drift_stays_on_screen() -> None:
    async with opened() as (app, session, pilot):
        session.emit(session.compared(drift=("model drift: x was served as a and is now b",)))
        await settle(pilot)
        assert "! model drift: x was served as a and is now b" in screen(app)


async def test_an_error_that_nobody_foresaw_is_told_and_the_app_goes_on() -> None:
    async with opened() as (app, session, pilot):
        session.fails = OSError(28, "No space left on device", "/w/report.md")
        await press(pilot, "E")
        assert "/w/report.md: No space left on device" in toasts(app)
        session.fails = ZeroDivisionError("division by zero")
        await press(pilot, "2", "1", "j")
        assert "this did not work (ZeroDivisionError: division by zero)" in toasts(app)
        assert app.is_running


async def test_another_configuration_takes_no_result_over_from_the_one_before() -> None:
    async with opened() as (app, session, pilot):
        baseline, _, _ = helpdesk(session.answers)
        other = version(3, config="triage")
        never = RunInfo(0, 3, "manual", "interrupted", other.created_at, 0, 0)
        session.baseline = msgspec.structs.replace(baseline, version=version(2, config="triage"))
        session.candidate = Snapshot(other, never, ())
        session.emit(session.compared())
        await settle(pilot)
        assert not app.model.bench.stale
        assert app.model.bench.totals.pending == 20


async def test_a_chosen_comparison_says_so_and_how_to_leave_it() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "2", "j", "j", "b", "g", "enter")
        assert "chosen, 0 goes back" in screen(app)
        await press(pilot, "0")
        assert "chosen" not in screen(app)


async def test_an_error_of_the_engine_is_a_sentence() -> None:
    async with opened() as (app, session, pilot):
        session.fails = "the report could not be written: [disk] full"
        await press(pilot, "E")
        assert "the report could not be written: [disk] full" in toasts(app)
        await press(pilot, "j")
        assert "[disk] full" in screen(app)
