"""What was consulted to read a workspace, as facts that can be looked up again.

A fact has a name (`file:prompts/helpdesk.md`, `tree:docs`) and a value (a hash, `absent`). A memo
of a workspace is good as long as every fact still has its value; looking one up imports nothing
heavy.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import llmops_tui

ABSENT = "absent"
#: Folders that never hold anything of a workspace.
SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "venv"})


def file_fact(path: str) -> str:
    """Name of the fact: content of a file, `path` relative to the workspace."""
    return f"file:{path}"


def listing_fact(folder: str) -> str:
    """Name of the fact: names in a folder, without those below it."""
    return f"list:{folder}"


def tree_fact(folder: str) -> str:
    """Name of the fact: paths of all files below a folder."""
    return f"tree:{folder}"


def stat_fact(path: str) -> str:
    """Name of the fact: size, time and identity of a file that is too large to hash each time."""
    return f"stat:{path}"


def look_up(root: Path, fact: str) -> str:
    """The present value of a fact; `absent` for what can't be read."""
    kind, _, name = fact.partition(":")
    try:
        if kind == "file":
            return content_hash((root / name).read_bytes())
        if kind == "list":
            return _digest_names(sorted(p.name for p in (root / name).iterdir()))
        if kind == "tree":
            return _digest_names(list(walk(root, name)))
        return stat_value(Path(name))
    except OSError:
        return ABSENT


def content_hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def stat_value(path: Path) -> str:
    """
    Raises:
        OSError: there is no such file.
    """
    stat = path.stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}-{stat.st_ino}"


def walk(root: Path, folder: str) -> Iterator[str]:
    """Files below `root/folder`, relative to `root`, sorted; hidden ones are left out."""
    try:
        entries = sorted(os.scandir(root / folder), key=lambda e: e.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name in SKIPPED_FOLDERS:
            continue
        path = f"{folder}/{entry.name}" if folder not in ("", ".") else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from walk(root, path)
        elif entry.is_file():
            yield path


def _digest_names(names: list[str]) -> str:
    return content_hash("\n".join(names).encode("utf-8", "surrogateescape"))


@lru_cache(maxsize=1)
def tool_version() -> str:
    """Changes with every release, and with every edit of a checkout."""
    package = Path(llmops_tui.__file__).parent
    sources = sorted([*(package / "workspace").glob("*.py"), *(package / "domain").glob("*.py")])
    marks = "\n".join(f"{path.name} {stat_value(path)}" for path in sources)
    return f"{llmops_tui.__version__} {sys.version_info[:2]} {content_hash(marks.encode())}"
