"""What all jobs of a worker share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops_tui.domain.canonical import digest
from llmops_tui.domain.model import Model
from llmops_tui.domain.redact import Redactor
from llmops_tui.worker.calls import Calls
from llmops_tui.worker.code import WorkspaceCode
from llmops_tui.worker.links import Links
from llmops_tui.worker.render import Renderer

if TYPE_CHECKING:
    from llmops_tui.worker.modules import ModuleSet

Embed = Callable[[Sequence[str]], Awaitable[list[list[float]]]]


class Resources:
    """One for a worker's life; keeps compiled prompts and loaded modules by content.

    Args:
        embedder: a model → what embeds with it.
        index_folder: where indexes are kept; None: in memory alone.
    """

    def __init__(
        self,
        blobs: dict[str, str],
        calls: Calls,
        code: WorkspaceCode,
        redactor: Redactor,
        links: Links,
        embedder: Callable[[Model], Embed],
        folder: str,
        index_folder: Path | None = None,
    ) -> None:
        self.blobs = blobs
        self.calls = calls
        self.code = code
        self.redactor = redactor
        self.links = links
        self.embedder = embedder
        self.folder = folder
        self.index_folder = index_folder
        self._renderers: dict[str, Renderer] = {}
        self._modules: dict[str, ModuleSet] = {}

    def renderer(self, prompt: str) -> Renderer:
        """The compiled templates of a prompt, by the hash of its content.

        Raises:
            RenderError: one does not parse.
        """
        found = self._renderers.get(prompt)
        if found is None:
            found = self._renderers[prompt] = Renderer(self.blobs[prompt])
        return found

    def modules(self, code: Mapping[str, str]) -> ModuleSet:
        """The modules of one version (path → hash of the source), apart from those of others."""
        key = digest(dict(code))
        found = self._modules.get(key)
        if found is None:
            from llmops_tui.worker.modules import ModuleSet

            sources = {path: self.blobs[hash_] for path, hash_ in code.items()}
            found = self._modules[key] = ModuleSet(sources, self.folder)
        return found


def plain(value: Any) -> Any:
    """A value as JSON knows it: what a template sees of chunks becomes a list of texts."""
    from llmops_tui.retrieval.context import Context

    if isinstance(value, Context):
        return [chunk.text for chunk in value]
    return value
