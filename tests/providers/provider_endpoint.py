"""A clock that does not wait, a listener that remembers, and a way to ask."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmops_tui.domain.call import ChatRequest, Failure
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Model
from llmops_tui.providers.base import Answer, CallFailed, Provider
from llmops_tui.providers.retry import Clock


class NoWait(Clock):
    """Sleeping moves the time on, and takes none."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def unix(self) -> float:
        return 1_800_000_000.0 + self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.time + seconds
        await asyncio.sleep(0)
        self.time = max(self.time, until)


class Remembers:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.attempts: list[int] = []
        self.waits: list[tuple[str, float]] = []
        self.tokens: list[str] = []

    def sent(self, attempt: int, at: float) -> None:
        self.attempts.append(attempt)

    def waiting(self, said: str, retry_at: float) -> None:
        self.waits.append((said, retry_at))

    def token(self, text: str) -> None:
        self.tokens.append(text)


class Endpoint:
    """A provider of settings against a fake server."""

    def __init__(self, provider: Provider, clock: NoWait, prefix: str = "") -> None:
        self.provider = provider
        self.clock = clock
        self.prefix = prefix
        self.listener = Remembers()

    async def ask(self, model: str, text: str = "Say this.", **params: Any) -> Answer:
        client = "litellm" if self.prefix else "openai"
        asked = Model(f"{self.prefix or 'gateway/'}{model}", "gateway", model, client)
        request = ChatRequest(({"role": "user", "content": text},), params)
        return await self.provider.ask(asked, request, self.listener)

    async def failure(self, model: str, text: str = "Say this.", **params: Any) -> Failure:
        """The failure that asking ends in."""
        with pytest.raises(CallFailed) as caught:
            await self.ask(model, text, **params)
        return caught.value.failure


def gateway(url: str, **settings: Any) -> ProviderSetup:
    return ProviderSetup(
        **{"name": "gateway", "client": "openai", "base_url": url, "api_key": "sk-secret-of-mine", **settings}
    )
