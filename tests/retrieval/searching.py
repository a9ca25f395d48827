"""Searching a few texts, and an embedding that is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.output import Chunk
from llmops_tui.domain.program import Retrieval
from llmops_tui.retrieval import Embed, search

#: What the words of the tests are about: texts about the same lie near each other.
AXES = {
    "refund": 0, "money": 0, "return": 0,
    "ship": 1, "parcel": 1, "delivery": 1,
    "open": 2, "hours": 2, "monday": 2,
}  # fmt: skip


class Counted:
    """An embedding of three dimensions and a bit; remembers what it was asked for."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.asked = asyncio.Event()

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.requests.append(list(texts))
        self.asked.set()
        await asyncio.sleep(0)
        return [self.vector(text) for text in texts]

    @property
    def texts(self) -> list[str]:
        return [text for request in self.requests for text in request]

    @staticmethod
    def vector(text: str) -> list[float]:
        vector = [0.0, 0.0, 0.0, 0.1]
        for word in text.lower().replace(".", " ").split():
            if word in AXES:
                vector[AXES[word]] += 1.0
        return vector


async def asearch(
    docs: Mapping[str, str],
    query: str,
    *,
    embed: Embed | None = None,
    folder: Path | None = None,
    identity: str = "",
    **settings: Any,
) -> list[Chunk]:
    corpus = {path: text_digest(text) for path, text in docs.items()}
    blobs = {text_digest(text): text for text in docs.values()}
    wanted = Retrieval(**{"source": "docs", **settings})
    return list(await search(wanted, corpus, blobs, query, embed, folder, identity=identity))


def searched(docs: Mapping[str, str], query: str, top_k: int = 3, **more: Any) -> list[Chunk]:
    return asyncio.run(asearch(docs, query, top_k=top_k, **more))
