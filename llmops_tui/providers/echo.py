"""A model for tests and first steps: answers with the last user message. No network, no cost."""

from __future__ import annotations

import time
from typing import Any

from llmops_tui.domain.call import ChatRequest
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Model, Usage
from llmops_tui.providers.base import Answer, Listener, Note


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
