"""What the review looks like in the list: several models, little room, the filter, text of others."""

from __future__ import annotations

import msgspec
import pytest
from fake_session import FakeSession
from made_up import SMOL
from piloting import SMALL, cursor, opened, press, screen
from test_app_review import HERE

from llmops_tui.domain.case import Case
from llmops_tui.domain.review import Decision
from llmops_tui.domain.run import make_row


async def test_each_model_of_a_case_is_decided_on_by_itself() -> None:
    session = FakeSession(HERE)
    item = session.answers.item
    old = make_row([item("refund-window", "30 days", 1.0, model="gateway/big")])
    new = make_row([item("refund-window", "none", 0.0, model="gateway/big")])
    session.models = [SMOL, "gateway/big"]
    session.baseline = msgspec.structs.replace(session.baseline, rows=(*session.baseline.rows, old))
    session.candidate = msgspec.structs.replace(session.candidate, rows=(*session.candidate.rows, new))
    async with opened(session) as (app, _, pilot):
        await press(pilot, "a")
        standing = {
            key[1]: app.model.bench.review.standing(key, pair)
            for key, pair in app.model.bench.pairs.items()
            if key[0] == "refund-window"
        }
        assert sorted(standing.values()) == ["accepted", "open"]


async def test_a_small_terminal_has_the_count_over_the_list_and_over_the_case() -> None:
    async with opened(size=SMALL) as (app, _, pilot):
        assert "Cases · regressed first · to review: 6" in screen(app)
        await press(pilot, "enter")
        assert "refund-window  ▼ regressed · pass → fail · to review: 6" in screen(app)
        await press(pilot, "x")
        assert "cancel-order  ▼ regressed · pass → fail · to review: 5" in screen(app)
        assert cursor(app) == "cancel-order"


@pytest.mark.parametrize(
    ("text", "cases"),
    [
        ("is:open", ["shipping-cost", "warranty", "gift-card", "contact-phone"]),
        ("is:accepted", ["refund-window"]),
        ("is:rejected", ["cancel-order"]),
        ("is:critical", ["refund-window"]),
        ("is:known-failing", ["warranty"]),
        ("is:known", ["warranty"]),
        ("is:open is:regressed", []),
        ("-is:open is:regressed", ["refund-window", "cancel-order"]),
        ("is:flaky", []),
    ],
)
async def test_the_filter_knows_the_review(text: str, cases: list[str]) -> None:
    session = FakeSession(HERE)
    session.cases = [
        msgspec.structs.replace(c, known_failing="why not") if c.id == "warranty" else c
        for c in session.cases
    ]
    async with opened(session) as (app, _, pilot):
        await press(pilot, "a", "x")
        app.screen._filter(text)
        assert [case for case, _ in app.model.bench.visible] == cases


async def test_flaky_cases_are_found() -> None:
    session = FakeSession(HERE)
    session.desk.is_noisy = True
    one, two = (
        session.answers.item("vat-number", t, s, trial=k) for k, (t, s) in enumerate([("a", 1.0), ("b", 0.0)])
    )
    rows = [r for r in session.candidate.rows if r.case_id != "vat-number"]
    session.candidate = msgspec.structs.replace(session.candidate, rows=(*rows, make_row([one, two])))
    async with opened(session) as (app, _, _pilot):
        app.screen._filter("is:flaky")
        assert [case for case, _ in app.model.bench.visible] == ["vat-number"]


async def test_the_list_of_what_is_open_shrinks_as_it_is_decided_and_the_cursor_goes_on() -> None:
    async with opened() as (app, _, pilot):
        await press(pilot, "slash", *"is:open", "enter", "j", "a")
        assert cursor(app) == "shipping-cost"
        assert "cancel-order" not in [case for case, _ in app.model.bench.visible]
        await press(pilot, "u")
        assert cursor(app) in ("cancel-order", "shipping-cost")
        assert "cancel-order" in [case for case, _ in app.model.bench.visible]


NASTY = "[bold]x[/] \x1b[31m日本語 \u202e\n[@click=app.quit]y"


async def test_notes_and_names_that_others_wrote_are_text() -> None:
    session = FakeSession(HERE)
    session.cases = [*session.cases, Case("warranty", {}, tags=("[x",), known_failing=NASTY)]
    async with opened(session) as (app, _, pilot):
        pair = app.model.bench.pairs["warranty", SMOL]
        session.desk.decisions.append(
            Decision("helpdesk", "warranty", SMOL, "rejected", (), (), NASTY, NASTY, NASTY)
        )
        session.desk.decide([pair], "accepted", NASTY)
        await press(pilot, "j", "j", "j", "m", "escape", "K", "escape", "V", "escape")
        assert "[bold]x[/]" in screen(app)
        assert app.is_running
