"""`W`: why do these two versions differ? Asked with the price, shown part by part."""

from __future__ import annotations

import msgspec
import pytest
from fake_session import FakeSession
from piloting import SMALL, WIDE, commands, opened, press, screen, toasts

from llmops_tui.app.app import LlmopsApp
from llmops_tui.domain.attribution import (
    Attribution,
    CaseShares,
    ChangedPart,
    Explanation,
    Interaction,
    Share,
)
from llmops_tui.domain.statistics.assess import Evidence
from llmops_tui.engine.events import AskFirst, Estimate, ExplainRequest, WorkEnded, Working
from llmops_tui.engine.explaining import ExplainOutcome

PARTS = ("prompt", "params.temperature", "retrieval")


def outcome(session: FakeSession, cases: int = 3) -> ExplainOutcome:
    """Three parts on a noisy runtime: one is shown, two are not."""
    total = Evidence(
        20, 20, 3.0, 0.75, 0.5, -0.25, -0.4, -0.1, 0.002, 1.0, False, "exact permutation test", "trials", 6, 1
    )
    measure = Attribution(
        "pass_rate",
        total,
        True,
        shares=(
            Share("prompt", -0.3, -0.45, -0.15),
            Share("params.temperature", 0.05, -0.1, 0.2),
            Share("retrieval", 0.0, -0.1, 0.1),
        ),
        interactions=(Interaction(("prompt", "retrieval"), Share("", -0.4, -0.6, -0.2), (-0.02, 0.0), -0.4),),
    )
    explanation = Explanation(
        session.baseline.version,
        session.candidate.version,
        "explained",
        "3 parts changed; the difference is shared out over them by 6 versions in between",
        tuple(ChangedPart(name, ((name, ""),)) for name in PARTS),
        (measure,),
        tuple(
            CaseShares(f"case-{n}[/b]\x1b[31m", "m", "pass_rate", -1.0, "pass→fail", (("prompt", -1.0),))
            for n in range(cases)
        ),
        ("a case was left out",),
        corners=6,
    )
    return ExplainOutcome(explanation, 96, 0.012)


def request(app: LlmopsApp) -> ExplainRequest:
    config = app.model.status.config
    assert config is not None
    return ExplainRequest(config, "v11", "v12")


async def test_why_asks_about_the_versions_on_screen_and_runs_once_the_price_is_agreed_to() -> None:
    async with opened() as (app, session, pilot):
        await press(pilot, "W")
        ((_, asked),) = commands(session, "run")
        assert isinstance(asked, ExplainRequest)
        assert (asked.a, asked.b) == (session.baseline.version.name, session.candidate.version.name)
        assert not asked.agreed

        price = Estimate(160, 64, 96, 0, 0.012, 0.0)
        session.emit(AskFirst(asked, price, "Explain v11 → v12 by 6 versions in between?"))
        await pilot.pause()
        assert "Explain v11 → v12 by 6 versions in between? 96 requests, about $0.012" in screen(app)

        await press(pilot, "enter")
        assert commands(session, "run")[-1][1] == msgspec.structs.replace(asked, agreed=True)
        session.emit(Working("Explain v11 → v12: 8 versions", 12, 160))
        await press(pilot, "C")
        assert commands(session, "cancel")


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_what_came_of_it_is_a_sheet_over_the_bench(size: tuple[int, int]) -> None:
    async with opened(size=size) as (app, session, pilot):
        session.emit(WorkEnded(request(app), outcome(session)))
        await pilot.pause()
        await press(pilot)

        shown = screen(app)
        assert "Why v11 → v12" in shown
        assert "pass rate 75.0% → 50.0%  −25.0 pts" in shown
        assert "prompt" in shown
        assert "−30.0 pts" in shown
        assert "●" in shown
        assert "only together" in shown
        await press(pilot, "G")
        assert "case-2[/b]" in screen(app)
        assert "6 versions in between, 96 requests, $0.012" in screen(app)

        await press(pilot, "escape")
        assert app.screen is app.frame


async def test_a_long_list_of_cases_scrolls() -> None:
    async with opened(size=SMALL) as (app, session, pilot):
        session.emit(WorkEnded(request(app), outcome(session, cases=200)))
        await pilot.pause()
        await press(pilot, "G")
        assert "case-199" in screen(app)
        await press(pilot, "g")
        assert "3 parts changed" in screen(app)


async def test_copying_takes_the_whole_explanation(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    monkeypatch.setattr("llmops_tui.app.clipboard.copy_locally", lambda text: taken.append(text) or "xclip")
    async with opened() as (app, session, pilot):
        session.emit(WorkEnded(request(app), outcome(session)))
        await pilot.pause()
        await press(pilot, "y")
        assert "case-0" in taken[0]
        assert "\x1b" not in taken[0]
        assert "Copied the explanation" in toasts(app)


async def test_one_that_was_cut_short_is_told_and_opens_nothing() -> None:
    async with opened() as (app, session, pilot):
        cut = msgspec.structs.replace(
            outcome(session),
            cancelled=True,
            explanation=Explanation(
                session.baseline.version,
                session.candidate.version,
                "incomplete",
                "it was cut short; what was answered is kept",
            ),
        )
        session.emit(WorkEnded(request(app), cut))
        await pilot.pause()
        assert "Not explained: it was cut short" in toasts(app)
        assert app.screen is app.frame
