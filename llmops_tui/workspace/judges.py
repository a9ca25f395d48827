"""Scorers that ask a model: who judges, and by which rule, from `llmops.yaml` and files of the workspace.

Cases are kept by the content of their eval files alone; who judges them is settled after that, at
each reading, so that an edit of `llmops.yaml`, of a rubric or of a judge's weights is seen.
"""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.domain.canonical import digest
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.judge import WITHOUT_MODEL, Judge
from llmops_tui.domain.schema import JudgeEntry, WorkspaceFile
from llmops_tui.workspace.models import resolve_model
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.root import SETTINGS_FILE

#: Name of the judge that judges where none is named.
DEFAULT = "default"
#: Options that say who judges, and where the rule is: they are settled here.
_SETTLED = ("model", "use", "params", "votes", "rubric_file")
_RESERVED_PARAMS = ("messages", "model", "stream", "stream_options", "n", "tools", "response_format")

Scorers = tuple[ScorerUse, ...]


def with_judges(
    reader: Reader, settings: WorkspaceFile, cases: tuple[Case, ...], key: str | None
) -> tuple[tuple[Case, ...], str | None]:
    """The cases with their judges settled, and the key of that in the memo of cases.

    Mistakes are recorded, with the first case that they concern.

    Args:
        key: of the cases as they are; None where they can't be kept.
    """
    settling = _Settling(reader, settings)
    # The first case that has these scorers stands for all of them.
    shared = {id(case.scorers): case for case in reversed(cases)}
    settled = {mark: settling.of(case) for mark, case in reversed(shared.items())}
    if not settling.uses:
        return cases, key
    if key is not None:
        key = digest([key, "judges", msgspec.to_builtins(list(settling.uses.values()))])
        if reader.cases is not None and (known := reader.cases.get(key)) is not None:
            return known, key
    judged = tuple(msgspec.structs.replace(c, scorers=settled[id(c.scorers)]) for c in cases)
    if reader.cases is not None and key is not None and not settling.failed:
        reader.cases.put(key, judged)
    return judged, key


class _Settling:
    """One settling. Equal entries are settled once; `uses` are those that ask a model, as settled."""

    def __init__(self, reader: Reader, settings: WorkspaceFile) -> None:
        self._reader = reader
        self._settings = settings
        self.uses: dict[str, ScorerUse] = {}
        self.failed = False

    def of(self, case: Case) -> Scorers:
        if not any(use.is_model_graded for use in case.scorers):
            return case.scorers
        return tuple(self._settled(use, case) if use.is_model_graded else use for use in case.scorers)

    def _settled(self, use: ScorerUse, case: Case) -> ScorerUse:
        mark = digest([use.name, use.label, use.options, use.weight, use.threshold])
        if mark not in self.uses:
            before = sum(not p.warning for p in self._reader.problems)
            self.uses[mark] = self._settle(use, case)
            self.failed = self.failed or sum(not p.warning for p in self._reader.problems) > before
        return self.uses[mark]

    def _settle(self, use: ScorerUse, case: Case) -> ScorerUse:
        options = {k: v for k, v in use.options.items() if k not in _SETTLED}
        if (file := use.options.get("rubric_file")) is not None:
            options["rubric"] = self._rubric(file, case)
        judge = self._judge(use, case)
        return msgspec.structs.replace(use, options=options, judge=judge)

    def _rubric(self, written: str, case: Case) -> str:
        found = self._reader.locate(written, file=case.file, line=case.line)
        text = (self._reader.text(found) if found is not None else None) or ""
        if found is not None and not text.strip():
            self._reader.fail("holds no rule", "write what the answer should be", found)
        return text.strip()

    def _judge(self, use: ScorerUse, case: Case) -> Judge | None:
        asked = use.options
        where: tuple[str, int | None] = (case.file, case.line)
        entry = JudgeEntry(model=asked["model"]) if asked["model"] is not None else None
        if entry is not None and asked["use"] is not None:
            self._reader.fail(f"{use.name} names a model and a judge", "leave out `model`, or `use`", *where)
            return None
        if entry is None:
            entry = self._named(use, asked["use"] or DEFAULT, where)
            where = (SETTINGS_FILE, None)
        if entry is None:
            return None
        params = entry.params if asked["params"] is None else asked["params"]
        check_params(self._reader, params, *(where if asked["params"] is None else (case.file, case.line)))
        model = resolve_model(self._reader, self._settings, entry.model, *where)
        if model is None:
            return None
        votes = entry.votes if asked["votes"] is None else asked["votes"]
        return Judge(model, {k: v for k, v in params.items() if v is not None}, votes)

    def _named(self, use: ScorerUse, name: str, where: tuple[str, int | None]) -> JudgeEntry | None:
        judges = self._settings.judges
        if name in judges:
            return judges[name]
        if use.options["use"] is None:
            remedy = (
                f"write {{{use.name}: {{model: …}}}}, or judges: {{default: {{model: …}}}} in llmops.yaml"
            )
            if use.name in WITHOUT_MODEL:
                remedy += f"; {{{use.name}: {{method: words}}}} asks no model"
            self._reader.fail(f"{use.name} names no model that judges", remedy, *where)
        else:
            remedy = did_you_mean(name, set(judges)) or f"add judges.{name} to llmops.yaml"
            self._reader.fail(f"there is no judge '{name}' in llmops.yaml", remedy, *where)
        return None


def check_params(reader: Reader, params: dict[str, Any], file: str, line: int | None) -> None:
    """Record parameters of a judge that are ours to set.

    Args:
        file, line: where they are written.
    """
    for name in _RESERVED_PARAMS:
        if name in params:
            reader.fail(f"the judge's parameter '{name}' is set by llmops-tui", "remove it", file, line)
