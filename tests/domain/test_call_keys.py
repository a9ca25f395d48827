"""The key of a request holds all that can change the answer, and nothing else."""

from __future__ import annotations

import msgspec
import pytest

from llmops_tui.domain.call import ChatRequest, request_key
from llmops_tui.domain.model import Model, Price, Usage, cost_usd

LOCAL = Model(
    "local/m",
    "local",
    "m",
    "local",
    pin={"file_sha256": "ab", "runtime": "x 1", "slots": 1, "context": 2048, "prompt_cache": False},
)
ASK = ChatRequest(({"role": "user", "content": "hi"},), {"temperature": 0, "seed": 7})


def test_the_same_request_has_the_same_key() -> None:
    again = ChatRequest(({"content": "hi", "role": "user"},), {"seed": 7, "temperature": 0.0})
    assert request_key(LOCAL, ASK) == request_key(LOCAL, again)


@pytest.mark.parametrize(
    "other",
    [
        ChatRequest(({"role": "user", "content": "hi!"},), ASK.params),
        ChatRequest(({"role": "system", "content": "hi"},), ASK.params),
        ChatRequest(ASK.messages, {"temperature": 0}),
        ChatRequest(ASK.messages, {"temperature": 0, "seed": 8}),
        ChatRequest(ASK.messages, ASK.params, ({"type": "function"},)),
        ChatRequest(ASK.messages, ASK.params, (), {"type": "json_object"}),
    ],
)
def test_whatever_is_sent_is_in_the_key(other: ChatRequest) -> None:
    assert request_key(LOCAL, other) != request_key(LOCAL, ASK)


@pytest.mark.parametrize("name", ["file_sha256", "runtime", "slots", "context", "prompt_cache"])
def test_a_local_models_pin_is_in_the_key(name: str) -> None:
    pinned = msgspec.structs.replace(LOCAL, pin={**LOCAL.pin, name: "other"})
    assert request_key(pinned, ASK) != request_key(LOCAL, ASK)


def test_the_endpoint_is_in_the_key_and_paths_and_prices_are_not() -> None:
    moved = msgspec.structs.replace(LOCAL, path="/elsewhere.gguf", price=Price(1, 1), id="local/alias")
    assert request_key(moved, ASK) == request_key(LOCAL, ASK)
    elsewhere = msgspec.structs.replace(LOCAL, endpoint="http://127.0.0.1:9/v1")
    assert request_key(elsewhere, ASK) != request_key(LOCAL, ASK)


def test_only_a_runtime_is_deterministic_never_a_guess() -> None:
    assert LOCAL.is_deterministic({"temperature": 0})
    assert not LOCAL.is_deterministic({"temperature": 0.1})
    assert not LOCAL.is_deterministic({})
    assert not msgspec.structs.replace(LOCAL, pin={**LOCAL.pin, "slots": 4}).is_deterministic(
        {"temperature": 0}
    )
    remote = Model("g/m", "g", "m", "openai", "http://x/v1")
    assert not remote.is_deterministic({"temperature": 0, "seed": 1})


def test_cost_is_unknown_rather_than_zero() -> None:
    usage = Usage(1000, 100, cached_tokens=400)
    assert cost_usd(usage, Price(1e-6, 2e-6, 0.5e-6)) == pytest.approx(600e-6 + 200e-6 + 200e-6)
    assert cost_usd(usage, Price(1e-6, 2e-6)) == pytest.approx(1000e-6 + 200e-6)
    assert cost_usd(usage, None) is None
    assert cost_usd(Usage(None, 5), Price(1, 1)) is None
