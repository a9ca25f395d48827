"""`bisect`: which change broke a case."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, warn, with_engine
from llmops_tui.cli.weights import fetch_weights

if TYPE_CHECKING:
    from llmops_tui.engine.bisecting import BisectOutcome
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.events import AskFirst, BisectRequest

REFUSED = 2
INTERRUPTED = 130
#: Width of a line where the output is no terminal.
PIPE_WIDTH = 100


@click.command()
@click.argument("case", metavar="CASE")
@click.option("--good", metavar="V", help="A version, or with --git a commit, at which the case passed.")
@click.option("--bad", metavar="V", help="One at which it fails; by default what is on disk.")
@click.option("--git", is_flag=True, help="Look at the commits of this branch, and not at recorded versions.")
@click.option("--model", metavar="NAME", help="On which the case is judged, where there are several.")
@click.option("--yes", "agreed", is_flag=True, help="Go ahead without asking, whatever it costs.")
@shared_options()
@click.pass_obj
def bisect(
    shell: Shell,
    case: str,
    good: str | None,
    bad: str | None,
    git: bool,
    model: str | None,
    agreed: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Find the version, or the commit, that broke a case.

    The case is judged as it is on disk now. Answers that are stored count; what is missing is asked, that
    case only, and where answers differ from time to time, as often as it takes to be sure. With --git the
    commits are read from git's objects: no checkout, index or stash is touched. Ctrl-C keeps what is done.
    """
    from llmops_tui.engine.events import BisectRequest

    async def body(engine: Engine) -> int:
        await fetch_weights(shell, engine)
        name = engine.configuration(config).name
        warn(shell, engine.workspace)
        request = BisectRequest(name, case, good, bad, git, model, agreed)
        return await _bisect(shell, engine, request)

    return with_engine(workspace, body, writing=True, evaluating=True)


async def _bisect(shell: Shell, engine: Engine, request: BisectRequest) -> int:
    import msgspec

    from llmops_tui.engine import estimate as prices
    from llmops_tui.engine.events import AskFirst

    can_ask = not shell.as_json and sys.stdin.isatty() and sys.stderr.isatty()
    result = await _carried_out(shell, engine, request, confirm=can_ask)
    if isinstance(result, AskFirst):
        free = result.estimate.cost_usd == 0.0
        over = prices.objection(engine.workspace.budget, result.estimate)
        if not free and not _agreed(result, over, can_ask=can_ask):
            return REFUSED
        result = await _carried_out(
            shell, engine, msgspec.structs.replace(request, agreed=True), confirm=False
        )
        assert not isinstance(result, AskFirst)
    return _tell(shell, result)


def _agreed(asks: AskFirst, over: str | None, *, can_ask: bool) -> bool:
    """Raises:
    BudgetError: the budget says no, and nobody is there to be asked.
    """
    from llmops_tui.domain import format as fmt
    from llmops_tui.domain.errors import BudgetError, Problem

    if not can_ask:
        raise BudgetError(Problem(asks.why, "raise the budget, or agree with --yes"))
    cost = asks.estimate.cost_usd
    about = f"about {fmt.money(cost)}" if cost is not None else "at a price that is not known"
    count = fmt.plural(asks.estimate.requests, "request")
    why = f"{over}.\nBisect all the same" if over else f"It takes some {count}, {about}. Go ahead"
    return click.confirm(f"{why}?", err=True)


async def _carried_out(
    shell: Shell, engine: Engine, request: BisectRequest, *, confirm: bool
) -> BisectOutcome | AskFirst:
    """Bisect with its progress on stderr; the first Ctrl-C keeps what is done, a second one ends it."""
    from llmops_tui.cli.progress import working_on
    from llmops_tui.engine.bisecting import bisect

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if interrupted and task is not None:
            task.cancel()
        interrupted = True
        engine.cancel()

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, interrupt)
    try:
        with working_on(shell) as on_event:
            return await bisect(engine, request, on_event, confirm=confirm)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _tell(shell: Shell, outcome: BisectOutcome) -> int:
    if shell.as_json:
        from llmops_tui.report.bisect_json import bisect_json

        shell.print_json(bisect_json(outcome.found, outcome.texts))
    else:
        from llmops_tui.report.bisect_text import bisect_lines
        from llmops_tui.report.text import print_lines

        width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if sys.stdout.isatty() else PIPE_WIDTH
        print_lines(bisect_lines(outcome.found, outcome.texts, width=max(width, 60)), sys.stdout)
    if outcome.found.ended != "stopped":
        return 0
    return REFUSED if any("budget" in note for note in outcome.found.notes) else INTERRUPTED
