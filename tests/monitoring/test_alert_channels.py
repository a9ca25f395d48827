"""Commands and webhooks are told, within limits; what fails is a sentence and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from llmops_tui.domain.live.alert_event import AlertEvent
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.settings import Channel
from llmops_tui.monitoring import channels
from llmops_tui.monitoring.channels import payload, send

EVENT = AlertEvent(
    "errors",
    "fired",
    1_790_000_000.0,
    "critical",
    "error_rate",
    "error_rate is 20.0%",
    0.2,
    100,
    0.05,
    LiveFilter(since=1_790_000_000.0, only="failed"),
)


def python(code: str, *words: str) -> Channel:
    return Channel("pager", (sys.executable, "-c", code, *words))


async def test_a_command_gets_the_alert_on_its_standard_input(tmp_path: Path) -> None:
    code = "import sys,pathlib;pathlib.Path('told.json').write_text(sys.stdin.read())"
    assert await send(tmp_path, python(code), EVENT) == ""
    told = json.loads((tmp_path / "told.json").read_text())
    assert (told["rule"], told["state"], told["value"], told["n"]) == ("errors", "fired", 0.2, 100)
    assert told["requests"] == {"since": 1_790_000_000.0, "only": "failed"}
    assert told["command"][:2] == ["llmops-tui", "live"]


def test_names_that_come_with_the_traffic_neither_call_everybody_nor_add_lines() -> None:
    hostile = "regression desk <!channel>\n\x1b[2J@all <https://evil.example|click>"
    event = msgspec.structs.replace(EVENT, rule=hostile, metric="score.\x1b[31m", sentence=f"{hostile} fell")
    told = payload(event, "desk")
    assert len(told["text"].splitlines()) == 3
    assert not any(call in told["text"] for call in ("<!", "<http", "@all"))
    assert all("\x1b" not in told[name] and "\n" not in told[name] for name in ("rule", "metric", "sentence"))


async def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    said = await send(tmp_path, python("import sys; sys.exit('no \\x1b[31mscreen')"), EVENT)
    assert said == "pager: the command ended with 1: no screen"


async def test_a_command_that_says_very_much_fills_no_disk(tmp_path: Path) -> None:
    flood = (
        "import os, resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000));"
        "os.write(2, b'too much'); [os.write(2, b'.' * 50_000) for _ in range(100)]; os._exit(3)"
    )
    said = await send(tmp_path, python(flood), EVENT)
    assert said.startswith("pager: the command ended with 3: too much...")
    assert len(said) < 300


async def test_a_command_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    said = await send(tmp_path, Channel("pager", ("no-such-program-anywhere",)), EVENT)
    assert said == "pager: the command no-such-program-anywhere can't be run: No such file or directory"


async def test_a_command_that_reads_nothing_is_told_all_the_same(tmp_path: Path) -> None:
    assert await send(tmp_path, python("pass"), EVENT) == ""


async def test_a_command_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "TIME_LIMIT_S", 1.0)
    child = "import time; time.sleep(600)"
    code = (
        "import subprocess,sys,pathlib,time;"
        "p=subprocess.Popen([sys.executable,'-c',sys.argv[1]]);"
        "pathlib.Path('pid').write_text(str(p.pid)); time.sleep(600)"
    )
    said = await send(tmp_path, python(code, child), EVENT)
    assert said == "pager: the command took longer than 1 s and was ended"
    await gone(int((tmp_path / "pid").read_text()))


async def test_what_a_command_leaves_behind_is_ended_too(tmp_path: Path) -> None:
    code = (
        "import subprocess,sys,pathlib;"
        "p=subprocess.Popen([sys.executable,'-c','import time; time.sleep(600)']);"
        "pathlib.Path('pid').write_text(str(p.pid))"
    )
    assert await send(tmp_path, python(code), EVENT) == ""
    await gone(int((tmp_path / "pid").read_text()))


async def gone(pid: int) -> None:
    """Wait until a process is no more, or is only waited for by somebody."""
    async with asyncio.timeout(10):
        while True:
            if not is_alive(pid):
                return
            await asyncio.sleep(0)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


# -- webhooks

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Answers:
    """Answers with these statuses, one after the other, and keeps what was sent."""

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        self.statuses = list(statuses)
        self.headers = headers or {}
        self.got: list[tuple[str, dict[str, Any], dict[str, str]]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.got.append((request.path, await request.json(), dict(request.headers)))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, headers=self.headers)


async def test_a_webhook_gets_text_for_people_and_fields_for_programs(tmp_path: Path) -> None:
    answers = Answers(200)
    async with serving(answers.answer) as url:
        channel = Channel("chat", url=f"{url}/hook", headers={"X-Team": "ai"})
        assert await send(tmp_path, channel, EVENT) == ""
    ((path, body, headers),) = answers.got
    assert path == "/hook"
    assert body["text"].startswith("🔴 critical: errors fired\nerror_rate is 20.0%\nllmops-tui live")
    assert body["severity"] == "critical"
    assert headers["X-Team"] == "ai"


async def test_a_webhook_that_is_busy_is_asked_again(tmp_path: Path) -> None:
    answers = Answers(503, 429, 200)
    async with serving(answers.answer) as url:
        assert await send(tmp_path, Channel("chat", url=url), EVENT, wait_s=0) == ""
    assert len(answers.got) == 3


async def test_a_webhook_that_stays_away_is_a_sentence_without_its_url(tmp_path: Path) -> None:
    answers = Answers(500)
    async with serving(answers.answer) as url:
        said = await send(tmp_path, Channel("chat", url=f"{url}/secret"), EVENT, wait_s=0)
    assert said == "chat: the endpoint answered 500"
    assert len(answers.got) == channels.ATTEMPTS
    # Nobody listens there any more.
    said = await send(tmp_path, Channel("chat", url=f"{url}/secret"), EVENT, wait_s=0)
    assert said.startswith("chat: the endpoint can't be reached")
    assert "secret" not in said


@pytest.mark.parametrize("status", [400, 404, 302])
async def test_what_another_try_would_not_mend_is_tried_once_and_redirects_are_not_followed(
    tmp_path: Path, status: int
) -> None:
    answers = Answers(status, headers={"Location": "/elsewhere"})
    async with serving(answers.answer) as url:
        said = await send(tmp_path, Channel("chat", url=url), EVENT, wait_s=0)
    assert said == f"chat: the endpoint answered {status}"
    assert len(answers.got) == 1


async def test_a_webhook_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "TIME_LIMIT_S", 0.2)

    async def silent(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(silent) as url:
        said = await send(tmp_path, Channel("chat", url=url), EVENT, wait_s=0)
    assert said == "chat: the endpoint did not answer within 0.2 s"


async def test_keys_come_from_the_workspace_and_a_missing_one_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHAT_WEBHOOK", raising=False)
    channel = Channel("chat", url="${CHAT_WEBHOOK}")
    said = await send(tmp_path, channel, EVENT)
    assert "needs the variable CHAT_WEBHOOK" in said
    answers = Answers(200)
    async with serving(answers.answer) as url:
        (tmp_path / ".env").write_text(f"CHAT_WEBHOOK={url}/key\n", encoding="utf-8")
        assert await send(tmp_path, channel, EVENT) == ""
    assert answers.got[0][0] == "/key"


async def test_an_address_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    assert await send(tmp_path, Channel("chat", url="http://[::bad"), EVENT, wait_s=0) != ""


def test_names_from_outside_are_harmless_in_what_is_sent() -> None:
    bad = "a\x1b]0;x\x07\nb\ud800"
    event = msgspec.structs.replace(EVENT, sentence=bad, filter=LiveFilter(feature=bad))
    text = payload(event, "shop")["text"]
    assert "\x1b" not in text
    assert text.count("\n") == 2
    json.dumps(payload(event, "shop"), ensure_ascii=False).encode()
