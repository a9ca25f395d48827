"""The text of an answer while it comes: whole in the end, and never with a secret in it."""

from __future__ import annotations

import asyncio
import json

from fake_openai import Asked, FakeOpenAI, Reply, stream
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Call, Draw
from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.case import Case
from llmops_tui.domain.model import Model
from llmops_tui.domain.program import Program, PromptStep, Step
from llmops_tui.domain.redact import MARK, Redactor
from llmops_tui.engine.worker_client import WorkerClient
from llmops_tui.worker.streaming import TokenStream

SECRETS = ("abcd", "abcdef", "cdcdx", 'q"uo\\te', "a b c d")
PROMPT = json.dumps({"messages": [["user", "{{ q }}"]], "includes": {}, "defaults": {}})
TARGET = Program((Step("", PromptStep(text_digest(PROMPT))),))


class Told:
    """What one job was told, put together as a screen does."""

    def __init__(self) -> None:
        self.of: dict[int, str] = {}
        self.messages: list[m.Token] = []

    def __call__(self, message: m.FromWorker) -> None:
        assert isinstance(message, m.Token)
        m.encode(message)  # it can be said
        self.messages.append(message)
        before = "" if message.anew else self.of.get(message.job, "")
        self.of[message.job] = before + message.text


pieces = st.lists(st.text(alphabet='abcdefx "q\\uote', max_size=6), max_size=12)


@given(pieces)
def test_settled_portions_redacted_one_by_one_are_the_whole_redacted(parts: list[str]) -> None:
    redactor = Redactor(SECRETS)
    held, told = "", ""
    for part in parts:
        held += part
        end = redactor.settled(held)
        told += redactor.redact(held[:end])
        held = held[end:]
    assert told + redactor.redact(held) == redactor.redact("".join(parts))


@given(pieces)
async def test_a_stream_in_any_pieces_comes_to_the_redacted_text(parts: list[str]) -> None:
    told = Told()
    tokens = TokenStream(told, Redactor(SECRETS))
    tokens.join(1)
    for part in parts:
        tokens.add(part)
        tokens._tell_again()
    tokens.end(complete=True)
    assert told.of.get(1, "") == Redactor(SECRETS).redact("".join(parts))


async def test_a_secret_cut_over_two_pieces_does_not_slip_through() -> None:
    told = Told()
    tokens = TokenStream(told, Redactor(("s3cr3t-value",)))
    tokens.join(1)
    for piece in ("The key is s3cr", "3t-val", "ue."):
        tokens.add(piece)
        tokens._tell_again()
    assert told.of[1] == f"The key is {MARK}."
    assert not any("s3c" in message.text for message in told.messages)


async def test_half_a_secret_at_the_end_of_a_broken_stream_is_not_told() -> None:
    told = Told()
    tokens = TokenStream(told, Redactor(("s3cr3t-value",)))
    tokens.join(1)
    tokens.add("key s3cr3t-val")
    tokens.end(complete=False)
    assert told.of[1] == "key "


async def test_pieces_that_come_together_are_told_together() -> None:
    told = Told()
    tokens = TokenStream(told, Redactor(()))
    tokens.join(1)
    for _ in range(100):
        tokens.add("x")
    assert [message.text for message in told.messages] == ["x"]  # the first at once
    tokens.end(complete=True)
    assert [len(message.text) for message in told.messages] == [1, 99]


async def test_a_request_that_is_sent_again_begins_its_text_anew() -> None:
    told = Told()
    tokens = TokenStream(told, Redactor(()))
    tokens.restart()
    tokens.join(1)
    tokens.add("half an ans")
    tokens.restart()
    tokens.add("a whole answer")
    tokens.end(complete=True)
    assert told.of[1] == "a whole answer"


async def test_who_joins_late_sees_it_from_the_start() -> None:
    told = Told()
    tokens = TokenStream(told, Redactor(()))
    tokens.join(1)
    tokens.add("one ")
    tokens.join(2)
    tokens.add("two")
    tokens.end(complete=True)
    assert told.of == {1: "one two", 2: "one two"}


async def test_a_character_cut_in_halves_is_told_whole() -> None:
    told = Told()
    tokens = TokenStream(told, Redactor(()))
    tokens.join(1)
    tokens.add("a\ud83d")
    tokens._tell_again()
    assert told.of[1] == "a"
    tokens.add("\ude00b")
    tokens.end(complete=True)
    assert told.of[1] == "a\U0001f600b"


class Listener:
    def __init__(self) -> None:
        self.tokens: list[m.Token] = []
        self.first = asyncio.Event()

    def find_call(self, key: str, draw: Draw, fresh: bool) -> Call | None:
        return None

    def called(self, message: m.Called) -> None: ...

    def spent(self, message: m.Spent) -> None: ...

    def sent(self, message: m.Sent) -> None: ...

    def token(self, message: m.Token) -> None:
        self.tokens.append(message)
        self.first.set()

    def waiting(self, message: m.Waiting) -> None: ...

    def note(self, message: m.Note) -> None: ...


async def test_a_worker_streams_to_the_jobs_that_ask_for_it(tmp_path: object) -> None:
    def script(asked: Asked) -> Reply:
        parts = ["The key is s3c", "r3t-val", "ue, and more."]
        reply = stream(asked, [{"content": p} for p in parts])
        if asked.said == "slow":
            reply.then, reply.pieces = "hang", reply.pieces[:1]
        return reply

    listener = Listener()
    async with FakeOpenAI(script) as server:
        provider = m.ProviderSetup("fake", "openai", server.url)
        setup = m.Setup(m.PROTOCOL, (provider,), ("s3cr3t-value",), {}, {}, str(tmp_path), 5.0)
        client = WorkerClient(listener, setup, 8)
        model = Model("fake/m", "fake", "m", "openai", server.url)

        def job(q: str, stream: bool) -> m.Evaluate:
            return m.Evaluate(client.next_number(), TARGET, model, Case(q, {"q": q}), stream=stream)

        silent = client.submit(job("silent", False), {TARGET.prompts[0].prompt: PROMPT}, "blobs")
        await silent.future
        assert listener.tokens == []
        seen = client.submit(job("seen", True), {TARGET.prompts[0].prompt: PROMPT}, "blobs")
        done = await seen.future
        assert done.output is not None
        assert "".join(t.text for t in listener.tokens) == done.output.text
        assert done.output.text == f"The key is {MARK}, and more."
        listener.first.clear()
        slow = client.submit(job("slow", True), {TARGET.prompts[0].prompt: PROMPT}, "blobs")
        # Text is told while the answer is still to come.
        await asyncio.wait_for(listener.first.wait(), 20)
        assert not slow.future.done()
        client.close()
