"""What all jobs of a worker share."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from llmops_tui.domain.call import Call, ChatRequest
from llmops_tui.domain.canonical import digest
from llmops_tui.domain.model import Model
from llmops_tui.domain.redact import Redactor
from llmops_tui.worker.calls import Calls
from llmops_tui.worker.code import WorkspaceCode
from llmops_tui.worker.embedding import Embedding
from llmops_tui.worker.links import Links
from llmops_tui.worker.render import Renderer

if TYPE_CHECKING:
    from llmops_tui.domain.guardrails.use import GuardrailUse
    from llmops_tui.guardrails.apart import Apart
    from llmops_tui.guardrails.guards import Guards
    from llmops_tui.providers.gateway import Access, Gateway
    from llmops_tui.worker.functions import Functions
    from llmops_tui.worker.modules import ModuleSet
    from llmops_tui.worker.tools import ToolBox

#: Versions whose code stays loaded.
KEPT = 4

T = TypeVar("T")


class Loaded:
    """The code of one version, loaded.

    Args:
        sources: path → source.
        folder: where the workspace is.

    Attributes:
        in_use: steps that run in it now.
    """

    def __init__(
        self,
        modules: ModuleSet,
        functions: Functions,
        tools: ToolBox,
        sources: dict[str, str],
        folder: str,
    ) -> None:
        self._sources = sources
        self._folder = folder
        self._apart: Apart | None = None
        self._guards: OrderedDict[str, Guards] = OrderedDict()
        self.modules = modules
        self.functions = functions
        self.tools = tools
        self.in_use = 0

    @contextlib.contextmanager
    def held(self) -> Iterator[Loaded]:
        """It is not let go meanwhile."""
        self.in_use += 1
        try:
            yield self
        finally:
            self.in_use -= 1

    def guards(self, uses: tuple[GuardrailUse, ...]) -> Guards:
        """What looks for the guardrails of a version with this code, compiled once."""
        from llmops_tui.guardrails.apart import Apart
        from llmops_tui.guardrails.guards import Guards

        key = digest(msgspec.to_builtins(uses))
        found = self._guards.get(key)
        if found is None:
            if self._apart is None and any(use.is_function for use in uses):
                python = {path: text for path, text in self._sources.items() if path.endswith(".py")}
                # All looks of a run may want a process, and what comes of them is kept: none fails since
                # others were before it.
                self._apart = Apart(python, self._folder, patience_s=math.inf)
            found = self._guards[key] = Guards(uses, self._apart, times_judges=False)
            found.prepare()
        self._guards.move_to_end(key)
        while len(self._guards) > KEPT:
            self._guards.popitem(last=False)
        return found

    def close(self) -> None:
        if self._apart is not None:
            self._apart.close()
        self.functions.close()
        self.modules.close()


class InFlight:
    """Work under way, by key: who asks for the same meanwhile waits for it, and gets the same.

    Who is cancelled leaves the work alone while another waits for it.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._waiters: dict[asyncio.Task[Any], int] = {}

    async def once(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `work` gives, or what the same key's gives that is under way already."""
        task: asyncio.Task[T] | None = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(work())
            self._waiters[task] = 0
        self._waiters[task] += 1
        try:
            return await asyncio.shield(task)
        finally:
            self._waiters[task] -= 1
            if not self._waiters[task]:
                # At once, not when it has ended: who asks now must not get one that is being cancelled.
                del self._waiters[task], self._tasks[key]
                task.cancel()


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
        embedder: Callable[[Model], Embedding],
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
        self.gateway = StepGateway()
        self.recorded = InFlight()
        self._renderers: dict[str, Renderer] = {}
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()

    def renderer(self, prompt: str) -> Renderer:
        """The compiled templates of a prompt, by the hash of its content.

        Raises:
            RenderError: one does not parse.
        """
        found = self._renderers.get(prompt)
        if found is None:
            found = self._renderers[prompt] = Renderer(self.blobs[prompt])
        return found

    def loaded(self, code: Mapping[str, str]) -> Loaded:
        """The code of one version (path → hash of the source), apart from that of others.

        Those of the last few versions are kept: a comparison has two, and every save makes one.
        """
        from llmops_tui.worker import instrument
        from llmops_tui.worker.functions import Functions
        from llmops_tui.worker.modules import ModuleSet
        from llmops_tui.worker.tools import ToolBox

        key = digest(dict(code))
        found = self._loaded.get(key)
        if found is None:
            sources = {path: self.blobs[hash_] for path, hash_ in code.items()}
            modules = ModuleSet(sources, self.folder, instrument.imported)
            functions, tools = Functions(modules, self.code), ToolBox(modules, self.code)
            found = Loaded(modules, functions, tools, sources, self.folder)
            self._loaded[key] = found
        self._loaded.move_to_end(key)
        while len(self._loaded) > KEPT and not self._loaded[next(iter(self._loaded))].in_use:
            self._loaded.popitem(last=False)[1].close()
        return found

    def mentions(self, code: Mapping[str, str], word: str) -> bool:
        """Whether a version's source has a word."""
        return any(word in self.blobs[hash_] for hash_ in code.values())

    async def close(self) -> None:
        await self.gateway.close()
        for loaded in self._loaded.values():
            loaded.close()


class Asker(Protocol):
    """Asks models for one running step."""

    @property
    def models(self) -> tuple[str, ...]: ...

    async def ask_model(self, model_id: str, request: ChatRequest) -> Call: ...


class StepGateway:
    """The endpoint for programs; each running step has a key, which says who asks."""

    def __init__(self) -> None:
        self._gateway: Gateway | None = None
        self._askers: dict[str, Asker] = {}

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`; empty while it does not run."""
        return self._gateway.address if self._gateway is not None else ""

    async def open(self, asker: Asker) -> Access:
        """Access for one step, until `shut`."""
        if self._gateway is None:
            from llmops_tui.providers.gateway import Gateway

            self._gateway = Gateway(self._ask)
        access = await self._gateway.open(asker.models)
        self._askers[access.api_key] = asker
        return access

    def shut(self, key: str) -> None:
        self._askers.pop(key, None)
        if self._gateway is not None:
            self._gateway.shut(key)

    async def close(self) -> None:
        if self._gateway is not None:
            await self._gateway.close()

    async def _ask(self, key: str, model_id: str, request: ChatRequest) -> Call:
        return await self._askers[key].ask_model(model_id, request)
