"""The worker process: jobs in, results out, and what happens when it dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Call, Draw
from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.model import Model
from llmops_tui.domain.program import Program, PromptStep, Step
from llmops_tui.engine.worker_client import Ticket, WorkerClient

ECHO = Model("echo/echo", "echo", "echo", "echo")
PROMPT = json.dumps({"messages": [["user", "{{ q }}"]], "includes": {}, "defaults": {}})
TARGET = Program((Step("", PromptStep(text_digest(PROMPT))),))
BLOBS = {TARGET.prompts[0].prompt: PROMPT}


class Listener:
    """Keeps calls like the engine does."""

    def __init__(self) -> None:
        self.calls: dict[tuple[str, Draw], Call] = {}
        self.requests: list[m.Sent] = []
        self.notes: list[m.Note] = []
        self.tokens: list[m.Token] = []

    def find_call(self, key: str, draw: Draw, fresh: bool) -> Call | None:
        return self.calls.get((key, draw))

    def called(self, message: m.Called) -> None:
        self.calls[message.call.key, message.call.draw] = message.call

    def spent(self, message: m.Spent) -> None: ...

    def token(self, message: m.Token) -> None:
        self.tokens.append(message)

    def sent(self, message: m.Sent) -> None:
        self.requests.append(message)

    def waiting(self, message: m.Waiting) -> None:
        pass

    def note(self, message: m.Note) -> None:
        self.notes.append(message)


Make = Callable[..., WorkerClient]


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[WorkerClient] = []

    def make(listener: Listener, code: str = "", window: int = 8, timeout_s: float = 5.0) -> WorkerClient:
        setup = m.Setup(
            m.PROTOCOL,
            (m.ProviderSetup("echo", "echo"),),
            ("s3cr3t-value",),
            {},
            {"scorers": code} if code else {},
            str(tmp_path),
            timeout_s,
        )
        made.append(WorkerClient(listener, setup, window))
        return made[-1]

    yield make
    for client in made:
        client.close()


def ask(client: WorkerClient, q: str, *scorers: ScorerUse, trial: int = 0) -> Ticket:
    case = Case(q, {"q": q}, scorers=scorers)
    job = m.Evaluate(client.next_number(), TARGET, ECHO, case, 0, trial)
    return client.submit(job, BLOBS, "blobs")


def function(name: str, **options: Any) -> ScorerUse:
    return ScorerUse(name, options, label=name, revision="f" * 64)


async def test_a_job_gives_an_output_and_its_scores(worker: Make) -> None:
    client = worker(Listener())
    contains = ScorerUse("contains", {"value": "hello", "case_sensitive": True}, label="contains")
    done = await ask(client, "hello there", contains).future
    assert done.failure is None
    assert done.output is not None
    assert "hello there" in done.output.text
    assert [s.value for s in done.scores] == [1.0]


async def test_a_call_that_was_made_is_not_made_again(worker: Make) -> None:
    listener = Listener()
    client = worker(listener)
    await ask(client, "same").future
    await ask(client, "same").future
    assert len(listener.requests) == 1
    await ask(client, "same", trial=1).future
    assert len(listener.requests) == 2


async def test_equal_requests_in_flight_are_one(worker: Make) -> None:
    listener = Listener()
    client = worker(listener)
    await asyncio.gather(*(ask(client, "same").future for _ in range(5)))
    assert len(listener.requests) == 1


async def test_an_undefined_variable_fails_that_job_alone(worker: Make) -> None:
    client = worker(Listener())
    case = Case("bad", {"other": 1})
    bad = client.submit(m.Evaluate(client.next_number(), TARGET, ECHO, case), BLOBS, "blobs")
    good = ask(client, "fine")
    failed = await bad.future
    assert failed.failure is not None
    assert failed.failure.kind == "template"
    assert "'q' is undefined" in failed.failure.message
    assert (await good.future).output is not None


async def test_secrets_do_not_leave_the_worker(worker: Make) -> None:
    listener = Listener()
    done = await ask(worker(listener), "my key is s3cr3t-value").future
    assert done.output is not None
    assert "s3cr3t" not in done.output.text
    assert all("s3cr3t" not in str(call) for call in listener.calls.values())


async def test_what_the_workspace_prints_does_not_disturb(worker: Make) -> None:
    client = worker(Listener(), 'def mine(output):\n    print(\'{"type": "ready"}\' * 1000)\n    return 1.0')
    done = await ask(client, "x", function("mine")).future
    assert done.scores[0].value == 1.0


@pytest.mark.parametrize("deed", ["os._exit(3)", "ctypes.string_at(0)", "os.kill(os.getpid(), 9)"])
async def test_a_job_that_kills_the_worker_fails_and_costs_nobody_else(worker: Make, deed: str) -> None:
    code = f"import ctypes, os\ndef mine(output):\n    {deed} if 'poison' in output else None\n    return 1.0"
    listener = Listener()
    client = worker(listener, code)
    names = ["a", "b", "poison", "c", "d", "e"]
    done = dict(
        zip(
            names,
            await asyncio.gather(*(ask(client, n, function("mine")).future for n in names)),
            strict=True,
        )
    )
    assert done.pop("poison").failure is not None
    assert all(d.failure is None and d.scores[0].value == 1.0 for d in done.values())
    assert any("started anew" in n.text for n in listener.notes)


async def test_a_worker_that_is_killed_is_started_anew_and_nothing_is_lost(worker: Make) -> None:
    client = worker(Listener())
    await ask(client, "first").future
    assert client.pid is not None
    os.kill(client.pid, signal.SIGKILL)
    done = await asyncio.gather(*(ask(client, f"q{i}").future for i in range(20)))
    assert all(d.failure is None for d in done)


async def test_a_function_that_hangs_costs_its_score_and_the_next_worker_is_clean(worker: Make) -> None:
    code = (
        "import threading\ndef mine(output):\n"
        "    threading.Event().wait() if 'hang' in output else None\n    return 1.0"
    )
    client = worker(Listener(), code, timeout_s=0.2)
    hung, fine = await asyncio.gather(
        ask(client, "hang", function("mine")).future, ask(client, "fine", function("mine")).future
    )
    assert "took longer than 0.2 s" in (hung.scores[0].error or "")
    assert fine.scores[0].value == 1.0
    assert (await ask(client, "again", function("mine")).future).scores[0].value == 1.0


async def test_cancelled_jobs_end_whether_they_wait_or_run(worker: Make) -> None:
    code = "import threading\ndef mine(output):\n    threading.Event().wait(5)\n    return 1.0"
    client = worker(Listener(), code, window=2)
    tickets = [ask(client, f"q{i}", function("mine")) for i in range(10)]
    client.cancel(tickets)
    done = await asyncio.gather(*(t.future for t in tickets))
    assert {d.failure.kind for d in done if d.failure} == {"cancelled"}


OWNER = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from test_worker_client import *

async def main():
    listener = Listener()
    client = WorkerClient(listener, m.Setup(m.PROTOCOL, (m.ProviderSetup("echo", "echo"),)), 4)
    await ask(client, "x").future
    print(client.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_the_worker_ends_with_its_owner_even_when_that_is_killed() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(Path(__file__).parent)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    watched = os.pidfd_open(pid)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    # A pidfd becomes readable when its process is gone.
    import select

    ready, _, _ = select.select([watched], [], [], 20)
    os.close(watched)
    assert ready


async def test_a_worker_can_be_made_ready_before_there_is_a_job(worker: Make) -> None:
    client = worker(Listener())
    client.start((ECHO,))
    assert (await ask(client, "x").future).output is not None
