"""`llmops.yaml`: settings of the workspace, and how to speak to its providers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.gate.settings import GateBudget, GateSettings, MaxDrop
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.schema import WorkspaceFile
from llmops_tui.workspace.models import BUILT_IN_PROVIDERS
from llmops_tui.workspace.reader import Reader
from llmops_tui.workspace.root import SETTINGS_FILE
from llmops_tui.workspace.validation import read_document, read_validated

_IS_SECRET = re.compile("auth|key|token|secret|password", re.IGNORECASE)


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
    otlp = settings.tracing.otlp
    if otlp is not None:
        if not _is_url(otlp.endpoint):
            # Not shown: a password may stand in it.
            reader.fail(
                "the endpoint of tracing is not a URL",
                "write it as http://localhost:4318",
                SETTINGS_FILE,
                document.line(("tracing", "otlp", "endpoint")),
            )
        for name, value in otlp.headers.items():
            if _IS_SECRET.search(name) and "${" not in value:
                reader.warn(
                    "a key is written out in a file that is in git",
                    f"write {name}: ${{NAME}} and put NAME=… into .env",
                    SETTINGS_FILE,
                    document.line(("tracing", "otlp", "headers", name)),
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


def check_gate(reader: Reader, settings: WorkspaceFile, configurations: Iterable[Configuration]) -> None:
    """Warn of rules about tags and scorers that no case has: a misspelt one would never fail."""
    gate = settings.gate
    written: list[tuple[str, str, tuple[str, ...]]]
    written = [("tag", name, ("gate", "max_drop", "tags", name)) for name in gate.max_drop.tags]
    written += [("scorer", name, ("gate", "max_drop", "scorers", name)) for name in gate.max_drop.scorers]
    if "critical" in gate.model_fields_set:
        written.append(("tag", gate.critical, ("gate", "critical")))
    if not written:
        return
    cases = [case for configuration in configurations for case in configuration.cases]
    scorers = {id(case.scorers): case.scorers for case in cases}
    known = {
        "tag": {tag for case in cases for tag in case.tags},
        "scorer": {use.label for uses in scorers.values() for use in uses},
    }
    unknown = [(kind, name, loc) for kind, name, loc in written if name not in known[kind]]
    document = read_document(reader, SETTINGS_FILE) if unknown else None
    for kind, name, loc in unknown:
        what = f"no case has the tag '{name}'" if kind == "tag" else f"no case is scored by '{name}'"
        line = document.line(loc) if document is not None else None
        remedy = did_you_mean(name, known[kind])
        reader.warn(f"{what}, so the gate's rule about it judges nothing", remedy, SETTINGS_FILE, line)


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
