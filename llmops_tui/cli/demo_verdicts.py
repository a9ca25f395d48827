"""`demo --verdicts`: how each of the three verdicts comes about, step by step, in plain text."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.demo_copy import on_a_copy
from llmops_tui.cli.gate import PIPE_WIDTH
from llmops_tui.cli.progress import progress_of
from llmops_tui.cli.shell import Shell
from llmops_tui.cli.working import interruptible

if TYPE_CHECKING:
    from llmops_tui.engine.demo_verdicts import Step
    from llmops_tui.engine.engine import Engine


def show_verdicts(shell: Shell, demo: Path, *, reset: bool) -> int:
    """Show them on a copy of the demo in `demo`, which need not be there; gives the exit code."""
    return on_a_copy(shell, demo, _show, reset=reset, option="--verdicts")


async def _show(shell: Shell, engine: Engine) -> int:
    from llmops_tui.engine import demo_verdicts
    from llmops_tui.report.gate_json import gate_json

    shell.say("On a copy of the demo, with the embedded model. What it was not asked before takes a minute.")
    answers = []
    with interruptible(engine) as state, progress_of(shell) as on_event:
        number = 0
        async for step in demo_verdicts.show(engine, on_event):
            if state.on:
                raise click.Abort
            number += 1
            outcome = step.outcome
            changes = engine.queries.changes(outcome.baseline, outcome.candidate)
            if shell.as_json:
                told = {"title": step.title, "edited": list(step.edited), "command": step.command}
                answers.append({**told, **gate_json(outcome, changes, outcome.result.exit_code)})
            else:
                _print(number, step, engine)
    if shell.as_json:
        shell.print_json({"steps": answers})
    return 0


def _print(number: int, step: Step, engine: Engine) -> None:
    from llmops_tui.report.gate_text import gate_lines
    from llmops_tui.report.text import EMPTY, Line, print_lines

    changes = engine.queries.changes(step.outcome.baseline, step.outcome.candidate)
    head: list[Line] = [((f"── {number}. {step.title}", "bold"),), EMPTY]
    head += [((f"edited   {sentence}", ""),) for sentence in step.edited]
    head += [((f"$ {step.command}", ""),), EMPTY]
    code = step.outcome.result.exit_code
    lines = gate_lines(step.outcome, changes, width=PIPE_WIDTH)
    print_lines([*head, *lines, EMPTY, ((f"exit code {code}", "bold"),), EMPTY], sys.stdout)
    sys.stdout.flush()
