"""Work beside the receiver, kept going: what breaks is told and started again, and takes nothing with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llmops_tui.monitoring.collector.ports import Task
from llmops_tui.monitoring.collector.telling import Told
from llmops_tui.monitoring.pausing import pause

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 300.0
#: After so long without a fault the next one is the first again.
QUIET_S = 600.0


async def supervise(
    task: Task,
    stop: asyncio.Event,
    tell: Told,
    *,
    first_wait_s: float = FIRST_WAIT_S,
    clock: Callable[[], float] | None = None,
) -> None:
    """Run a task until it is done or `stop` is set.

    Args:
        first_wait_s: before it is run again; doubled each time, up to five minutes.
    """
    clock = clock or asyncio.get_running_loop().time
    wait_s = first_wait_s
    while not stop.is_set():
        started = clock()
        try:
            await task.run(stop)
            return
        except Exception as error:  # whatever it is, the receiver goes on
            if clock() - started >= QUIET_S:
                wait_s = first_wait_s
            why = f"{type(error).__name__}: {error}"
            tell(task.name, f"warning: {task.name} broke off and starts again in {wait_s:g} s: {why}")
        await pause(wait_s, stop)
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)
