"""`llmops.yaml`: settings of the workspace, and how to speak to its providers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from llmops_tui.domain.gate.settings import GateBudget, GateSettings, MaxDrop
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.schema import WorkspaceFile
from llmops_tui.workspace.models import BUILT_IN_PROVIDERS
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.root import SETTINGS_FILE
from llmops_tui.workspace.validation import read_validated


def read_settings(reader: Reader) -> WorkspaceFile:
    nothing = WorkspaceFile.model_validate({})
    if not reader.exists(SETTINGS_FILE):
        return nothing
    found = read_validated(reader, WorkspaceFile, SETTINGS_FILE)
    if found is None:
        return nothing
    settings, document = found
    for name, entry in settings.providers.items():
        line = document.line(("providers", name))
        if name in BUILT_IN_PROVIDERS and entry.base_url is not None:
            reader.fail(
                f"the provider '{name}' is built in and has no base_url",
                "give it another name",
                SETTINGS_FILE,
                line,
            )
        elif entry.base_url is not None and not _is_url(entry.base_url):
            reader.fail(
                f"'{entry.base_url}' is not a base URL",
                "write it as https://host/v1",
                SETTINGS_FILE,
                document.line(("providers", name, "base_url")),
            )
        if entry.api_key and "${" not in entry.api_key:
            reader.warn(
                "a key is written out in a file that is in git",
                f"write api_key: ${{{name.upper().replace('-', '_')}_API_KEY}} and put the key into .env",
                SETTINGS_FILE,
                document.line(("providers", name, "api_key")),
            )
    return settings


def _is_url(text: str) -> bool:
    if "${" in text:
        return True
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def setups_of(settings: WorkspaceFile) -> tuple[ProviderSetup, ...]:
    """How to speak to every provider that has an entry, by name."""
    return tuple(_setup(name, settings) for name in sorted(settings.providers))


def _setup(name: str, settings: WorkspaceFile) -> ProviderSetup:
    entry = settings.providers[name]
    client = name if name in BUILT_IN_PROVIDERS else "openai" if entry.base_url is not None else "litellm"
    options: dict[str, Any] = {}
    concurrency = entry.concurrency
    if client == "local":
        options = {"slots": entry.slots, "context": entry.context, "prompt_cache": entry.prompt_cache}
        concurrency = entry.slots
    return ProviderSetup(
        name,
        client,
        entry.base_url or "",
        entry.api_key,
        concurrency,
        entry.timeout_s,
        entry.retries,
        entry.headers,
        options,
    )


def gate_of(settings: WorkspaceFile) -> GateSettings:
    """The rules of the gate; `auto` is None."""
    gate, drop = settings.gate, settings.gate.max_drop

    def limit(written: float | str) -> float | None:
        return None if isinstance(written, str) else written

    return GateSettings(
        estimand=gate.estimand,
        alpha=gate.alpha,
        max_drop=MaxDrop(
            limit(drop.pass_rate),
            {name: limit(value) for name, value in drop.scorers.items()},
            {name: limit(value) for name, value in drop.tags.items()},
        ),
        critical=gate.critical,
        max_cost_increase=gate.max_cost_increase,
        max_latency_increase=gate.max_latency_increase,
        max_errors=gate.max_errors,
        budget=GateBudget(gate.budget.calls, gate.budget.usd),
        on_inconclusive=gate.on_inconclusive,
    )
