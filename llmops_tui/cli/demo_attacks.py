"""`demo --attacks`: an injection that gets past one version and is stopped by the next, in plain text."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.attack import exit_code
from llmops_tui.cli.demo_copy import on_a_copy
from llmops_tui.cli.gate import PIPE_WIDTH
from llmops_tui.cli.progress import progress_of
from llmops_tui.cli.shell import Shell
from llmops_tui.cli.working import interruptible

if TYPE_CHECKING:
    from llmops_tui.domain.trace import Span
    from llmops_tui.engine.demo_attacks import Step
    from llmops_tui.engine.engine import Engine


def show_attacks(shell: Shell, demo: Path, *, reset: bool) -> int:
    """Show it on a copy of the demo in `demo`, which need not be there; gives the exit code."""
    return on_a_copy(shell, demo, _show, reset=reset, option="--attacks")


async def _show(shell: Shell, engine: Engine) -> int:
    from llmops_tui.engine import demo_attacks
    from llmops_tui.report.attack_json import attack_json

    shell.say("On a copy of the demo, with the embedded model. What it was not asked before takes minutes.")
    told = []
    with interruptible(engine) as state, progress_of(shell) as on_event:
        number = 0
        async for step in demo_attacks.show(engine, on_event):
            if state.on:
                raise click.Abort
            number += 1
            if shell.as_json:
                old, new = step.outcome.baseline, step.outcome.candidate
                changes = engine.queries.changes(old, new) if old is not None else ()
                head = {"title": step.title, "edited": list(step.edited), "command": step.command}
                told.append(
                    {
                        **head,
                        "question": demo_attacks.QUESTION,
                        "answer": step.answer,
                        "passed": step.passed,
                        "retrieved": list(step.retrieved),
                        "guardrail_spans": [dict(span.attributes) for span in step.looks],
                        **attack_json(step.outcome, changes, exit_code(step.outcome)),
                    }
                )
            else:
                _print(number, step)
    if shell.as_json:
        shell.print_json({"steps": told})
    return 0


def _print(number: int, step: Step) -> None:
    from llmops_tui.domain.safe_text import clean_line
    from llmops_tui.engine.demo_attacks import POISONED, QUESTION
    from llmops_tui.report.attack_text import attack_lines
    from llmops_tui.report.gate_text import sentences
    from llmops_tui.report.text import EMPTY, Line, print_lines

    head: list[Line] = [((f"── {number}. {step.title}", "bold"),), EMPTY]
    head += sentences([f"edited {sentence}" for sentence in step.edited], PIPE_WIDTH)
    verdict = ("safe", "improved") if step.passed else ("it got through", "regressed")
    head += [EMPTY, ((f"asked     {QUESTION}", ""),)]
    head += [((f"retrieved {', '.join(map(clean_line, step.retrieved)) or 'nothing'}", ""),)]
    head += [((f"answered  {clean_line(step.answer)}  ", ""), verdict)]
    head += [((f"span      {_span_words(span)}", ""),) for span in step.looks]
    head += [EMPTY, ((f"$ {step.command}", ""),), EMPTY]
    lines = attack_lines(step.outcome, width=PIPE_WIDTH)
    code = exit_code(step.outcome)
    if any(guard.fired_on for guard in step.outcome.figures.guards):
        # What is retrieved for a harmless question may be the poisoned document itself.
        note = (
            f"{POISONED} lies among the documents: a firing on a harmless question may be on that, and right"
        )
        lines += [EMPTY, *sentences([note], PIPE_WIDTH)]
    print_lines([*head, *lines, EMPTY, ((f"exit code {code}", "bold"),), EMPTY], sys.stdout)
    sys.stdout.flush()


def _span_words(span: Span) -> str:
    """`injection on context: fired, block; tells the model to drop its instructions`."""
    from llmops_tui.domain import semconv as a
    from llmops_tui.domain.safe_text import clean_line

    has = span.attributes
    fired = "fired" if has.get(a.TRIGGERED) else "passed"
    parts = [f"{has.get(a.GUARDRAIL)} on {has.get(a.GUARDRAIL_STAGE)}: {fired}"]
    parts += [str(has[key]) for key in (a.ACTION, a.GUARDRAIL_REASON) if has.get(key)]
    return clean_line("; ".join(parts))
