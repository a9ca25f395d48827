"""`baselines.yaml`: which version is the baseline of which configuration. In git, so that CI sees it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.errors import Problem, WorkspaceError
from llmops_tui.domain.manifest import Manifest, make_manifest, make_part
from llmops_tui.workspace.facts import content_hash, tool_version
from llmops_tui.workspace.places import write_atomically

BASELINES_FILE = "baselines.yaml"
MEMO = ".llmops/cache/baselines.msgpack"
_HEADER = "# Which version is the baseline of each configuration. Written by promoting; keep it in git.\n"


class BaselineEntry(msgspec.Struct, frozen=True):
    """One promoted version.

    Attributes:
        number, hash: of the version.
        promoted_at: ISO 8601, UTC.
        manifest: resolved; texts of the corpus are in it as hashes.
        note: for people.
        forced: promoted though its gate did not pass or its run was not complete; `note` says why.
    """

    number: int
    hash: str
    promoted_at: str
    manifest: Manifest
    note: str = ""
    forced: bool = False


class _Kept(msgspec.Struct):
    """`baselines.yaml` as last read: it is looked at on every start."""

    mark: str
    entries: dict[str, BaselineEntry]


def read(root: Path) -> dict[str, BaselineEntry]:
    """Configuration → its baseline; empty where there is no file.

    Raises:
        WorkspaceError: the file has a mistake.
    """
    try:
        data = (root / BASELINES_FILE).read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise WorkspaceError(
            Problem(f"can't be read: {error.strerror or error}", "check its permissions", BASELINES_FILE)
        ) from error
    mark = f"{tool_version()} {content_hash(data)}"
    memo = root / MEMO
    try:
        kept = msgspec.msgpack.decode(memo.read_bytes(), type=_Kept)
        if kept.mark == mark:
            return kept.entries
    except (OSError, msgspec.DecodeError):
        pass
    entries = _parse(root)
    with contextlib.suppress(OSError):
        write_atomically(memo, msgspec.msgpack.encode(_Kept(mark, entries)))
    return entries


def _parse(root: Path) -> dict[str, BaselineEntry]:
    from llmops_tui.workspace.reader import Reader
    from llmops_tui.workspace.yaml_document import Document, YamlError

    reader = Reader(root)
    text = reader.text(BASELINES_FILE)
    if text is None:
        raise WorkspaceError(*reader.problems)
    try:
        document = Document(text)
    except YamlError as error:
        raise WorkspaceError(error.problem(BASELINES_FILE)) from None
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
    path = root / BASELINES_FILE
    names = list(read(root))
    text = path.read_text("utf-8-sig") if path.is_file() else _HEADER
    try:
        write_atomically(path, _with_block(text, names, config, _block(config, entry)).encode())
    except OSError as error:
        raise WorkspaceError(
            Problem(
                f"can't be written: {error.strerror or error}", "make the folder writable", BASELINES_FILE
            )
        ) from error


def _with_block(text: str, names: list[str], config: str, block: str) -> str:
    """The file with one configuration's lines replaced, or put at the end; all else byte for byte."""
    from llmops_tui.workspace.yaml_document import Document

    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if config not in names:
        return "".join(lines) + block
    document = Document(text)
    starts = sorted((document.line((name,)) or 1) - 1 for name in names)
    if len(set(starts)) < len(names) or text.lstrip().startswith("{"):
        raise WorkspaceError(Problem("each baseline must be on lines of its own", _MEND, BASELINES_FILE, 1))
    start = (document.line((config,)) or 1) - 1
    end = next((s for s in starts if s > start), len(lines))
    # What stands at the margin below the block is a comment on what follows.
    while end > start + 1 and (lines[end - 1].startswith("#") or not lines[end - 1].strip()):
        end -= 1
    return "".join([*lines[:start], block, *lines[end:]])


def _block(config: str, entry: BaselineEntry) -> str:
    """One baseline as YAML."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 110
    buffer = io.StringIO()
    yaml.dump({config: _written(entry)}, buffer)
    return buffer.getvalue()


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
    if entry.forced:
        written["forced"] = True
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
            "forced": raw.get("forced", False),
        },
        BaselineEntry,
    )
