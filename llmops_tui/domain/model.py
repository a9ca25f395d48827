"""Models as a workspace names them, the exact model behind a name, and what it costs."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

#: `program`: no model is asked by us; the configuration's own program answers.
Client = Literal["openai", "litellm", "local", "echo", "program"]


class Price(msgspec.Struct, frozen=True):
    """USD for one token. `source` says where the price is from."""

    input_usd: float
    output_usd: float
    cached_input_usd: float | None = None
    source: str = ""


class Model(msgspec.Struct, frozen=True):
    """One model of a configuration, resolved.

    Attributes:
        id: as configured: `local/smollm2-135m-instruct`, `gateway/my-model`, `openai/gpt-4o-mini`.
        provider: the part before the first `/`; names the settings in `llmops.yaml`.
        name: what is sent to the provider as the model.
        client: which client speaks to it.
        endpoint: base URL without credentials; empty where the client knows it.
        pin: what else fixes the answers. For a local model `file_sha256`, `runtime`, `slots`,
            `context`, `prompt_cache`; empty for a remote one.
        path: for a local model, the GGUF file on this machine (not part of any key).
        floating: true where the name is an alias that the provider may move to another model.
        price: None where it is not known.
    """

    id: str
    provider: str
    name: str
    client: Client
    endpoint: str = ""
    pin: dict[str, Any] = {}
    path: str | None = None
    floating: bool = False
    price: Price | None = None

    def identity(self) -> dict[str, Any]:
        """What goes into keys and into the version: no path, no price."""
        return {"client": self.client, "endpoint": self.endpoint, "name": self.name, "pin": self.pin}

    def is_deterministic(self, params: dict[str, Any]) -> bool:
        """True where equal requests give equal answers as a property of the runtime.

        Never inferred from repeats: a local model with one slot and no prompt cache, at
        temperature 0; and `echo`.
        """
        if self.client == "echo":
            return True
        return (
            self.client == "local"
            and self.pin.get("slots") == 1
            and self.pin.get("prompt_cache") is False
            and params.get("temperature") == 0
        )


class Usage(msgspec.Struct, frozen=True):
    """Tokens as the provider counted them; None where it did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            _sum(self.input_tokens, other.input_tokens),
            _sum(self.output_tokens, other.output_tokens),
            _sum(self.cached_tokens, other.cached_tokens),
            _sum(self.reasoning_tokens, other.reasoning_tokens),
        )


def _sum(a: int | None, b: int | None) -> int | None:
    if a is None:
        return b
    return a if b is None else a + b


def embedding_cost_usd(usage: Usage, price: Price | None) -> float | None:
    """What vectors cost in USD: there is no output. None where the price or the tokens are not known."""
    if price is not None and price.input_usd == 0:
        return 0.0
    return cost_usd(Usage(usage.input_tokens, 0, usage.cached_tokens), price)


def cost_usd(usage: Usage, price: Price | None) -> float | None:
    """What a call cost in USD, or None where the price or the tokens are not known."""
    if price is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    cached = usage.cached_tokens or 0
    cached_price = price.input_usd if price.cached_input_usd is None else price.cached_input_usd
    plain = max(usage.input_tokens - cached, 0)
    return plain * price.input_usd + cached * cached_price + usage.output_tokens * price.output_usd
