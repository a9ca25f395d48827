"""Clients of models: OpenAI-compatible endpoints, litellm, the embedded model, echo."""

from __future__ import annotations

import importlib
from typing import cast

from llmops_tui.domain.errors import ModelError, Problem, did_you_mean
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.providers.base import Note, Provider

#: Client → module and class; a client is imported when a provider of the workspace uses it.
CLIENTS = {
    "openai": ("llmops_tui.providers.openai_client", "OpenAIProvider"),
    "litellm": ("llmops_tui.providers.litellm_client", "LitellmProvider"),
    "local": ("llmops_tui.providers.local", "LocalProvider"),
    "echo": ("llmops_tui.providers.echo", "EchoProvider"),
}


def make_provider(setup: ProviderSetup, note: Note) -> Provider:
    """The client that the settings name.

    Raises:
        ModelError: there is no such client.
    """
    if setup.client not in CLIENTS:
        remedy = did_you_mean(setup.client, set(CLIENTS))
        raise ModelError(Problem(f"provider '{setup.name}': there is no client '{setup.client}'", remedy))
    module, name = CLIENTS[setup.client]
    return cast(Provider, getattr(importlib.import_module(module), name)(setup, note))
