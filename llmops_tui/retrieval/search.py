"""The one way to retrieve: the best chunks of a corpus for a query."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from llmops_tui.domain.canonical import canonical_json
from llmops_tui.domain.output import Chunk
from llmops_tui.domain.program import Retrieval
from llmops_tui.retrieval.index import Embed, Index, build, embedded
from llmops_tui.retrieval.kept import Vectors
from llmops_tui.retrieval.ranking import best, cut_for, fused
from llmops_tui.retrieval.sharing import Shared
from llmops_tui.retrieval.vectors import DECIMALS, cosines

#: Indexes in memory: a save changes one document at a time, and goes back as often.
KEPT = 4
#: Vectors of queries in memory.
KEPT_QUERIES = 4096

_indexes: OrderedDict[Hashable, Index] = OrderedDict()
_queries: OrderedDict[Hashable, Any] = OrderedDict()
_shared = Shared()


async def search(
    settings: Retrieval,
    corpus: Mapping[str, str],
    blobs: Mapping[str, str],
    query: str,
    embed: Embed | None = None,
    folder: Path | None = None,
    *,
    identity: str = "",
) -> tuple[Chunk, ...]:
    """The best chunks, best first; of equal ones the first by path and place.

    A score is BM25's, the cosine, or that of the fusion. By words, chunks that share none with the query
    are left out, so there may be fewer than `top_k`, or none. An empty query finds nothing.

    Args:
        corpus: path → hash of the document's text.
        blobs: hash → text.
        query: as rendered.
        embed: asks the embedding model, for `embeddings` and `hybrid`.
        folder: where indexes are kept (`.llmops/index`); None keeps them in memory.
        identity: digest of the embedding model's `identity()`; without it no vector is kept on disk.

    Raises:
        ValueError: a setting that can't be used, or vectors that can't; the text is for the person.
        whatever `embed` raises.
    """
    asks = settings.method != "bm25"
    if asks and embed is None:
        raise ValueError(f"retrieval.method '{settings.method}' needs retrieval.embedding: provider/name")
    if not query.strip() or not corpus:
        return ()
    vectors = Vectors(folder if asks else None, identity)
    model = (identity or settings.embedding) if asks else ""
    index = await _index(settings, corpus, blobs, embed, vectors, folder, model)
    if not len(index):
        return ()
    top_k = settings.top_k
    if settings.method == "bm25":
        return _chunks(index, _by_words(index, query, top_k))
    assert embed is not None
    vector = await _query(query, embed, vectors, model)
    near = cosines(index.matrix, vector)
    if settings.method == "embeddings":
        return _chunks(index, [(place, float(near[place])) for place in best(near, top_k)])
    cut = cut_for(top_k)
    rankings = [[place for place, _ in _by_words(index, query, cut)], best(near, cut)]
    return _chunks(index, fused(rankings, settings.rank_constant, top_k))


def _by_words(index: Index, query: str, most: int) -> list[tuple[int, float]]:
    scores = index.bm25.scores(query) if index.bm25 is not None else None
    if scores is None:
        return []
    # As they are told: sums of the same numbers in another order differ in the last digits, and are equal.
    told = scores.round(DECIMALS)
    return [(place, float(scores[place])) for place in best(told, most, above=0.0)]


def _chunks(index: Index, found: list[tuple[int, float]]) -> tuple[Chunk, ...]:
    return tuple(index.chunk(place, score) for place, score in found)


async def _index(
    settings: Retrieval,
    corpus: Mapping[str, str],
    blobs: Mapping[str, str],
    embed: Embed | None,
    vectors: Vectors,
    folder: Path | None,
    model: str,
) -> Index:
    """The index of a corpus, built once for each content and setting, for all jobs that start at once."""
    cutting = (settings.chunk_words, settings.overlap_words, settings.chunk_by)
    filters = (canonical_json(settings.filters), settings.source) if settings.filters else ()
    key = (frozenset(corpus.items()), settings.method, cutting, filters, model)
    index = _indexes.get(key)
    if index is None:

        async def work() -> Index:
            return await build(settings, corpus, blobs, embed, vectors, folder)

        index = await _shared.of(key, work)
        _indexes[key] = index
    return _touched(_indexes, key, KEPT)  # type: ignore[no-any-return]


async def _query(query: str, embed: Embed, vectors: Vectors, model: str) -> Any:
    key = (model, query)
    if key not in _queries:

        async def work() -> Any:
            return (await embedded([query], embed, vectors))[query]

        _queries[key] = await _shared.of(key, work)
    return _touched(_queries, key, KEPT_QUERIES)


def _touched(kept: OrderedDict[Hashable, Any], key: Hashable, most: int) -> Any:
    kept.move_to_end(key)
    found = kept[key]
    while len(kept) > most:
        kept.popitem(last=False)
    return found


def forget() -> None:
    """Drop what is in memory."""
    _indexes.clear()
    _queries.clear()


__all__ = ["Embed", "forget", "search"]
