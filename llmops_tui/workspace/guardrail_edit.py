"""The threshold of one guardrail written into the file of its configuration, on a person's word.

Only that number changes: comments, order, quotes and white space of the file stay as they are. The edit is
read back before it is written, and refused where anything else would read differently.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from llmops_tui.domain.errors import Problem, UsageError, WorkspaceError, did_you_mean
from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.workspace.expected import Edit, canonical, read_file, write_file
from llmops_tui.workspace.guardrail_mistakes import COMMON

KEY = "threshold"
_LIST = "guardrails"
_BOM = b"\xef\xbb\xbf"
#: Keys behind which it goes, the best place first; else behind the last one.
_BEFORE = ("action", "on", "name", "method")


def set_threshold(root: Path, file: str, guardrail: str, value: float) -> Edit:
    """Write the threshold of a guardrail.

    Args:
        file: a configuration, within the workspace.
        guardrail: its name: what its entry says, else its kind.

    Raises:
        UsageError: the file has no such guardrail, or is written so that it can't be edited safely.
        WorkspaceError: the file can't be read or written.
    """
    before = read_file(root, file)
    try:
        text = before.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise WorkspaceError(Problem("is not UTF-8 text", "save it as UTF-8", file)) from None
    made = _edited(text, file, guardrail, value)
    after = (_BOM if before.startswith(_BOM) else b"") + made.encode()
    if after != before:
        if read_file(root, file) != before:
            raise UsageError(Problem("was edited at this very moment", "try again", file))
        write_file(root, file, after)
    return Edit(file, before, after)


def _edited(text: str, file: str, guardrail: str, value: float) -> str:
    from llmops_tui.workspace.yaml_document import Document, YamlError

    try:
        document = Document(text)
    except YamlError as error:
        raise WorkspaceError(error.problem(file)) from None
    whole = document.value
    listed = whole.get(_LIST) if isinstance(whole, dict) else None
    entries = listed if isinstance(listed, list) else []
    names = [name_of(entry) for entry in entries]
    if guardrail not in names:
        known = {name for name in names if name}
        raise UsageError(Problem(f"has no guardrail '{guardrail}'", did_you_mean(guardrail, known), file))
    at = names.index(guardrail)
    made, wanted = _made(text, document.root, at, entries[at], value), _wanted(entries[at], value)
    try:
        there = Document(made).value if made is not None else None
    except YamlError:
        there = None
    entries[at] = wanted
    if made is None or wanted is None or canonical(there) != canonical(whole):
        message = f"'{guardrail}' is written in a way that its threshold can't be set in safely"
        line = document.line((_LIST, at))
        raise UsageError(Problem(message, f"write 'threshold: {number(value)}' in your editor", file, line))
    return made


def name_of(entry: Any) -> str:
    """What a guardrail's entry is called; empty where it is none that can be read."""
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, dict) or not entry:
        return ""
    kind = _kind(entry)
    options = entry.get(kind)
    named = options.get("name") if isinstance(options, dict) else None
    return str(named or entry.get("name") or kind)


def number(value: float) -> str:
    """A threshold as it is written."""
    return json.dumps(value)


def _kind(entry: dict[str, Any]) -> str:
    return next((key for key in entry if key not in COMMON), "")


def _is_beside(entry: dict[str, Any]) -> bool:
    """The threshold that counts stands beside the kind: one among its options goes before it."""
    options = entry.get(_kind(entry))
    return KEY in entry and not (isinstance(options, dict) and KEY in options)


def _shorthand(kind: str) -> str | None:
    """The option that a bare value sets; None where there is none, as of a function."""
    return GUARDRAILS[kind].shorthand if kind in GUARDRAILS else None


def _wanted(entry: Any, value: float) -> Any:
    """The entry as it should read; None where that is not known."""
    if isinstance(entry, str):
        return {entry: {KEY: value}}
    kind = _kind(entry)
    options = entry.get(kind)
    if _is_beside(entry):
        return {**entry, KEY: value}
    if options is None or isinstance(options, dict):
        return {**entry, kind: {**(options or {}), KEY: value}}
    shorthand = _shorthand(kind)
    return None if shorthand is None else {**entry, kind: {shorthand: options, KEY: value}}


# -- the text


def _made(text: str, root: yaml.Node | None, at: int, entry: Any, value: float) -> str | None:
    """The text with the number in it; None where its place can't be told."""
    from llmops_tui.workspace.yaml_edit import CannotEdit, set_key

    listed = _pair(root, _LIST)[1]
    if not isinstance(listed, yaml.SequenceNode) or at >= len(listed.value):
        return None
    node = listed.value[at]
    if isinstance(node, yaml.ScalarNode):
        return _named_alone(text, node, value, flow=bool(listed.flow_style))
    if not isinstance(node, yaml.MappingNode):
        return None
    try:
        if _is_beside(entry):
            return set_key(text, node, KEY, value, ())
        kind = _kind(entry)
        key, options = _pair(node, kind)
        if isinstance(options, yaml.MappingNode) and options.value:
            keys = [k.value for k, _ in options.value]
            return set_key(text, options, KEY, value, (*_BEFORE, *reversed(keys)))
        if key is None or options is None:
            return None
        if isinstance(options, yaml.MappingNode) or entry.get(kind) is None:
            return _put(text, key, options, f"{{{_key(KEY, key)}: {number(value)}}}")
        return _written_out(text, key, options, _shorthand(kind), value)
    except (CannotEdit, ValueError):
        return None


def _pair(node: yaml.Node | None, name: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """A key of a mapping and its value."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next(((k, v) for k, v in pairs if k.value == name), (None, None))


def _key(name: str, beside: yaml.Node) -> str:
    """A key as it is written; in JSON keys are in quotes."""
    return f'"{name}"' if isinstance(beside, yaml.ScalarNode) and beside.style == '"' else name


def _named_alone(text: str, node: yaml.ScalarNode, value: float, *, flow: bool) -> str:
    """`- injection` → `- injection: {threshold: 0.6}`."""
    start, end = node.start_mark.index, node.end_mark.index
    written = f"{text[start:end]}: {{{_key(KEY, node)}: {number(value)}}}"
    return text[:start] + (f"{{{written}}}" if flow else written) + text[end:]


def _put(text: str, key: yaml.Node, node: yaml.Node, written: str) -> str:
    """A value on the line of its key, in place of one that is there or of none."""
    colon = text.index(":", key.end_mark.index) + 1
    start, end = node.start_mark.index, node.end_mark.index
    if start == end:
        return f"{text[:colon]} {written}{text[colon:]}"
    return f"{text[:start]}{written}{text[end:]}"


def _written_out(text: str, key: yaml.Node, node: yaml.Node, option: str | None, value: float) -> str | None:
    """`injection: judge` → `injection: {method: judge, threshold: 0.6}`; above a list in lines, its name."""
    start, end = node.start_mark.index, node.end_mark.index
    if option is None:
        return None
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        row = text.rfind("\n", 0, start) + 1
        indent, newline = text[row:start], "\r\n" if "\r\n" in text else "\n"
        if indent.strip():
            return None
        above = f"{indent}{KEY}: {number(value)}{newline}{indent}{option}:{newline}"
        return text[:row] + above + text[row:]
    said = text[start:end]
    if isinstance(node, yaml.ScalarNode) and node.style is None and re.search(r"[,\[\]{}]", said):
        from llmops_tui.workspace.yaml_scalars import quoted

        said = quoted(node.value)
    written = f"{{{_key(option, key)}: {said}, {_key(KEY, key)}: {number(value)}}}"
    return _put(text, key, node, written)
