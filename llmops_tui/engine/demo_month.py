"""A month of the demo's team: it does one thing after another, and after each the doctor is asked.

The clock is handed in and sped up, and traffic is put into the database by it. All else is what it would be:
evaluations run, gates judge, rules look. Nothing here knows what the doctor will say.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec

from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.ladder.ladder import Ladder, Step, changes
from llmops_tui.engine import demo
from llmops_tui.engine.demo_live import Clock, Say
from llmops_tui.engine.demo_month_team import Team
from llmops_tui.engine.demo_repository import Repository
from llmops_tui.engine.doctor import doctor
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.evaluation import Emit

DAY_S = 86_400.0
HOUR_S = 3_600.0
DAYS = 30
#: Hours of a day at which something is done, and at which the doctor is asked what came of it.
MORNING, EVENING = 9.0, 17.0


class MonthStep(msgspec.Struct, frozen=True):
    """One thing that was done, and what came of it.

    Attributes:
        day: of the month, from 1 on.
        done: a sentence.
        ladder: as the doctor saw it on the evening of that day.
        changed: items that stand otherwise than after the step before.
        fell: the rung is a lower one than before.
    """

    day: int
    done: str
    ladder: Ladder
    changed: tuple[Step, ...]
    fell: bool = False


def make(target: Path) -> None:
    """The demo's workspace anew in `target`, outside of git, with an empty database: nothing was done yet.

    Raises:
        UsageError: it can't be made, or the folder holds something else.
    """
    from llmops_tui.workspace import template, trust

    if target.exists() and any(target.iterdir()):
        if not (target / "configs" / f"{demo.CONFIG}.yaml").is_file():
            raise UsageError(Problem(f"{target} holds something else", "name another folder"))
        shutil.rmtree(target)
    template.create(target)
    trust.trust(target)


async def month(
    engine: Engine, start: float, say: Say, emit: Emit, *, requests: int = 40
) -> AsyncIterator[MonthStep]:
    """Let the month pass, step by step.

    Args:
        engine: on a folder that `make` made; from here on it goes by the month's clock.
        start: midnight before the first day, Unix seconds.
        requests: of customers, a day.

    Raises:
        LlmopsError: the model can't be had.
    """
    clock = Clock(start)
    engine.clock = clock
    team = Team(engine, Repository(engine.root, clock), clock, say, emit, requests)
    before: Ladder | None = None
    try:
        for day, act in plan(team):
            await team.let_pass(start + (day - 1) * DAY_S + MORNING * HOUR_S)
            done = await act()
            await team.let_pass(start + (day - 1) * DAY_S + EVENING * HOUR_S)
            ladder = doctor(engine.root, demo.CONFIG, clock())
            fell = before is not None and before.has_reached(ladder.rung) and before.rung != ladder.rung
            yield MonthStep(day, done, ladder, changes(before, ladder), fell)
            before = ladder
    finally:
        team.close()


def plan(team: Team) -> tuple[tuple[int, Callable[[], Awaitable[str]]], ...]:
    """What the team does on which day."""
    return (
        (1, team.begins),
        (2, team.commits),
        (3, team.evaluates),
        (4, team.collects),
        (6, team.promotes),
        (8, team.edits_without_a_gate),
        (9, team.gates),
        (10, team.runs_the_gate_in_ci),
        (13, team.judges_live_requests),
        (15, team.has_alerts_sent),
        (17, team.schedules_a_canary),
        (19, team.makes_a_case),
        (21, team.adds_a_guardrail),
        (24, team.reviews_guardrails),
        (26, team.attacks),
        (28, team.turns_alerts_off),
        (29, team.turns_alerts_on),
    )
