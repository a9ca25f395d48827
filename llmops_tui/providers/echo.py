"""A model for tests and first steps: answers with the last user message. No network, no cost."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import Any

from llmops_tui.domain.call import ChatRequest
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Model, Usage
from llmops_tui.providers.base import Answer, Embedded, Listener, Note

#: Numbers in a vector.
DIMENSION = 256


class EchoProvider:
    """Says what it was told. A token is a word; `max_tokens` cuts the answer."""

    def __init__(self, setup: ProviderSetup, note: Note) -> None:
        pass

    async def ask(self, model: Model, request: ChatRequest, listener: Listener) -> Answer:
        sent_at, started = time.time(), time.perf_counter()
        listener.sent(1, sent_at)
        spoken = [_text(m) for m in request.messages if m.get("role") == "user"]
        text, finish_reason = _cut(spoken[-1] if spoken else "", request.params.get("max_tokens"))
        listener.token(text)
        elapsed_s = time.perf_counter() - started
        return Answer(
            text=text,
            finish_reason=finish_reason,
            served_model=model.name,
            usage=Usage(sum(len(_text(m).split()) for m in request.messages), len(text.split())),
            latency_s=elapsed_s,
            ttft_s=elapsed_s,
            sent_at=sent_at,
        )

    async def embed(self, _model: Model, texts: Sequence[str], listener: Listener | None = None) -> Embedded:
        """Hashed words: texts that share words are near each other, and nothing is understood."""
        sent_at = time.time()
        if listener is not None:
            listener.sent(1, sent_at)
        usage = Usage(input_tokens=sum(len(text.split()) for text in texts))
        return Embedded([_hashed(text) for text in texts], usage, sent_at=sent_at)

    async def preload(self, _model: Model) -> None:
        pass

    async def close(self) -> None:
        pass


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else ""


def _cut(text: str, max_tokens: Any) -> tuple[str, str]:
    words = text.split()
    if isinstance(max_tokens, int) and max_tokens < len(words):
        return " ".join(words[:max_tokens]), "length"
    return text, "stop"


def _hashed(text: str) -> list[float]:
    """Signed counts of words by hash (Weinberger et al., "Feature hashing", 2009)."""
    vector = [0.0] * DIMENSION
    for word in text.lower().split():
        digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
        vector[digest[0] % DIMENSION] += 1.0 if digest[1] % 2 else -1.0
    return vector
