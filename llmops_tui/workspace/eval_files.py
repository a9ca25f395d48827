"""Eval files (YAML, JSONL, CSV) → entries with their lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from llmops_tui.domain.attack import Attack
from llmops_tui.domain.errors import Problem
from llmops_tui.domain.schema import CaseDefaults, CaseEntry, EvalFile
from llmops_tui.workspace.reader import EVALS_LIMIT, Reader
from llmops_tui.workspace.validation import SHOWN, Loc, validate
from llmops_tui.workspace.yaml_document import Document, YamlError

FORMATS = (".yaml", ".yml", ".jsonl", ".csv")
#: The key of a file of attacks, in YAML and in JSON.
_ATTACKS = re.compile(rb"""(?m)(?:^|[{,]\s*)["']?attacks["']?\s*:""")
#: CSV columns that mean something; all others are variables.
_CSV_COLUMNS = (
    *("id", "expected", "expected_sources", "tags", "group", "trials", "scorers", "contains"),
    "known_failing",
)


class EvalSet:
    """The entries of one file.

    Attributes:
        file: path in the workspace.
        entries: (number in the file, from 0; entry).
        line_of: path such as `("cases", 3, "scorers", 0)` → line.
        attacks: number of an entry → the attack that it is.
    """

    def __init__(
        self,
        file: str,
        entries: list[tuple[int, CaseEntry]],
        defaults: CaseDefaults,
        line_of: Callable[[Loc], int | None],
        attacks: Mapping[int, Attack] | None = None,
    ) -> None:
        self.file = file
        self.entries = entries
        self.defaults = defaults
        self.line_of = line_of
        self.attacks = attacks or {}


def read_eval_files(reader: Reader, paths: Sequence[str]) -> list[EvalSet]:
    """Read eval files, and attack files among them; of those with mistakes there is nothing."""
    found: dict[str, EvalSet | None] = {}
    variable = ""
    # An attack gets in by the variable of the other cases, unless its file says how.
    for path in sorted(paths, key=lambda each: _holds_attacks(reader, each)):
        if not variable and _holds_attacks(reader, path):
            from llmops_tui.workspace.attack_files import variable_of

            variable = variable_of(each for each in found.values() if each is not None)
        found[path] = read_eval_file(reader, path, variable)
    return [each for path in paths if (each := found[path]) is not None]


def _holds_attacks(reader: Reader, path: str) -> bool:
    """At a glance; what it is is told by reading it."""
    data = reader.data(path, EVALS_LIMIT) if path.endswith((".yaml", ".yml")) else None
    return data is not None and _ATTACKS.search(data) is not None


def read_eval_file(reader: Reader, path: str, variable: str = "") -> EvalSet | None:
    """Read one eval file; None with problems recorded.

    Args:
        variable: that carries attacks, if it is a file of attacks that does not say (`attack_files`).
    """
    text = reader.text(path, EVALS_LIMIT)
    if text is None:
        return None
    suffix = path[path.rfind(".") :].lower()
    if suffix not in FORMATS:
        reader.fail(f"is not an eval file ('{suffix}')", f"use one of {', '.join(FORMATS)}", path)
        return None
    if not text.strip():
        reader.fail("is an empty eval set", "add a case with an id, vars and scorers", path, 1)
        return None
    if suffix == ".jsonl":
        return _read_jsonl(reader, path, text)
    if suffix == ".csv":
        return _read_csv(reader, path, text)
    return _read_yaml(reader, path, text, variable)


def _read_yaml(reader: Reader, path: str, text: str, variable: str) -> EvalSet | None:
    try:
        document = Document(text)
    except YamlError as error:
        reader.problems.append(error.problem(path))
        return None
    value = document.value
    if isinstance(value, dict) and "attacks" in value:
        from llmops_tui.workspace.attack_files import read_attacks

        return read_attacks(reader, path, document, variable)
    if value is None or (isinstance(value, dict) and value.get("cases", 0) in (None, [])):
        line = document.line(("cases",)) or 1
        reader.fail("is an empty eval set", "add a case with an id, vars and scorers", path, line)
        return None
    if isinstance(value, list):
        reader.fail("must be a mapping with 'cases', not a list", "put 'cases:' above the list", path, 1)
        return None
    found, problems = validate(EvalFile, value, path, document.line)
    reader.problems += problems
    if found is not None and not problems:
        return EvalSet(path, list(enumerate(found.cases)), found.defaults, document.line)
    return _what_is_right(path, value, document)


def _what_is_right(path: str, value: Any, document: Document) -> EvalSet | None:
    """The good entries of a file with mistakes (recorded already), so that these are checked too."""
    cases = value.get("cases") if isinstance(value, dict) else None
    if not isinstance(cases, list):
        return None
    made = [(i, validate(CaseEntry, case, path, document.line)[0]) for i, case in enumerate(cases)]
    defaults, _ = validate(CaseDefaults, value.get("defaults"), path, document.line)
    entries = [(i, entry) for i, entry in made if entry is not None]
    return EvalSet(path, entries, defaults or CaseDefaults.model_validate({}), document.line)


def _read_jsonl(reader: Reader, path: str, text: str) -> EvalSet | None:
    rows: list[tuple[int, Any]] = []
    bad = 0
    for number, row in enumerate(text.split("\n"), 1):
        if not row.strip():
            continue
        try:
            rows.append((number, msgspec.json.decode(row)))
        except (msgspec.DecodeError, RecursionError) as error:
            bad += 1
            if bad <= SHOWN:
                reader.fail(f"is not valid JSON: {error}", "write one JSON object a line", path, number)
    return _from_rows(reader, path, rows)


def _read_csv(reader: Reader, path: str, text: str) -> EvalSet | None:
    import csv
    import io

    # Of the whole process, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    source = csv.reader(io.StringIO(text), strict=True)
    rows: list[tuple[int, Any]] = []
    before = len(reader.problems)
    start = 1
    try:
        header = [name.strip() for name in next(source)]
        if not _check_header(reader, path, header):
            return None
        for cells in source:
            line, start = start + 1, source.line_num
            line = max(line, source.line_num - sum(c.count("\n") for c in cells))
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                reader.fail(
                    f"has {len(cells)} cells, the header has {len(header)} columns",
                    "put text that holds a comma in double quotes",
                    path,
                    line,
                )
                continue
            rows.append((line, _csv_entry(reader, path, line, dict(zip(header, cells, strict=True)))))
    except csv.Error as error:
        reader.fail(f"is not valid CSV: {error}", "check the quotes", path, source.line_num)
    if not rows and len(reader.problems) == before:
        reader.fail("is an empty eval set", "add a line for each case below the header", path, 1)
        return None
    return _from_rows(reader, path, rows)


def _check_header(reader: Reader, path: str, header: list[str]) -> bool:
    from llmops_tui.domain.errors import did_you_mean

    before = len(reader.problems)
    if "id" not in header:
        named = ", ".join(h for h in header if h) or "none"
        near = did_you_mean("id", {h for h in header if h.lower() == "id"})
        reader.fail("the column 'id' is missing", near or f"add it; the columns are: {named}", path, 1)
    for name in sorted({h for h in header if header.count(h) > 1}):
        what = f"the column '{name}' is there twice" if name else "two columns have no name"
        reader.fail(what, "give each column its own name", path, 1)
    if header.count("") == 1:
        reader.fail("a column has no name", "name it in the first line", path, 1)
    return len(reader.problems) == before


def _csv_entry(reader: Reader, path: str, line: int, row: dict[str, str]) -> dict[str, Any]:
    """One row as a case entry; an empty cell of a column with a meaning is left out."""
    entry: dict[str, Any] = {"id": row["id"].strip(), "vars": {}}
    scorers: list[Any] = []
    for name, cell in row.items():
        if name not in _CSV_COLUMNS:
            entry["vars"][name.removeprefix("vars.")] = cell
        elif not cell.strip() or name == "id":
            continue
        elif name in ("tags", "expected_sources"):
            entry[name] = [one.strip() for one in cell.split(";") if one.strip()]
        elif name == "contains":
            scorers.append({"contains": cell})
        elif name == "trials":
            entry["trials"] = int(cell) if cell.strip().isdecimal() else cell
        elif name == "scorers":
            scorers = [*_inline(reader, path, line, cell), *scorers]
        else:
            entry[name] = cell
    if scorers:
        entry["scorers"] = scorers
    return entry


def _inline(reader: Reader, path: str, line: int, cell: str) -> list[Any]:
    """Scorers in one cell, as inline YAML: `is_json`, `{max_words: 60}`, `[is_json, {max_words: 60}]`."""
    try:
        value = Document(cell, line).value
    except YamlError as error:
        reader.fail(f"the column 'scorers' {error.message}", error.remedy, path, line)
        return []
    return value if isinstance(value, list) else [value]


def _from_rows(reader: Reader, path: str, rows: list[tuple[int, Any]]) -> EvalSet | None:
    entries: list[tuple[int, CaseEntry]] = []
    lines = [number for number, _ in rows]
    problems: list[Problem] = []
    for index, (number, value) in enumerate(rows):
        entry, wrong = validate(CaseEntry, value, path, lambda _loc, at=number: at)  # type: ignore[misc]
        problems += wrong
        if entry is not None:
            entries.append((index, entry))
    reader.problems += problems[:SHOWN]
    if len(problems) > SHOWN:
        reader.fail(f"and {len(problems) - SHOWN} more mistakes like these", "", path)

    def line_of(loc: Loc) -> int | None:
        step = loc[1] if len(loc) > 1 else None
        return lines[step] if isinstance(step, int) and step < len(lines) else 1

    return EvalSet(path, entries, CaseDefaults.model_validate({}), line_of)
