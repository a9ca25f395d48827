"""A fake server, a clock that does not wait, and the direct client between them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fake_openai import FakeOpenAI
from provider_endpoint import Endpoint, NoWait, gateway

from llmops_tui.providers.openai_client import OpenAIProvider


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as running:
        yield running


@pytest.fixture
def clock() -> NoWait:
    return NoWait()


@pytest.fixture
async def endpoint(server: FakeOpenAI, clock: NoWait) -> AsyncIterator[Endpoint]:
    """The direct client; every jitter is the whole of what it may be."""
    provider = OpenAIProvider(gateway(server.url), print, clock=clock, jitter=lambda: 1.0)
    yield Endpoint(provider, clock)
    await provider.close()
