"""Ctrl-C: what is done is kept, and the next run goes on from there."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import msgspec
from desk import CONFIG, make_desk
from fake_openai import Asked, FakeOpenAI, Reply, say

from llmops_tui.engine.engine import DATABASE
from llmops_tui.store import Store

COMMAND = [sys.executable, "-c", "from llmops_tui.entry import main; main()"]


async def run(root: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        *(arguments or ("run", "--json")),
        cwd=root,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )


async def first_is_kept(root: Path) -> None:
    """Wait until the first answer is in the database, as another process sees it."""
    with Store.open(root / DATABASE, read_only=True) as store:
        while True:
            found = store.runs.snapshot(store.versions.get("desk", "v1").id)
            if found is not None and any(r.status == "passed" for r in found.rows):
                return
            await asyncio.sleep(0.01)


async def test_an_interrupted_run_keeps_what_is_done(tmp_path: Path) -> None:
    second_is_asked = asyncio.Event()
    patient = True

    def script(asked: Asked) -> Reply:
        if server.count > 1 and patient:
            second_is_asked.set()
            return msgspec.structs.replace(say(asked, "never whole"), then="hang")
        return say(asked, asked.said)

    async with FakeOpenAI(script) as server:
        root = make_desk(tmp_path / "desk", config=CONFIG.replace("echo/parrot", "fake/model"))
        (root / "llmops.yaml").write_text(
            f'providers:\n  fake: {{base_url: "{server.url}", concurrency: 1}}\n', encoding="utf-8"
        )
        command = await run(root)
        await second_is_asked.wait()
        await first_is_kept(root)
        command.send_signal(signal.SIGINT)
        out, err = await command.communicate()
        assert command.returncode == 130, err.decode()
        assert "interrupted; what was done is kept" in err.decode()
        first = json.loads(out)
        assert (first["state"], first["cases"]) == ("cancelled", 1)

        patient = False
        command = await run(root)
        out, err = await command.communicate()
        assert command.returncode == 0, err.decode()
        again = json.loads(out)
        assert (again["cases"], again["cached_outputs"], again["provider_calls"]) == (4, 1, 3)


async def test_an_interrupted_try_keeps_what_is_done(tmp_path: Path) -> None:
    patient = True
    third_is_asked = asyncio.Event()

    def script(asked: Asked) -> Reply:
        if server.count > 2 and patient:
            third_is_asked.set()
            return msgspec.structs.replace(say(asked, "never whole"), then="hang")
        return say(asked, asked.said)

    async with FakeOpenAI(script) as server:
        root = make_desk(tmp_path / "desk", config=CONFIG.replace("echo/parrot", "fake/model"))
        (root / "llmops.yaml").write_text(
            f'providers:\n  fake: {{base_url: "{server.url}", concurrency: 1}}\n', encoding="utf-8"
        )
        trying = ("try", "--set", "params.temperature=1", "--json")
        command = await run(root, *trying)
        await third_is_asked.wait()
        await first_is_kept(root)
        command.send_signal(signal.SIGINT)
        out, err = await command.communicate()
        assert command.returncode == 130
        assert json.loads(out)["cancelled"] is True
        assert b"the next try goes on from there" in err
        done = json.loads(out)["provider_calls"]

        patient = False
        server.forget()
        command = await run(root, *trying)
        out, _ = await command.communicate()
        assert command.returncode == 0
        assert server.count == json.loads(out)["provider_calls"] < 8
        assert done >= 1
