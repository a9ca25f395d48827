"""The same quirks through litellm: the same kinds of failure, the same remedies, the same answers.

In one file, because importing litellm takes seconds.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from fake_openai import FakeOpenAI
from provider_endpoint import Endpoint, NoWait, gateway

from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Usage
from llmops_tui.providers import make_provider
from llmops_tui.providers.litellm_client import LitellmProvider


@pytest.fixture
async def endpoint(server: FakeOpenAI, clock: NoWait) -> AsyncIterator[Endpoint]:
    provider = LitellmProvider(gateway(server.url, client="litellm"), print, clock=clock, jitter=lambda: 1.0)
    yield Endpoint(provider, clock, "openai/")
    await provider.close()


async def test_an_answer_streams_and_says_all_about_itself(endpoint: Endpoint, server: FakeOpenAI) -> None:
    answer = await endpoint.ask("m", "one two three", temperature=0, extra_body={"top_k": 3})
    assert (answer.text, answer.finish_reason, answer.refused) == ("one two three", "stop", False)
    assert (answer.served_model, answer.fingerprint) == ("m", "fp_fake")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3, 3)
    assert answer.ttft_s is not None
    assert 0 < answer.ttft_s <= answer.latency_s
    assert len(endpoint.listener.tokens) > 1
    (asked,) = server.requests
    assert (asked.body["temperature"], asked.body["top_k"]) == (0, 3)
    assert asked.headers["authorization"] == "Bearer sk-secret-of-mine"


async def test_no_price_list_is_fetched_and_nothing_is_printed(
    endpoint: Endpoint, capfd: pytest.CaptureFixture[str]
) -> None:
    await endpoint.failure("quirk-401")
    assert os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("quirk", ["plain-json", "no-usage", "no-done", "crlf-drip", "no-stream"])
async def test_the_text_is_whole_however_it_comes(endpoint: Endpoint, quirk: str) -> None:
    assert (await endpoint.ask(f"quirk-{quirk}", "first “answer”")).text == "first “answer”"
    assert endpoint.clock.slept == []


async def test_tokens_that_litellm_only_guesses_are_not_known(endpoint: Endpoint) -> None:
    assert (await endpoint.ask("quirk-no-usage")).usage == Usage()


async def test_reasoning_is_counted_and_kept_out_of_the_text(endpoint: Endpoint) -> None:
    answer = await endpoint.ask("quirk-reasoning", "the answer")
    assert answer.text == "the answer"
    assert answer.usage == Usage(2, 2, cached_tokens=2, reasoning_tokens=5)


async def test_a_truncated_answer_says_so(endpoint: Endpoint) -> None:
    assert (await endpoint.ask("quirk-length")).finish_reason == "length"


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


#: Quirk → (kind, what the sentence says, what the remedy says).
FINAL = {
    "401": ("auth", "gateway answered 401: Incorrect API key", "providers.gateway.api_key"),
    "403": ("auth", "gateway answered 403", "providers.gateway.api_key"),
    "404": ("refused_request", "does not exist", "serves a model 'quirk-404'"),
    "bad-model-400": ("refused_request", "is not a valid model ID", "serves a model"),
    "context": ("context_length", "maximum context length is 8192", "shorten the prompt"),
    "quota": ("rate_limit", "exceeded your current quota", "has no credit left"),
    "402": ("rate_limit", "Insufficient Balance", "has no credit left"),
    "429-long": ("rate_limit", "asks to wait for 3600 s", "ask again later"),
    "no-temperature": ("refused_request", "rejects the parameter 'temperature'", "take temperature out"),
    "no-seed": ("refused_request", "rejects the parameter 'seed'", "take seed out"),
    "no-max-tokens": ("refused_request", "rejects the parameter 'max_tokens'", "write max_completion_tokens"),
}


@pytest.mark.parametrize("quirk", FINAL)
async def test_what_asking_again_can_not_mend_is_said_at_once(
    endpoint: Endpoint, server: FakeOpenAI, quirk: str
) -> None:
    failure = await endpoint.failure(f"quirk-{quirk}", temperature=0, seed=7, max_tokens=9)
    kind, message, remedy = FINAL[quirk]
    assert failure.kind == kind
    assert message in failure.message
    assert remedy in failure.remedy
    assert "litellm" not in str(failure)
    assert "sk-secret" not in str(failure)
    assert len(server.requests) == failure.attempts == 1


@pytest.mark.parametrize(
    ("quirk", "kind", "message"),
    [
        ("429-always", "rate_limit", "gateway answered 429: Rate limit reached for requests (asked 4 times)"),
        ("html-502", "unavailable", "gateway answered 502: 502 Bad Gateway (asked 4 times)"),
        ("dropped-always", "dropped", "gateway dropped the connection before its answer was complete"),
        ("parts", "bad_response", "gateway sent an answer that litellm can't read (asked 5 times)"),
        ("closed-always", "unavailable", "gateway can't be reached"),
    ],
)
async def test_what_may_pass_is_asked_again_until_the_retries_are_used_up(
    endpoint: Endpoint, server: FakeOpenAI, quirk: str, kind: str, message: str
) -> None:
    failure = await endpoint.failure(f"quirk-{quirk}")
    assert failure.kind == kind
    assert message in failure.message
    assert "Traceback" not in failure.message
    assert failure.attempts == len(server.requests)
    assert len(endpoint.listener.waits) == 3


@pytest.mark.parametrize(
    "quirk",
    [
        *("429", "429-retry-after", "429-ms", "429-date", "500", "503-retry-after", "529", "error-200"),
        *("error-midway", "malformed", "malformed-chunk", "dropped", "ends-early", "closed"),
    ],
)
async def test_what_has_passed_leaves_the_answer_whole(endpoint: Endpoint, quirk: str) -> None:
    answer = await endpoint.ask(f"quirk-{quirk}", "the whole answer")
    assert answer.text == "the whole answer"
    assert answer.attempts == 2


@pytest.mark.parametrize(
    ("quirk", "wait_s"),
    [("429-retry-after", 2.0), ("429-ms", 1.5), ("429-date", 7.0), ("503-retry-after", 3.0)],
)
async def test_a_wait_is_at_least_what_the_provider_asks_for(
    endpoint: Endpoint, quirk: str, wait_s: float
) -> None:
    before = endpoint.clock.unix()
    await endpoint.ask(f"quirk-{quirk}")
    ((_, retry_at),) = endpoint.listener.waits
    assert retry_at - before == pytest.approx(wait_s + 0.5)


@pytest.mark.parametrize("quirk", ["hang", "hang-midway"])
async def test_a_provider_that_hangs_runs_into_the_time_limit(
    server: FakeOpenAI, clock: NoWait, quirk: str
) -> None:
    setup = gateway(server.url, client="litellm", timeout_s=0.5, retries=0)
    provider = LitellmProvider(setup, print, clock=clock)
    failure = await Endpoint(provider, clock, "openai/").failure(f"quirk-{quirk}")
    await provider.close()
    assert failure.kind == "timeout"
    assert failure.message == "gateway did not finish its answer within 0.5 s"


@pytest.mark.parametrize(
    ("prefix", "variable"),
    [("openai/", "OPENAI_API_KEY"), ("anthropic/", "ANTHROPIC_API_KEY"), ("gemini/", "GEMINI_API_KEY")],
)
async def test_a_missing_key_names_its_variable(
    clock: NoWait, monkeypatch: pytest.MonkeyPatch, prefix: str, variable: str
) -> None:
    monkeypatch.delenv(variable, raising=False)
    provider = make_provider(ProviderSetup(prefix.rstrip("/"), "litellm"), print)
    failure = await Endpoint(provider, clock, prefix).failure("any-model")
    await provider.close()
    assert failure.kind == "auth"
    assert variable in failure.remedy
    assert failure.attempts == 1
