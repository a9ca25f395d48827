"""Vectors from every client: in order, in batches, and failures as sentences."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from fake_embeddings import vector_of
from fake_openai import FakeOpenAI
from hypothesis import given
from hypothesis import strategies as st
from provider_endpoint import Endpoint, NoWait, Remembers, gateway

from llmops_tui.domain.call import Failure
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Model
from llmops_tui.providers.base import CallFailed, Embedded
from llmops_tui.providers.echo import EchoProvider
from llmops_tui.providers.embedding import BATCH, read_embeddings
from llmops_tui.providers.litellm_client import LitellmProvider


def named(name: str, client: str = "openai") -> Model:
    return Model(f"openai/{name}", "gateway", name, client)  # type: ignore[arg-type]


async def failure(endpoint: Endpoint, name: str, client: str = "openai") -> Failure:
    with pytest.raises(CallFailed) as caught:
        await endpoint.provider.embed(named(name, client), ["one", "two"], endpoint.listener)
    return caught.value.failure


async def test_vectors_come_in_the_order_of_the_texts(endpoint: Endpoint, server: FakeOpenAI) -> None:
    found = await endpoint.provider.embed(named("embed-1"), ["aab", "b", "aab"])
    assert found.vectors == [vector_of("aab"), vector_of("b"), vector_of("aab")]
    assert (found.usage.input_tokens, found.attempts) == (3, 1)
    (request,) = server.embedded
    assert request.body == {"model": "embed-1", "input": ["aab", "b", "aab"]}
    assert request.headers["authorization"] == "Bearer sk-secret-of-mine"


async def test_many_texts_are_asked_for_in_batches(endpoint: Endpoint, server: FakeOpenAI) -> None:
    texts = [f"text {'a' * (k % 7)}" for k in range(2 * BATCH + 1)]
    found = await endpoint.provider.embed(named("embed-1"), texts)
    assert [len(request.body["input"]) for request in server.embedded] == [BATCH, BATCH, 1]
    assert found.vectors == [vector_of(text) for text in texts]
    assert found.attempts == 3
    assert found.usage.input_tokens == sum(len(text.split()) for text in texts)


async def test_no_text_asks_nobody(endpoint: Endpoint, server: FakeOpenAI) -> None:
    assert (await endpoint.provider.embed(named("embed-1"), [])).vectors == []
    assert server.embedded == []


async def test_what_is_busy_is_asked_again_and_says_so(endpoint: Endpoint, clock: NoWait) -> None:
    found = await endpoint.provider.embed(named("limited-once"), ["a"], endpoint.listener)
    assert (found.vectors, found.attempts) == ([vector_of("a")], 2)
    assert endpoint.listener.attempts == [1, 2]
    assert "429: slow down" in endpoint.listener.waits[0][0]
    assert clock.slept[0] >= 7


async def test_a_provider_that_counts_nothing_is_taken_at_its_word(endpoint: Endpoint) -> None:
    assert (await endpoint.provider.embed(named("no-usage"), ["a"])).usage.input_tokens is None


@pytest.mark.parametrize(
    ("name", "kind", "says", "remedy"),
    [
        ("one-short", "bad_response", "it has 1 vectors for 2 texts", "OpenAI-compatible"),
        ("ragged", "bad_response", "its vectors have 1 and 2 numbers", "OpenAI-compatible"),
        ("page", "bad_response", "no list of vectors", "OpenAI-compatible"),
        ("empty", "bad_response", "it has no 'data'", "OpenAI-compatible"),
        ("error-in-200", "rate_limit", "no capacity", "concurrency"),
        ("too-long", "context_length", "maximum context length", "lower retrieval.chunk_words"),
        ("chat-only", "refused_request", "does not support", "'chat-only' is a model for embeddings"),
        ("wrong-key", "auth", "[key]", "look at the key of gateway"),
    ],
)
async def test_failures_are_sentences_with_a_remedy(
    endpoint: Endpoint, name: str, kind: str, says: str, remedy: str
) -> None:
    failed = await failure(endpoint, name)
    assert failed.kind == kind
    assert says in failed.message
    assert remedy in failed.remedy
    assert "sk-secret" not in str(failed)


async def test_a_server_that_is_not_there_is_named(clock: NoWait) -> None:
    from llmops_tui.providers.openai_client import OpenAIProvider

    provider = OpenAIProvider(gateway("http://127.0.0.1:9/v1", retries=0), print, clock=clock)
    failed = await failure(Endpoint(provider, clock), "embed-1")
    await provider.close()
    assert "can't be reached at 127.0.0.1:9" in failed.message


@pytest.fixture
async def litellm(server: FakeOpenAI, clock: NoWait) -> AsyncIterator[Endpoint]:
    provider = LitellmProvider(gateway(server.url), print, clock=clock, jitter=lambda: 1.0)
    yield Endpoint(provider, clock, "openai/")
    await provider.close()


async def test_litellm_embeds_with_our_retries(litellm: Endpoint, server: FakeOpenAI) -> None:
    found = await litellm.provider.embed(named("busy-once", "litellm"), ["ab", "b"], litellm.listener)
    assert found.vectors == [pytest.approx(vector_of("ab")), pytest.approx(vector_of("b"))]
    assert (found.usage.input_tokens, found.attempts) == (2, 2)
    assert server.embedded[0].headers["authorization"] == "Bearer sk-secret-of-mine"


@pytest.mark.parametrize(
    ("name", "kind", "remedy"),
    [
        ("too-long", "context_length", "lower retrieval.chunk_words"),
        ("chat-only", "refused_request", "is a model for embeddings"),
        ("one-short", "bad_response", "is a model for embeddings"),
    ],
)
async def test_failures_through_litellm_read_the_same(
    litellm: Endpoint, name: str, kind: str, remedy: str
) -> None:
    failed = await failure(litellm, name, "litellm")
    assert failed.kind == kind
    assert remedy in failed.remedy


def test_echo_embeds_the_same_everywhere_and_texts_of_the_same_words_alike() -> None:
    async def of(*texts: str) -> Embedded:
        listener = Remembers()
        return await EchoProvider(ProviderSetup("echo", "echo"), print).embed(named("echo"), texts, listener)

    one, two, other = asyncio.run(of("Refund window", "window refund", "parcel")).vectors
    assert one == two
    assert one != other
    assert sum(map(abs, one)) == 2.0
    assert len(one) == len(other)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers(), st.lists).map(lambda v: repr(v).encode())
)
def test_no_body_makes_the_reading_raise_anything_but_what_it_says(body: bytes) -> None:
    from llmops_tui.providers.answer_parts import ErrorInAnswer, Malformed

    with pytest.raises((ErrorInAnswer, Malformed)):
        read_embeddings(body, 1, 0.0)
