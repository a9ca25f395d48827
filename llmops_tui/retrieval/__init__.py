"""Which pieces of the documents a prompt is given. numpy and bm25s are imported when an index is built."""

from llmops_tui.retrieval.bm25 import Bm25Index, index_of
from llmops_tui.retrieval.chunking import Piece, chunk
from llmops_tui.retrieval.context import Context

__all__ = ["Bm25Index", "Context", "Piece", "chunk", "index_of"]
