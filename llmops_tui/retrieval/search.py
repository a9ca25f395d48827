"""Interim."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmops_tui.domain.output import Chunk
from llmops_tui.domain.program import Retrieval
from llmops_tui.retrieval.bm25 import index_of


async def search(
    settings: Retrieval,
    corpus: Mapping[str, str],
    blobs: Mapping[str, str],
    query: str,
    embed: Any,
    folder: Path | None,
) -> tuple[Chunk, ...]:
    index = await asyncio.to_thread(index_of, corpus, blobs, settings.chunk_words, settings.overlap_words)
    return tuple(index.search(query, settings.top_k))
