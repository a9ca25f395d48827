"""Which pieces of the documents a prompt is given. numpy is imported when an index is built."""

from llmops_tui.retrieval.chunking import Piece, chunk
from llmops_tui.retrieval.context import Context
from llmops_tui.retrieval.search import Embed, search

__all__ = ["Context", "Embed", "Piece", "chunk", "search"]
