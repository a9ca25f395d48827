"""The demo's month, on answers that are made up: each step for the reason that the doctor names."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from llmops_tui.domain.ladder.ladder import RUNGS
from llmops_tui.engine import demo_month
from llmops_tui.engine.demo_month import MonthStep
from llmops_tui.engine.demo_month_team import CONFIG_FILE, first_midnight
from llmops_tui.engine.engine import Engine

NOW = 1_800_000_000.0


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[MonthStep]:
    """Of the whole month, with a program that answers what it was told in place of the model."""
    folder = tmp_path_factory.mktemp("month")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMOPS_TUI_HOME", str(folder / "home"))
        return asyncio.run(passed(folder))


async def passed(folder: Path) -> list[MonthStep]:
    root = folder / "helpdesk"
    demo_month.make(root)
    file = root / CONFIG_FILE
    file.write_text(file.read_text("utf-8").replace("local/smollm2-135m-instruct", "echo/parrot"), "utf-8")
    engine = Engine.open(root)
    engine.load()
    start = first_midnight(NOW, demo_month.DAYS)
    try:
        passing = demo_month.month(engine, start, lambda _said: None, lambda _event: None, requests=12)
        return [step async for step in passing]
    finally:
        engine.close()


def of_day(steps: list[MonthStep], day: int) -> MonthStep:
    (found,) = [step for step in steps if step.day == day]
    return found


def moved(step: MonthStep) -> dict[str, str]:
    return {each.after.id: each.after.status for each in step.changed}


def test_the_team_climbs_rung_by_rung(steps: list[MonthStep]) -> None:
    rungs = [(step.day, step.ladder.rung) for step in steps]
    first = {rung: min((day for day, found in rungs if found == rung), default=None) for rung in RUNGS}
    assert first == {"none": 1, "baseline": 4, "repeatable": 10, "mature": 26}
    assert steps[-1].ladder.rung == "mature"


@pytest.mark.parametrize(
    ("day", "item", "status"),
    [
        (2, "versioned", "met"),
        (3, "eval-set", "met"),
        (4, "logged", "met"),
        (6, "baseline", "met"),
        (8, "gated", "unmet"),
        (9, "gated", "met"),
        (10, "ci", "met"),
        (13, "live-evals", "met"),
        (15, "alerts", "met"),
        (17, "drift", "met"),
        (19, "cases", "met"),
        (21, "guards", "partly"),
        (24, "guards", "met"),
        (26, "attacks", "met"),
        (28, "alerts", "unmet"),
        (29, "alerts", "met"),
    ],
)
def test_each_step_moves_the_item_that_it_is_about(
    steps: list[MonthStep], day: int, item: str, status: str
) -> None:
    assert moved(of_day(steps, day)).get(item) == status, moved(of_day(steps, day))


def test_it_falls_when_the_alerts_are_turned_off(steps: list[MonthStep]) -> None:
    assert [step.day for step in steps if step.fell] == [28]
    assert of_day(steps, 28).ladder.rung == "repeatable"
    (why,) = [item for item in of_day(steps, 28).ladder.next if item.id == "alerts"]
    assert why.evidence == "alerts are turned off"
    assert "alerts: []" in why.remedy


def test_what_the_team_reviewed_gives_precision_and_recall(steps: list[MonthStep]) -> None:
    (guards,) = [item for item in steps[-1].ladder.items if item.id == "guards"]
    assert "injection precision 100% (" in guards.evidence
    assert "recall 100% (" in guards.evidence


def test_nothing_of_the_person_is_in_its_commits(
    steps: list[MonthStep], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmops_tui.engine.demo_repository import Repository
    from llmops_tui.workspace import git, git_history

    assert steps
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")
    repository = Repository(tmp_path, lambda: NOW)
    repository.make()
    (tmp_path / "a").write_text("a", "utf-8")
    repository.commit("First")
    monkeypatch.delenv("GIT_DIR")
    (commit,) = git_history.newest(tmp_path, 5)
    assert (commit.author, commit.at, commit.subject) == ("The demo", NOW, "First")
    assert git.state(tmp_path).dirty is False
