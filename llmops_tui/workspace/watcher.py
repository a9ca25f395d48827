"""Sees a save: what changed in content, once for each save, however the editor writes."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from llmops_tui.workspace.facts import SKIPPED_FOLDERS, content_hash

#: Files that editors and formatters leave for a moment.
_TEMPORARY = re.compile(
    r"~$|^\.|^#.*#$|^4913$|\.sw[a-z]$|\.tmp$|\.temp$|\.bak$|\.part$|___jb_(?:tmp|old)___$|\.pyc$|\.orig$"
)
#: Hidden files that matter.
_WATCHED_HIDDEN = frozenset({".env"})
#: Larger files are compared by size and time.
_HASHED_BYTES = 16_000_000


async def watch(
    root: Path,
    files: Iterable[Path] = (),
    *,
    debounce_ms: int = 50,
    stop: asyncio.Event | threading.Event | None = None,
) -> AsyncIterator[frozenset[str]]:
    """See `llmops_tui.workspace.watch`. Paths are relative to `root`; those outside are absolute."""
    from watchfiles import awatch

    contents = Contents(root, files)
    await asyncio.to_thread(contents.look_again, None)
    is_first = True
    async for changes in awatch(
        *contents.places(),
        watch_filter=None,
        debounce=max(debounce_ms, 1),
        step=max(min(debounce_ms // 2, 50), 1),
        stop_event=stop,
        rust_timeout=500,
        yield_on_timeout=True,
    ):
        # The first time everything is compared: a save may have come before the watch was set up.
        touched = None if is_first else {Path(path) for _kind, path in changes}
        if touched is None or any(contents.matters(path) for path in touched):
            changed = await asyncio.to_thread(contents.look_again, touched)
            if changed:
                yield frozenset(changed)
        is_first = False


class Contents:
    """The content of every watched file, so that a touch or an equal save is no change."""

    def __init__(self, root: Path, files: Iterable[Path]) -> None:
        self._root = root.resolve()
        resolved = {Path(file).resolve() for file in files}
        self._outside = {file for file in resolved if not file.is_relative_to(self._root)}
        self._known: dict[Path, tuple[str, str]] = {}

    def places(self) -> set[Path]:
        """The folders to watch."""
        return {self._root, *(file.parent for file in self._outside if file.parent.is_dir())}

    def matters(self, path: Path) -> bool:
        """Whether a change of this path may be a change of the workspace."""
        if path in self._outside:
            return True
        if not path.is_relative_to(self._root):
            return False
        *folders, name = path.relative_to(self._root).parts or ("",)
        if any(part.startswith(".") or part in SKIPPED_FOLDERS for part in folders):
            return False
        return name in _WATCHED_HIDDEN or not (_TEMPORARY.search(name) or name in SKIPPED_FOLDERS)

    def look_again(self, touched: set[Path] | None) -> set[str]:
        """Read what was touched (None: everything); the paths whose content is another."""
        changed: set[Path] = set()
        if touched is None:
            touched = {*self._files(self._root), *self._outside, *self._known}
        for path in touched:
            if not self.matters(path):
                continue
            if path.is_dir() and not path.is_symlink():
                # A folder that was moved in, or away, says nothing about the files in it.
                inside = {known for known in self._known if known.is_relative_to(path)}
                for file in {*self._files(path), *inside}:
                    self._compare(file, changed)
            else:
                for file in [path, *(k for k in self._known if path in k.parents)]:
                    self._compare(file, changed)
        return {self._name(path) for path in changed}

    def _compare(self, path: Path, changed: set[Path]) -> None:
        before = self._known.get(path)
        now = _mark(path, before)
        if now is None:
            if before is not None:
                del self._known[path]
                changed.add(path)
            return
        self._known[path] = now
        if before is None or before[1] != now[1]:
            changed.add(path)

    def _files(self, folder: Path) -> Iterable[Path]:
        for place, folders, names in os.walk(folder):
            here = Path(place)
            folders[:] = [f for f in folders if self.matters(here / f)]
            yield from (here / name for name in names if self.matters(here / name))

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else str(path)


def _mark(path: Path, before: tuple[str, str] | None) -> tuple[str, str] | None:
    """(size, time and identity; content) of a file; None where there is none."""
    try:
        status = path.stat()
        if not path.is_file():
            return None
        stamp = f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}"
        if before is not None and before[0] == stamp:
            return before
        if status.st_size > _HASHED_BYTES:
            return stamp, stamp
        return stamp, content_hash(path.read_bytes())
    except OSError:
        return None
