"""Texts of documents as git has them: a baseline names its corpus by hash alone. Reads only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from llmops_tui.domain.canonical import text_digest
from llmops_tui.workspace.corpus import document_text

#: Versions of documents that are looked at, the newest first.
MOST_BLOBS = 5_000
PATIENCE_S = 30.0


def find(root: Path, wanted: Mapping[str, str]) -> dict[str, str]:
    """Hash → text, for those documents that some commit before this one holds with that very text.

    Args:
        wanted: path within the workspace → hash of the document's text.

    Never raises, asks a remote, takes a lock, or runs a hook or filter; outside git it finds nothing.
    """
    if not wanted:
        return {}
    blobs = list(dict.fromkeys(_blobs(root, wanted)))[:MOST_BLOBS]
    found: dict[str, str] = {}
    known = contents(root, [sha for _, sha in blobs])
    for path, sha in blobs:
        data = known.get(sha)
        text = document_text(path, data) if data is not None else None
        if text is not None and text_digest(text) == wanted[path]:
            found[wanted[path]] = text
    return found


def _blobs(root: Path, wanted: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(path, blob) of every change to these documents, the newest first."""
    command = ["log", "--format=", "--raw", "--no-abbrev", "--no-renames", "--relative", "-z", "-m"]
    listed = git_output(root, [*command, "--full-history", "--", *sorted(wanted)])
    fields = iter((listed or b"").split(b"\0"))
    for field in fields:
        head = field.strip().split()
        if len(head) != 5 or not head[0].startswith(b":"):
            continue
        path = os.fsdecode(next(fields, b""))
        if path in wanted:
            yield from ((path, sha.decode()) for sha in (head[3], head[2]) if sha.strip(b"0"))


def contents(root: Path, blobs: list[str]) -> dict[str, bytes]:
    """Blob → its bytes, for those that are there."""
    if not blobs:
        return {}
    data = git_output(root, ["cat-file", "--batch"], "".join(f"{sha}\n" for sha in blobs).encode()) or b""
    found: dict[str, bytes] = {}
    at = 0
    while (end := data.find(b"\n", at)) >= 0:
        head = data[at:end].split()
        at = end + 1
        if len(head) == 3:
            size = int(head[2])
            if head[1] == b"blob":
                found[head[0].decode()] = data[at : at + size]
            at += size + 1
    return found


def git_output(root: Path, arguments: list[str], given: bytes = b"") -> bytes | None:
    """What git says to a command that only reads; None where it fails or there is none.

    No remote, lock, hook or prompt.
    """
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    # Paths are names, not patterns.
    command = ["git", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-C", str(root), *arguments]
    try:
        return subprocess.run(
            command,
            input=given,
            capture_output=True,
            timeout=PATIENCE_S,
            env={**os.environ, **quiet},
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
