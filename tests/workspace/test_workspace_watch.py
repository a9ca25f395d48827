"""A save is seen once, however the editor writes; a touch is none."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from llmops_tui.workspace import watch
from llmops_tui.workspace.watcher import Contents

Build = Callable[..., Path]


class Saves:
    """Changes as they are seen, without those of the file that says that the watch is there."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: asyncio.Queue[frozenset[str]] = asyncio.Queue()

    async def collect(self, changes: AsyncIterator[frozenset[str]]) -> None:
        async for changed in changes:
            await self._seen.put(changed)

    async def ready(self) -> None:
        for number in range(40):
            (self._root / "started.md").write_text(str(number), encoding="utf-8")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._seen.get(), 0.5)
                return
        raise AssertionError("the watch sees nothing")

    async def next(self) -> set[str]:
        while True:
            changed = await asyncio.wait_for(self._seen.get(), 10)
            if changed != {"started.md"}:
                return set(changed)


@asynccontextmanager
async def watching(root: Path, *files: Path) -> AsyncIterator[Saves]:
    stop = asyncio.Event()
    saves = Saves(root)
    task = asyncio.create_task(saves.collect(watch(root, files, debounce_ms=20, stop=stop)))
    try:
        await saves.ready()
        yield saves
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


async def test_a_save_is_seen_and_a_touch_before_it_is_not(workspace: Build) -> None:
    root = workspace()
    prompt = root / "prompts/bench.md"
    async with watching(root) as saves:
        os.utime(prompt)
        prompt.write_bytes(prompt.read_bytes())
        (root / ".llmops").mkdir()
        (root / ".llmops/llmops.db").write_text("x", encoding="utf-8")
        (root / "prompts/.bench.md.swp").write_text("x", encoding="utf-8")
        (root / "prompts/4913").write_text("x", encoding="utf-8")
        (root / "prompts/bench.md~").write_text("x", encoding="utf-8")
        prompt.write_text("changed {{ question }}", encoding="utf-8")
        assert await saves.next() == {"prompts/bench.md"}


async def test_a_save_by_rename_is_the_file_itself(workspace: Build) -> None:
    root = workspace()
    async with watching(root) as saves:
        temporary = root / "prompts/.tmp12345"
        temporary.write_text("changed", encoding="utf-8")
        temporary.replace(root / "prompts/bench.md")
        assert await saves.next() == {"prompts/bench.md"}


async def test_new_moved_and_removed_files_are_seen(workspace: Build, tmp_path: Path) -> None:
    root = workspace(files={"docs/a.md": "alpha"})
    (tmp_path / "more/deep").mkdir(parents=True)
    (tmp_path / "more/deep/b.md").write_text("beta", encoding="utf-8")
    async with watching(root) as saves:
        (tmp_path / "more").rename(root / "docs/more")
        assert await saves.next() == {"docs/more/deep/b.md"}
        (root / "docs/more").rename(tmp_path / "away")
        assert await saves.next() == {"docs/more/deep/b.md"}
        (root / "docs/a.md").unlink()
        assert await saves.next() == {"docs/a.md"}


async def test_files_outside_the_workspace_can_be_watched(workspace: Build, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere" / "model.gguf"
    outside.parent.mkdir()
    outside.write_text("a", encoding="utf-8")
    root = workspace()
    async with watching(root, outside) as saves:
        (outside.parent / "other.txt").write_text("x", encoding="utf-8")
        outside.write_text("b", encoding="utf-8")
        assert await saves.next() == {str(outside.resolve())}


def test_what_is_compared_is_content(workspace: Build) -> None:
    root = workspace()
    contents = Contents(root, ())
    everything = contents.look_again(None)
    assert "prompts/bench.md" in everything
    os.utime(root / "prompts/bench.md", ns=(1, 1))
    assert contents.look_again(None) == set()
    (root / "prompts/bench.md").write_text("other", encoding="utf-8")
    assert contents.look_again(None) == {"prompts/bench.md"}
