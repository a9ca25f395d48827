"""The endpoint for programs: as an OpenAI client sees it, and as the worker does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import openai
import pytest

from llmops_tui.domain.call import Call, ChatRequest, Draw, Failure
from llmops_tui.domain.model import Usage
from llmops_tui.providers.base import CallFailed
from llmops_tui.providers.gateway import BODY_LIMIT, Access, Gateway

TOOL = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}
CALLED = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q": "x"}'}}


class Asked:
    """Answers like a model, and remembers."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, ChatRequest]] = []
        self.cancelled = asyncio.Event()
        self.began = asyncio.Event()

    async def __call__(self, key: str, model: str, request: ChatRequest) -> Call:
        self.requests.append((key, model, request))
        said = request.messages[-1]["content"]
        if said in ("auth", "rate_limit", "context_length", "timeout"):
            raise CallFailed(Failure(said, "it said no", "try later"))
        if said == "never":
            self.began.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()
        if said == "defect":
            raise KeyError("ours")
        text = "" if request.tools else "a long answer " * 10
        return Call(
            "k" * 64,
            Draw(),
            model,
            request,
            text,
            (CALLED,) if request.tools else (),
            "tool_calls" if request.tools else "stop",
            refused=said == "refuse",
            usage=Usage(5, 7),
            sent_at=1_800_000_000.0,
        )


@pytest.fixture
async def asked() -> Asked:
    return Asked()


@pytest.fixture
async def gateway(asked: Asked) -> AsyncIterator[Gateway]:
    made = Gateway(asked)
    yield made
    await made.close()


@pytest.fixture
async def access(gateway: Gateway) -> Access:
    return await gateway.open(["local/small", "openai/gpt-x"])


@pytest.fixture
async def client(access: Access) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=access.base_url, api_key=access.api_key) as client:
        yield client


def user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


async def test_a_client_is_answered_and_the_worker_knows_for_whom(
    client: openai.AsyncOpenAI, access: Access, asked: Asked
) -> None:
    made = await client.chat.completions.create(model="local/small", messages=user("hi"), temperature=0.5)
    assert made.choices[0].message.content == "a long answer " * 10
    assert made.choices[0].finish_reason == "stop"
    assert made.usage is not None
    assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (5, 7)
    request = ChatRequest(tuple(user("hi")), {"temperature": 0.5})
    assert asked.requests == [(access.api_key, "local/small", request)]


async def test_an_answer_is_streamed_to_who_wants_that(client: openai.AsyncOpenAI, asked: Asked) -> None:
    stream = await client.chat.completions.create(
        model="local/small", messages=user("hi"), stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "a long answer " * 10
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 7
    assert asked.requests[0][2].params == {}  # streaming is between us and the program


@pytest.mark.parametrize("stream", [False, True])
async def test_tools_and_formats_go_through(client: openai.AsyncOpenAI, asked: Asked, stream: bool) -> None:
    options: Any = {"tools": [TOOL], "tool_choice": "auto", "response_format": {"type": "json_object"}}
    made: Any = await client.chat.completions.create(
        model="local/small", messages=user("hi"), stream=stream, **options
    )
    if stream:
        calls = [c async for c in made if c.choices and c.choices[0].delta.tool_calls]
        call = calls[0].choices[0].delta.tool_calls[0]
    else:
        call = made.choices[0].message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("search", '{"q": "x"}')
    request = asked.requests[0][2]
    assert request.tools == (TOOL,)
    assert request.response_format == {"type": "json_object"}
    assert request.params == {"tool_choice": "auto"}


async def test_a_refusal_is_one(client: openai.AsyncOpenAI) -> None:
    made = await client.chat.completions.create(model="local/small", messages=user("refuse"))
    assert made.choices[0].message.refusal


async def test_models_are_listed_and_known_by_their_bare_names(
    client: openai.AsyncOpenAI, asked: Asked
) -> None:
    assert [m.id async for m in client.models.list()] == ["local/small", "openai/gpt-x"]
    await client.chat.completions.create(model="gpt-x", messages=user("hi"))
    assert asked.requests[0][1] == "openai/gpt-x"


async def test_an_unknown_model_is_told_those_there_are(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        await client.chat.completions.create(model="local/smal", messages=user("hi"))
    assert "did you mean 'local/small'? those there are: local/small, openai/gpt-x" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("auth", openai.AuthenticationError),
        ("rate_limit", openai.RateLimitError),
        ("context_length", openai.BadRequestError),
        ("timeout", openai.InternalServerError),
        ("defect", openai.InternalServerError),
    ],
)
async def test_a_failure_is_told_and_not_asked_again(
    client: openai.AsyncOpenAI, asked: Asked, kind: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        await client.chat.completions.create(model="local/small", messages=user(kind))
    assert ("it said no; try later" in str(caught.value)) == (kind != "defect")
    assert len(asked.requests) == 1


async def test_keys_are_of_one_step_and_end_with_it(
    gateway: Gateway, client: openai.AsyncOpenAI, access: Access, asked: Asked
) -> None:
    other = await gateway.open(["local/other"])
    assert other.api_key != access.api_key
    gateway.shut(access.api_key)
    with pytest.raises(openai.AuthenticationError, match="it ends with its step"):
        await client.chat.completions.create(model="local/small", messages=user("hi"))
    assert asked.requests == []


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"not json", 400, "the body is not JSON"),
        (b"[]", 400, "not a JSON object"),
        (b'{"model": "local/small"}', 400, "'messages' must be a list"),
        (b'{"model": "local/small", "messages": [{}]}', 400, "messages[0] has no 'role'"),
        (b'{"messages": [{"role": "user"}]}', 404, "'model' is missing"),
        (b'{"model": "local/small", "messages": [{"role": "user"}], "n": 2}', 400, "'n' must be 1"),
        (b'{"model": "local/small", "messages": [{"role": "user"}], "tools": 1}', 400, "'tools' must be"),
        (b"x" * (BODY_LIMIT + 1), 413, "larger than 20 MB"),
    ],
)
async def test_a_request_that_is_wrong_is_told_what(
    access: Access, body: bytes, status: int, said: str
) -> None:
    headers = {"Authorization": f"Bearer {access.api_key}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{access.base_url}/chat/completions", data=body, headers=headers) as response,
    ):
        assert response.status == status
        assert said in (await response.json())["error"]["message"]


async def test_without_a_key_nothing_is_told(access: Access) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/chat/completions", "/models", "/responses"):
            async with session.post(f"{access.base_url}{path}", json={}) as response:
                assert response.status == 401 or path == "/models"
        async with session.get(f"{access.base_url}/models") as response:
            assert response.status == 401


async def test_what_is_not_served_says_what_is(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="POST /v1/chat/completions"):
        await client.embeddings.create(model="local/small", input="x")


async def test_a_program_that_is_gone_takes_its_request_with_it(access: Access, asked: Asked) -> None:
    async def ask() -> None:
        async with openai.AsyncOpenAI(base_url=access.base_url, api_key=access.api_key) as client:
            await client.chat.completions.create(model="local/small", messages=user("never"))

    asking = asyncio.create_task(ask())
    await asked.began.wait()
    asking.cancel()
    await asked.cancelled.wait()


async def test_a_plain_function_in_a_thread_is_answered_too(access: Access) -> None:
    def ask() -> str:
        client = openai.OpenAI(base_url=access.base_url, api_key=access.api_key)
        with client:
            made = client.chat.completions.create(model="local/small", messages=user("hi"))
        return str(made.choices[0].message.content) + threading.current_thread().name

    assert (await asyncio.to_thread(ask)).startswith("a long answer")
