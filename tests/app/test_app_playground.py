"""The playground: type or paste, see both answers come, compare them, keep the input as a case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_session import FakeSession
from piloting import SMALL, WIDE, commands, opened, press, screen, settle, toasts, until
from textual import events
from textual.widgets import Input

from llmops_tui.app.widgets.input_box import InputBox
from llmops_tui.domain.errors import UsageError
from llmops_tui.domain.playground import NewCase
from llmops_tui.domain.score import Score
from llmops_tui.engine.events import AskFirst, Estimate, Viewing
from llmops_tui.engine.playground_events import PlaygroundRequest

QUESTION = "How many days do I have to ask for a refund?"
OLD, NEW = "You have 30 days from delivery.", "You can ask at any time from delivery."


def requests(session: Any) -> list[PlaygroundRequest]:
    return [asked[1] for asked in commands(session, "run")]


def box(app: Any) -> InputBox:
    found = app.screen.query_one(InputBox)
    assert isinstance(found, InputBox)
    return found


async def written(pilot: Any, text: str) -> None:
    """Replace what is in the first box."""
    box(pilot.app).load_text(text)
    await settle(pilot)


async def answered(session: Any, pilot: Any, old: str = OLD, new: str = NEW, **how: Any) -> None:
    session.answering(0, old, done=True, **how)
    session.answering(1, new, done=True, **how)
    session.answered()
    await settle(pilot)


async def test_i_opens_it_with_the_input_of_the_case_under_the_cursor() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "i")
        assert QUESTION in screen(app)
        assert app.focused is box(app)
        assert "Answers · 2 requests, about $0.0004" in screen(app)
        assert "ctrl+s asks v11 and v12" in screen(app)
        assert commands(session, "playground") == [("playground", None)]
        assert requests(session) == []  # opening it asks nothing
        await press(pilot, "escape")
        assert app.frame.SCOPE == "bench"


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_answers_stream_beside_or_below_each_other_and_are_compared_in_the_end(
    size: tuple[int, int],
) -> None:
    async with opened(size=size) as (app, session, pilot):
        await press(pilot, "i", "ctrl+s")
        assert requests(session) == [PlaygroundRequest("helpdesk", {"question": QUESTION}, 1)]
        session.answering(0, "You have")
        session.answering(1, "You can ask")
        await until(pilot, lambda: "You can ask" in screen(app))
        rows = [line for line in screen(app).split("\n") if "You have" in line]
        assert ("You can ask" in rows[0]) == (size == WIDE)
        assert "2 answers to come" in screen(app)
        await answered(session, pilot)
        assert "Answers · 2 requests · $0.0008" in screen(app)
        assert "first token 200 ms" in screen(app)
        assert ("− You have 30 days" in screen(app)) == (size == SMALL)


async def test_typing_goes_on_while_answers_stream() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "i", "ctrl+s")
        for n, key in enumerate("abc"):
            session.answering(1, "x" * n)
            await pilot.press(key)
        session.answering(1, "late")
        await settle(pilot)
        assert box(app).text == f"{QUESTION}abc"


async def test_every_printable_key_is_typed_and_enter_makes_a_line() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "i")
        await written(pilot, "")
        await press(pilot, *"qiC1", "colon", "question_mark", "enter", "K")
        assert box(app).text == "qiC1:?\nK"
        assert requests(session) == []


async def test_what_is_typed_before_the_workspace_is_read_is_an_input_and_no_command() -> None:
    session = FakeSession(Path("/nowhere/helpdesk"))
    session.opening, session.stored = [], False
    async with opened(session) as (app, session, pilot):
        await press(pilot, "i", *"qi?")
        session.emit(session.loaded(), session.compared())
        await settle(pilot)
        await press(pilot, "x")
        assert box(app).text == "qi?x"


async def test_a_paste_of_many_lines_is_one_input_without_what_a_terminal_obeys() -> None:
    async with opened(size=SMALL) as (app, session, pilot):
        await press(pilot, "i")
        await written(pilot, "")
        lines = "\n".join(f"{n} 返品 😀 \x1b[31mred" for n in range(200))
        app.post_message(events.Paste(lines))
        await settle(pilot)
        await press(pilot, "ctrl+s")
        (request,) = requests(session)
        assert request.vars["question"] == "\n".join(f"{n} 返品 😀 red" for n in range(200))
        # The end of it, with the cursor, is in sight, and so are the answers.
        assert "199 返品" in screen(app)
        assert "Answers" in screen(app)


async def test_an_empty_input_is_not_asked() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "i")
        await written(pilot, "  ")
        await press(pilot, "ctrl+s")
        assert requests(session) == []
        assert "question is empty" in toasts(app)


async def test_each_variable_has_a_box_and_a_key_moves_between_them() -> None:
    async with opened() as (app, session, pilot):
        session.variables = ["question", "tone"]
        await press(pilot, "i")
        first, second = app.screen.query(InputBox)
        assert (first.variable, second.variable) == ("question", "tone")
        await press(pilot, "ctrl+n", *"kind", "ctrl+s")
        assert requests(session)[0].vars == {"question": QUESTION, "tone": "kind"}
        await press(pilot, "ctrl+n")
        assert app.focused is first


async def test_escape_gives_up_what_was_asked_and_then_leaves() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "i", "ctrl+s", "escape")
        assert len(commands(session, "stop_asking")) == 1
        assert app.frame.SCOPE == "playground"
        session.answering(0, "half")
        session.answered(cancelled=True)
        await settle(pilot)
        assert "half" in screen(app)
        assert "Cancelled." in screen(app)
        assert "answering" not in screen(app)
        await press(pilot, "escape")
        assert app.frame.SCOPE == "bench"


async def test_answers_to_what_was_asked_before_are_not_shown() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "i", "ctrl+s")
        late = requests(session)[0].number
        await press(pilot, "x", "ctrl+s")
        assert [r.number for r in requests(session)] == [late, late + 1]
        session.answering(1, "of the second")
        session.asked.insert(0, session.asked.pop())  # the next one carries the first number
        await until(pilot, lambda: "of the second" in screen(app))
        session.answering(1, "of the first")
        await settle(pilot)
        assert "of the first" not in screen(app)


async def test_a_price_that_needs_a_yes_is_asked_and_typing_does_not_answer_it() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "i", "ctrl+s")
        request = requests(session)[0]
        estimate = Estimate(2, 0, 2, 0, 3.0, 0.0)
        session.answered(cancelled=True)
        session.emit(AskFirst(request, estimate, "this would cost about $3.00"))
        await settle(pilot)
        assert "2 requests, about $3.00" in screen(app)
        assert app.focused is not box(app)
        await press(pilot, "x")
        assert box(app).text == QUESTION
        await press(pilot, "enter")
        assert requests(session)[1].agreed
        assert app.focused is box(app)


async def test_what_could_not_be_asked_or_answered_is_told() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "i", "ctrl+s")
        session.answered(problem="a key is missing; set FAKE_KEY", calls=0)
        await settle(pilot)
        assert "a key is missing; set FAKE_KEY" in screen(app)
        await press(pilot, "ctrl+s")
        session.answering(0, OLD, done=True)
        session.answering(1, "", done=True, failure="fake answered 500")
        session.answered()
        await settle(pilot)
        assert "✗ fake answered 500" in screen(app)
        assert OLD in screen(app)
        assert "1 of 2 could not be had" in screen(app)


async def test_scores_of_the_case_s_scorers_stand_below() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "i", "ctrl+s")
        score = Score("k", "contains", 0.0, False, '"30 days" is not in the output')
        await answered(session, pilot, scores=(score,))
        assert "0.00 fail" in screen(app)
        assert '"30 days" is not in the output' in screen(app)


async def test_asked_again_it_is_a_further_answer_to_the_same_input() -> None:
    async with opened() as (_app, session, pilot):
        await press(pilot, "i", "ctrl+s")
        await answered(session, pilot)
        await press(pilot, "ctrl+r", "ctrl+r", "ctrl+s", "x", "ctrl+r")
        assert [r.trial for r in requests(session)] == [0, 1, 2, 0, 0]


async def test_what_was_asked_before_can_be_chosen_again() -> None:
    async with opened() as (app, _session, pilot):
        await press(pilot, "i", "ctrl+s")
        await written(pilot, "another")
        await press(pilot, "ctrl+s", "ctrl+g")
        assert QUESTION in screen(app)
        await press(pilot, "down", "enter")
        assert box(app).text == QUESTION


async def test_nothing_typed_is_lost_by_looking_elsewhere() -> None:
    async with opened() as (app, _session, pilot):
        await press(pilot, "i")
        await written(pilot, "not asked yet")
        await press(pilot, "escape", "j", "i")
        assert box(app).text == "not asked yet"
        await press(pilot, "ctrl+l")
        assert box(app).text not in ("not asked yet", QUESTION)  # the case under the cursor now
        filled = box(app).text
        await press(pilot, "escape", "k", "i")
        assert box(app).text == QUESTION != filled


async def test_the_answer_of_the_chosen_side_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr("llmops_tui.app.clipboard.copy_locally", lambda text: copied.append(text) or "x")
    async with opened() as (app, session, pilot):
        await press(pilot, "i", "ctrl+s")
        await answered(session, pilot)
        assert "y copies v12" in screen(app)
        await press(pilot, "tab", "y", "h", "y")
        assert copied == [NEW, OLD]
        assert "y copies v11" in screen(app)


async def test_it_is_kept_as_a_case_with_the_answer_taken_over() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "i")
        await written(pilot, "Do you ship to Japan?")
        await press(pilot, "ctrl+s")
        await answered(session, pilot)
        await press(pilot, "ctrl+t")
        assert app.focused is app.screen.query_one("#case-id")
        assert app.screen.query_one("#case-id", Input).value == "do-you-ship-to-japan"
        await press(pilot, "enter", *"a,b", "enter", "ctrl+t")
        assert commands(session, "keep_case") == []  # enter writes nothing
        await press(pilot, "ctrl+s")
        values = {"question": "Do you ship to Japan?"}
        new = NewCase("do-you-ship-to-japan", values, NEW, ("a", "b"))
        assert commands(session, "keep_case") == [("keep_case", new, "evals/helpdesk.yaml")]
        assert "Kept as case do-you-ship-to-japan in evals/helpdesk.yaml." in toasts(app)
        assert app.focused is box(app)


async def test_a_refusal_is_told_in_the_sheet_which_stays_open() -> None:
    async with opened() as (app, session, pilot):
        session.eval_files = ["evals/helpdesk.yaml", "evals/more.jsonl"]
        await press(pilot, "i", "ctrl+t")
        session.fails = UsageError("the id 'x' is there already")
        await press(pilot, "ctrl+n", "ctrl+s")
        assert commands(session, "keep_case")[0][2] == "evals/more.jsonl"
        assert "the id 'x' is there already" in screen(app)
        await press(pilot, "escape")
        assert "Kept" not in toasts(app)


async def test_an_answer_to_another_input_can_t_be_taken_over() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "i", "ctrl+s")
        await answered(session, pilot)
        await press(pilot, "x", "ctrl+t", "ctrl+t")
        assert "not answered yet" in screen(app)


async def test_an_app_that_only_views_says_so() -> None:
    async with opened() as (app, session, pilot):
        session.emit(Viewing("another app has this workspace open"))
        session.fails = "this app only views the workspace, and asks and writes nothing"
        await press(pilot, "i")
        assert "only views the workspace" in screen(app)
        await press(pilot, "ctrl+s", "ctrl+t")
        assert requests(session) == []


async def test_without_a_workspace_it_says_so() -> None:
    async with opened() as (app, session, pilot):
        session.fails = "the files have mistakes"
        await press(pilot, "i")
        assert "the files have mistakes" in screen(app)


async def test_a_save_is_followed_and_asks_nothing() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "i")
        await written(pilot, "kept")
        session.variables = ["question", "tone"]
        session.emit(session.loaded())
        await until(pilot, lambda: len(app.screen.query(InputBox)) == 2 and app.focused is not None)
        await settle(pilot)
        first, second = app.screen.query(InputBox)
        assert (first.text, second.variable) == ("kept", "tone")
        assert requests(session) == []
        assert app.focused is first


async def test_a_box_that_was_taken_away_may_be_drawn_once_more() -> None:
    async with opened() as (app, _session, pilot):
        await press(pilot, "i")
        await written(pilot, "kept")
        gone = app.screen.query(InputBox).first()
        await gone.remove()
        assert gone.render_line(0).text.strip() == ""


async def test_a_prompt_without_variables_is_asked_as_it_is() -> None:
    session = FakeSession(Path("/nowhere/helpdesk"))
    session.variables, session.cases = [], []
    async with opened(session) as (app, session, pilot):
        await press(pilot, "i")
        assert app.focused is app.screen.query_one("#answers")
        await press(pilot, "ctrl+s")
        assert requests(session)[0].vars == {}


async def test_the_palette_has_its_actions_and_gives_the_input_back() -> None:
    async with opened() as (app, _session, pilot):
        await press(pilot, "i", "ctrl+p", *"keep as a case")
        await until(pilot, lambda: "Keep as a case" in screen(app))
        await press(pilot, "down", "enter")
        await until(pilot, lambda: bool(app.screen.query("#case-id")))
        await press(pilot, "escape", "x")
        assert box(app).text == f"{QUESTION}x"


async def test_words_of_a_model_are_never_markup_and_leave_the_layout_whole() -> None:
    async with opened(size=SMALL) as (app, session, pilot):
        await press(pilot, "i", "ctrl+s")
        session.answering(0, "[/x] [bold]\x1b[2J日本\u202e" + "y" * 500)
        session.answering(1, "[/]")
        await until(pilot, lambda: "[bold]日本<U+202E>yyy" in screen(app))
        await answered(session, pilot, "[/x] \u202e", "[@click=x]y[/]")
        assert "<U+202E>" in screen(app)
        assert all(len(line) <= 80 for line in screen(app).split("\n"))
