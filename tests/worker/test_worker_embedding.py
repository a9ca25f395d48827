"""A retrieval that asks an endpoint: how often it is asked, and what that cost."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_openai import FakeOpenAI

from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Model, Price
from llmops_tui.domain.program import Retrieval
from llmops_tui.providers.base import CallFailed
from llmops_tui.providers.openai_client import OpenAIProvider
from llmops_tui.retrieval import search
from llmops_tui.retrieval.search import forget
from llmops_tui.worker.embedding import Embedding

MODEL = Model("gateway/embed-1", "gateway", "embed-1", "openai", price=Price(1e-6, 0.0))
SETTINGS = Retrieval("docs", method="hybrid", embedding=MODEL.id, top_k=2, chunk_words=4)
DOCS = {f"docs/{n}.md": f"alpha {n} beta gamma\n\ndelta {n} epsilon zeta" for n in range(200)}


async def test_editing_one_document_embeds_its_changed_chunk_alone(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        provider = OpenAIProvider(ProviderSetup("gateway", "openai", server.url), print)

        async def find(docs: dict[str, str]) -> Embedding:
            forget()  # as another process would
            corpus = {path: text_digest(text) for path, text in docs.items()}
            blobs = {text_digest(text): text for text in docs.values()}
            embedding = Embedding(provider, MODEL)
            await search(SETTINGS, corpus, blobs, "delta 7", embedding, tmp_path, identity=embedding.identity)
            return embedding

        cold = await find(DOCS)
        assert sum(len(request.body["input"]) for request in server.embedded) == 2 * 200 + 1
        assert (cold.requests, len(server.embedded)) == (6, 6)  # 96 texts at once, and the query
        assert cold.usage.input_tokens == 4 * 400 + 2
        assert cold.cost_usd == pytest.approx(1602e-6)
        server.forget()

        warm = await find(DOCS)
        assert (server.embedded, warm.requests, warm.cost_usd) == ([], 0, 0.0)

        await find({**DOCS, "docs/7.md": "alpha 7 beta gamma\n\ndelta seven epsilon zeta"})
        assert [request.body["input"] for request in server.embedded] == [["delta seven epsilon zeta"]]
        await provider.close()


async def test_an_endpoint_that_does_not_embed_is_a_failure_with_a_remedy() -> None:
    async with FakeOpenAI() as server:
        provider = OpenAIProvider(ProviderSetup("gateway", "openai", server.url), print)
        model = Model("gateway/chat-only", "gateway", "chat-only", "openai")
        with pytest.raises(CallFailed) as caught:
            await search(SETTINGS, {"docs/a.md": "h"}, {"h": "alpha"}, "alpha", Embedding(provider, model))
        await provider.close()
    assert "'chat-only' is a model for embeddings" in caught.value.failure.remedy
