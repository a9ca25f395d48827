"""What litellm knows about models, read from the JSON that it ships; litellm is never imported."""

from __future__ import annotations

import importlib.util
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.model import Price

PRICES_FILE = "model_prices_and_context_window_backup.json"
PROVIDERS_FILE = "provider_endpoints_support_backup.json"
_CHAT = ("chat", "completion", "responses")
_DATE = re.compile(r"[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4})$")


class _Entry(msgspec.Struct):
    litellm_provider: str | None = None
    mode: str | None = None
    input_cost_per_token: float | None = None
    output_cost_per_token: float | None = None
    cache_read_input_token_cost: float | None = None


class PriceTable:
    """The price table and the list of providers.

    Attributes:
        files: what it was read from.
    """

    def __init__(self, folder: Path) -> None:
        self.files = (folder / PRICES_FILE, folder / PROVIDERS_FILE)
        self._entries: dict[str, _Entry] = {}
        for name, raw in _decode(self.files[0], dict[str, msgspec.Raw]).items():
            try:
                self._entries[name] = msgspec.json.decode(raw, type=_Entry, strict=False)
            except msgspec.DecodeError:
                continue  # an entry that is no model (the table documents itself in one)
        self._entries.pop("sample_spec", None)
        listed = _decode(self.files[1], dict[str, Any]).get("providers", {})
        priced = {e.litellm_provider for e in self._entries.values() if e.litellm_provider}
        self.providers = frozenset(listed) | {p for p in priced if " " not in p}

    def price(self, provider: str, name: str) -> Price | None:
        """The price of a model, or None where the table has none."""
        entry = self._find(provider, name)
        if entry is None or entry.input_cost_per_token is None or entry.output_cost_per_token is None:
            return None
        return Price(
            entry.input_cost_per_token,
            entry.output_cost_per_token,
            entry.cache_read_input_token_cost,
            "litellm",
        )

    def price_of_name(self, name: str) -> Price | None:
        """The price under exactly this name, whoever serves it (an OpenAI-compatible gateway)."""
        entry = self._entries.get(name)
        return self.price(entry.litellm_provider or "", name) if entry is not None else None

    def knows(self, provider: str, name: str) -> bool:
        return self._find(provider, name) is not None

    def names(self, provider: str) -> set[str]:
        """Chat models of a provider, named as in a configuration without the provider."""
        return {
            key.removeprefix(f"{provider}/")
            for key, entry in self._entries.items()
            if _serves(entry, provider) and entry.mode in _CHAT
        }

    def with_provider(self, name: str) -> set[str]:
        """`gpt-4o` → `openai/gpt-4o`; empty for a name that the table does not have."""
        entry = self._entries.get(name)
        return {f"{entry.litellm_provider}/{name}"} if entry is not None and entry.litellm_provider else set()

    def dated(self, provider: str, name: str) -> list[str]:
        """Names that fix what `name` may move to: `gpt-4o` → `gpt-4o-2024-08-06`, newest first."""
        if _DATE.search(name):
            return []
        stem = re.sub(r"[-:]latest$", "", name)
        found = {n for n in self.names(provider) if n.startswith(stem) and _DATE.fullmatch(n[len(stem) :])}
        return sorted(found, reverse=True)

    def _find(self, provider: str, name: str) -> _Entry | None:
        entry = self._entries.get(f"{provider}/{name}")
        if entry is not None:
            return entry
        entry = self._entries.get(name)
        return entry if entry is not None and _serves(entry, provider) else None


def _serves(entry: _Entry, provider: str) -> bool:
    """`vertex_ai` serves what the table lists under `vertex_ai-anthropic_models`."""
    served = entry.litellm_provider or ""
    return served == provider or served.startswith((f"{provider}-", f"{provider}_"))


def price_table() -> PriceTable:
    """The shipped table; empty where litellm is not installed."""
    spec = importlib.util.find_spec("litellm")
    folder = next(iter(spec.submodule_search_locations or []), "") if spec is not None else ""
    return _table(folder)


@lru_cache(maxsize=1)
def _table(folder: str) -> PriceTable:
    return PriceTable(Path(folder))


def _decode(path: Path, type_: Any) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=type_)
    except (OSError, msgspec.DecodeError):
        return {}
