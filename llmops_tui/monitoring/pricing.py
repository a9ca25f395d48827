"""What a live call cost: its model's price by the names that programs and providers use for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from llmops_tui.domain.model import Price

if TYPE_CHECKING:
    from llmops_tui.domain.schema import WorkspaceFile
    from llmops_tui.workspace.prices import PriceTable

#: The conventions' names of providers (`gen_ai.provider.name`) → litellm's.
_PROVIDERS = {
    "aws.bedrock": "bedrock",
    "az.ai.inference": "azure_ai",
    "az.ai.openai": "azure",
    "azure.ai.inference": "azure_ai",
    "azure.ai.openai": "azure",
    "gcp.gemini": "gemini",
    "gcp.gen_ai": "gemini",
    "gcp.vertex_ai": "vertex_ai",
    "google": "gemini",
    "google_ai_studio": "gemini",
    "ibm.watsonx.ai": "watsonx",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "vertexai": "vertex_ai",
    "x_ai": "xai",
}
#: Parts before a model's name that say where it is served.
_PLACES = ("models/", "publishers/google/models/", "publishers/anthropic/models/")
_DATE = re.compile(r"[-@](?:\d{4}-\d{2}-\d{2}|\d{8})(?:-v\d+:\d+)?$|-(?:latest|\d{3})$")
_REGION = re.compile(r"^(?:us|eu|apac|global|jp|au)\.(?=[a-z])")
_KNOWN_AT_MOST = 2_000


class Prices:
    """Prices by provider and model: those of `llmops.yaml` first, then litellm's table."""

    def __init__(self, own: Mapping[str, Mapping[str, Price]], table: PriceTable) -> None:
        self._own = own
        self._table = table
        self._known: dict[tuple[str, str], Price | None] = {}

    def __call__(self, provider: str, model: str) -> Price | None:
        """The price of a model, or None where nobody knows it.

        Args:
            provider: as a span tells it, may be empty.
            model: `gpt-4o-2024-08-06`, `openai/gpt-4o`, `models/gemini-2.5-pro`.
        """
        key = (provider, model)
        if key not in self._known:
            if len(self._known) >= _KNOWN_AT_MOST:
                self._known.clear()
            self._known[key] = self._find(provider.strip().lower(), model.strip())
        return self._known[key]

    def _find(self, provider: str, model: str) -> Price | None:
        provider = _PROVIDERS.get(provider, provider)
        names = _names(model)
        for name in names:
            own = self._own_price(provider, name)
            if own is not None:
                return own
        for name in names:
            first, slash, rest = name.partition("/")
            found = self._table.price(first, rest) if slash else None
            found = found or (self._table.price(provider, name) if provider else None)
            if found is not None:
                return found
        return next((p for name in names if (p := self._table.price_of_name(name)) is not None), None)

    def _own_price(self, provider: str, name: str) -> Price | None:
        first, slash, rest = name.partition("/")
        for entry, model in ((provider, name), (first, rest if slash else "")):
            if (price := self._own.get(entry, {}).get(model)) is not None:
                return price
        # A gateway's name is known to us alone: the program calls it by the protocol that it speaks.
        found = {price for models in self._own.values() if (price := models.get(name)) is not None}
        return found.pop() if len(found) == 1 else None


def _names(model: str) -> list[str]:
    """The name and what it may be listed under, the most exact first."""
    plain = model
    for place in _PLACES:
        plain = plain.removeprefix(place)
    names = [model, plain, plain.replace("@", "-"), plain.rpartition("/")[2], _REGION.sub("", plain)]
    names += [_DATE.sub("", name) for name in names]
    names += [name.lower() for name in names]
    return [name for name in dict.fromkeys(names) if name]


def prices_of(settings: WorkspaceFile) -> Prices:
    """The prices that a workspace knows."""
    from llmops_tui.workspace.models import own_price
    from llmops_tui.workspace.prices import price_table

    own = {
        name: {model: price for model in entry.price if (price := own_price(entry, model)) is not None}
        for name, entry in settings.providers.items()
    }
    return Prices(own, price_table())
