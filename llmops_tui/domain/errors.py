"""The one error type that reaches a person: what happened, where, and what to do about it."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One mistake a person can mend.

    Attributes:
        message: what is wrong, as a clause without a full stop.
        remedy: what would be right, or the command that mends it; may be empty.
        file: path relative to the workspace, or as the person wrote it.
        line: 1-based line in `file`.
        warning: true where the work can go on.
    """

    message: str
    remedy: str = ""
    file: str | None = None
    line: int | None = None
    warning: bool = False

    def __str__(self) -> str:
        where = self.file or ""
        if self.file and self.line is not None:
            where += f":{self.line}"
        text = f"{where} {self.message}" if where else self.message
        return f"{text}; {self.remedy}" if self.remedy else text


class LlmopsError(Exception):
    """Carries one or more problems; `exit_code` is what the command line ends with."""

    exit_code = 2

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = tuple(Problem(p) if isinstance(p, str) else p for p in problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class WorkspaceError(LlmopsError):
    """The files of the workspace say no."""


class UsageError(LlmopsError):
    """The call says no: an unknown version, case or option."""


class BudgetError(LlmopsError):
    """The run would cost more than the workspace allows."""


class StoreError(LlmopsError):
    """The database can't be opened, read or written."""


class ModelError(LlmopsError):
    """A model can't be had: no weights, no runtime, no key."""


class WorkerError(LlmopsError):
    """The worker process could not be started or kept."""

    exit_code = 3


def did_you_mean(word: str, known: list[str] | tuple[str, ...] | set[str]) -> str:
    """A remedy naming the nearest known word, or what is known at all."""
    import difflib

    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"known here: {shown}"
