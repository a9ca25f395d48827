"""Lists of attacks that others keep, as patterns: plain text, CSV, JSON, JSONL and YAML.

Shapes that are known beside a plain list: garak's payload files (`payloads: [text, …]`), promptfoo's tests
(`tests: [{vars: {prompt: …}, metadata: {pluginId: …}}]`), and the columns of AdvBench (`goal`), HarmBench
(`Behavior`, `FunctionalCategory`) and JailBreakV (`jailbreak_query`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.attack import FAMILIES, Family
from llmops_tui.domain.attack_words import family_of_category, kept_text
from llmops_tui.domain.errors import Problem, UsageError

#: Bytes of a file, and patterns in it, that are read at most.
LIMIT, MOST = 50_000_000, 20_000
#: Keys that hold the text, the best first; and those that say what it is after.
_TEXT = (
    *("attack", "prompt", "text", "payload", "jailbreak_query", "goal", "behavior", "query", "question"),
    *("input", "content"),
)
_FAMILY = ("family", "category", "functionalcategory", "pluginid", "type", "label")
#: Keys that hold the list.
_LISTS = ("attacks", "payloads", "tests", "prompts", "data", "examples", "items")


class Pattern(msgspec.Struct, frozen=True):
    """One attack of a list.

    Attributes:
        family: what the list says it is after; None: it does not say, or nothing that is known.
        id: that it has there; empty: none.
    """

    text: str
    family: Family | None = None
    id: str = ""


def read_patterns(path: Path) -> list[Pattern]:
    """The attacks of a file, in order, with what is there twice.

    Raises:
        UsageError: it can't be read, or holds no attack.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)  # a pipe or a device says no size
        if len(data) > LIMIT:
            raise UsageError(Problem(f"is larger than {LIMIT // 1_000_000} MB", "split it", str(path)))
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(Problem("is not UTF-8 text", "save it as UTF-8", str(path))) from None
    except OSError as error:
        raise UsageError(Problem(f"can't be read: {error.strerror}", "check the name", str(path))) from None
    readers = {".csv": _csv, ".tsv": _csv, ".json": _json, ".jsonl": _jsonl, ".yaml": _yaml, ".yml": _yaml}
    suffix = path.suffix.lower()
    try:
        every = (each for each in readers.get(suffix, _plain)(text) if each.text)
        found = list(islice(every, MOST + 1))
    except (ValueError, csv.Error, RecursionError) as error:
        message = f"is not valid {suffix[1:].upper()}: {error}"
        raise UsageError(Problem(message, "mend it, or save it as plain text", str(path))) from None
    if not found:
        remedy = f"one attack a line, or a list with the key {' or '.join(_TEXT[:4])}"
        raise UsageError(Problem("holds no attack", remedy, str(path)))
    if len(found) > MOST:
        raise UsageError(Problem(f"holds more than {MOST:,} attacks", "split it", str(path)))
    return found


def _plain(text: str) -> Iterator[Pattern]:
    """One a line; lines that begin with `#` are comments."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield Pattern(kept_text(line))


def _csv(text: str) -> Iterator[Pattern]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    first = text.partition("\n")[0]
    # Spreadsheets write `;` where a comma is a decimal mark.
    is_head = {cell.strip(' "').lower() for cell in first.split(";")}.intersection(_TEXT)
    separator = "\t" if "\t" in first else ";" if ";" in first and is_head else ","
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    if not rows:
        return
    header = [cell.strip() for cell in rows[0]]
    if not {name.lower() for name in header}.intersection(_TEXT):
        # A list without a head: the first column.
        yield from (Pattern(kept_text(row[0])) for row in rows if row)
        return
    for row in rows[1:]:
        yield from _patterns(dict(zip(header, row, strict=False)))


def _json(text: str) -> Iterator[Pattern]:
    yield from _patterns(json.loads(text))


def _jsonl(text: str) -> Iterator[Pattern]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                value = json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
            yield from _patterns(value)


def _yaml(text: str) -> Iterator[Pattern]:
    from llmops_tui.workspace.yaml_document import Document, YamlError

    try:
        value = Document(text).value
    except YamlError as error:
        raise ValueError(error.message) from None
    yield from _patterns(value)


def _patterns(value: Any) -> Iterator[Pattern]:
    """Those in a JSON value: a text, a list, an attack, or what holds a list."""
    if isinstance(value, str):
        yield Pattern(kept_text(value))
    elif isinstance(value, list):
        for each in value:
            yield from _patterns(each)
    elif isinstance(value, dict):
        by_name = {str(key).lower(): each for key, each in value.items()}
        text = next((by_name[key] for key in _TEXT if isinstance(by_name.get(key), str)), None)
        if text is not None:
            yield Pattern(kept_text(text), _family(by_name), _id(by_name))
            return
        inner = by_name.get("vars")
        if isinstance(inner, dict):
            family = _family(by_name)
            for pattern in _patterns(inner):
                yield msgspec.structs.replace(pattern, family=pattern.family or family)
            return
        listed = next((by_name[key] for key in _LISTS if isinstance(by_name.get(key), list)), ())
        yield from _patterns(list(listed))


def _family(value: dict[str, Any]) -> Family | None:
    more = value.get("metadata")
    there = {**({str(k).lower(): v for k, v in more.items()} if isinstance(more, dict) else {}), **value}
    for key in _FAMILY:
        name = there.get(key)
        if not isinstance(name, str):
            continue
        exact = next((family for family in FAMILIES if family == name.strip().lower()), None)
        if found := exact or family_of_category(name):
            return found
    return None


def _id(value: dict[str, Any]) -> str:
    found = value.get("id", value.get("behaviorid"))
    return found.strip() if isinstance(found, str) else ""
