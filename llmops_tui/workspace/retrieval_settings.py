"""Interim."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain.model import Model
from llmops_tui.domain.program import Retrieval
from llmops_tui.domain.schema import RetrievalSettings, WorkspaceFile
from llmops_tui.workspace.corpus import read_corpus
from llmops_tui.workspace.prompts import template_variables
from llmops_tui.workspace.reader import Reader


def read_retrieval(
    reader: Reader,
    settings: WorkspaceFile,
    wanted: RetrievalSettings,
    file: str,
    document: Any,
    at: tuple[str | int, ...],
) -> tuple[Retrieval | None, dict[str, str], frozenset[str], Model | None]:
    if wanted.overlap_words >= wanted.chunk_words:
        reader.fail(
            f"overlap_words must be less than chunk_words ({wanted.chunk_words})",
            "",
            file,
            document.line((*at, "overlap_words")),
        )
    line = document.line((*at, "source"))
    folder = reader.locate(wanted.source, file=file, line=line, folder=True)
    documents = read_corpus(reader, folder, file, line) if folder is not None else {}
    query = None
    if wanted.query:
        query = template_variables(reader, wanted.query, file, document.line((*at, "query")) or 1)
    found = Retrieval(**{**wanted.model_dump(), "source": folder or wanted.source})
    return found, documents, query or frozenset(), None
