"""From the files of a workspace to guardrails that can look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from llmops_tui import workspace
from llmops_tui.domain.call import ChatRequest
from llmops_tui.domain.configuration import Configuration, Workspace
from llmops_tui.domain.errors import (
    ModelError,
    Problem,
    UsageError,
    WorkspaceError,
    did_you_mean,
)
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.domain.model import Model
from llmops_tui.guard.asking import Answer, Ask, Endpoint, ask_own
from llmops_tui.guard.guarding import Guarding
from llmops_tui.guard.telling import AskFor
from llmops_tui.guardrails.apart import Apart


def load(config: str, folder: str | Path | None, ask: Ask | None) -> Guarding:
    """See `llmops_tui.guard.load`."""
    root = workspace.find_root(Path.cwd() if folder is None else Path(folder))
    read = workspace.load(root, only=config or None)
    found = _configuration(read, config)
    uses = [_priced(use, found.own_models) for use in found.target.guardrails]
    code = {path: found.blobs[hash_] for path, hash_ in found.target.code.items()}
    apart = Apart(code, read.root) if any(use.is_function for use in uses) else None
    made = Guarding(found.name, found.manifest.hash, uses, apart, _asking(read, uses, ask))
    if made.broken:
        said = [f"the guardrail '{name}' can't be made: {why}" for name, why in made.broken.items()]
        raise WorkspaceError(*(Problem(text, "mend it, or take it out", found.file) for text in said))
    return made


def _configuration(read: Workspace, config: str) -> Configuration:
    """
    Raises:
        LlmopsError: there is none, or its files have mistakes.
    """
    name = (
        config
        or read.default
        or (next(iter(read.configurations), "") if len(read.configurations) == 1 else "")
    )
    if name in read.configurations:
        return read.configurations[name]
    wrong = [problem for problem in read.problems if not problem.warning]
    if wrong:
        raise WorkspaceError(*wrong)
    names = set(read.configurations)
    if not config:
        raise UsageError(Problem("there are several configurations", f"name one: {', '.join(sorted(names))}"))
    raise UsageError(Problem(f"there is no configuration '{config}'", did_you_mean(config, names)))


def _priced(use: GuardrailUse, models: Sequence[Model]) -> GuardrailUse:
    """A version knows a judge by its pin; what it costs is known here."""
    found = next((m for m in models if use.judge is not None and m.id == use.judge.model.id), None)
    if use.judge is None or found is None:
        return use
    return msgspec.structs.replace(use, judge=msgspec.structs.replace(use.judge, model=found))


def _asking(read: Workspace, uses: Sequence[GuardrailUse], ask: Ask | None) -> AskFor | None:
    """How judges are asked.

    Raises:
        LlmopsError: one can't be.
    """
    judged = {use.name: use.judge.model for use in uses if use.judge is not None}
    if not judged:
        return None
    if ask is not None:
        own = ask

        async def by_function(_use: GuardrailUse, model: Model, request: ChatRequest) -> Answer:
            return await ask_own(own, model, request)

        return by_function
    for name, model in judged.items():
        if model.client != "openai":
            remedy = "hand guard.load a function that asks it, as ask=…, or name a provider with a base_url"
            raise ModelError(
                Problem(f"the guardrail '{name}' asks {model.id}, which has no endpoint", remedy)
            )
    setups = {
        setup.name: setup for setup in workspace.connect(read, {m.provider for m in judged.values()})[0]
    }
    endpoints = {
        use.name: Endpoint(setups[use.judge.model.provider], use.timeout_s)
        for use in uses
        if use.judge is not None
    }

    async def at_endpoint(use: GuardrailUse, model: Model, request: ChatRequest) -> Answer:
        return await endpoints[use.name](model, request)

    return at_endpoint
