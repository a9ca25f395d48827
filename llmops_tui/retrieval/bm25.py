"""BM25 over chunks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Any

from llmops_tui.retrieval.documents import Document
from llmops_tui.retrieval.tokens import tokens

K1 = 1.5
B = 0.75


class Bm25Index:
    """How well each chunk answers a query, by its words.

    Scores are BM25 as Lucene has it ("accurate", k1 1.5, b 0.75; Kamphuis et al., "Which BM25 do you mean?",
    ECIR 2020), worked out for every word and chunk when the index is made (Lù, "BM25S", 2024). In double
    precision, word by word in the order of the query: equally good chunks are exactly equal.

    Args:
        documents: whose chunks are ranked, numbered from 0 through all of them.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        import numpy as np

        numbers: defaultdict[str, int] = defaultdict(count().__next__)
        ids = [_numbered(document, numbers) for document in documents]
        self._vocabulary = dict(numbers)
        lengths = np.array([n for document in documents for n in document.counts], dtype=np.int64)
        self._chunks = len(lengths)
        if not self._vocabulary:
            return
        # A column for each word: which chunks have it, and how often.
        marks = np.concatenate(ids) * self._chunks + np.repeat(np.arange(self._chunks), lengths)
        found, often = np.unique(marks, return_counts=True)
        words, self._places = np.divmod(found, self._chunks)
        having = np.bincount(words, minlength=len(self._vocabulary))
        self._starts = np.concatenate(([0], np.cumsum(having)))
        rarity = np.array([_rarity(n, self._chunks) for n in range(int(having.max()) + 1)])
        often = often.astype(np.float64)
        length = K1 * ((1 - B) + B * lengths[self._places] / lengths.mean())
        self._scores = rarity[having[words]] * (often / (length + often))

    def scores(self, query: str) -> Any:
        """A score for each chunk (float64, shape (n,)); None where no chunk has a word of the query.

        0 for chunks that share no word with the query. A word of the query counts as often as it is there.
        """
        import numpy as np

        known = [self._vocabulary[t] for t in tokens(query) if t in self._vocabulary]
        if not known:
            return None
        scores = np.zeros(self._chunks)
        for word in known:
            column = slice(self._starts[word], self._starts[word + 1])
            scores[self._places[column]] += self._scores[column]
        return scores


def _numbered(document: Document, numbers: defaultdict[str, int]) -> Any:
    """The document's tokens as numbers of a shared vocabulary, which grows: int64."""
    import numpy as np

    shared = np.array(list(map(numbers.__getitem__, document.words)), dtype=np.int64)
    return shared[np.frombuffer(document.ids, dtype="<u4")]


def _rarity(having: int, chunks: int) -> float:
    """Inverse document frequency."""
    return math.log(1 + (chunks - having + 0.5) / (having + 0.5))
