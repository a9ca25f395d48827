"""Vectors of texts, how near they are, and the batches in which they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

#: Texts and characters that are embedded at once: what providers take in one request.
BATCH = 96
BATCH_CHARS = 400_000
#: What to do where the vectors that are kept are not of the model that answers now.
ANEW = "its name stands for another model than before: remove .llmops/index, and all is embedded anew"
#: Decimals to which a cosine is told, and by which chunks are equally near.
DECIMALS = 6


def unit(vectors: Sequence[Sequence[float]], wanted: int) -> Any:
    """Vectors of length 1: float32, shape (wanted, dimension). A vector of zeros stays one.

    Raises:
        ValueError: there are not as many as wanted, they differ in length, or one is not finite.
    """
    import numpy as np

    if len(vectors) != wanted:
        raise ValueError(f"the embedding model gave {len(vectors)} vectors for {wanted} texts")
    lengths = sorted({len(vector) for vector in vectors})
    if len(lengths) > 1 or lengths == [0]:
        raise ValueError(f"the embedding model gave vectors of {' and '.join(map(str, lengths))} numbers")
    found = np.asarray(vectors, dtype=np.float64)
    if not np.isfinite(found).all():
        raise ValueError("the embedding model gave a vector with a number that is not finite")
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    return (found / np.where(norms > 0, norms, 1.0)).astype(np.float32)


def cosines(matrix: Any, vector: Any) -> Any:
    """Cosine of each row to a vector, all of length 1: float64, shape (n,), in `DECIMALS` decimals.

    Raises:
        ValueError: the vector has another dimension.
    """
    import numpy as np

    if matrix.shape[1] != vector.shape[0]:
        raise ValueError(
            f"the embedding model gave a vector of {vector.shape[0]} numbers, and {matrix.shape[1]} before; "
            + ANEW
        )
    return np.round((matrix @ vector).astype(np.float64), DECIMALS) + 0.0  # no -0.0


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in order, at most `BATCH` and about `BATCH_CHARS` characters at once."""
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) == BATCH or size + len(text) > BATCH_CHARS):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch
