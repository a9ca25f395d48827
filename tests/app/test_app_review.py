"""Reviewing on the Bench: one key a case, and nothing is lost or decided by mistake."""

from __future__ import annotations

from pathlib import Path

import msgspec
from fake_session import FakeSession
from made_up import SMOL, helpdesk, run_info, version
from piloting import SMALL, commands, cursor, opened, press, screen, settle, toasts

from llmops_tui.domain.errors import Problem
from llmops_tui.domain.run import make_row
from llmops_tui.engine.events import Notice, Viewing

HERE = Path("/nowhere/helpdesk")


def row_of(text: str, case: str) -> str:
    """The line of the list that a case is on."""
    return next(
        line for line in text.splitlines() if f" {case} " in line and ("1.00" in line or "0.00" in line)
    )


def marks(text: str, case: str) -> str:
    """What stands behind the figures of a case in the list."""
    return row_of(text, case).split("│")[1].rstrip()[-1]


def decided(session: FakeSession) -> list[tuple[object, ...]]:
    return [c[1:] for c in commands(session, "decide")]


# -- deciding


async def test_a_accepts_the_case_under_the_cursor_and_goes_on_to_the_next_open_one() -> None:
    async with opened() as (app, session, pilot):
        assert "refund-window  ▼ regressed · pass → fail · to review: 6" in screen(app)
        assert marks(screen(app), "refund-window") == "●"
        await press(pilot, "a")
        assert decided(session) == [(("refund-window",), "accepted", None)]
        assert cursor(app) == "cancel-order"
        assert marks(screen(app), "refund-window") == "✓"
        assert "to review: 5" in screen(app)


async def test_x_rejects_and_its_mark_is_not_that_of_an_error() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "j", "x")
        assert decided(session) == [(("cancel-order",), "rejected", None)]
        assert cursor(app) == "shipping-cost"
        assert marks(screen(app), "cancel-order") == "⊗"
        assert "FAIL  rejected: cancel-order" in screen(app)


async def test_the_queue_goes_round_and_ends_with_what_can_be_done_now() -> None:
    async with opened(size=(140, 40)) as (app, session, pilot):
        await press(pilot, "j", "a", "a", "a", "a", "a")
        assert cursor(app) == "refund-window"
        await press(pilot, "a")
        assert len(decided(session)) == 6
        text = screen(app)
        assert "✓ All is reviewed: 6 accepted. P promotes v12, E writes the report; or go on editing." in text
        assert "PASS" in text
        assert "all reviewed" in text
        assert " a accept" not in text


async def test_what_is_rejected_keeps_the_gate_failing_and_that_is_said_at_the_end() -> None:
    async with opened(size=(140, 40)) as (app, _, pilot):
        await press(pilot, "x", "a", "a", "a", "a", "a")
        assert "5 accepted, 1 rejected. What is rejected keeps the gate failing" in screen(app)


async def test_keys_faster_than_the_engine_decide_one_case_each() -> None:
    async with opened() as (app, session, pilot):
        session.holds = True
        await pilot.press("a", "a", "x")
        assert [d[0][0] for d in decided(session)] == ["refund-window", "cancel-order", "shipping-cost"]
        assert marks(screen(app), "cancel-order") == "✓"
        session.release()
        await settle(pilot)
        assert marks(screen(app), "shipping-cost") == "⊗"


async def test_enter_never_accepts_and_esc_never_rejects() -> None:
    for size in ((120, 40), SMALL):
        async with opened(size=size) as (_, session, pilot):
            await press(pilot, "enter", "escape", "escape", "enter", "tab", "enter", "escape")
            assert not commands(session, "decide", "take_expected", "mark_known_failing")


async def test_a_case_that_did_not_change_has_nothing_to_decide() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "G", "a")
        assert not decided(session)
        assert "did not change: there is nothing to decide" in toasts(app)


async def test_accepting_what_was_rejected_changes_the_decision() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "x", "k", "a")
        assert [d[1] for d in decided(session)] == ["rejected", "accepted"]
        assert marks(screen(app), "refund-window") == "✓"


# -- what comes in meanwhile


def running(session: FakeSession) -> object:
    _, candidate, _ = helpdesk(session.answers)
    run = run_info(13, 20, "running", elapsed_s=None)
    return msgspec.structs.replace(candidate, version=version(13), run=run)


async def test_what_streams_in_never_makes_a_key_decide_on_another_case() -> None:
    async with opened() as (_, session, pilot):
        await press(pilot, "j")
        rows = list(session.candidate.rows)
        rows[-1] = make_row([session.answers.item("pickup-point", "No.", 0.0)])
        rows.insert(0, make_row([session.answers.item("brand-new", "Yes.", 0.0)]))
        session.candidate = msgspec.structs.replace(session.candidate, rows=tuple(reversed(rows)))
        session.emit(session.compared())
        await pilot.press("a")
        await settle(pilot)
        assert decided(session)[0][0] == ("cancel-order",)


async def test_a_decision_is_on_the_answer_that_is_on_screen_and_not_on_its_successor() -> None:
    async with opened() as (app, session, pilot):
        seen = session.candidate.rows[1].first.text_hash
        rows = list(session.candidate.rows)
        rows[1] = make_row([session.answers.item("refund-window", "Never.", 0.0)])
        session.candidate = msgspec.structs.replace(session.candidate, rows=tuple(rows))
        session.holds = True  # the new text does not reach the screen
        session.emit(session.compared())
        await pilot.pause()
        assert "Never." not in screen(app)
        app.screen.action_accept()
        session.release()
        await settle(pilot)
        [decision] = session.desk.decisions
        assert seen.startswith(decision.candidate[0])
        assert "refund-window has another answer by now: it is open again." in toasts(app)
        assert marks(screen(app), "refund-window") == "●"


async def test_a_case_that_is_still_to_come_is_not_decided_on() -> None:
    async with opened() as (app, session, pilot):
        session.start_run(running(session))
        await settle(pilot)
        await press(pilot, "a")
        assert not decided(session)
        assert "The answer to refund-window is still to come." in toasts(app)
        session.items(13, session.answers.item("refund-window", "Within a month.", 0.0))
        await pilot.pause(0.3)
        await settle(pilot)
        await press(pilot, "a")
        assert decided(session) == [(("refund-window",), "accepted", None)]


async def test_what_a_colleague_decided_shows_up_at_once() -> None:
    async with opened() as (app, session, pilot):
        pair = app.model.bench.pairs["warranty", SMOL]
        session.desk.decide([pair], "rejected", "see #12")
        await settle(pilot)
        assert marks(screen(app), "warranty") == "⊗"
        await press(pilot, "j", "j", "j")
        assert "rejected  by Ada, 2026-11-24: see #12" in screen(app)


async def test_a_decision_that_could_not_be_made_is_taken_back_and_told() -> None:
    async with opened() as (app, session, pilot):
        session.fails = "reviews.yaml:7 the decision 'maybe' is not known"
        await press(pilot, "j", "x")
        assert cursor(app) == "cancel-order"
        assert marks(screen(app), "cancel-order") == "●"
        assert "the decision 'maybe' is not known" in toasts(app)
        assert "to review: 6" in screen(app)


async def test_a_broken_file_of_decisions_stays_on_screen_and_there_is_no_verdict() -> None:
    async with opened() as (app, session, pilot):
        wrong = Problem("holds a merge conflict", "keep the entries of both sides", "reviews.yaml", 3)
        session.desk.is_broken = True
        session.emit(Notice("error", str(wrong), key="reviews"), session.compared())
        await settle(pilot)
        assert "reviews.yaml:3 holds a merge conflict; keep the entries of both sides" in screen(app)
        assert "no verdict: reviews.yaml has a mistake" in screen(app)
        assert "to review" not in screen(app)
        assert marks(screen(app), "refund-window") not in "●✓⊗"
        session.desk.is_broken = False
        session.emit(Notice("error", "", key="reviews"), session.compared())
        await settle(pilot)
        assert "FAIL  critical: refund-window" in screen(app)


async def test_a_second_app_can_not_decide_and_says_so() -> None:
    async with opened() as (app, session, pilot):
        session.emit(Viewing("process 4711 has this workspace open"))
        await settle(pilot)
        await press(pilot, "a", "x", "A", "u", "m", "equals_sign", "K")
        assert not commands(session, "decide", "undo", "take_expected", "mark_known_failing")
        assert "only views the workspace and can't decide" in toasts(app)


# -- accept all, skip, undo


async def test_A_accepts_what_is_shown_after_saying_how_many() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "A")
        assert "Accept 6 changes shown here?" in screen(app)
        await press(pilot, "escape")
        assert not decided(session)
        await press(pilot, "slash", *"is:improved", "enter", "A")
        assert "Accept 3 changes shown here (3 more are not shown and stay open)?" in screen(app)
        await press(pilot, "enter")
        assert decided(session) == [(("shipping-cost", "warranty", "gift-card"), "accepted", None)]
        await press(pilot, "A")
        assert "Nothing that is shown here is left; 3 more: esc shows all cases." in toasts(app)


async def test_space_leaves_a_case_for_later() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "space", "space")
        assert cursor(app) == "shipping-cost"
        await press(pilot, "a", "space", "space", "space")
        assert cursor(app) == "refund-window"
        assert len(decided(session)) == 1


async def test_u_takes_the_last_step_back_and_goes_to_its_case() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "a", "x", "u")
        assert "Undone: rejected 'cancel-order'." in toasts(app)
        assert cursor(app) == "cancel-order"
        assert marks(screen(app), "cancel-order") == "●"
        assert marks(screen(app), "refund-window") == "✓"
        await press(pilot, "G", "u")
        assert cursor(app) == "refund-window"
        assert "to review: 6" in screen(app)
        session.fails = "there is nothing to undo"
        await press(pilot, "u")
        assert "there is nothing to undo" in toasts(app)


# -- notes, expected, known failing


async def test_m_writes_a_note_that_is_shown_with_the_case() -> None:
    async with opened(size=(140, 40)) as (app, session, pilot):
        await press(pilot, "m")
        assert "note on refund-window" in screen(app)
        await press(pilot, *"ask legal", "enter")
        assert decided(session) == [(("refund-window",), None, "ask legal")]
        assert "note  by Ada, 2026-11-24: ask legal" in screen(app)
        assert marks(screen(app), "refund-window") == "●"
        await press(pilot, "a", "k")
        assert "accepted  by Ada, 2026-11-24: ask legal" in screen(app)


async def test_a_note_can_be_edited_removed_and_left_alone() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "m", *"abc", "enter", "m")
        assert "note on refund-window abc" in " ".join(screen(app).split())
        await press(pilot, "x", "escape")
        assert len(decided(session)) == 1
        await press(pilot, "m", "enter")
        assert len(decided(session)) == 1
        await press(pilot, "m", "backspace", "backspace", "backspace", "enter")
        assert decided(session)[-1] == (("refund-window",), None, "")
        assert not session.desk.decisions
        assert "abc" not in screen(app)


async def test_keys_that_are_typed_into_a_note_decide_nothing() -> None:
    async with opened() as (_, session, pilot):
        await press(pilot, "m", *"axAu=KP!", "enter")
        assert decided(session) == [(("refund-window",), None, "axAu=KP!")]
        assert not commands(session, "undo", "promote", "take_expected", "run")


async def test_a_note_goes_to_the_case_that_it_was_begun_on() -> None:
    async with opened() as (_, session, pilot):
        await press(pilot, "m", *"why")
        session.candidate = msgspec.structs.replace(
            session.candidate, rows=tuple(reversed(session.candidate.rows))
        )
        session.emit(session.compared())
        await settle(pilot)
        await press(pilot, "enter")
        assert decided(session) == [(("refund-window",), None, "why")]


async def test_equals_accepts_and_takes_the_answer_over_as_expected() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "equals_sign")
        assert commands(session, "take_expected") == [("take_expected", "refund-window")]
        assert "The answer is now 'expected' of 'refund-window'" in toasts(app)
        assert marks(screen(app), "refund-window") == "✓"
        assert cursor(app) == "cancel-order"
        session.fails = "the trials of 'cancel-order' gave 2 different answers"
        await press(pilot, "equals_sign")
        assert cursor(app) == "cancel-order"
        assert marks(screen(app), "cancel-order") == "●"
        assert "gave 2 different answers" in toasts(app)


async def test_K_marks_a_case_as_known_to_fail_with_a_reason_and_unmarks_it() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "K")
        assert "refund-window is known to fail, because" in screen(app)
        await press(pilot, *"it guesses", "enter")
        assert commands(session, "mark_known_failing") == [
            ("mark_known_failing", "refund-window", "it guesses")
        ]
        session.cases = [
            msgspec.structs.replace(c, known_failing="it guesses") if c.id == "refund-window" else c
            for c in session.cases
        ]
        session.emit(session.loaded(), session.compared())
        await settle(pilot)
        assert "known to fail  it guesses" in screen(app)
        assert "critical: refund-window" not in screen(app)
        await press(pilot, "K")
        assert commands(session, "mark_known_failing")[-1] == ("mark_known_failing", "refund-window", None)


async def test_a_decision_can_be_forgotten_from_the_palette() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "a", "k")
        await app.screen.run_action("forget")
        await settle(pilot)
        assert commands(session, "forget") == [("forget", "refund-window")]
        assert marks(screen(app), "refund-window") == "●"
