"""An eval file added to the `evals` of a configuration; all else of its file stays byte for byte."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from llmops_tui.domain.errors import Problem, UsageError, WorkspaceError
from llmops_tui.workspace.expected import Edit
from llmops_tui.workspace.places import write_atomically
from llmops_tui.workspace.yaml_scalars import quoted, scalar

_BOM = b"\xef\xbb\xbf"
_DASH = re.compile(r"(?P<lead> *- +)$")


def add_eval_file(root: Path, config: str, file: str) -> Edit | None:
    """Name an eval file behind those that a configuration has; None where it is named already.

    Args:
        config: path of the configuration's file. file: path of the eval file, both within the workspace.

    Raises:
        UsageError: the configuration is written so that it can't be added safely.
        WorkspaceError: it can't be read or written.
    """
    path = root / config
    try:
        before = path.read_bytes()
        text = before.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise WorkspaceError(Problem("is not UTF-8 text", "save it as UTF-8", config)) from None
    except OSError as error:
        problem = Problem(f"can't be read: {error.strerror or error}", "check that it is there", config)
        raise WorkspaceError(problem) from error
    made = _added(text, config, file)
    if made is None:
        return None
    after = (_BOM if before.startswith(_BOM) else b"") + made.encode()
    try:
        write_atomically(path, after)
    except OSError as error:
        problem = Problem(f"can't be written: {error.strerror or error}", "make the file writable", config)
        raise WorkspaceError(problem) from error
    return Edit(config, before, after)


def _added(text: str, config: str, file: str) -> str | None:
    from llmops_tui.workspace.yaml_document import Document, YamlError

    try:
        document = Document(text)
    except YamlError as error:
        raise WorkspaceError(error.problem(config)) from None
    value = document.value
    names = value.get("evals") if isinstance(value, dict) else None
    if not isinstance(names, list) or not names:
        raise _by_hand(config, file, document.line(("evals",)))
    if file in names:
        return None
    made = _behind_the_last(text, document.root, file)
    try:
        there = Document(made).value if made is not None else None
    except YamlError:
        there = None
    if made is None or there != {**value, "evals": [*names, file]}:
        raise _by_hand(config, file, document.line(("evals", len(names) - 1)))
    return made


def _behind_the_last(text: str, root: yaml.Node | None, file: str) -> str | None:
    """The text with the name in it; None where its place can't be told."""
    from llmops_tui.workspace.yaml_edit import content_end

    assert isinstance(root, yaml.MappingNode)
    listed = next((v for k, v in root.value if k.value == "evals"), None)
    if not isinstance(listed, yaml.SequenceNode) or not listed.value:
        return None
    last = listed.value[-1]
    start, end = last.start_mark.index, content_end(text, last)
    if listed.flow_style:
        written = scalar(file) if not re.search(r"[,\[\]{}]", file) and last.style != '"' else quoted(file)
        return f"{text[:end]}, {written}{text[end:]}"
    row = text.rfind("\n", 0, start) + 1
    dash = _DASH.fullmatch(text[row:start])
    if dash is None:
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    line = dash["lead"] + scalar(file) + newline
    line_end = text.find("\n", end)
    if line_end < 0:
        return text + newline + line.removesuffix(newline)
    return text[: line_end + 1] + line + text[line_end + 1 :]


def _by_hand(config: str, file: str, line: int | None) -> UsageError:
    message = "is written in a way that an eval file can't be added to safely"
    return UsageError(Problem(message, f"add {file} to its evals in your editor", config, line))
