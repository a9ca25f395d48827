"""What every provider gives: an answer to one request, or a failure that says why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from llmops_tui.domain.call import ChatRequest, Failure
from llmops_tui.domain.model import Model, Usage

#: Tells the person something that belongs to no job: level (`info`, `warning`, `error`) and a sentence.
Note = Callable[[str, str], None]


class Answer(msgspec.Struct, frozen=True):
    """What a model answered to one request.

    Attributes:
        text: without reasoning; the words of the refusal where the model refused; may be empty.
        tool_calls: merged, in the provider's form: `{"id", "type", "function": {"name", "arguments"}}`.
        refused: the model or the provider declined (refusal field, content filter).
        served_model, fingerprint: what the provider says it served.
        latency_s: from sending the last attempt to its last byte.
        ttft_s: to the first token of text or of a tool call; None where the answer did not stream.
        attempts: requests sent until this one was answered.
        sent_at: when the last attempt left, Unix seconds.
        raw: of what the provider sent, that which the rest does not say: `id`, `usage`, `reasoning`.
    """

    text: str
    tool_calls: tuple[dict[str, Any], ...] = ()
    finish_reason: str | None = None
    refused: bool = False
    served_model: str | None = None
    fingerprint: str | None = None
    usage: Usage = Usage()
    latency_s: float = 0.0
    ttft_s: float | None = None
    attempts: int = 1
    sent_at: float = 0.0
    raw: dict[str, Any] = {}


class Embedded(msgspec.Struct, frozen=True):
    """Vectors of texts, in order.

    Attributes:
        vectors: as the provider gave them, all of one length; not normalised.
        usage: `input_tokens` alone.
        latency_s: of all requests that it took.
        attempts: requests sent.
        sent_at: when the last attempt of the first request left, Unix seconds.
    """

    vectors: list[list[float]]
    usage: Usage = Usage()
    latency_s: float = 0.0
    attempts: int = 1
    sent_at: float = 0.0


class CallFailed(Exception):
    """There is no answer; `failure` is for the person."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


class Listener(Protocol):
    """Who is told how a request gets on. All are called on the event loop."""

    def sent(self, attempt: int, at: float) -> None:
        """A request leaves: its number for this call, from 1, and Unix seconds."""

    def waiting(self, said: str, retry_at: float) -> None:
        """It is asked again later: what the provider said, and when (Unix seconds)."""

    def token(self, text: str) -> None:
        """A piece of the text has come. A later `sent` starts the text anew."""


class Unheard:
    """A listener that tells nobody."""

    def sent(self, attempt: int, at: float) -> None:
        pass

    def waiting(self, said: str, retry_at: float) -> None:
        pass

    def token(self, text: str) -> None:
        pass


class Provider(Protocol):
    """One provider of the workspace, with its own limit of requests in flight."""

    async def ask(self, model: Model, request: ChatRequest, listener: Listener) -> Answer:
        """The model's answer.

        Raises:
            CallFailed: there is none, after the retries that the settings allow.
        """

    async def embed(self, model: Model, texts: Sequence[str], listener: Listener | None = None) -> Embedded:
        """A vector for each text.

        Raises:
            CallFailed: there are none, after the retries that the settings allow.
        """

    async def preload(self, model: Model) -> None:
        """Do early what the first request to this model would wait for. Never raises."""

    async def close(self) -> None:
        """Drop connections and end processes."""
