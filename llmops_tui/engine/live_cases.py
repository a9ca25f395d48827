"""From a live request to a case of an eval set."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain import playground as pure
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.live.judged import answer_of, chunks_of, variables_of
from llmops_tui.domain.live.request import Request
from llmops_tui.domain.playground import NewCase
from llmops_tui.domain.safe_text import clean, clean_line

if TYPE_CHECKING:
    from llmops_tui.domain.case import Case
    from llmops_tui.domain.configuration import Configuration
    from llmops_tui.domain.trace import Trace
    from llmops_tui.engine.engine import Engine

#: Where cases of live traffic go unless another file is named.
LIVE_FILE = "evals/live.yaml"
_DESCRIPTION = "Requests of live traffic, with the answers that they should have had."
#: Likeness in percent from which on a case is shown as a near-duplicate, and how many are.
ALIKE, MOST_ALIKE = 80.0, 3
#: What is kept of a wrong answer and of what was retrieved.
_ANSWER, _CHUNK, _CHUNKS = 20_000, 4_000, 20
#: Words of an expected answer up to which it must stand in the output; a longer one must be resembled.
_QUOTED = 12


class Alike(msgspec.Struct, frozen=True):
    """A case that asks nearly the same.

    Attributes:
        likeness: in percent.
    """

    case_id: str
    file: str
    line: int | None
    text: str
    likeness: float


class Kept(msgspec.Struct, frozen=True):
    """A case that was written.

    Attributes:
        added_to: the configuration's file, where the eval file had to be named there.
    """

    id: str
    file: str
    added_to: str = ""


class FromTraffic(msgspec.Struct, frozen=True):
    """A case that came from live traffic."""

    id: str
    file: str
    trace_id: str
    at: str


def config_of(engine: Engine, request: Request, named: str | None) -> str:
    """The configuration whose case it becomes: the named one, else the request's own, else the only one.

    Raises:
        UsageError: there are several, and the request names none of them.
    """
    if named is None and request.config in engine.workspace.configurations:
        return request.config
    return engine.configuration(named).name


def case_of_request(
    engine: Engine,
    config: str,
    request: Request,
    trace: Trace,
    *,
    expected: str | None,
    scorers: Sequence[Any] = (),
    tags: Sequence[str] = (),
    id_: str | None = None,
    given: Mapping[str, str] | None = None,
) -> NewCase:
    """The case that a request would be.

    Args:
        expected: what should have been answered.
        scorers: as in an eval file.
        given: variables that the trace doesn't have, or that should be others.

    Raises:
        UsageError: the prompt reads something that the trace doesn't have; an id is taken.
        WorkspaceError: the files have mistakes.
    """
    from llmops_tui.engine.playground import Playground

    configuration = engine.configuration(config)
    wanted = Playground(engine).sides(config).variables
    values = {**_values(wanted, trace), **pure.values_of(wanted, given or {})}
    lacking = pure.lacking(wanted, values)
    if lacking:
        example = " ".join(f"--var {name}=…" for name in lacking)
        raise UsageError(
            Problem(f"the trace has no {', '.join(lacking)}, which the prompt reads", f"give {example}")
        )
    new = NewCase(
        id_ or pure.suggested_id(values, [case.id for case in configuration.cases]),
        values,
        expected,
        tuple(dict.fromkeys(("live", *((request.feature,) if request.feature else ()), *tags))),
        tuple(scorers),
        _origin(request, trace),
    )
    return pure.checked(new, configuration.cases)


def _values(wanted: Sequence[pure.Variable], trace: Trace) -> dict[str, Any]:
    """What went in, by the names of the prompt."""
    return pure.by_name(wanted, {name: _safe(value) for name, value in variables_of(trace).items()})


def _safe(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


def _origin(request: Request, trace: Trace) -> dict[str, Any]:
    origin: dict[str, Any] = {"trace": request.trace_id}
    if request.version:
        origin["version"] = clean(request.version)
    origin["at"] = datetime.fromtimestamp(request.start, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if answer := clean(answer_of(trace))[:_ANSWER].strip():
        origin["answer"] = answer
    if chunks := chunks_of(trace)[:_CHUNKS]:
        origin["retrieved"] = [
            {"source": clean(chunk.source), "text": clean(chunk.text)[:_CHUNK]} for chunk in chunks
        ]
    return origin


def alike(new: NewCase, cases: Sequence[Case]) -> list[Alike]:
    """Cases that ask nearly the same, the likest first."""
    from rapidfuzz import utils

    text = utils.default_process(text_of(new.vars))
    found = [
        Alike(case.id, case.file, case.line, told, likeness)
        for case in cases
        if (likeness := likeness_of(text, utils.default_process(told := text_of(case.vars)))) >= ALIKE
    ]
    return sorted(found, key=lambda each: (-each.likeness, each.case_id))[:MOST_ALIKE]


def likeness_of(a: str, b: str) -> float:
    """In percent: the same words, in any order; a text with few of the other's words is not like it."""
    from rapidfuzz import fuzz

    if not a or not b:
        return 0.0
    least = min(len(a), len(b)) / max(len(a), len(b))
    return float(max(fuzz.token_sort_ratio(a, b), fuzz.token_set_ratio(a, b) * min(1.0, 0.5 + least)))


def text_of(values: Mapping[str, Any]) -> str:
    """The words that a case asks."""
    return "\n".join(pure.shown_value(value) for value in values.values() if value is not None)


def with_scorers(engine: Engine, new: NewCase, file: str) -> NewCase:
    """The case with someone to judge it, where neither it nor its file names anybody.

    Raises:
        UsageError: a scorer is not right.
    """
    from llmops_tui.workspace import made_up

    if not new.scorers and new.expected is not None and not made_up.judges_by_default(engine.root, file):
        is_short = len(str(new.expected).split()) <= _QUOTED
        scorer: Any = {"contains": {"case_sensitive": False}} if is_short else "similarity"
        new = msgspec.structs.replace(new, scorers=(scorer,))
    if wrong := made_up.mistakes(engine.root, file, new):
        raise UsageError(*(msgspec.structs.replace(problem, file=None, line=None) for problem in wrong))
    return new


def eval_file_of(root: Path, text: str) -> str:
    """The path of an eval file within the workspace, as a configuration names it.

    Raises:
        UsageError: it lies elsewhere, or is a file of another kind.
    """
    from llmops_tui.workspace.root import SETTINGS_FILE

    path = os.path.relpath(root / text, root).replace(os.sep, "/")
    if path.startswith("../") or path in ("..", "."):
        raise UsageError(Problem(f"{clean_line(text)} is not below the workspace", "name evals/NAME.yaml"))
    if path == SETTINGS_FILE or path.startswith(("configs/", ".llmops/")) or clean_line(path) != path:
        raise UsageError(Problem(f"{clean_line(text)} can't be an eval file", "name evals/NAME.yaml"))
    return path


def needs_naming(configuration: Configuration, file: str) -> bool:
    """Whether the configuration does not read a file yet, so that it must be named in its `evals`."""
    return all(case.file != file for case in configuration.cases)


def keep(engine: Engine, config: str, new: NewCase, file: str) -> Kept:
    """Write the case; the file is made, and named in the configuration, where it has to be.

    Raises:
        UsageError: its id is taken, or a file is written so that it can't be added.
        WorkspaceError: the files have mistakes, or can't be written.
    """
    from llmops_tui.engine import playground
    from llmops_tui.workspace.eval_list import add_eval_file
    from llmops_tui.workspace.new_case import add_case, start_file

    configuration = engine.configuration(config)
    file = eval_file_of(engine.root, file)
    if not needs_naming(configuration, file):
        id_, chosen = playground.keep(engine, config, new, file)
        return Kept(id_, chosen)
    new = pure.checked(new, configuration.cases)
    written = start_file if not (engine.root / file).exists() else None
    edit = written(engine.root, file, new, _DESCRIPTION) if written else add_case(engine.root, file, new)
    path = f"configs/{config}.yaml"
    try:
        add_eval_file(engine.root, path, file)
    except BaseException:
        _take_back(engine.root, file, edit.before, is_new=written is not None)
        raise
    return Kept(new.id, file, path)


def _take_back(root: Path, file: str, before: bytes, *, is_new: bool) -> None:
    if is_new:
        (root / file).unlink(missing_ok=True)
    else:
        (root / file).write_bytes(before)


def cases_since(root: Path, since: float, until: float) -> list[FromTraffic]:
    """Cases of the workspace that were made of requests between two moments, by file."""
    return [each for each in from_traffic(root) if since <= _unix(each.at) < until]


def from_traffic(root: Path) -> list[FromTraffic]:
    """Cases of the workspace that were made of live requests, by file."""
    from llmops_tui.workspace import load
    from llmops_tui.workspace.eval_files import read_eval_file
    from llmops_tui.workspace.reader import Reader

    workspace = load(root)
    files = dict.fromkeys(c.file for each in workspace.configurations.values() for c in each.cases)
    reader = Reader(root)
    return [
        FromTraffic(entry.id, file, entry.origin.trace, entry.origin.at)
        for file in files
        if (eval_set := read_eval_file(reader, file)) is not None
        for _place, entry in eval_set.entries
        if entry.origin is not None
    ]


def inputs_of(root: Path, config: str | None) -> tuple[list[str], set[str]]:
    """(texts of the cases' inputs, traces that are cases), of one configuration or of all."""
    from llmops_tui.workspace import load

    configurations = load(root).configurations
    cases = [c for name, each in configurations.items() if config in (None, name) for c in each.cases]
    return [text_of(case.vars) for case in cases], {each.trace_id for each in from_traffic(root)}


def _unix(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0
