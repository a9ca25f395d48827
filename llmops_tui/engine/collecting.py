"""A collector for a workspace: its database, its lock, and what works beside it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from llmops_tui.domain.errors import Problem, UsageError

if TYPE_CHECKING:
    from llmops_tui.domain.live.arrival import Batch
    from llmops_tui.domain.live.settings import LiveSettings
    from llmops_tui.monitoring.collector import Collector, Task
    from llmops_tui.monitoring.collector.ports import OpenWriter


@contextmanager
def collector_lock(root: Path) -> Iterator[None]:
    """One collector a workspace: two would judge and alert twice.

    Raises:
        UsageError: another process has it.
    """
    from llmops_tui.store.lock import WorkspaceLock

    lock = WorkspaceLock(root, "collect")
    owner = lock.acquire()
    if owner is not None:
        raise UsageError(
            Problem(f"{owner} collects for this workspace already", "send to that one, or end it first")
        )
    try:
        yield
    finally:
        lock.release()


def taking_in(root: Path) -> tuple[LiveSettings, Callable[[Batch], Batch]]:
    """What the workspace says of live traffic, and how a batch is prepared before it is kept.

    Raises:
        WorkspaceError: `llmops.yaml` has a mistake.
        UsageError, StoreError: a pattern is no regular expression; the key of user ids can't be had.
    """
    from llmops_tui.domain.errors import WorkspaceError
    from llmops_tui.monitoring.intake import intake_of
    from llmops_tui.workspace import connect, load_cached
    from llmops_tui.workspace.reader import Reader
    from llmops_tui.workspace.root import SETTINGS_FILE
    from llmops_tui.workspace.settings import read_settings

    workspace = load_cached(root)
    wrong = [problem for problem in workspace.errors if problem.file == SETTINGS_FILE]
    if wrong:
        raise WorkspaceError(*wrong)
    _setups, secrets, _env = connect(workspace, set())
    settings = read_settings(Reader(root))
    return workspace.live, intake_of(root, settings, workspace.live, secrets).prepare


def collector_of(
    root: Path,
    live: LiveSettings,
    *,
    host: str | None,
    port: int | None,
    say: Callable[[str], None],
    intake: Callable[[Batch], Batch] = lambda batch: batch,
    writer: OpenWriter | None = None,
) -> Collector:
    """A collector that writes into the workspace's database of live traffic; it does not listen yet.

    Args:
        host: None for loopback.
        port: None for the one of the settings.
        say: prints a line for the person.
        intake: prices, attributes and redacts each batch.
        writer: keeps it; by default the database.

    Raises:
        UsageError: others could reach it and there is no token.
        WorkspaceError: the token's variable is not set.
    """
    from llmops_tui.monitoring.collector import Collector, CollectorSettings
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore
    from llmops_tui.tracing.incoming import read_otlp, read_otlp_logs
    from llmops_tui.workspace import collector_token

    settings = CollectorSettings(
        host=host, port=live.port if port is None else port, token=collector_token(root, live.token)
    )
    return Collector(
        intake,
        writer or (lambda: LiveStore.open(root / LIVE_DATABASE)),
        settings,
        traces=read_otlp,
        logs=read_otlp_logs,
        say=say,
    )


async def collect(collector: Collector, tasks: Sequence[Task], on_start: Callable[[], None]) -> None:
    """Receive until SIGTERM or SIGINT, then end in order. A second one ends at once.

    Args:
        on_start: called once it listens.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    kinds = (signal.SIGTERM, signal.SIGINT)

    def end() -> None:
        stop.set()
        for kind in kinds:
            loop.remove_signal_handler(kind)

    await collector.start()
    for kind in kinds:
        loop.add_signal_handler(kind, end)
    on_start()
    await collector.run(stop, tasks)
