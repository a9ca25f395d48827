"""What the direct client makes of answers, however a provider dresses them."""

from __future__ import annotations

import asyncio

import pytest
from fake_openai import FakeOpenAI
from provider_endpoint import Endpoint, NoWait, Remembers, gateway

from llmops_tui.domain.call import ChatRequest
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Model, Usage
from llmops_tui.providers import make_provider
from llmops_tui.providers.openai_client import OpenAIProvider, request_body


async def test_an_answer_streams_and_says_all_about_itself(endpoint: Endpoint, server: FakeOpenAI) -> None:
    answer = await endpoint.ask("m", "one two three", temperature=0)
    assert (answer.text, answer.finish_reason, answer.refused) == ("one two three", "stop", False)
    assert (answer.served_model, answer.fingerprint) == ("m", "fp_fake")
    assert answer.usage == Usage(3, 3)
    assert answer.attempts == 1
    assert answer.ttft_s is not None
    assert 0 < answer.ttft_s <= answer.latency_s
    assert "".join(endpoint.listener.tokens) == "one two three"
    assert len(endpoint.listener.tokens) > 1
    (asked,) = server.requests
    assert asked.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "one two three"}],
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert asked.headers["authorization"] == "Bearer sk-secret-of-mine"


@pytest.mark.parametrize(
    "quirk", ["plain-json", "null-usage", "no-usage", "no-done", "no-finish", "parts", "crlf-drip", "stale"]
)
async def test_the_text_is_whole_however_it_comes(endpoint: Endpoint, quirk: str) -> None:
    for text in ("first “answer”", "second\nanswer"):
        assert (await endpoint.ask(f"quirk-{quirk}", text)).text == text


async def test_usage_that_was_not_given_is_not_known(endpoint: Endpoint) -> None:
    assert (await endpoint.ask("quirk-no-usage")).usage == Usage()


async def test_an_answer_that_did_not_stream_has_no_time_to_first_token(endpoint: Endpoint) -> None:
    assert (await endpoint.ask("quirk-plain-json")).ttft_s is None


async def test_a_truncated_answer_says_so(endpoint: Endpoint) -> None:
    assert (await endpoint.ask("quirk-length")).finish_reason == "length"


async def test_no_content_is_an_empty_text(endpoint: Endpoint) -> None:
    assert (await endpoint.ask("quirk-null-content")).text == ""


async def test_reasoning_is_counted_and_kept_out_of_the_text(endpoint: Endpoint) -> None:
    answer = await endpoint.ask("quirk-reasoning", "the answer")
    assert answer.text == "the answer"
    assert answer.usage == Usage(2, 2, cached_tokens=2, reasoning_tokens=5)


@pytest.mark.parametrize(
    ("quirk", "text", "finish_reason"),
    [
        ("refusal", "I can't help with that.", "stop"),
        ("content-filter", "It begins", "content_filter"),
        ("prompt-filter", "", "content_filter"),
    ],
)
async def test_a_refusal_is_an_answer(endpoint: Endpoint, quirk: str, text: str, finish_reason: str) -> None:
    answer = await endpoint.ask(f"quirk-{quirk}")
    assert (answer.refused, answer.text, answer.finish_reason) == (True, text, finish_reason)


async def test_pieces_of_tool_calls_become_whole_calls(endpoint: Endpoint) -> None:
    answer = await endpoint.ask("quirk-tools")
    assert answer.finish_reason == "tool_calls"
    assert answer.tool_calls == (
        {"id": "a", "type": "function", "function": {"name": "find", "arguments": '{"id": 1}'}},
        {"id": "b", "type": "function", "function": {"name": "add", "arguments": "{}"}},
    )


async def test_tool_calls_without_numbers_stay_apart(endpoint: Endpoint) -> None:
    answer = await endpoint.ask("quirk-tools-unnumbered")
    assert [c["id"] for c in answer.tool_calls] == ["a", "b"]
    assert [c["function"]["arguments"] for c in answer.tool_calls] == ["{}", "{}"]


@pytest.mark.parametrize("quirk", ["no-stream", "no-stream-options"])
async def test_an_endpoint_that_does_not_stream_is_asked_plainly_from_then_on(
    endpoint: Endpoint, server: FakeOpenAI, quirk: str
) -> None:
    assert (await endpoint.ask(f"quirk-{quirk}", "one")).text == "one"
    assert (await endpoint.ask(f"quirk-{quirk}", "two")).text == "two"
    assert len(server.requests) == 3
    assert ("stream" in server.requests[-1].body) == (quirk == "no-stream-options")
    assert "stream_options" not in server.requests[-1].body
    assert endpoint.clock.slept == []


async def test_a_stale_connection_is_replaced_at_once(endpoint: Endpoint, server: FakeOpenAI) -> None:
    for text in ("one", "two", "three"):
        assert (await endpoint.ask("quirk-stale", text)).text == text
    assert endpoint.clock.slept == []


def test_params_go_as_they_are_and_extra_body_on_top() -> None:
    params = {"temperature": 0.5, "logprobs": True, "extra_body": {"top_k": 3, "temperature": 1}}
    tools = ({"type": "function", "function": {"name": "find"}},)
    request = ChatRequest(({"role": "user", "content": "x"},), params, tools, {"type": "json_object"})
    body = request_body("m", request)
    assert "extra_body" not in body
    assert (body["temperature"], body["top_k"], body["logprobs"]) == (1, 3, True)
    assert (body["tools"], body["response_format"]) == (tools, {"type": "json_object"})
    assert request.params is params
    assert "extra_body" in params


def test_stream_false_is_respected() -> None:
    body = request_body("m", ChatRequest((), {"stream": False}))
    assert body["stream"] is False
    assert "stream_options" not in body


async def test_requests_in_flight_stay_within_the_limit(server: FakeOpenAI) -> None:
    server.latency_s = 0.005
    provider = OpenAIProvider(gateway(server.url, concurrency=3), print)
    endpoint = Endpoint(provider, NoWait())
    answers = await asyncio.gather(*(endpoint.ask("m", str(n)) for n in range(20)))
    await provider.close()
    assert [a.text for a in answers] == [str(n) for n in range(20)]
    assert server.most_in_flight == 3


async def test_a_query_in_the_base_url_is_kept(server: FakeOpenAI) -> None:
    setup = gateway(f"{server.url}?api-version=7", headers={"api-key": "k"})
    provider = OpenAIProvider(setup, print)
    await Endpoint(provider, NoWait()).ask("m")
    await provider.close()
    (asked,) = server.requests
    assert asked.path == "/v1/chat/completions?api-version=7"
    assert asked.headers["api-key"] == "k"


async def test_echo_says_what_it_was_told() -> None:
    provider = make_provider(ProviderSetup("echo", "echo"), print)
    messages = ({"role": "system", "content": "be kind"}, {"role": "user", "content": "one two three"})
    model = Model("echo/e", "echo", "e", "echo")
    answer = await provider.ask(model, ChatRequest(messages, {"max_tokens": 2}), Remembers())
    assert (answer.text, answer.finish_reason, answer.usage) == ("one two", "length", Usage(5, 2))
    assert answer.served_model == "e"


async def test_preloading_asks_nothing(endpoint: Endpoint, server: FakeOpenAI) -> None:
    model = Model("gateway/m", "gateway", "m", "openai")
    await endpoint.provider.preload(model)
    await OpenAIProvider(gateway("nonsense"), print).preload(model)
    assert server.count == 0
    assert (await endpoint.ask("m", "hi")).text == "hi"
