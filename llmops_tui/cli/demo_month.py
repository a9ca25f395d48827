"""`demo --month`: a team climbs the ladder, and each step is told with the item that it changed."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops_tui.cli.progress import progress_of
from llmops_tui.cli.shell import Shell, with_engine
from llmops_tui.cli.weights import fetch_weights

if TYPE_CHECKING:
    from llmops_tui.engine.demo_month import MonthStep
    from llmops_tui.engine.engine import Engine

#: Width of a line where the output is no terminal.
PIPE_WIDTH = 80


def month_folder(demo: Path) -> Path:
    """Beside the demo, which stays as it is."""
    return demo.with_name(f"{demo.name}-month")


def show_month(shell: Shell, demo: Path) -> int:
    """Let the month pass in a workspace made anew beside the demo in `demo`; gives the exit code."""
    from llmops_tui.engine import demo_month
    from llmops_tui.engine.demo_month_team import first_midnight

    root = month_folder(demo)
    demo_month.make(root)
    shell.say(f"A month of a team, in the workspace {root}")
    told: list[MonthStep] = []

    async def body(engine: Engine) -> int:
        await fetch_weights(shell, engine)
        start = first_midnight(time.time(), demo_month.DAYS)
        with progress_of(shell) as on_event:
            async for step in demo_month.month(engine, start, shell.say, on_event):
                told.append(step)
                if not shell.as_json:
                    _print(step)
        return 0

    code = with_engine(root, body, writing=True, evaluating=True)
    if shell.as_json:
        shell.print_json({"workspace": str(root), "steps": [step_json(step) for step in told]})
    else:
        shell.say(f"Look at it: llmops-tui --workspace {root}, then D.")
    return code


def _print(step: MonthStep) -> None:
    from llmops_tui.domain.ladder.ladder import RUNG_WORDS
    from llmops_tui.report.ladder_text import step_lines, wrapped
    from llmops_tui.report.text import EMPTY, Line, print_lines

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if terminal else PIPE_WIDTH
    width = min(max(width, 60), 110)
    style = "regressed" if step.fell else "improved"
    head: Line = ((f"Day {step.day:>2}  ", "bold"), (RUNG_WORDS[step.ladder.rung], style))
    lines: list[Line] = [(*head, (" (a rung lower than before)" if step.fell else "", style))]
    lines += wrapped(step.done, width, "", "  ")
    for each in step.changed:
        lines += step_lines(each, width=width)
    print_lines([*lines, EMPTY], sys.stdout)
    sys.stdout.flush()


def step_json(step: MonthStep) -> dict[str, Any]:
    """A step of the month; keys are only ever added."""
    from llmops_tui.report.ladder_json import item_json

    return {
        "day": step.day,
        "done": step.done,
        "rung": step.ladder.rung,
        "fell": step.fell,
        "changed": [
            {"before": each.before.status if each.before else None, **item_json(each.after)}
            for each in step.changed
        ],
    }
