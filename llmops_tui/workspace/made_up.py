"""A case that is in no file, as it would be read if it stood in one: with the defaults of that file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from llmops_tui.domain.case import Case
from llmops_tui.domain.errors import Problem
from llmops_tui.domain.playground import NewCase
from llmops_tui.domain.schema import CaseDefaults, CaseEntry
from llmops_tui.workspace.cases import build_cases
from llmops_tui.workspace.code import read_code
from llmops_tui.workspace.eval_files import EvalSet, read_eval_file
from llmops_tui.workspace.judges import with_judges
from llmops_tui.workspace.reader import EVALS_LIMIT, Reader
from llmops_tui.workspace.scorer_uses import ScorerCatalogue
from llmops_tui.workspace.settings import read_settings

#: Defaults of the file that was read last, by its content: a large eval set is not read for every question.
_last: tuple[str, CaseDefaults] | None = None


def as_read(root: Path, file: str, new: NewCase) -> Case:
    """The case with the scorers that the file's defaults give it. May read the file: not for an event loop.

    Scorers that are held against `expected` are left out where there is none, and those that are held
    against expected sources; so is what can't be read.
    """
    reader = Reader(root)
    entry = CaseEntry.model_validate(new.entry())
    eval_set = EvalSet(file, [(0, entry)], _defaults(reader, file), lambda _loc: None)
    source = read_code(reader)
    cases, _problems = build_cases([eval_set], ScorerCatalogue(source, source.revision({})))
    (case,) = with_judges(reader, read_settings(reader), tuple(cases), None)[0]
    uses = tuple(use for use in case.scorers if not use.uses_sources)
    if new.expected is None:
        uses = tuple(use for use in uses if use.is_function or not use.uses_expected)
    return msgspec.structs.replace(case, scorers=uses)


def _defaults(reader: Reader, file: str) -> CaseDefaults:
    global _last
    if reader.data(file, EVALS_LIMIT) is None:
        return CaseDefaults()
    key = f"{reader.root}\n{file}\n{reader.hash_of(file)}"
    if _last is None or _last[0] != key:
        found = read_eval_file(reader, file)
        _last = key, found.defaults if found is not None else CaseDefaults()
    return _last[1]


def mistakes(root: Path, file: str, new: NewCase) -> list[Problem]:
    """What would be wrong with the case if it stood in a file: its scorers, above all. May read the file."""
    from pydantic import ValidationError

    reader = Reader(root)
    try:
        entry = CaseEntry.model_validate(new.entry())
    except ValidationError as error:
        return [Problem(f"the case can't be written: {error.errors()[0]['msg']}", "check what was given")]
    eval_set = EvalSet(file, [(0, entry)], _defaults(reader, file), lambda _loc: None)
    source = read_code(reader)
    _cases, problems = build_cases([eval_set], ScorerCatalogue(source, source.revision({})))
    return [problem for problem in problems if not problem.warning]


def judges_by_default(root: Path, file: str) -> bool:
    """Whether the file gives its cases scorers by itself. May read the file."""
    return bool(_defaults(Reader(root), file).scorers)
