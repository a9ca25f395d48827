"""Embeddings of the fake server: a vector counts letters, so that texts of the same words are alike.

The model's name says how it behaves: `embed-…` embeds, anything named in `EMBEDDING_QUIRKS` plays that.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fake_openai import Asked, Reply, error

DIMENSION = 26


def vector_of(text: str) -> list[float]:
    lower = text.lower()
    return [float(lower.count(chr(ord("a") + k))) + 0.01 for k in range(DIMENSION)]


def vectors(asked: Asked, found: list[list[float]] | None = None, **more: Any) -> Reply:
    """The answer to a request: the numbers are turned round, as a server may."""
    texts = asked.body["input"]
    found = [vector_of(text) for text in texts] if found is None else found
    data = [{"object": "embedding", "index": k, "embedding": v} for k, v in enumerate(found)]
    tokens = sum(len(text.split()) for text in texts)
    body = {
        "object": "list",
        "model": asked.model,
        "data": data[::-1],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        **more,
    }
    return Reply(pieces=[json.dumps({k: v for k, v in body.items() if v is not None}).encode()])


EMBEDDING_QUIRKS: dict[str, Callable[[Asked], Reply]] = {
    "busy-once": lambda asked: error(503, "overloaded") if asked.nth == 1 else vectors(asked),
    "limited-once": lambda asked: (
        error(429, "slow down", {"retry-after": "7"}) if asked.nth == 1 else vectors(asked)
    ),
    "one-short": lambda asked: vectors(asked, [[1.0]] * (len(asked.body["input"]) - 1)),
    "ragged": lambda asked: vectors(asked, [[1.0] * (k + 1) for k in range(len(asked.body["input"]))]),
    "page": lambda _asked: Reply(pieces=[b"<html>Hello</html>"]),
    "empty": lambda asked: vectors(asked, data=None),
    "error-in-200": lambda _asked: Reply(
        pieces=[b'{"error": {"message": "no capacity", "code": "rate_limit_exceeded"}}']
    ),
    "no-usage": lambda asked: vectors(asked, usage=None),
    "too-long": lambda _asked: error(400, "This model's maximum context length is 512 tokens"),
    "chat-only": lambda _asked: error(400, "This model does not support embeddings"),
    "wrong-key": lambda asked: error(401, f"Incorrect key {asked.headers.get('authorization', '')}"),
}


def embedding(asked: Asked) -> Reply:
    return EMBEDDING_QUIRKS.get(asked.model, vectors)(asked)
