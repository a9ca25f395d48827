"""A document cut and tokenised: what an index is put together from, and what is kept of it on disk."""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.retrieval.chunking import chunk
from llmops_tui.retrieval.tokens import tokens

#: Raise it when chunking or tokens change: what is on disk is then made anew.
DOCUMENT_REVISION = 1


class Document(msgspec.Struct, frozen=True, array_like=True):
    """The chunks of one document, in order.

    Attributes:
        texts: of the chunks.
        words: every token of the document once, in order of appearance.
        ids: places in `words`, of all chunks one after another: uint32, little endian.
        counts: tokens of each chunk.
    """

    texts: tuple[str, ...]
    words: tuple[str, ...]
    ids: bytes
    counts: tuple[int, ...]


def cut(text: str, chunk_words: int, overlap_words: int, chunk_by: str) -> Document:
    """
    Raises:
        ValueError: the overlap is not smaller than a chunk.
    """
    import numpy as np

    texts = tuple(piece.text for piece in chunk("", text, chunk_words, overlap_words, chunk_by))
    words: dict[str, int] = {}
    ids: list[int] = []
    counts: list[int] = []
    for each in texts:
        found = tokens(each)
        ids += [words.setdefault(token, len(words)) for token in found]
        counts.append(len(found))
    return Document(texts, tuple(words), np.array(ids, dtype="<u4").tobytes(), tuple(counts))


def token_ids(document: Document, vocabulary: dict[str, int]) -> list[Any]:
    """Tokens of each chunk as numbers of a shared vocabulary, which grows."""
    import numpy as np

    shared = np.array(
        [vocabulary.setdefault(word, len(vocabulary)) for word in document.words], dtype=np.int64
    )
    ids = shared[np.frombuffer(document.ids, dtype="<u4")] if len(shared) else np.array([], dtype=np.int64)
    found, at = [], 0
    for count in document.counts:
        found.append(ids[at : at + count].tolist())
        at += count
    return found
