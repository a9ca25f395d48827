"""Weights of a local model that are not on this machine: fetched once, with a bar."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from llmops_tui.cli.shell import Shell

if TYPE_CHECKING:
    from llmops_tui.engine.engine import Engine


async def fetch_weights(shell: Shell, engine: Engine) -> None:
    """Fetch what the workspace lacks, where that is all it lacks; then read it again.

    Raises:
        ModelError: the weights could not be had.
    """
    if not engine.workspace.errors:
        return
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
        with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None, visible=False)

            def show(name: str, done: int, all_: int) -> None:
                bar.update(
                    task, description=f"fetching {name}", completed=done, total=all_ or None, visible=True
                )

            fetched = await engine.fetch_weights(show)
    else:
        said: set[str] = set()

        def say(name: str, _done: int, _all: int) -> None:
            if name not in said:
                said.add(name)
                shell.say(f"fetching {name} from the Hugging Face hub, once …")

        fetched = await engine.fetch_weights(say)
    if fetched:
        engine.load()
