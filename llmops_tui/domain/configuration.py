"""A workspace as read: settings and configurations, resolved to plain types.

This is what `workspace.load` gives and the engine plans from. It is JSON throughout (msgspec), so
that what was read and validated once can be kept by content.
"""

from __future__ import annotations

import msgspec

from llmops_tui.domain.case import Case
from llmops_tui.domain.errors import Problem
from llmops_tui.domain.gate.settings import GateSettings
from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.domain.manifest import Manifest
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Model
from llmops_tui.domain.program import Program


class Watch(msgspec.Struct, frozen=True):
    mode: str = "auto"
    debounce_ms: int = 50


class Budget(msgspec.Struct, frozen=True):
    per_run_usd: float | None = None
    per_day_usd: float | None = None


class Configuration(msgspec.Struct, frozen=True):
    """One configuration, resolved.

    Attributes:
        name: file name without ending.
        file: path in the workspace.
        prompt_file: path in the workspace.
        manifest: the version that it is.
        target: what the worker is asked to run.
        blobs: hash → text, for every text that `target` and the manifest's corpus name.
        models: in the order of the file.
        own_models: those that single steps name for themselves, those that embed, and those that guardrails
            ask.
        cases: of all eval files, in order; ids are unique.
        trials: planned repetitions of a case that does not set its own.
        files: every file it was read from, relative to the workspace (the watch list).
    """

    name: str
    file: str
    prompt_file: str
    manifest: Manifest
    target: Program
    blobs: dict[str, str]
    models: tuple[Model, ...]
    cases: tuple[Case, ...]
    trials: int = 1
    files: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    own_models: tuple[Model, ...] = ()

    @property
    def providers(self) -> set[str]:
        """Providers that are asked: of the models, of those of single steps, and of those that judge."""
        shared = {id(case.scorers): case.scorers for case in self.cases}
        judges = [use.judge for uses in shared.values() for use in uses if use.judge is not None]
        models = (*self.models, *self.own_models, *(judge.model for judge in judges))
        return {model.provider for model in models if model.client != "program"}

    def repeats(self, model: Model) -> bool:
        """Equal inputs give equal answers on this model, as a property of all that runs."""
        return self.target.repeats(model, {own.id: own for own in self.own_models})


class Code(msgspec.Struct, frozen=True):
    """The workspace's Python: module name → source. Run only once it is trusted."""

    modules: dict[str, str] = {}
    timeout_s: float = 10.0
    trusted: bool = False


class Otlp(msgspec.Struct, frozen=True):
    """Where traces are sent; variables are named (`${KEY}`), not filled in.

    Attributes:
        live: each is sent when its output is kept.
    """

    endpoint: str
    headers: dict[str, str] = {}
    project: str = "llmops-tui"
    live: bool = False


class Workspace(msgspec.Struct, frozen=True):
    """Everything that was read, and every mistake found on the way.

    Attributes:
        root: absolute path.
        configurations: those without a mistake, by name.
        problems: all mistakes, warnings included; a configuration with a mistake is not in
            `configurations`.
        gate: when a version counts as worse than the baseline.
        default: the configuration that is meant where none is named; empty: the only one.
        setups: provider name → how to speak to it, with keys still named (`${KEY}`), not filled in.
        live: how live traffic is taken in and watched.
    """

    root: str
    configurations: dict[str, Configuration]
    problems: tuple[Problem, ...] = ()
    setups: tuple[ProviderSetup, ...] = ()
    watch: Watch = Watch()
    budget: Budget = Budget()
    gate: GateSettings = GateSettings()
    code: Code = Code()
    default: str = ""
    otlp: Otlp | None = None
    live: LiveSettings = LiveSettings()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if not p.warning)
