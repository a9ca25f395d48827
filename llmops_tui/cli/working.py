"""Longer work of a verb: carried out with progress, cut short by Ctrl-C, and agreed to where it costs."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import msgspec

from llmops_tui.cli.shell import Shell

if TYPE_CHECKING:
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.events import AskFirst, WorkRequest

INTERRUPTED = 130
#: The workspace, the call or the budget says no.
REFUSED = 2


class Interrupted(msgspec.Struct):
    """Whether the person cut the work short."""

    on: bool = False


@contextmanager
def interruptible(engine: Engine) -> Iterator[Interrupted]:
    """The first Ctrl-C cancels and keeps what is done, a second one ends it."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    state = Interrupted()

    def interrupt() -> None:
        if state.on and task is not None:
            task.cancel()
        state.on = True
        engine.cancel()

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, interrupt)
    try:
        yield state
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


async def carry_out(shell: Shell, engine: Engine, request: WorkRequest) -> tuple[Any, bool]:
    """Do the work of a request; asks on a terminal where it costs more than the budget.

    Returns:
        What its handler gives, and whether it was interrupted; `AskFirst` where the person said no.

    Raises:
        BudgetError: the budget says no, and there is no terminal to ask on.
    """
    from llmops_tui.engine.events import AskFirst

    result, interrupted = await _once(shell, engine, request)
    if isinstance(result, AskFirst) and agreed(shell, result):
        return await _once(shell, engine, msgspec.structs.replace(request, agreed=True))
    return result, interrupted


async def _once(shell: Shell, engine: Engine, request: WorkRequest) -> tuple[Any, bool]:
    from llmops_tui.cli.progress import progress_of
    from llmops_tui.engine import session_work

    with interruptible(engine) as state, progress_of(shell) as on_event:
        return await session_work.carry_out(engine, request, on_event), state.on


def agreed(shell: Shell, ask: AskFirst) -> bool:
    """Ask the person whether it may cost that.

    Raises:
        BudgetError: there is no terminal to ask on.
    """
    from llmops_tui.domain.errors import BudgetError, Problem
    from llmops_tui.domain.safe_text import clean

    if shell.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise BudgetError(
            Problem(ask.why, "raise the budget in llmops.yaml, ask for less, or agree with --yes")
        )
    return click.confirm(f"{clean(ask.why)}.\nGo on all the same?", err=True)
