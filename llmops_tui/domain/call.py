"""One request to one model, its answer, and the key under which the answer is kept."""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.domain.canonical import KEY_SCHEMA, digest
from llmops_tui.domain.model import Model, Usage

FailureKind = str
"""One of `auth`, `rate_limit`, `timeout`, `dropped`, `bad_response`, `refused_request`, `unavailable`,
`context_length`, `crash`, `template`, `retrieval`, `user_code`, `cancelled`, `internal`."""


class ChatRequest(msgspec.Struct, frozen=True):
    """What is sent: messages as the provider gets them, and the parameters that were set.

    Attributes:
        messages: `{"role": …, "content": …}` in order.
        params: as configured; what is not set is not sent. `extra_body` is merged into the body.
        tools: tool schemas, JSON.
        response_format: response schema, JSON.
    """

    messages: tuple[dict[str, Any], ...]
    params: dict[str, Any] = {}
    tools: tuple[dict[str, Any], ...] = ()
    response_format: dict[str, Any] | None = None


class Draw(msgspec.Struct, frozen=True):
    """Which of the answers to one request: each draw is asked for once.

    `generation` is 0 unless `--fresh` opened a new one; `step` is the path of the step in a
    program (empty for a plain prompt); `occurrence` counts equal requests within one step.
    """

    generation: int = 0
    trial: int = 0
    step: str = ""
    occurrence: int = 0


def request_key(model: Model, request: ChatRequest) -> str:
    """The key of a request: all that can change the answer, and nothing else."""
    return digest(
        {
            "schema": KEY_SCHEMA,
            "kind": "call",
            "model": model.identity(),
            "messages": list(request.messages),
            "params": request.params,
            "tools": list(request.tools),
            "response_format": request.response_format,
        }
    )


class Call(msgspec.Struct, frozen=True):
    """A request that was answered.

    Attributes:
        key: `request_key`.
        text: the answer; empty where the model only called tools.
        tool_calls: as the provider gave them.
        finish_reason: `stop`, `length`, `tool_calls`, `content_filter` or the provider's own word.
        refused: the model or the provider declined (content filter, refusal field).
        served_model, fingerprint: what the provider says it served.
        latency_s: from the last attempt's sending to the last byte.
        ttft_s: to the first token of content; None where the answer did not stream.
        cost_usd: None where it is not known.
        attempts: requests sent until this one was answered.
        sent_at: Unix seconds.
        raw: of what the provider sent, that which the rest does not say: `id`, `usage`, `reasoning`.
    """

    key: str
    draw: Draw
    model_id: str
    request: ChatRequest
    text: str
    tool_calls: tuple[dict[str, Any], ...] = ()
    finish_reason: str | None = None
    refused: bool = False
    served_model: str | None = None
    fingerprint: str | None = None
    usage: Usage = Usage()
    latency_s: float = 0.0
    ttft_s: float | None = None
    cost_usd: float | None = None
    attempts: int = 1
    sent_at: float = 0.0
    raw: dict[str, Any] = {}


class Failure(msgspec.Struct, frozen=True):
    """Why an output could not be had: kept as an attempt, never a cache hit.

    `message` is a sentence for the person with what the provider said; `remedy` what to do.
    """

    kind: FailureKind
    message: str
    remedy: str = ""
    provider: str = ""
    attempts: int = 1

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message
