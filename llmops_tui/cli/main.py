"""The command line as a whole: runs a verb, and turns whatever goes wrong into a sentence.

Exit codes: 0 fine; 1 a gate fails; 2 the workspace, the call or the budget says no; 3 some outputs could
not be had; 4 a gate is inconclusive; 130 interrupted; 70 a defect of llmops-tui itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

import click

from llmops_tui.cli.group import command_line
from llmops_tui.cli.shell import OpenApp, Shell
from llmops_tui.domain.errors import LlmopsError, Problem
from llmops_tui.domain.safe_text import clean

INTERRUPTED = 130
#: Not 1, which says that a gate fails; the number that sysexits.h has for it.
DEFECT = 70


def main(arguments: Sequence[str], open_app: OpenApp) -> int:
    """Run a command line; gives the exit code.

    Args:
        open_app: opens the app on a workspace, for verbs that end in it.
    """
    given = list(arguments[: arguments.index("--")]) if "--" in arguments else list(arguments)
    shell = Shell(open_app, as_json="--json" in given, debug="--debug" in given)
    stdout = sys.stdout
    for stream in (stdout, sys.stderr):
        # An old locale must not turn an answer into a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = command_line.main(
            args=list(arguments),
            prog_name="llmops-tui",
            standalone_mode=False,
            obj=shell,
        )
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BaseException as error:
        if shell.debug and not isinstance(error, (click.ClickException, click.Abort, SystemExit)):
            raise
        return explain(error, shell, stdout)


def explain(error: BaseException, shell: Shell, stdout: TextIO) -> int:
    """Say what went wrong; gives the exit code.

    Args:
        stdout: as it was before anything ran.
    """
    if isinstance(error, SystemExit) and sys.stdout is not stdout:
        # Click has seen a closed pipe first: it puts another stdout in place and exits with 1.
        error = BrokenPipeError()
    match error:
        case LlmopsError():
            return fail(error.problems, error.exit_code, shell)
        case click.UsageError():
            name = error.ctx.command_path if error.ctx else "llmops-tui"
            problem = Problem(_sentence(error.format_message()), f"see {name} --help")
            return fail((problem,), 2, shell)
        case click.ClickException():
            return fail((Problem(_sentence(error.format_message())),), 2, shell)
        case click.Abort() | KeyboardInterrupt():
            return fail((Problem("interrupted", "what was done is kept"),), INTERRUPTED, shell)
        case BrokenPipeError():
            # Whoever read our output has had enough: nothing is wrong.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
            return 0
        case OSError() if error.strerror:
            what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
            return fail((Problem(what, _os_remedy(error)),), 2, shell)
        case SystemExit():
            return error.code if isinstance(error.code, int) else DEFECT
    message = f"a defect of llmops-tui: {type(error).__name__}: {error}"
    return fail((Problem(message, "run it again with --debug and report what it prints"),), DEFECT, shell)


def fail(problems: Sequence[Problem], exit_code: int, shell: Shell) -> int:
    """Print problems: as the one JSON object on stdout, or as sentences on stderr."""
    if shell.as_json:
        from llmops_tui.report.json import dumps, error_json

        sys.stdout.write(dumps(error_json(problems, exit_code)) + "\n")
        sys.stdout.flush()
    else:
        for problem in problems:
            shell.say(f"{'warning' if problem.warning else 'error'}: {clean(str(problem))}")
    return exit_code


def _sentence(message: str) -> str:
    """Click's sentences as ours: no full stop, lower case at the start unless it is a name."""
    text = message.strip().rstrip(".")
    return text[:1].lower() + text[1:] if text[:2].istitle() else text


def _os_remedy(error: OSError) -> str:
    import errno

    return {
        errno.ENOSPC: "make room on the disk and run it again; what was done is kept",
        errno.EROFS: "the file system is read-only: work in a folder that can be written",
        errno.EACCES: "give yourself the right to it, or work in another folder",
    }.get(error.errno or 0, "")
