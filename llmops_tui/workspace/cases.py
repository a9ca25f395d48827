"""Entries of eval files → cases: defaults merged, scorers resolved, ids unique, variables there."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.errors import Problem, did_you_mean
from llmops_tui.domain.schema import CaseDefaults, CaseEntry
from llmops_tui.workspace.eval_files import EvalSet
from llmops_tui.workspace.prompts import PromptFile
from llmops_tui.workspace.scorer_uses import ScorerCatalogue, ScorerMistake

#: Equal mistakes that are shown for one file.
SHOWN = 20


def build_cases(sets: Sequence[EvalSet], catalogue: ScorerCatalogue) -> tuple[list[Case], list[Problem]]:
    """All cases in order, and what is wrong with them."""
    cases: list[Case] = []
    problems = _Problems()
    seen: dict[str, tuple[str, int | None]] = {}
    for eval_set in sets:
        shared = _Scorers(eval_set, catalogue, problems)
        for index, entry in eval_set.entries:
            line = eval_set.line_of(("cases", index))
            if entry.id in seen:
                file, first = seen[entry.id]
                where = f"line {first}" if file == eval_set.file else f"{file}:{first}"
                problems.add(
                    f"the id '{entry.id}' is there already ({where})", "rename one", eval_set.file, line
                )
                continue
            seen[entry.id] = (eval_set.file, line)
            uses = shared.of(index, entry, line)
            case = _case(entry, eval_set.defaults, uses, eval_set.file, line)
            attack = eval_set.attacks.get(index)
            cases.append(case if attack is None else msgspec.structs.replace(case, attack=attack))
    return cases, problems.shown()


def check_variables(
    cases: Sequence[Case], prompt: PromptFile, required: frozenset[str], lines: dict[str, tuple[str, int]]
) -> list[Problem]:
    """Variables that a template reads and a case does not give.

    A variable that no case gives is a mistake of the template; one that some lack, of those cases.

    Args:
        required: variables that must be given: of the prompt, and of the retrieval's query.
        lines: where each is read.
    """
    file = prompt.prompt.path
    problems = _Problems()
    wanted = required - prompt.prompt.defaults.keys()
    given = [set(c.vars).union(*c.turns[:1]) for c in cases]
    everywhere: set[str] = set().union(*given) if given else set()
    unknown = sorted(wanted - everywhere)
    for name in unknown:
        where, line = lines.get(name, (file, 1))
        spare = (everywhere - wanted) | ({"context"} if "context" not in everywhere else set())
        remedy = did_you_mean(name, spare) if _is_near(name, spare) else ""
        problems.add(
            f"unknown variable '{name}': no case gives it",
            remedy or f"give it in 'vars' of the cases, or in 'defaults' of {file}",
            where,
            line,
        )
    partly = wanted & everywhere
    for case, names in zip(cases, given, strict=True):
        for name in sorted(partly - names):
            spare = names - wanted
            near = _near(name, spare)
            problems.add(
                f"case '{case.id}' gives no '{name}', which {lines.get(name, (file, 1))[0]} reads",
                f"did you mean '{name}' by '{near}'?" if near else "add it to its vars",
                case.file,
                case.line,
            )
        for name in prompt.prompt.defaults.keys() - names if len(names) else ():
            if near := _near(name, names - wanted - set(prompt.prompt.variables)):
                problems.warn(
                    f"case '{case.id}' gives '{near}', which {file} does not read",
                    f"did you mean '{name}'?",
                    case.file,
                    case.line,
                )
    return problems.shown()


def check_programs(cases: Sequence[Case], tools: frozenset[str], *, is_chain: bool) -> list[Problem]:
    """What cases say of tools that are not used, and of turns that are not taken."""
    problems = _Problems()
    for case in cases:
        if case.turns and is_chain:
            problems.add(
                f"case '{case.id}' has turns, and a chain takes none",
                "evaluate a conversation with 'prompt', 'python' or 'command'",
                case.file,
                case.line,
            )
        for name in sorted(case.tools.keys() - tools) if case.tools else ():
            problems.warn(
                f"case '{case.id}' says what the tool '{name}' gives, which is not used",
                did_you_mean(name, set(tools)) if tools else "remove it, or name the tool under 'tools'",
                case.file,
                case.line,
            )
    return problems.shown()


class _Scorers:
    """Scorers of the cases of one file: the shared ones first."""

    def __init__(self, eval_set: EvalSet, catalogue: ScorerCatalogue, problems: _Problems) -> None:
        self._set = eval_set
        self._catalogue = catalogue
        self._problems = problems
        self._shared = self._resolve(("defaults",), eval_set.defaults.scorers)
        self._labelled: dict[tuple[int, ...], tuple[ScorerUse, ...]] = {}

    def of(self, index: int, entry: CaseEntry, line: int | None) -> tuple[ScorerUse, ...]:
        own = self._resolve(("cases", index), entry.scorers)
        resolved = self._shared + own
        expected = entry.expected is not None
        for use, needs in resolved:
            if needs and not expected:
                self._problems.add(
                    f"case '{entry.id}' has no 'expected', and {use.name} is held against it",
                    f"add 'expected' to the case, or write {{{use.name}: …}} with the value",
                    self._set.file,
                    line,
                )
            if needs_sources(use) and not entry.expected_sources:
                self._problems.add(
                    f"case '{entry.id}' has no 'expected_sources', and {use.name} is held against it",
                    "add 'expected_sources: [path/of/a/document.md]' to the case",
                    self._set.file,
                    line,
                )
        # Cases share one tuple where they have the same scorers: 100,000 cases stay small.
        key = tuple(id(use) for use, _ in resolved)
        if key not in self._labelled:
            self._labelled[key] = _label([use for use, _ in resolved])
        return self._labelled[key]

    def _resolve(
        self, owner: tuple[str | int, ...], entries: Sequence[str | dict[str, object]]
    ) -> list[tuple[ScorerUse, bool]]:
        resolved = []
        for number, entry in enumerate(entries):
            try:
                found = self._catalogue.resolve(entry)
            except ScorerMistake as mistake:
                line = self._set.line_of((*owner, "scorers", number))
                self._problems.add(mistake.message, mistake.remedy, self._set.file, line)
            else:
                resolved.append((found.use, found.needs_expected))
        return resolved


def needs_sources(use: ScorerUse) -> bool:
    """It judges nothing without the case's `expected_sources`."""
    from llmops_tui.domain.scorers import SCORERS

    return not use.is_function and use.name in SCORERS and SCORERS[use.name].needs_sources


def _label(uses: list[ScorerUse]) -> tuple[ScorerUse, ...]:
    """Uses with labels that are unique: `contains`, `contains#2`."""
    count: dict[str, int] = {}
    labelled = []
    for use in uses:
        count[use.label] = n = count.get(use.label, 0) + 1
        labelled.append(use if n == 1 else msgspec.structs.replace(use, label=f"{use.label}#{n}"))
    return tuple(labelled)


def _case(
    entry: CaseEntry, defaults: CaseDefaults, uses: tuple[ScorerUse, ...], file: str, line: int | None
) -> Case:
    return Case(
        id=entry.id,
        vars={**defaults.vars, **entry.vars},
        expected=entry.expected,
        scorers=uses,
        tags=tuple(dict.fromkeys([*defaults.tags, *entry.tags])),
        group=entry.group or defaults.group,
        trials=entry.trials or defaults.trials,
        file=file,
        line=line,
        known_failing=entry.known_failing or "",
        turns=tuple(entry.turns),
        tools=entry.tools,
        expected_sources=tuple(dict.fromkeys(entry.expected_sources)),
        planted=tuple(entry.planted),
    )


class _Problems:
    """Problems, at most `SHOWN` a file; the rest is counted."""

    def __init__(self) -> None:
        self._of_file: dict[str, list[Problem]] = {}

    def add(self, message: str, remedy: str, file: str, line: int | None) -> None:
        self._of_file.setdefault(file, []).append(Problem(message, remedy, file, line))

    def warn(self, message: str, remedy: str, file: str, line: int | None) -> None:
        self._of_file.setdefault(file, []).append(Problem(message, remedy, file, line, warning=True))

    def shown(self) -> list[Problem]:
        problems: list[Problem] = []
        for file, found in self._of_file.items():
            ordered = sorted(found, key=lambda p: p.warning)
            problems += ordered[:SHOWN]
            if (rest := len(found) - SHOWN) > 0:
                last = ordered[SHOWN - 1]
                problems.append(
                    Problem(f"and {rest} more mistakes like these", "", file, last.line, warning=last.warning)
                )
        return problems


def _near(word: str, names: set[str]) -> str | None:
    import difflib

    near = difflib.get_close_matches(word, sorted(names), n=1, cutoff=0.6) if names else []
    return near[0] if near else None


def _is_near(word: str, names: set[str]) -> bool:
    return _near(word, names) is not None
