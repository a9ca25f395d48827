"""A configuration with some keys set otherwise, without a file being touched.

The file is read as it is; the other values take the place of its own before anything is validated, so
pins, prices, warnings and sentences come as usual. Mistakes in them name the option.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.variants import Setting, Variant, split
from llmops_tui.workspace.yaml_document import Document, YamlError

Loc = tuple[str | int, ...]

#: Keys that say how a version is judged, not what it is.
_JUDGING = {
    "evals": "which cases judge a version",
    "inputs": "what scorers read",
    "trials": "how often a case is asked",
    "description": "nothing but what people read",
}


class Overlay:
    """What takes the place of a file's own values.

    Raises:
        UsageError: a value is no YAML, or its key makes no other version.
    """

    def __init__(self, variant: Variant) -> None:
        self._settings = variant.settings
        self._values = [_value(setting) for setting in variant.settings]

    def on(self, value: Any) -> Any:
        """The content of a file with the other values in it; what is no mapping stays as it is."""
        if not isinstance(value, dict) or not self._settings:
            return value
        changed = copy.deepcopy(value)
        for setting, new in zip(self._settings, self._values, strict=True):
            inner = changed
            for step in setting.path[:-1]:
                if not isinstance(inner.get(step), dict):
                    inner[step] = {}
                inner = inner[step]
            inner[setting.path[-1]] = copy.deepcopy(new)
        return changed

    def lines(self, document: Document) -> Lines:
        """Where the values are written: in the file, or in an option."""
        return Lines(document, self._settings)

    def named(self, problem: Problem, file: str, *, known: bool = False) -> Problem:
        """A problem of the configuration's own file, by the option that it is about.

        Args:
            file: of the configuration.
            known: the file has it without the options too.
        """
        if problem.file != file or not self._settings or known:
            return problem
        if problem.line is not None and problem.line < 0:
            option = self._settings[-problem.line - 1].option
        else:
            option = " ".join(dict.fromkeys(s.option for s in self._settings))
        return msgspec.structs.replace(problem, message=f"{option}: {problem.message}", file=None, line=None)


class Lines:
    """The lines of a document; of what an option set, the option's number as −1, −2, …"""

    def __init__(self, document: Document, settings: Sequence[Setting]) -> None:
        self._document = document
        self._settings = settings

    def line(self, loc: Loc = ()) -> int | None:
        for n, setting in enumerate(self._settings):
            shorter = min(len(loc), len(setting.path))
            if loc and tuple(str(s) for s in loc[:shorter]) == setting.path[:shorter]:
                return -n - 1
        return self._document.line(loc)


def read_variants(root: Path, name: str, wanted: Sequence[Variant]) -> list[Configuration]:
    """The variants of a configuration, in order. No file is written.

    Raises:
        UsageError: an option is wrong.
        WorkspaceError: a file that a variant names has a mistake.
    """
    from llmops_tui.workspace.code import read_code
    from llmops_tui.workspace.configurations import read_configuration
    from llmops_tui.workspace.loading import config_files
    from llmops_tui.workspace.memo import cases_in_memory
    from llmops_tui.workspace.reader import Reader
    from llmops_tui.workspace.settings import read_settings

    reader = Reader(root, cases_in_memory(root))
    settings = read_settings(reader)
    source = read_code(reader)
    path = config_files(reader, name).get(name)
    found: list[Configuration] = []
    problems: list[Problem] = []
    if path is not None:
        read_configuration(reader, settings, source, name, path)
        as_it_is = set(reader.problems)
        for variant in wanted:
            overlay = Overlay(variant)
            del reader.problems[:]
            configuration = read_configuration(reader, settings, source, name, path, overlay)
            named = [overlay.named(p, path, known=p in as_it_is) for p in reader.problems]
            if configuration is None:
                problems += [p for p in named if not p.warning]
            else:
                warnings = tuple(p for p in named if p.warning and p not in as_it_is)
                found.append(msgspec.structs.replace(configuration, warnings=warnings))
    if problems or not found:
        raise UsageError(*dict.fromkeys(problems or reader.problems))
    return found


def _value(setting: Setting) -> Any:
    key = setting.path[0]
    if key in _JUDGING:
        raise UsageError(
            Problem(
                f"{setting.option}: '{key}' says {_JUDGING[key]} and makes no other version",
                "change it in the file: every variant is judged like the version on disk",
            )
        )
    try:
        value = Document(setting.text).value
    except YamlError as error:
        raise UsageError(Problem(f"{setting.option}: {error.message}", error.remedy)) from None
    if setting.path == ("models",) and isinstance(value, str):
        # Nobody names a model with a comma in it.
        return [part.strip() for part in split(value, ",", setting.option)]
    return value
