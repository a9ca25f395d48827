"""Attacks added at the end of an attack file; all that is there stays byte for byte.

The edit is read back before it is written, and refused where anything else would read differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llmops_tui.domain.attack_schema import AttackEntry
from llmops_tui.domain.errors import Problem, UsageError, WorkspaceError
from llmops_tui.workspace.expected import Edit
from llmops_tui.workspace.new_case import appended, canonical, entry_block
from llmops_tui.workspace.places import write_atomically
from llmops_tui.workspace.yaml_document import Document, YamlError
from llmops_tui.workspace.yaml_scalars import scalar

_BOM = b"\xef\xbb\xbf"


def attacks_in(root: Path, file: str) -> list[dict[str, Any]]:
    """The attacks of a file as they are written; none where there is no such file.

    Raises:
        WorkspaceError: it can't be read.
    """
    path = root / file
    return _attacks(_document(_text(path, file)[1], file), file) if path.exists() else []


def settings_in(root: Path, file: str) -> dict[str, Any]:
    """Everything that a file says beside its attacks; nothing where there is no such file.

    Raises:
        WorkspaceError: it can't be read.
    """
    path = root / file
    value = _document(_text(path, file)[1], file).value if path.exists() else None
    return {key: each for key, each in value.items() if key != "attacks"} if isinstance(value, dict) else {}


def add_attacks(root: Path, file: str, entries: Sequence[dict[str, Any]], description: str = "") -> Edit:
    """Write attacks behind the last one of a file; a file that is not there is made.

    Args:
        entries: as they are written in it, at least one. Their ids are in no file yet.
        description: of a new file.

    Raises:
        UsageError: the file is written so that they can't be added.
        WorkspaceError: it can't be read or written.
    """
    path = root / file
    if not file.endswith((".yaml", ".yml")):
        raise UsageError(Problem("an attack file is YAML", "call it attacks/NAME.yaml", file))
    if not path.exists():
        blocks = "\n".join(entry_block(entry, "  ", " ", "\n") for entry in entries)
        before, after = b"", f"description: {scalar(description)}\n\nattacks:\n{blocks}".encode()
    else:
        before, text = _text(path, file)
        after = (_BOM if before.startswith(_BOM) else b"") + _with(text, file, entries).encode()
    try:
        if (path.read_bytes() if path.exists() else b"") != before:
            raise UsageError(Problem("was edited at this very moment", "try again", file))
        write_atomically(path, after)
    except OSError as error:
        problem = Problem(
            f"can't be written: {error.strerror or error}",
            "make the file writable, and room on the disk",
            file,
        )
        raise WorkspaceError(problem) from error
    return Edit(file, before, after)


def mistakes(root: Path, entry: dict[str, Any]) -> list[Problem]:
    """What would be wrong with an attack if it stood in a file: its scorers, above all. May read files."""
    from pydantic import ValidationError

    from llmops_tui.workspace.code import read_code
    from llmops_tui.workspace.reader import Reader
    from llmops_tui.workspace.scorer_uses import ScorerCatalogue, ScorerMistake

    try:
        attack = AttackEntry.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        return [Problem(f"the attack can't be written: {where}: {first['msg']}", "check what was given")]
    source = read_code(Reader(root))
    catalogue = ScorerCatalogue(source, source.revision({}))
    found: list[Problem] = []
    for scorer in attack.scorers:
        try:
            catalogue.resolve(scorer)
        except ScorerMistake as mistake:
            found.append(Problem(mistake.message, mistake.remedy))
    return found


def _text(path: Path, file: str) -> tuple[bytes, str]:
    try:
        data = path.read_bytes()
        return data, data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise WorkspaceError(Problem("is not UTF-8 text", "save it as UTF-8", file)) from None
    except OSError as error:
        problem = Problem(f"can't be read: {error.strerror or error}", "check that it is there", file)
        raise WorkspaceError(problem) from error


def _document(text: str, file: str) -> Document:
    try:
        return Document(text)
    except YamlError as error:
        raise WorkspaceError(error.problem(file)) from None


def _attacks(document: Document, file: str) -> list[dict[str, Any]]:
    value = document.value
    attacks = value.get("attacks") if isinstance(value, dict) else None
    if not isinstance(attacks, list) or not attacks:
        raise UsageError(
            Problem("holds no attacks", "name an attack file (docs/attacks.md)", file, document.line(()))
        )
    return [attack for attack in attacks if isinstance(attack, dict)]


def _with(text: str, file: str, entries: Sequence[dict[str, Any]]) -> str:
    document = _document(text, file)
    _attacks(document, file)
    attacks = document.value["attacks"]
    made = appended(text, document.root, "attacks", entries)
    try:
        there = Document(made).value if made is not None else None
    except YamlError:
        there = None
    if made is None or canonical(there) != canonical({**document.value, "attacks": [*attacks, *entries]}):
        message = "is written in a way that an attack can't be added to safely"
        line = document.line(("attacks", len(attacks) - 1))
        raise UsageError(Problem(message, "add it in your editor", file, line))
    return made
