"""What every verb shares: how it was called, where it speaks, and the workspace it works in."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from llmops_tui.domain.configuration import Workspace
    from llmops_tui.engine.engine import Engine

#: Opens the app on a workspace and a configuration (None: the last one); gives the exit code.
OpenApp = Callable[[Path, str | None], int]


class Shell(msgspec.Struct, frozen=True):
    """How the command was called."""

    open_app: OpenApp
    as_json: bool = False
    debug: bool = False

    def say(self, text: str) -> None:
        """A line for the person, on stderr: logs, warnings, progress."""
        sys.stderr.write(_for_log(text) + "\n")
        sys.stderr.flush()

    def print(self, text: str) -> None:
        """A line of the answer, on stdout."""
        sys.stdout.write(_for_log(text) + "\n")

    def print_json(self, value: dict[str, Any]) -> None:
        from llmops_tui.report.json import dumps

        self.print(dumps(value))


def _for_log(text: str) -> str:
    """In a job of GitHub Actions, nothing of what models and files say is a command to the runner."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return text
    from llmops_tui.domain.safe_text import no_commands

    return no_commands(text)


def root_of(workspace: Path | None) -> Path:
    """The workspace of a command: `--workspace`, or the nearest at or above the current folder.

    Raises:
        WorkspaceError: there is none.
        UsageError: the folder is not there.
    """
    from llmops_tui.workspace import find_root

    if workspace is not None and not workspace.is_dir():
        from llmops_tui.domain.errors import Problem, UsageError

        raise UsageError(
            Problem(f"there is no folder {workspace}", "name the workspace with --workspace DIR")
        )
    return find_root(workspace or Path.cwd())


def open_engine(workspace: Path | None, *, writing: bool, evaluating: bool = False) -> Engine:
    """Open the engine on the workspace of a command, and read its files.

    Args:
        writing: the command can't do without a database that it may write; a command that only
            looks takes a read-only folder as it is.
        evaluating: where files have changed the worker will be needed: it starts while they are read.

    Raises:
        WorkspaceError: there is no workspace.
        StoreError: the database can't be had.
    """
    root = root_of(workspace)
    from llmops_tui.domain.errors import StoreError
    from llmops_tui.engine.engine import Engine

    try:
        engine = Engine.open(root, evaluating=evaluating)
    except StoreError as error:
        if writing:
            raise
        try:
            engine = Engine.open(root, read_only=True)
        except StoreError:
            raise error from None
    engine.load(engine.launch_worker if evaluating else None)
    return engine


def with_engine(
    workspace: Path | None,
    body: Callable[[Engine], Awaitable[int]],
    *,
    writing: bool,
    evaluating: bool = False,
) -> int:
    """Run `body` with the engine of `open_engine`, on one event loop: the worker begins and ends on it."""
    import asyncio

    async def opened() -> int:
        engine = open_engine(workspace, writing=writing, evaluating=evaluating)
        try:
            return await body(engine)
        finally:
            engine.close()

    return asyncio.run(opened())


def choose_config(engine: Engine, name: str | None) -> str:
    """The configuration that a command is about, whether or not its files are in order.

    Raises:
        UsageError: several and none named, or none of that name.
        WorkspaceError: there is none.
    """
    from llmops_tui.domain.errors import LlmopsError, Problem, UsageError

    recorded: list[str] = list(engine.store.versions.configs())
    try:
        return engine.configuration(name).name
    except UsageError:
        if name is not None and name in recorded:
            return name
        raise
    except LlmopsError:
        # Broken files: what is recorded can still be looked at.
        default = engine.workspace.default
        if name is None and default in recorded:
            return default
        known = recorded if name is None else [c for c in recorded if c == name]
        if len(known) == 1:
            return known[0]
        if len(known) > 1:
            names = ", ".join(known)
            raise UsageError(
                Problem(f"there are {len(known)} configurations", f"name one with --config: {names}")
            ) from None
        raise


def warn(shell: Shell, workspace: Workspace) -> None:
    """Print warnings, and mistakes of other configurations than the one at work, on stderr."""
    from llmops_tui.domain.safe_text import clean

    for problem in workspace.problems:
        shell.say(f"{'warning' if problem.warning else 'error'}: {clean(str(problem))}")
