"""Demos that are shown on a copy of the demo, which stays as it is."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.shell import Shell, with_engine
from llmops_tui.cli.weights import fetch_weights

if TYPE_CHECKING:
    from llmops_tui.engine.engine import Engine


def on_a_copy(
    shell: Shell, demo: Path, show: Callable[[Shell, Engine], Awaitable[int]], *, reset: bool, option: str
) -> int:
    """Show it on a copy of the demo in `demo`, which need not be there; gives the exit code.

    Args:
        option: of the command line, for what is told.
    """
    from llmops_tui.engine.demo_verdicts import copy

    if reset:
        raise click.UsageError(f"{option} works on a copy: there is nothing to reset")
    with tempfile.TemporaryDirectory(prefix="llmops-tui-demo-") as folder:
        root = Path(folder) / "helpdesk"
        copy(demo, root)

        async def body(engine: Engine) -> int:
            await fetch_weights(shell, engine)
            return await show(shell, engine)

        return with_engine(root, body, writing=True, evaluating=True)
