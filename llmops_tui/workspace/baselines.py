"""`baselines.yaml`: which version is the baseline of which configuration. In git, so that CI sees it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.errors import Problem, WorkspaceError
from llmops_tui.domain.manifest import Manifest, make_manifest, make_part

BASELINES_FILE = "baselines.yaml"
_HEADER = "Which version is the baseline of each configuration. Written by promoting; keep it in git.\n"


class BaselineEntry(msgspec.Struct, frozen=True):
    """One promoted version.

    Attributes:
        number, hash: of the version.
        promoted_at: ISO 8601, UTC.
        manifest: resolved; texts of the corpus are in it as hashes.
        note: for people.
    """

    number: int
    hash: str
    promoted_at: str
    manifest: Manifest
    note: str = ""


def read(root: Path) -> dict[str, BaselineEntry]:
    """Configuration → its baseline; empty where there is no file.

    Raises:
        WorkspaceError: the file has a mistake.
    """
    path = root / BASELINES_FILE
    if not path.is_file():
        return {}
    from llmops_tui.workspace.reader import Reader
    from llmops_tui.workspace.validation import read_document

    reader = Reader(root)
    document = read_document(reader, BASELINES_FILE)
    if document is None:
        raise WorkspaceError(*reader.problems)
    value = document.value or {}
    if not isinstance(value, dict):
        raise WorkspaceError(Problem("must be a mapping of configurations", _MEND, BASELINES_FILE, 1))
    entries = {}
    for name, raw in value.items():
        try:
            entries[name] = _entry(raw)
        except (KeyError, TypeError, ValueError, msgspec.ValidationError):
            line = document.line((name,))
            problem = Problem(f"the baseline of '{name}' is not complete", _MEND, BASELINES_FILE, line)
            raise WorkspaceError(problem) from None
    return entries


_MEND = "promote the version again, or take the file from git"


def write(root: Path, config: str, entry: BaselineEntry) -> None:
    """Set the baseline of one configuration; comments and the others stay as they are.

    Raises:
        WorkspaceError: the file has a mistake, or can't be written.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    from llmops_tui.workspace.places import write_atomically

    yaml = YAML()
    yaml.width = 110
    yaml.preserve_quotes = True
    path = root / BASELINES_FILE
    try:
        kept = yaml.load(path.read_bytes()) if path.is_file() else None
    except (YAMLError, UnicodeDecodeError) as error:
        first = str(error).split("\n")[0]
        raise WorkspaceError(Problem(f"is not valid YAML: {first}", _MEND, BASELINES_FILE)) from error
    if kept is None:
        kept = CommentedMap()
        kept.yaml_set_start_comment(_HEADER)
    elif not isinstance(kept, CommentedMap):
        raise WorkspaceError(Problem("must be a mapping of configurations", _MEND, BASELINES_FILE, 1))
    kept[config] = _written(entry)
    buffer = io.BytesIO()
    yaml.dump(kept, buffer)
    try:
        write_atomically(path, buffer.getvalue())
    except OSError as error:
        raise WorkspaceError(
            Problem(
                f"can't be written: {error.strerror or error}", "make the folder writable", BASELINES_FILE
            )
        ) from error


def _written(entry: BaselineEntry) -> dict[str, Any]:
    """A baseline as it is written: parts under their labels, without hashes that can be computed."""
    from ruamel.yaml.scalarstring import LiteralScalarString

    def readable(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: readable(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [readable(v) for v in value]
        return LiteralScalarString(value) if isinstance(value, str) and "\n" in value else value

    parts = [
        {"kind": p.kind, **({"name": p.name} if p.name else {}), "value": readable(p.value)}
        for p in entry.manifest.parts
    ]
    written: dict[str, Any] = {"version": entry.number, "hash": entry.hash, "promoted_at": entry.promoted_at}
    if entry.note:
        written["note"] = entry.note
    return {**written, "parts": parts}


def _entry(raw: Any) -> BaselineEntry:
    parts = [make_part(part["kind"], part.get("name", ""), part["value"]) for part in raw["parts"]]
    manifest = make_manifest(parts)
    # The hash as written names the version; a file edited by hand does not make another one.
    return msgspec.convert(
        {
            "number": raw["version"],
            "hash": str(raw["hash"]),
            "promoted_at": str(raw["promoted_at"]),
            "manifest": Manifest(manifest.parts, str(raw["hash"])),
            "note": raw.get("note", ""),
        },
        BaselineEntry,
    )
