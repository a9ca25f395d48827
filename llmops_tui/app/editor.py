"""Which command opens a file at a line in the person's editor."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from llmops_tui.domain.errors import Problem, UsageError

_PLUS_LINE = {
    "vi",
    "vim",
    "nvim",
    "view",
    "gvim",
    "nano",
    "pico",
    "emacs",
    "emacsclient",
    "micro",
    "kak",
    "joe",
    "jed",
    "mg",
    "ne",
    "gedit",
}
_COLON = {"hx", "helix", "subl", "sublime_text", "zed", "lapce", "dte"}
_GOTO = {"code", "code-insiders", "codium", "vscodium", "cursor", "windsurf"}
#: These open a window of their own: the app need not make room for them.
WINDOWS = {"gvim", "gedit", "subl", "sublime_text", "zed", "lapce"} | _GOTO


def editor_words(environ: Mapping[str, str]) -> list[str]:
    """`$VISUAL`, else `$EDITOR`, taken apart as a shell would.

    Raises:
        UsageError: neither is set, or its quotation marks don't match.
    """
    for name in ("VISUAL", "EDITOR"):
        text = environ.get(name, "").strip()
        if not text:
            continue
        try:
            return shlex.split(text)
        except ValueError:
            raise UsageError(Problem(f"${name} can't be read: {text}", "close its quotation marks")) from None
    raise UsageError(
        Problem("no editor is set", "set EDITOR, for example: export EDITOR=nano, and start again")
    )


def command(words: list[str], file: Path, line: int) -> list[str]:
    """The editor's command for a file and line; the file alone for one that is not known.

    Args:
        words: as from `editor_words`.
        line: 1-based.
    """
    name = Path(words[0]).name.removesuffix(".exe").lower()
    if name in _PLUS_LINE:
        return [*words, f"+{line}", str(file)]
    if name in _COLON:
        return [*words, f"{file}:{line}"]
    if name in _GOTO:
        return [*words, "--goto", f"{file}:{line}"]
    return [*words, str(file)]


def opens_window(words: list[str]) -> bool:
    """The editor has its own window."""
    return Path(words[0]).name.removesuffix(".exe").lower() in WINDOWS
