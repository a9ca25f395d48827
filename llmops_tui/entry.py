"""The command `llmops-tui`: picks the app or the command line, importing neither before it must.

`--version` imports neither: it answers in the time that Python itself takes. The app doesn't pay for
the command line either.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

#: Set by the shell while it completes a command line.
COMPLETING = "_LLMOPS_TUI_COMPLETE"


def main() -> None:
    """Run the command and end the process with its exit code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        from llmops_tui import __version__

        sys.stdout.write(f"llmops-tui {__version__}\n")
        return
    # Reading a workspace makes many objects that stay: the collector would walk them again and again.
    gc.set_threshold(50_000, 20, 20)
    options = None if COMPLETING in os.environ else app_options(arguments)
    if options is None:
        from llmops_tui.cli.main import main as command_line

        sys.exit(command_line(arguments, open_app))
    sys.exit(_app(options))


def app_options(arguments: Sequence[str]) -> dict[str, str] | None:
    """Options of the app, where the arguments ask for it: none at all, or nothing but these.

    Returns:
        `workspace`, `config` and `debug` where they are given; None for a command line.
    """
    options: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.removeprefix("--").partition("=")
        if argument == "--debug":
            options["debug"] = "yes"
        elif argument.startswith("--") and name in ("workspace", "config"):
            given = value if equals else next(rest, None)
            if not given:
                return None
            options[name] = given
        else:
            return None
    return options


def open_app(root: Path, config: str | None) -> int:
    """Open the app on a workspace; gives the exit code.

    Raises:
        UsageError: there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        from llmops_tui.domain.errors import Problem, UsageError

        raise UsageError(
            Problem(
                "the app needs a terminal, and this is a pipe or a file",
                "use the commands instead: llmops-tui run, llmops-tui compare, llmops-tui --help",
            )
        )
    from llmops_tui.app.main import run_app

    return run_app(root, config=config)


def _app(options: dict[str, str]) -> int:
    stdout = sys.stdout
    try:
        from llmops_tui.workspace import find_root

        root = find_root(Path(options.get("workspace", ".")))
        return open_app(root, options.get("config"))
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # as the command line does: a sentence, whatever it was
        if "debug" in options:
            raise
        from llmops_tui.cli.main import explain
        from llmops_tui.cli.shell import Shell

        return explain(error, Shell(open_app), stdout)
