"""BM25 over chunks, ranked by the bm25s library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmops_tui.retrieval.documents import Document, token_ids
from llmops_tui.retrieval.tokens import tokens


class Bm25Index:
    """How well each chunk answers a query, by its words.

    Scores are BM25 as Lucene has it (k1 1.5, b 0.75; Kamphuis et al., 2020).

    Args:
        documents: whose chunks are ranked, numbered from 0 through all of them.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self._vocabulary: dict[str, int] = {}
        ids = [each for document in documents for each in token_ids(document, self._vocabulary)]
        self._scorer = _scorer(ids, self._vocabulary) if self._vocabulary else None

    def scores(self, query: str) -> Any:
        """A score for each chunk (float64, shape (n,)); None where no chunk has a word of the query.

        0 for chunks that share no word with the query. A word of the query counts as often as it is there.
        """
        known = [self._vocabulary[t] for t in tokens(query) if t in self._vocabulary]
        if self._scorer is None or not known:
            return None
        return self._scorer.get_scores_from_ids(known)


def _scorer(ids: list[Any], vocabulary: dict[str, int]) -> Any:
    import bm25s

    # Double precision: chunks that are equally good shall be exactly equal, whatever the order of sums.
    scorer = bm25s.BM25(method="lucene", dtype="float64", backend="numpy", csc_backend="numpy")
    scorer.index((ids, dict(vocabulary)), create_empty_token=False, show_progress=False)
    return scorer
