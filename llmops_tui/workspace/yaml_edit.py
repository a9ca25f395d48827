"""One key of one mapping set or removed in the text of a YAML file; all else stays byte for byte."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

from llmops_tui.workspace.yaml_scalars import block, quoted, scalar


class CannotEdit(Exception):
    """The text is written in a way that this edit doesn't fit (aliases, tags, merges)."""


def set_key(text: str, mapping: yaml.MappingNode, key: str, value: Any, after: Sequence[str]) -> str:
    """The text with the key set.

    Args:
        mapping: a node of this very text.
        value: a JSON value.
        after: where the key is new: it goes behind the first of these keys that is there.

    Raises:
        CannotEdit: none of `after` is there.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    pairs = {k.value: (k, v) for k, v in mapping.value}
    if key in pairs:
        name, node = pairs[key]
        return _replaced(text, mapping, name, node, value, newline)
    anchor = next((pairs[other] for other in after if other in pairs), None)
    if anchor is None:
        raise CannotEdit
    name, node = anchor
    end = content_end(text, node)
    if mapping.flow_style:
        # In JSON keys are in quotes.
        written = quoted(key) if name.style == '"' else key
        return f"{text[:end]}, {written}: {_inline(value, flow=True)}{text[end:]}"
    indent = " " * mapping.value[0][0].start_mark.column
    row = f"{indent}{key}: {_written(value, indent, newline)}{newline}"
    line_end = text.find("\n", end)
    if line_end < 0:
        return f"{text}{newline}{row}"
    return text[: line_end + 1] + row + text[line_end + 1 :]


def remove_key(text: str, mapping: yaml.MappingNode, key: str) -> str:
    """The text without the key.

    Raises:
        CannotEdit: it isn't there, or is all that is there, or heads a list item.
    """
    names = [k.value for k, _ in mapping.value]
    if key not in names or len(names) == 1:
        raise CannotEdit
    at = names.index(key)
    name, node = mapping.value[at]
    end = content_end(text, node)
    if mapping.flow_style:
        if at:
            return text[: content_end(text, mapping.value[at - 1][1])] + text[end:]
        return text[: name.start_mark.index] + text[mapping.value[1][0].start_mark.index :]
    start = text.rfind("\n", 0, name.start_mark.index) + 1
    if text[start : name.start_mark.index].strip():
        raise CannotEdit
    line_end = text.find("\n", end)
    return text[:start] + (text[line_end + 1 :] if line_end >= 0 else "")


def _replaced(
    text: str, mapping: yaml.MappingNode, name: yaml.Node, node: yaml.Node, value: Any, newline: str
) -> str:
    start, end = node.start_mark.index, content_end(text, node)
    if node.start_mark.line != name.start_mark.line:
        start = text.index(":", name.end_mark.index) + 1
    line_end = text.find("\n", end)
    rest = text[end : line_end if line_end >= 0 else len(text)]
    if mapping.flow_style or rest.strip():
        written = _inline(value, flow=bool(mapping.flow_style))
    else:
        written = _written(value, " " * name.start_mark.column, newline)
    gap = "" if text[start - 1].isspace() else " "
    return text[:start] + gap + written + text[end:]


def content_end(text: str, node: yaml.Node) -> int:
    """Where a value ends: the parser takes what is blank or a comment below it for a part of it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    end = int(node.end_mark.index)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return len(text[:end].rstrip())
    return end


def _written(value: Any, indent: str, newline: str) -> str:
    if isinstance(value, str) and (lines := block(value, f"{indent}  ")) is not None:
        return lines.replace("\n", newline)
    return _inline(value, flow=False)


def _inline(value: Any, *, flow: bool) -> str:
    if isinstance(value, str):
        return quoted(value) if flow else scalar(value)
    return json.dumps(value, ensure_ascii=False)
