"""What of an index is kept on disk: documents as cut and tokenised, and vectors of texts.

Both are kept by content, so whatever comes back (an edit that is undone, another branch, another
configuration over the same documents) is there already.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.canonical import digest, text_digest
from llmops_tui.retrieval.documents import DOCUMENT_REVISION, Document, cut
from llmops_tui.retrieval.records import Records

#: Bytes of each file.
DOCUMENTS_LIMIT = 512 * 2**20
VECTORS_LIMIT = 1024 * 2**20
#: Embedding models whose vectors are kept; of more, those used last.
MODELS = 8
#: Documents that are written at once.
_WRITTEN = 256

_decode = msgspec.msgpack.Decoder(Document).decode
_encode = msgspec.msgpack.Encoder().encode


@lru_cache(maxsize=16)
def _records(path: Path, limit: int) -> Records:
    return Records(path, limit)


def documents_of(
    texts: Mapping[str, str], cutting: tuple[int, int, str], folder: Path | None
) -> dict[str, Document]:
    """Hash of a text → the document as cut; what is not on disk is cut now, and put there.

    Args:
        texts: hash → text.
        cutting: chunk_words, overlap_words, chunk_by.

    Raises:
        ValueError: the overlap is not smaller than a chunk.
    """
    records = _records(folder / "documents.records", DOCUMENTS_LIMIT) if folder is not None else None
    keys = {hash_: bytes.fromhex(digest([DOCUMENT_REVISION, hash_, *cutting])) for hash_ in texts}
    known = records.read(list(keys.values())) if records is not None else {}
    documents: dict[str, Document] = {}
    new: dict[bytes, bytes] = {}
    for hash_, text in texts.items():
        document = _document(known.get(keys[hash_]))
        if document is None:
            document = cut(text, *cutting)
            if records is not None:
                with contextlib.suppress(UnicodeEncodeError):  # half a character: no text that can be kept
                    new[keys[hash_]] = _encode(document)
        documents[hash_] = document
        if records is not None and len(new) == _WRITTEN:
            records.write(new)
            new = {}
    if records is not None and new:
        records.write(new)
    return documents


def _document(data: bytes | None) -> Document | None:
    with contextlib.suppress(msgspec.DecodeError, msgspec.ValidationError):
        return _decode(data) if data is not None else None
    return None


class Vectors:
    """Vectors of texts by one model: float32, shape (dimension,), of length 1.

    Args:
        folder: where they are kept; None keeps nothing.
        identity: of the model: what decides its vectors.
    """

    def __init__(self, folder: Path | None, identity: str) -> None:
        self._records = None
        if folder is not None and identity:
            path = folder / f"vectors-{text_digest(identity)[:16]}.records"
            self._records = _records(path, VECTORS_LIMIT)
            if not path.exists():
                _leave_room(folder)

    def read(self, texts: Iterable[str]) -> dict[str, Any]:
        """Text → vector, of those that are there."""
        if self._records is None:
            return {}
        import numpy as np

        keys = {text: bytes.fromhex(text_digest(text)) for text in texts}
        found = self._records.read(list(keys.values()))
        return {t: np.frombuffer(found[key], dtype="<f4") for t, key in keys.items() if key in found}

    def write(self, vectors: Mapping[str, Any]) -> None:
        if self._records is not None:
            self._records.write(
                {bytes.fromhex(text_digest(t)): v.astype("<f4").tobytes() for t, v in vectors.items()}
            )


def _leave_room(folder: Path) -> None:
    """Drop the vectors of the models that were longest not written to."""
    with contextlib.suppress(OSError):
        files = sorted(folder.glob("vectors-*.records"), key=lambda path: -path.stat().st_mtime)
        for path in files[MODELS - 1 :]:
            path.unlink(missing_ok=True)
            path.with_suffix(".lock").unlink(missing_ok=True)
