"""An attack that was made of a live request, written to an attack file of the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain import playground as pure
from llmops_tui.domain.attack import Family
from llmops_tui.domain.attack_words import unique
from llmops_tui.domain.errors import LlmopsError, Problem, UsageError
from llmops_tui.engine.attack_drafts import PLACE, AttackDraft

if TYPE_CHECKING:
    from llmops_tui.domain.configuration import Configuration, Workspace
    from llmops_tui.workspace.expected import Edit

_DESCRIPTION = "Attacks on the live system, and how they get in."


def keep_attack(root: Path, draft: AttackDraft, file: str | None) -> str:
    """Write it at the end of an attack file, and give the id it has there. See `keep`."""
    return keep(root, draft, file)[0]


def keep(root: Path, draft: AttackDraft, file: str | None) -> tuple[str, str]:
    """Write it at the end of an attack file; gives the id it has there, and the file.

    What went in is called as the prompt calls it. Where that can't be told, it gets in as the file's attacks
    do.

    Args:
        file: path in the workspace; None: the first file of attacks on its configuration, or a new one.

    Raises:
        UsageError: nobody would judge it, its id or a scorer is not right, there is one of its trace already,
            `attack` would refuse it, or the file can't take it.
        WorkspaceError: the file can't be read or written.
    """
    from llmops_tui.engine.live_cases import eval_file_of
    from llmops_tui.workspace import load
    from llmops_tui.workspace.attack_edit import add_attacks, attacks_in, mistakes
    from llmops_tui.workspace.attack_sets import attack_files

    there = attack_files(root, draft.config)
    chosen = eval_file_of(root, file) if file else next(iter(there), _new_file(root, draft.config))
    if not draft.scorers and not _judged_by(root, chosen, draft.family):
        raise UsageError(
            Problem(
                "an attack needs somebody to judge it", "say what a safe answer may not have: not_contains"
            )
        )
    written = {name: attacks_in(root, name) for name in dict.fromkeys((*there, chosen))}
    _refuse_twin(draft, written)
    taken = {str(each.get("id")) for found in written.values() for each in found}
    workspace = load(root)
    fitted = fit(draft, _configuration_of(workspace, draft.config))
    entry = {**fitted.entry(), "id": unique(draft.id, taken)}
    if wrong := mistakes(root, entry):
        raise UsageError(*wrong)
    before = _refused(root, workspace, chosen)
    edit = add_attacks(root, chosen, [entry], _DESCRIPTION)
    try:
        refused = [problem for problem in _refused(root, workspace, chosen) if problem not in before]
        if refused:
            raise UsageError(*(_told(problem, chosen) for problem in refused))
    except BaseException:
        _take_back(root, edit)
        raise
    return str(entry["id"]), chosen


def fit(draft: AttackDraft, configuration: Configuration | None) -> AttackDraft:
    """The draft with what went in called as the prompt calls it; without a carrier where that can't be told.

    Args:
        configuration: that it is tried on; None: which one can't be told.
    """
    from llmops_tui.engine.playground import read_by

    if configuration is None:
        return draft
    # Attack files among the configuration's own say nothing of what other cases give.
    cases = [case for case in configuration.cases if case.attack is None]
    known = pure.variables(read_by(configuration, cases), cases)
    given = draft.carrier.get("vars", {})
    values = pure.by_name(known, given)
    is_whole = not pure.lacking(known, values) and len(values) >= min(len(given), 1)
    if not is_whole or (draft.way == "input" and PLACE not in values.values()):
        return msgspec.structs.replace(draft, carrier={})
    return msgspec.structs.replace(draft, carrier={**draft.carrier, "vars": values})


def _refuse_twin(draft: AttackDraft, written: dict[str, list[dict[str, Any]]]) -> None:
    trace = draft.origin.get("trace")
    for name, found in written.items():
        for each in found:
            origin = each.get("origin")
            if trace and isinstance(origin, dict) and origin.get("trace") == trace:
                message = f"an attack was made of this request already: {each.get('id')}"
                raise UsageError(Problem(message, "edit that one, or take it out of the file first", name))


def _configuration_of(workspace: Workspace, config: str) -> Configuration | None:
    """The request's own, where there is such a one; else the one that commands are about, or the only one."""
    there = workspace.configurations
    only = next(iter(there.values()), None) if len(there) == 1 else None
    return there.get(config) or there.get(workspace.default or "") or only


def _refused(root: Path, workspace: Workspace, file: str) -> list[Problem]:
    """What `attack` says against the attacks of a file, on each configuration that it is about."""
    from llmops_tui.workspace.attack_sets import attack_files, read_attack_set

    found: list[Problem] = []
    for name, configuration in workspace.configurations.items():
        if file not in attack_files(root, name):
            continue
        try:
            read_attack_set(root, configuration)
        except LlmopsError as error:
            found += (problem for problem in error.problems if problem not in found)
    return found


def _told(problem: Problem, file: str) -> Problem:
    """Without the line: what it is about is not in the file any more."""
    remedy = problem.remedy or "name another file with --into"
    return Problem(f"can't be tried from {file}: {problem.message}", remedy)


def _take_back(root: Path, edit: Edit) -> None:
    if edit.before:
        (root / edit.file).write_bytes(edit.before)
    else:
        (root / edit.file).unlink(missing_ok=True)


def _new_file(root: Path, config: str) -> str:
    """A request may say anything of its configuration: only that of a file gives its name."""
    from llmops_tui.workspace.attack_sets import configs_of
    from llmops_tui.workspace.reader import Reader

    return f"attacks/{config if config in configs_of(Reader(root)) else 'live'}.yaml"


def _judged_by(root: Path, file: str, family: Family) -> bool:
    """Whether a file has somebody to judge its attacks by itself."""
    from llmops_tui.workspace.attack_edit import settings_in

    settings = settings_in(root, file)
    return bool(settings.get("scorers") or (family == "leakage" and settings.get("canaries")))
