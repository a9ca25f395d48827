"""An index of a corpus: its chunks, and what ranks them."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.output import Chunk
from llmops_tui.domain.program import Retrieval
from llmops_tui.retrieval.bm25 import Bm25Index
from llmops_tui.retrieval.documents import Document
from llmops_tui.retrieval.filters import front_matter, matches
from llmops_tui.retrieval.kept import Vectors, documents_of
from llmops_tui.retrieval.vectors import ANEW, batches, unit

#: Texts → their vectors, in order.
Embed = Callable[[Sequence[str]], Awaitable[list[list[float]]]]
#: Batches that are asked for at once; the provider has a limit of its own.
AT_ONCE = 8


class Index:
    """Chunks numbered from 0, by path and place.

    Attributes:
        bm25: None where nothing is ranked by words.
        matrix: vectors of the chunks, float32, shape (chunks, dimension); None where there are none.
    """

    def __init__(self, documents: Sequence[tuple[str, Document]]) -> None:
        self._documents = documents
        self._ends = list(accumulate(len(document.texts) for _, document in documents))
        self.bm25: Bm25Index | None = None
        self.matrix: Any = None

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @property
    def texts(self) -> list[str]:
        return [text for _, document in self._documents for text in document.texts]

    def chunk(self, place: int, score: float) -> Chunk:
        number = bisect_right(self._ends, place)
        path, document = self._documents[number]
        position = place - (self._ends[number - 1] if number else 0)
        return Chunk(path, document.texts[position], round(score, 6), position)


async def build(
    settings: Retrieval,
    corpus: Mapping[str, str],
    blobs: Mapping[str, str],
    embed: Embed | None,
    vectors: Vectors,
    folder: Path | None,
) -> Index:
    """
    Args:
        embed: for `embeddings` and `hybrid`.

    Raises:
        ValueError: no document fits the filters, or the vectors can't be used.
    """

    def by_words() -> Index:
        index = Index(_documents(settings, corpus, blobs, folder))
        if settings.method != "embeddings":
            index.bm25 = Bm25Index([document for _, document in index._documents])
        return index

    # A large corpus takes seconds: not on the loop that answers the engine.
    index = await asyncio.to_thread(by_words)
    if settings.method != "bm25" and embed is not None and len(index):
        index.matrix = await _matrix(index.texts, embed, vectors)
    return index


def _documents(
    settings: Retrieval, corpus: Mapping[str, str], blobs: Mapping[str, str], folder: Path | None
) -> list[tuple[str, Document]]:
    """(path, document as cut) by path, of those that fit the filters."""
    paths: dict[str, str] = {}
    texts: dict[str, str] = {}
    for path in sorted(corpus):
        hash_, text = corpus[path], blobs[corpus[path]]
        if settings.filters:
            keys, text = front_matter(text)
            if not matches(settings.filters, settings.source, path, keys):
                continue
            hash_ = text_digest(text)
        paths[path], texts[hash_] = hash_, text
    if corpus and not paths:
        asked = ", ".join(f"{name}: {value}" for name, value in settings.filters.items())
        raise ValueError(
            f"no document of {settings.source} fits retrieval.filters ({asked}): a path is a glob such as "
            "'policies/*.md', and any other filter a key in the front matter of the documents"
        )
    cutting = (settings.chunk_words, settings.overlap_words, settings.chunk_by)
    documents = documents_of(texts, cutting, folder)
    return [(path, documents[hash_]) for path, hash_ in paths.items()]


async def _matrix(texts: Sequence[str], embed: Embed, vectors: Vectors) -> Any:
    import numpy as np

    known = await embedded(texts, embed, vectors)
    sizes = sorted({len(vector) for vector in known.values()})
    if len(sizes) > 1:
        raise ValueError(
            f"the embedding model gave vectors of {' and '.join(map(str, sizes))} numbers; {ANEW}"
        )
    return np.stack([known[text] for text in texts])


async def embedded(texts: Sequence[str], embed: Embed, vectors: Vectors) -> dict[str, Any]:
    """Text → vector of length 1. Only what is not on disk is asked for, and each batch is kept as it comes.

    Raises:
        ValueError: the vectors can't be used.
    """
    known = await asyncio.to_thread(vectors.read, dict.fromkeys(texts))
    places = asyncio.Semaphore(AT_ONCE)

    async def ask(batch: list[str]) -> None:
        async with places:
            found = unit(await embed([_sent(text) for text in batch]), len(batch))
        new = dict(zip(batch, found, strict=True))
        known.update(new)
        await asyncio.to_thread(vectors.write, new)

    missing = [text for text in dict.fromkeys(texts) if text not in known]
    asking = [asyncio.ensure_future(ask(batch)) for batch in batches(missing)]
    try:
        await asyncio.gather(*asking)
    finally:
        for task in asking:
            task.cancel()
    return known


def _sent(text: str) -> str:
    """Without half characters, which JSON can't carry."""
    return text.encode("utf-8", "replace").decode()
