"""What goes wrong at a provider: what is asked again, when, and what the person reads in the end."""

from __future__ import annotations

import socket

import pytest
from fake_openai import FakeOpenAI, Reply
from provider_endpoint import Endpoint, NoWait, gateway

from llmops_tui.providers.openai_client import OpenAIProvider

#: Quirk → (kind, what the sentence says, what the remedy says). None of them is asked twice.
FINAL = {
    "401": ("auth", "gateway answered 401: Incorrect API key", "providers.gateway.api_key"),
    "403": ("auth", "gateway answered 403: Forbidden for this project", "providers.gateway.api_key"),
    "404": ("refused_request", "does not exist", "serves a model 'quirk-404'"),
    "404-path": ("refused_request", "gateway answered 404: Not Found", "providers.gateway.base_url"),
    "bad-model-400": ("refused_request", "is not a valid model ID", "serves a model 'quirk-bad-model-400'"),
    "context": ("context_length", "maximum context length is 8192", "shorten the prompt"),
    "list-error": ("refused_request", "gateway answered 400: API key not valid", ""),
    "quota": ("rate_limit", "exceeded your current quota", "has no credit left"),
    "402": ("rate_limit", "Insufficient Balance", "has no credit left"),
    "429-long": ("rate_limit", "asks to wait for 3600 s", "ask again later"),
    "no-retry": ("unavailable", "do not come back", "ask again later"),
    "redirect": ("refused_request", "moved to http://127.0.0.1:9/elsewhere", "base_url"),
    "error-200-key": ("auth", "No auth credentials found", "api_key"),
    "no-temperature": ("refused_request", "rejects the parameter 'temperature'", "take temperature out"),
    "no-seed": ("refused_request", "rejects the parameter 'seed'", "take seed out"),
    "no-max-tokens": ("refused_request", "rejects the parameter 'max_tokens'", "write max_completion_tokens"),
}

#: Quirk → (kind, what the sentence says): asked until the retries are used up.
ASKED_AGAIN = {
    "429-always": ("rate_limit", "gateway answered 429: Rate limit reached for requests (asked 4 times)"),
    "html-502": ("unavailable", "gateway answered 502: 502 Bad Gateway (asked 4 times)"),
    "malformed-always": ("bad_response", "it is not JSON: upstream connect error"),
    "empty-choices": ("bad_response", "the answer from gateway has no choices"),
    "dropped-always": ("dropped", "gateway dropped the connection before its answer was complete"),
    "closed-always": ("dropped", "gateway dropped the connection before its answer was complete"),
}

#: Quirks that happen once; then the answer comes.
PASSING = [
    *("429", "429-retry-after", "429-ms", "429-date", "500", "503-retry-after", "529", "error-200"),
    *("error-midway", "error-event", "malformed", "malformed-chunk", "dropped", "ends-early", "closed"),
]


@pytest.mark.parametrize("quirk", FINAL)
async def test_what_asking_again_can_not_mend_is_said_at_once(
    endpoint: Endpoint, server: FakeOpenAI, quirk: str
) -> None:
    failure = await endpoint.failure(f"quirk-{quirk}", temperature=0, seed=7, max_tokens=9)
    kind, message, remedy = FINAL[quirk]
    assert failure.kind == kind
    assert message in failure.message
    assert remedy in failure.remedy
    assert failure.provider == "gateway"
    assert len(server.requests) == failure.attempts == 1


@pytest.mark.parametrize("quirk", ASKED_AGAIN)
async def test_what_may_pass_is_asked_again_until_the_retries_are_used_up(
    endpoint: Endpoint, server: FakeOpenAI, quirk: str
) -> None:
    failure = await endpoint.failure(f"quirk-{quirk}")
    kind, message = ASKED_AGAIN[quirk]
    assert failure.kind == kind
    assert message in failure.message
    assert failure.attempts == 4
    assert endpoint.listener.attempts == [1, 2, 3, 4]
    assert len(endpoint.listener.waits) >= 3


@pytest.mark.parametrize("quirk", PASSING)
async def test_what_has_passed_leaves_the_answer_whole(
    endpoint: Endpoint, server: FakeOpenAI, quirk: str
) -> None:
    answer = await endpoint.ask(f"quirk-{quirk}", "the whole answer")
    assert answer.text == "the whole answer"
    assert answer.attempts == 2
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("quirk", "wait_s"),
    [("429-retry-after", 2.0), ("429-ms", 1.5), ("429-date", 7.0), ("503-retry-after", 3.0)],
)
async def test_a_wait_is_at_least_what_the_provider_asks_for(
    endpoint: Endpoint, quirk: str, wait_s: float
) -> None:
    before = endpoint.clock.unix()
    await endpoint.ask(f"quirk-{quirk}")
    ((said, retry_at),) = endpoint.listener.waits
    # Plus a whole jitter.
    assert retry_at - before == pytest.approx(wait_s + 0.5)
    assert said.startswith("gateway answered")


async def test_the_key_is_never_in_a_sentence(endpoint: Endpoint) -> None:
    failure = await endpoint.failure("quirk-401")
    assert "sk-secret" not in str(failure)
    assert "[key]" in failure.message


@pytest.mark.parametrize("quirk", ["hang", "hang-midway"])
async def test_a_provider_that_hangs_runs_into_the_time_limit(
    server: FakeOpenAI, clock: NoWait, quirk: str
) -> None:
    provider = OpenAIProvider(gateway(server.url, timeout_s=0.05, retries=1), print, clock=clock)
    failure = await Endpoint(provider, clock).failure(f"quirk-{quirk}")
    await provider.close()
    assert failure.kind == "timeout"
    assert failure.message == "gateway did not finish its answer within 0.05 s (asked 2 times)"
    assert "providers.gateway.timeout_s" in failure.remedy


async def test_nobody_listens(clock: NoWait) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        provider = OpenAIProvider(gateway(f"http://127.0.0.1:{port}/v1"), print, clock=clock)
        failure = await Endpoint(provider, clock).failure("m")
        await provider.close()
    assert failure.kind == "unavailable"
    assert f"gateway can't be reached at 127.0.0.1:{port}" in failure.message
    assert "base_url" in failure.remedy
    assert failure.attempts == 4


async def test_a_base_url_that_is_none_is_said(clock: NoWait) -> None:
    provider = OpenAIProvider(gateway("nonsense"), print, clock=clock)
    failure = await Endpoint(provider, clock).failure("m")
    await provider.close()
    assert "base_url" in failure.remedy


async def test_a_long_or_ugly_answer_is_quoted_short_and_clean(server: FakeOpenAI, clock: NoWait) -> None:
    body = b"\x1b[31m" + b"very bad " * 5_000
    async with FakeOpenAI(lambda _: Reply(418, {}, [body])) as teapot:
        provider = OpenAIProvider(gateway(teapot.url), print, clock=clock)
        failure = await Endpoint(provider, clock).failure("m")
        await provider.close()
    assert len(failure.message) < 350
    assert failure.message.isprintable()
    assert failure.message.endswith("…")
