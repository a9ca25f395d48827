"""Edits of eval files on a person's word: `expected` and `known_failing` of one case.

Only that value changes: comments, order, quotes and white space of the file stay as they are. Every
edit is read back before it is written, and refused where anything else would read differently.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.errors import Problem, UsageError, WorkspaceError
from llmops_tui.workspace.places import write_atomically

_BOM = b"\xef\xbb\xbf"
#: Keys behind which a new key goes, the best place first.
_BEFORE = {"expected": ("vars", "id"), "known_failing": ("expected", "vars", "id")}


class Edit(msgspec.Struct, frozen=True):
    """One file before and after; `file` is relative to the workspace."""

    file: str
    before: bytes
    after: bytes


def set_expected(root: Path, file: str, case_id: str, value: Any) -> Edit:
    """Write the reference of a case, a JSON value (of a CSV: its text).

    Raises:
        UsageError: the case is not in the file, or the file is written so that it can't be edited.
        WorkspaceError: the file can't be read or written.
    """
    return _edit(root, file, case_id, "expected", value)


def set_known_failing(root: Path, file: str, case_id: str, reason: str | None) -> Edit:
    """Mark a case as one that is expected to fail, or (None) take the mark away.

    Raises:
        UsageError, WorkspaceError: as `set_expected`.
    """
    return _edit(root, file, case_id, "known_failing", reason)


def restore(root: Path, edit: Edit) -> None:
    """Bring the file back to what it was before an edit.

    Raises:
        UsageError: it was changed since.
        WorkspaceError: it can't be written.
    """
    if read_file(root, edit.file) != edit.after:
        raise UsageError(
            Problem(
                "was edited since, and was left as it is", "take the change back in your editor", edit.file
            )
        )
    write_file(root, edit.file, edit.before)


def _edit(root: Path, file: str, case_id: str, key: str, value: Any) -> Edit:
    before = read_file(root, file)
    try:
        text = before.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise WorkspaceError(Problem("is not UTF-8 text", "save it as UTF-8", file)) from None
    suffix = file[file.rfind(".") :].lower()
    made = {".jsonl": _jsonl, ".csv": _csv}.get(suffix, _yaml)(text, file, case_id, key, value)
    after = (_BOM if before.startswith(_BOM) else b"") + made.encode()
    if after != before:
        if read_file(root, file) != before:
            raise UsageError(Problem("was edited at this very moment", "try again", file))
        write_file(root, file, after)
    return Edit(file, before, after)


def read_file(root: Path, file: str) -> bytes:
    """A file of the workspace.

    Raises:
        WorkspaceError: it can't be read.
    """
    try:
        return (root / file).read_bytes()
    except OSError as error:
        raise WorkspaceError(
            Problem(f"can't be read: {error.strerror or error}", "check that it is there", file)
        ) from error


def write_file(root: Path, file: str, data: bytes) -> None:
    """Write it whole.

    Raises:
        WorkspaceError: it can't be written.
    """
    try:
        write_atomically(root / file, data)
    except OSError as error:
        raise WorkspaceError(
            Problem(f"can't be written: {error.strerror or error}", "make the file writable", file)
        ) from error


def _by_hand(file: str, line: int | None, key: str) -> UsageError:
    message = f"this case is written in a way that '{key}' can't be set in safely"
    return UsageError(Problem(message, f"set '{key}' in your editor", file, line))


def _not_there(file: str, case_id: str) -> UsageError:
    return UsageError(Problem(f"there is no case '{case_id}' in it", "save the file and try again", file))


# -- YAML


def _yaml(text: str, file: str, case_id: str, key: str, value: Any) -> str:
    from llmops_tui.workspace.yaml_document import Document, YamlError

    try:
        document = Document(text)
    except YamlError as error:
        raise WorkspaceError(error.problem(file)) from None
    cases = document.value.get("cases") if isinstance(document.value, dict) else None
    ids = [str(case.get("id")) if isinstance(case, dict) else "" for case in cases or ()]
    if case_id not in ids:
        raise _not_there(file, case_id)
    at = ids.index(case_id)
    assert cases is not None
    wanted = dict(cases[at])
    if value is None:
        if wanted.pop(key, None) is None:
            return text
    else:
        wanted[key] = value
    made = _yaml_made(text, document, at, key, value)
    try:
        there = Document(made).value if made is not None else None
    except YamlError:
        there = None
    cases[at] = wanted
    if there is None or canonical(there) != canonical(document.value):
        raise _by_hand(file, document.line(("cases", at)), key)
    assert made is not None
    return made


def _yaml_made(text: str, document: Any, at: int, key: str, value: Any) -> str | None:
    from llmops_tui.workspace.yaml_edit import CannotEdit, remove_key, set_key

    try:
        listed = next(v for k, v in document.root.value if k.value == "cases")
        case = listed.value[at]
        if value is None:
            return remove_key(text, case, key)
        return set_key(text, case, key, value, _BEFORE[key])
    except (CannotEdit, StopIteration):
        return None


def canonical(value: Any) -> str:
    """Equal for equal values alone: to Python 1, 1.0 and true are one."""
    return json.dumps(value, sort_keys=True)


# -- JSONL


def _jsonl(text: str, file: str, case_id: str, key: str, value: Any) -> str:
    rows = text.split("\n")
    for n, row in enumerate(rows):
        try:
            entry = json.loads(row) if row.strip() else None
        except ValueError:
            continue
        if not isinstance(entry, dict) or entry.get("id") != case_id:
            continue
        style = _json_style(row, entry)
        if value is not None:
            entry = {**entry, key: value}
        elif entry.pop(key, None) is None:
            return text
        end = "\r" if row.endswith("\r") else ""
        rows[n] = json.dumps(entry, **style) + end
        return "\n".join(rows)
    raise _not_there(file, case_id)


def _json_style(row: str, entry: Any) -> dict[str, Any]:
    """How a line is written, as far as it is one of the usual ways."""
    for separators in ((", ", ": "), (",", ":")):
        for ascii_only in (False, True):
            if json.dumps(entry, separators=separators, ensure_ascii=ascii_only) == row.strip():
                return {"separators": separators, "ensure_ascii": ascii_only}
    return {"ensure_ascii": False}


# -- CSV


def _csv(text: str, file: str, case_id: str, key: str, value: Any) -> str:
    import csv
    import io

    # Of the whole process, so it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    source = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines = io.StringIO(text, newline="").readlines()
    rows: list[tuple[list[str], str]] = []
    start = 0
    try:
        for cells in source:
            rows.append((cells, "".join(lines[start : source.line_num])))
            start = source.line_num
    except csv.Error:
        raise _by_hand(file, source.line_num, key) from None
    names = [name.strip() for name in rows[0][0]] if rows else []
    id_at = names.index("id") if "id" in names else -1
    at = next((n for n, (cells, _) in enumerate(rows) if n and _cell(cells, id_at) == case_id), None)
    if at is None:
        raise _not_there(file, case_id)
    cell = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    if key in names:
        cells, row = rows[at]
        rows[at] = (cells, _csv_row(cells, row, names.index(key), cell))
    elif value is not None:
        for n, (cells, row) in enumerate(rows):
            # Rows without a text are no cases; they stay as they are.
            if any(c.strip() for c in cells):
                rows[n] = (cells, _with_cell(row, key if n == 0 else cell if n == at else ""))
    return "".join(row for _, row in rows)


def _cell(cells: list[str], at: int) -> str | None:
    return cells[at].strip() if 0 <= at < len(cells) else None


def _csv_row(cells: list[str], row: str, column: int, cell: str) -> str:
    """A row with one cell replaced, in the way of quoting that it has."""
    import csv

    body = row.rstrip("\r\n")
    quoting = next((q for q in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL) if _joined(cells, q) == body), None)
    made = [*cells[:column], cell, *cells[column + 1 :]]
    return _joined(made, csv.QUOTE_MINIMAL if quoting is None else quoting) + row[len(body) :]


def _with_cell(row: str, cell: str) -> str:
    body = row.rstrip("\r\n")
    import csv

    return f"{body},{_joined([cell], csv.QUOTE_MINIMAL) if cell else ''}{row[len(body) :]}"


def _joined(cells: list[str], quoting: int) -> str:
    import csv
    import io

    buffer = io.StringIO(newline="")
    # Line ends are quoted because they are those of the writer.
    csv.writer(buffer, lineterminator="\r\n", quoting=quoting).writerow(cells)  # type: ignore[arg-type]
    return buffer.getvalue().removesuffix("\r\n")
