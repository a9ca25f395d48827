"""The embedding model as a retrieval asks it, and what that took."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain.canonical import digest
from llmops_tui.domain.model import Model, Usage, embedding_cost_usd
from llmops_tui.providers.base import Embedded, Listener, Provider


class Embedding:
    """Asks one model for vectors, for one job; `retrieval.search` takes it as `embed`.

    Attributes:
        identity: what decides the vectors: the name under which they are kept.
        usage, requests, latency_s: of all that was asked for; nothing where all was there.
    """

    def __init__(self, provider: Provider, model: Model, listener: Listener | None = None) -> None:
        self.identity = digest(model.identity())
        self.usage = Usage()
        self.requests = 0
        self.latency_s = 0.0
        self._provider = provider
        self._model = model
        self._listener = listener

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """
        Raises:
            CallFailed: there are none; the text is for the person.
        """
        return (await self.ask(texts)).vectors

    async def ask(self, texts: Sequence[str]) -> Embedded:
        """The same, with what these took.

        Raises:
            CallFailed: there are none.
        """
        found = await self._provider.embed(self._model, texts, self._listener)
        self.usage += found.usage
        self.requests += found.attempts
        self.latency_s += found.latency_s
        return found

    def cost_of(self, usage: Usage) -> float | None:
        """What so many tokens cost in USD; None where the price or the tokens are not known."""
        return embedding_cost_usd(usage, self._model.price)

    @property
    def cost_usd(self) -> float | None:
        """What all of it cost; None where the price or the tokens are not known."""
        return self.cost_of(self.usage) if self.requests else 0.0
