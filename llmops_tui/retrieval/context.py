"""What a prompt sees as `context`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmops_tui.domain.output import Chunk


class Context:
    """Retrieved chunks, best first, for a template.

    `{{ context }}` is their texts with blank lines between; `{% for chunk in context %}` gives each
    with `.text`, `.source` and `.score`; `{% if context %}` is false where nothing was found, and
    `{{ context | length }}` says how many.
    """

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = tuple(chunks)

    def __str__(self) -> str:
        return "\n\n".join(chunk.text for chunk in self._chunks)

    def __iter__(self) -> Iterator[Chunk]:
        return iter(self._chunks)

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, index: int) -> Chunk:
        return self._chunks[index]
