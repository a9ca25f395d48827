"""`explain`: which changed part did how much of the difference between two versions?"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from llmops_tui.cli.options import shared_options, version_argument
from llmops_tui.cli.shell import Shell, choose_config, warn, with_engine
from llmops_tui.cli.stored import record_disk
from llmops_tui.cli.weights import fetch_weights
from llmops_tui.cli.working import INTERRUPTED, REFUSED, interruptible
from llmops_tui.domain.safe_text import clean_line

if TYPE_CHECKING:
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.events import AskFirst, ExplainRequest
    from llmops_tui.engine.explaining import ExplainOutcome

#: Some outputs could not be had, and without them nothing can be told.
INCOMPLETE = 3
#: Width of a line where the output is no terminal.
PIPE_WIDTH = 100


@click.command()
@version_argument("a", required=False)
@version_argument("b", required=False)
@click.option("--yes", "agreed", is_flag=True, help="Ask what is missing without showing the price first.")
@shared_options()
@click.pass_obj
def explain(
    shell: Shell,
    a: str | None,
    b: str | None,
    agreed: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Tell which changed part did how much of the difference between two versions.

    A is the baseline and B the candidate; by default the promoted baseline and the latest version. Where
    several parts changed, the versions in between are evaluated, after the price was shown, and the
    difference is shared out with intervals. What may be chance is not. Exits with 2 where the budget says
    no, and with 3 where answers that it takes could not be had.
    """
    from llmops_tui.engine.events import ExplainRequest

    async def body(engine: Engine) -> int:
        await fetch_weights(shell, engine)
        name = choose_config(engine, config)
        warn(shell, engine.workspace)
        record_disk(shell, engine, name)
        result, interrupted = await _carry_out(shell, engine, ExplainRequest(name, a, b, agreed=agreed))
        if result is None:
            return REFUSED
        return _tell(shell, result, interrupted)

    return with_engine(workspace, body, writing=True, evaluating=True)


async def _carry_out(
    shell: Shell, engine: Engine, request: ExplainRequest
) -> tuple[ExplainOutcome | None, bool]:
    """The explanation, and whether it was interrupted; None where the person said no to the price."""
    from llmops_tui.engine.events import AskFirst

    result, interrupted = await _once(shell, engine, request)
    if isinstance(result, AskFirst):
        if not _agreed(shell, engine, result):
            return None, False
        result, interrupted = await _once(shell, engine, msgspec.structs.replace(request, agreed=True))
    return result, interrupted


async def _once(shell: Shell, engine: Engine, request: ExplainRequest) -> tuple[Any, bool]:
    from llmops_tui.cli.progress import progress_of
    from llmops_tui.engine.explaining import explain

    with interruptible(engine) as state, progress_of(shell) as on_event:
        return await explain(engine, request, on_event), state.on


def _agreed(shell: Shell, engine: Engine, ask: AskFirst) -> bool:
    """Show the price; ask where there is a terminal and it costs, or the budget says no.

    Raises:
        BudgetError: the budget says no, and there is no terminal to ask on.
    """
    from llmops_tui.domain.errors import BudgetError, Problem
    from llmops_tui.domain.format import money, plural
    from llmops_tui.engine.estimate import objection

    estimate = ask.estimate
    over = objection(engine.workspace.budget, estimate)
    cost = (
        "at a price that is not known" if estimate.cost_usd is None else f"about {money(estimate.cost_usd)}"
    )
    price = f"{ask.why} {plural(estimate.requests, 'request')}, {cost}"
    if shell.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        if over is not None:
            raise BudgetError(Problem(over, "raise the budget in llmops.yaml, or agree with --yes"))
        shell.say(price)
        return True
    if over is None and estimate.cost_usd == 0:
        shell.say(price)
        return True
    return click.confirm(f"{price}.\nGo on?", err=True)


def _tell(shell: Shell, outcome: ExplainOutcome, interrupted: bool) -> int:
    explanation = outcome.explanation
    if shell.as_json:
        from llmops_tui.report.explain_json import explain_json

        shell.print_json(explain_json(explanation, outcome))
    else:
        from llmops_tui.report.explain_text import explanation_lines, took_words
        from llmops_tui.report.text import EMPTY, Line, print_lines

        width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if sys.stdout.isatty() else PIPE_WIDTH
        lines: list[Line] = explanation_lines(explanation, width=max(width, 60))
        if explanation.state == "explained":
            took = took_words(outcome.provider_calls, outcome.cost_usd, explanation)
            lines += [EMPTY, ((took, "dim"),)]
        print_lines(lines, sys.stdout)
    for failure in outcome.failures:
        shell.say(f"error: {clean_line(failure)}")
    if interrupted or (outcome.cancelled and not outcome.over_budget):
        shell.say("interrupted; what was answered is kept, and the next explanation goes on from there")
        return INTERRUPTED
    if outcome.over_budget:
        return REFUSED
    return INCOMPLETE if explanation.state == "incomplete" else 0
