"""BM25 over a corpus, ranked by the bm25s library."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from llmops_tui.domain.canonical import digest
from llmops_tui.domain.output import Chunk
from llmops_tui.retrieval.chunking import chunk
from llmops_tui.retrieval.tokens import tokens


class Bm25Index:
    """The chunks of a corpus, and how well each answers a query.

    Scores are BM25 as Lucene has it (k1 1.5, b 0.75; Kamphuis et al., 2020). Equal corpora give
    equal results, whatever the order of the mapping.

    Args:
        corpus: path → text of the document.
        chunk_words, overlap_words: as `chunk` has them.

    Raises:
        ValueError: the overlap is not smaller than a chunk.
    """

    def __init__(self, corpus: Mapping[str, str], chunk_words: int, overlap_words: int = 0) -> None:
        self.pieces = [
            piece
            for path in sorted(corpus)
            for piece in chunk(path, corpus[path], chunk_words, overlap_words)
        ]
        self._vocabulary: dict[str, int] = {}
        ids = [
            [self._vocabulary.setdefault(token, len(self._vocabulary)) for token in tokens(piece.text)]
            for piece in self.pieces
        ]
        self._scorer = _scorer(ids, self._vocabulary) if self._vocabulary else None

    def search(self, query: str, top_k: int) -> list[Chunk]:
        """The best chunks, best first; of equal ones the first by path and place.

        Chunks that share no word with the query are left out, so there may be fewer than `top_k`, or none.
        A word of the query counts as often as it is there.
        """
        known = [self._vocabulary[t] for t in tokens(query) if t in self._vocabulary]
        if self._scorer is None or not known:
            return []
        scores: list[float] = self._scorer.get_scores_from_ids(known).tolist()
        found = sorted((i for i, score in enumerate(scores) if score > 0), key=lambda i: (-scores[i], i))
        return [
            Chunk(piece.source, piece.text, round(scores[i], 6), piece.position)
            for i, piece in ((i, self.pieces[i]) for i in found[:top_k])
        ]


def _scorer(ids: list[list[int]], vocabulary: dict[str, int]) -> Any:
    import bm25s

    # Double precision: chunks that are equally good shall be exactly equal, whatever the order of sums.
    scorer = bm25s.BM25(method="lucene", dtype="float64", backend="numpy", csc_backend="numpy")
    scorer.index((ids, dict(vocabulary)), create_empty_token=False, show_progress=False)
    return scorer


#: Corpora that are kept: a save changes one document at a time, and goes back as often.
KEPT = 4
_kept: OrderedDict[str, Bm25Index] = OrderedDict()
_lock = threading.Lock()


def index_of(
    corpus: Mapping[str, str], blobs: Mapping[str, str], chunk_words: int, overlap_words: int = 0
) -> Bm25Index:
    """The index of a corpus, built once for each content and chunk setting. Any thread may ask.

    Args:
        corpus: path → hash of the document's text.
        blobs: hash → text.
    """
    key = digest([dict(corpus), chunk_words, overlap_words])
    # Held while building: a hundred jobs that start at once build one index.
    with _lock:
        index = _kept.get(key)
        if index is None:
            texts = {path: blobs[hash_] for path, hash_ in corpus.items()}
            index = _kept[key] = Bm25Index(texts, chunk_words, overlap_words)
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
        return index
