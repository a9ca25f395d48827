"""A case added at the end of an eval file; all that is there stays byte for byte.

The edit is read back before it is written, and refused where anything else would read differently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from llmops_tui.domain.errors import Problem, UsageError, WorkspaceError
from llmops_tui.domain.playground import NewCase
from llmops_tui.workspace.expected import Edit
from llmops_tui.workspace.places import write_atomically
from llmops_tui.workspace.yaml_scalars import block, quoted, scalar

_BOM = b"\xef\xbb\xbf"
_DASH = re.compile(r"(?P<indent> *)-(?P<gap> +)$")


def add_case(root: Path, file: str, new: NewCase) -> Edit:
    """Write a case behind the last one of an eval file (YAML, JSONL or CSV).

    Raises:
        UsageError: its id is in the file already, or the file is written so that it can't be added.
        WorkspaceError: the file can't be read or written.
    """
    path = root / file
    try:
        before = path.read_bytes()
        text = before.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise WorkspaceError(Problem("is not UTF-8 text", "save it as UTF-8", file)) from None
    except OSError as error:
        problem = Problem(f"can't be read: {error.strerror or error}", "check that it is there", file)
        raise WorkspaceError(problem) from error
    suffix = file[file.rfind(".") :].lower()
    made = {".jsonl": _jsonl, ".csv": _csv}.get(suffix, _yaml)(text, file, new)
    after = (_BOM if before.startswith(_BOM) else b"") + made.encode()
    try:
        if path.read_bytes() != before:
            raise UsageError(Problem("was edited at this very moment", "try again", file))
        write_atomically(path, after)
    except OSError as error:
        problem = Problem(f"can't be written: {error.strerror or error}", "make the file writable", file)
        raise WorkspaceError(problem) from error
    return Edit(file, before, after)


def start_file(root: Path, file: str, new: NewCase, description: str) -> Edit:
    """Write a new eval file (YAML) that holds one case.

    Raises:
        UsageError: the file is there already, or is not called `.yaml`.
        WorkspaceError: it can't be written.
    """
    path = root / file
    if not file.endswith((".yaml", ".yml")):
        raise UsageError(Problem("a new eval file is YAML", "call it evals/NAME.yaml", file))
    text = f"description: {scalar(description)}\n\ncases:\n" + entry_block(new.entry(), "  ", " ", "\n")
    try:
        if path.exists():
            raise UsageError(Problem("is there already", "name another file", file))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except OSError as error:
        problem = Problem(f"can't be written: {error.strerror or error}", "make the folder writable", file)
        raise WorkspaceError(problem) from error
    return Edit(file, b"", text.encode())


def _by_hand(file: str, line: int | None = None) -> UsageError:
    message = "the file is written in a way that a case can't be added to safely"
    return UsageError(Problem(message, "add it in your editor", file, line))


def _refuse_twice(ids: list[Any], new: NewCase, file: str) -> None:
    if new.id in ids:
        raise UsageError(Problem(f"the id '{new.id}' is there already", "choose another", file))


# -- YAML


def _yaml(text: str, file: str, new: NewCase) -> str:
    from llmops_tui.workspace.yaml_document import Document, YamlError

    try:
        document = Document(text)
    except YamlError as error:
        raise WorkspaceError(error.problem(file)) from None
    cases = document.value.get("cases") if isinstance(document.value, dict) else None
    if not isinstance(cases, list) or not cases:
        raise _by_hand(file, document.line(("cases",)))
    _refuse_twice([case.get("id") for case in cases if isinstance(case, dict)], new, file)
    made = appended(text, document.root, "cases", [new.entry()])
    try:
        there = Document(made).value if made is not None else None
    except YamlError:
        there = None
    wanted = {**document.value, "cases": [*cases, new.entry()]}
    if made is None or canonical(there) != canonical(wanted):
        raise _by_hand(file, document.line(("cases", len(cases) - 1)))
    return made


def appended(text: str, root: yaml.Node | None, key: str, entries: Sequence[dict[str, Any]]) -> str | None:
    """The text with entries behind the last one of a list; None where their place can't be told.

    Args:
        root: a node of this very text, a mapping. key: of the list, which is not empty.
    """
    from llmops_tui.workspace.yaml_edit import content_end

    assert isinstance(root, yaml.MappingNode)
    listed = next((v for k, v in root.value if k.value == key), None)
    if not isinstance(listed, yaml.SequenceNode):
        return None
    last = listed.value[-1]
    newline = "\r\n" if "\r\n" in text else "\n"
    start, end = last.start_mark.index, content_end(text, last)
    row = text.rfind("\n", 0, start) + 1
    if listed.flow_style:
        lead = text[row:start]
        apart = "," + (newline + lead if not lead.strip() and row else " ")
        return text[:end] + "".join(apart + _flow(entry) for entry in entries) + text[end:]
    dash = _DASH.search(text[row:start])
    if dash is None or dash.start() != 0:
        return None
    # Entries that stand apart go on standing apart.
    above = text.rfind("\n", 0, max(row - 1, 0)) + 1
    apart = newline if len(listed.value) > 1 and not text[above : max(row - 1, 0)].strip() else ""
    lines = "".join(apart + entry_block(entry, dash["indent"], dash["gap"], newline) for entry in entries)
    line_end = text.find("\n", end)
    if line_end < 0:
        return text + newline + lines.removesuffix(newline)
    return text[: line_end + 1] + lines + text[line_end + 1 :]


def entry_block(entry: dict[str, Any], indent: str, gap: str, newline: str) -> str:
    """`- id: …` and what follows, at the indentation of the list."""
    inner = indent + " " + gap
    rows: list[str] = []
    for key, value in entry.items():
        if key in ("vars", "origin") and value:
            rows.append(f"{key}:")
            rows += [f"  {_key(k)}: {_written(v, inner + '  ')}" for k, v in value.items()]
        else:
            rows.append(f"{key}: {_written(value, inner)}")
    text = f"{indent}-{gap}" + f"\n{inner}".join(rows) + "\n"
    return text.replace("\n", newline)


def _written(value: Any, indent: str) -> str:
    if isinstance(value, str):
        return block(value, f"{indent}  ") or scalar(value)
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return f"[{', '.join(_flow_scalar(v) for v in value)}]"
    return _flow(value)


def _flow_scalar(text: str) -> str:
    plain = scalar(text)
    return quoted(text) if any(c in plain for c in ",[]{}") else plain


def _key(name: str) -> str:
    # A key that is `<<` merges, whatever stands around it looks like.
    return scalar(name) if name != "<<" else quoted(name)


def _flow(value: Any) -> str:
    """As JSON, which is YAML too; what can't be seen is escaped."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(str(k))}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(v) for v in value) + "]"
    return json.dumps(value)


def canonical(value: Any) -> str:
    """Equal for equal values alone: to Python 1, 1.0 and true are one."""
    return json.dumps(value, sort_keys=True)


# -- JSONL


def _jsonl(text: str, file: str, new: NewCase) -> str:
    rows = [row for row in text.split("\n") if row.strip()]
    try:
        entries = [json.loads(row) for row in rows]
    except ValueError:
        raise _by_hand(file) from None
    _refuse_twice([entry.get("id") for entry in entries if isinstance(entry, dict)], new, file)
    newline = "\r\n" if "\r\n" in text else "\n"
    apart = "" if not text or text.endswith("\n") else newline
    compact = bool(rows) and rows[-1].strip() == json.dumps(
        entries[-1], separators=(",", ":"), ensure_ascii=False
    )
    separators = (",", ":") if compact else (", ", ": ")
    return text + apart + json.dumps(new.entry(), separators=separators, ensure_ascii=False) + newline


# -- CSV


def _csv(text: str, file: str, new: NewCase) -> str:
    import csv
    import io

    # Of the whole process, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    try:
        rows = [
            r for r in csv.reader(io.StringIO(text, newline=""), strict=True) if any(c.strip() for c in r)
        ]
    except csv.Error:
        raise _by_hand(file) from None
    names = [name.strip() for name in rows[0]] if rows else []
    if "id" not in names:
        raise _by_hand(file, 1)
    _refuse_twice([row[names.index("id")].strip() for row in rows[1:] if len(row) == len(names)], new, file)
    cells = dict.fromkeys(names, "")
    for name, cell in _cells(new, names, file).items():
        cells[name] = cell
    newline = "\r\n" if "\r\n" in text else "\n"
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator=newline).writerow(cells.values())
    made = text + ("" if text.endswith("\n") else newline) + buffer.getvalue()
    there = [r for r in csv.reader(io.StringIO(made, newline=""), strict=True) if any(c.strip() for c in r)]
    if there != [*rows, list(cells.values())]:
        raise _by_hand(file)
    return made


def _cells(new: NewCase, names: list[str], file: str) -> dict[str, str]:
    """Column → cell; every part of the case must have a column, and be text."""
    if new.scorers or new.origin:
        problem = Problem(
            "a CSV has no place for scorers of a case or its origin", "choose a YAML file", file
        )
        raise UsageError(problem)
    cells = {"id": new.id}
    wanted = {f"vars.{k}" if f"vars.{k}" in names else k: v for k, v in new.vars.items()}
    if new.expected is not None:
        wanted["expected"] = new.expected
    if new.tags:
        wanted["tags"] = ";".join(new.tags)
    for name, value in wanted.items():
        if name not in names:
            raise UsageError(
                Problem(f"has no column '{name}'", "add it to the first line and try again", file)
            )
        if not isinstance(value, str):
            raise UsageError(
                Problem(f"'{name}' is not text, and a CSV holds text", "choose a YAML file", file)
            )
        cells[name] = value
    return cells
