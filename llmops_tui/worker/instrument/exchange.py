"""One request of somebody's own client to an OpenAI-compatible endpoint, as a span.

Only addresses, bodies and statuses are looked at: never a header that could hold a key.
"""

from __future__ import annotations

import contextlib
import contextvars
import itertools
import json
import sys
import time
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import messages_of, tool_call_part
from llmops_tui.providers.answer_parts import AnswerParts, ErrorInAnswer, Malformed, usage_of
from llmops_tui.worker.instrument import otel
from llmops_tui.worker.instrument.scope import Scope, Seen, current

#: How much of a request or an answer is kept, in bytes; of longer ones only the figures that came.
BODY_LIMIT = 8_000_000
_KINDS = {
    "/chat/completions": ("chat", "model"),
    "/completions": ("text_completion", "model"),
    "/embeddings": ("embeddings", "embedding"),
}
_NOT_PARAMS = frozenset(
    ("model", "messages", "prompt", "input", "stream", "stream_options", "tools", "response_format")
)
_numbers = itertools.count(1)
#: A client that is built upon another is recorded once.
_inside: contextvars.ContextVar[bool] = contextvars.ContextVar("llmops_request", default=False)


def watch(method: str, url: str) -> Exchange | None:
    """An exchange to be told of what goes on, if this request is to be recorded."""
    scope = current.get()
    if scope is None or method.upper() != "POST" or _inside.get():
        return None
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    ending = next((end for end in _KINDS if path.endswith(end)), None)
    if ending is None:
        return None
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if f"{host}:{port}" == scope.own:
        scope.asked_us(otel.active())
        return None
    exchange = Exchange(scope, ending, host, port)
    scope.begin(exchange)
    return exchange


@contextlib.contextmanager
def inside() -> Any:
    """Requests that are made inside belong to one that is recorded already."""
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


class Exchange:
    """A request and its answer. Nothing here raises.

    Args:
        ending: of the path, which says what is asked.
    """

    def __init__(self, scope: Scope, ending: str, host: str, port: int) -> None:
        self._scope = scope
        self._operation, self._kind = _KINDS[ending]
        self._server = (host, port)
        self._parent = otel.active()
        self._start = time.time()
        self._began = time.perf_counter()
        self._first: float | None = None
        self._request = bytearray()
        self._answer = bytearray()
        self._status: int | None = None
        self._encoding = ""
        self._is_chunked = False
        self._type = ""
        self._ended = False

    def sent(self, data: Any) -> None:
        """More of the request's body."""
        if isinstance(data, str):
            data = data.encode("utf-8", "replace")
        if isinstance(data, bytes | bytearray | memoryview) and len(self._request) <= BODY_LIMIT:
            self._request += data

    def answered(
        self, status: int, headers: Mapping[str, str], *, is_raw: bool, framed: bool = False
    ) -> None:
        """The head of the answer has come.

        Args:
            is_raw: the bytes that will be told are still compressed.
            framed: and still in the frames of a chunked transfer.
        """
        self._status = status
        self._type = headers.get("content-type") or ""
        if is_raw:
            self._encoding = (headers.get("content-encoding") or "").lower()
        self._is_chunked = framed and "chunked" in (headers.get("transfer-encoding") or "").lower()

    def feed(self, data: Any) -> None:
        """More of the answer's body."""
        if not data or self._ended:
            return
        if self._first is None:
            self._first = time.perf_counter()
        if len(self._answer) <= BODY_LIMIT:
            self._answer += data

    def end(self, error: str = "") -> None:
        """It is over; a second time does nothing."""
        if self._ended:
            return
        self._ended = True
        self._scope.ended(self)
        try:
            seen = self._seen(error)
        except Exception:  # what we make of it must not hurt the call
            return
        if seen is not None:
            self._scope.add(seen)

    # -- what it came to

    def _seen(self, error: str) -> Seen | None:
        try:
            body = json.loads(bytes(self._request))
        except (ValueError, RecursionError):
            return None
        if not isinstance(body, dict):
            return None
        end = self._start + time.perf_counter() - self._began
        attributes = self._asked(body)
        error = self._read(attributes) or error
        model = body.get("model")
        name = f"{self._operation} {model}" if isinstance(model, str) and model else self._operation
        return Seen(
            f"request-{next(_numbers)}", self._parent, self._kind, name, self._start, end, attributes, error
        )

    def _asked(self, body: dict[str, Any]) -> dict[str, Any]:
        host, port = self._server
        found: dict[str, Any] = {
            a.OPERATION: self._operation,
            a.PROVIDER: _provider(host),
            "server.address": host,
            "server.port": port,
        }
        if isinstance(body.get("model"), str):
            found[a.MODEL] = body["model"]
        found.update({f"{a.REQUEST}{k}": v for k, v in body.items() if k not in _NOT_PARAMS})
        messages = body.get("messages")
        if isinstance(messages, list):
            found[a.INPUT_MESSAGES] = messages_of([m for m in messages if isinstance(m, dict)])
        elif "prompt" in body:
            found[a.INPUT] = body["prompt"]
        elif "input" in body:
            found[a.INPUT] = body["input"]
        if body.get("tools"):
            found[a.TOOL_DEFINITIONS] = body["tools"]
        if body.get("response_format"):
            found[a.RESPONSE_FORMAT] = body["response_format"]
        return found

    def _read(self, attributes: dict[str, Any]) -> str:
        """Put the answer into the attributes; what went wrong, if something did."""
        if self._status is None:
            return ""
        data = self._decoded()
        if self._status >= 400:
            attributes[a.ERROR_TYPE] = str(self._status)
            said = _said(data)
            return f"HTTP {self._status}: {said}" if said else f"HTTP {self._status}"
        if data is None:
            return ""
        if self._operation != "chat":
            return self._other(attributes, data)
        parts = AnswerParts(self._began, _nobody)
        wrong = ""
        try:
            if "event-stream" in self._type or data.lstrip()[:5] in (b"data:", b"event"):
                parts.feed(data)
                parts.end()
            else:
                parts.whole(data)
        except ErrorInAnswer as error:
            wrong = f"the endpoint answered with an error: {error.body}"
        except Malformed as error:
            wrong = f"the answer can't be read: {error}"
        answer = parts.answer()
        said_parts: list[dict[str, Any]] = []
        if answer.text:
            said_parts.append({"type": "text", "content": answer.text})
        said_parts += [tool_call_part(call) for call in answer.tool_calls]
        if said_parts:
            attributes[a.OUTPUT_MESSAGES] = [
                {"role": "assistant", "parts": said_parts, "finish_reason": answer.finish_reason or ""}
            ]
        if answer.finish_reason:
            attributes[a.FINISH_REASONS] = [answer.finish_reason]
        if answer.served_model:
            attributes[a.RESPONSE_MODEL] = answer.served_model
        if answer.fingerprint:
            attributes[a.FINGERPRINT] = answer.fingerprint
        if parts.streamed and self._first is not None:
            attributes[a.TIME_TO_FIRST_CHUNK] = self._first - self._began
        _tokens(attributes, answer.usage)
        return wrong

    def _other(self, attributes: dict[str, Any], data: bytes) -> str:
        """Answers of embeddings and of plain completions: the vectors are counted, not kept."""
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(body, dict):
            return ""
        _tokens(attributes, usage_of(body.get("usage")))
        if isinstance(body.get("model"), str):
            attributes[a.RESPONSE_MODEL] = body["model"]
        texts = [c.get("text") for c in body.get("choices") or () if isinstance(c, dict)]
        if texts:
            attributes[a.OUTPUT] = texts[0] if len(texts) == 1 else texts
        return ""

    def _decoded(self) -> bytes | None:
        """The answer's body as it was meant; None where it is too long or of a form that we do not read."""
        if len(self._answer) > BODY_LIMIT:
            return None
        data = bytes(self._answer)
        if self._is_chunked:
            data = _unframed(data)
        if self._encoding in ("", "identity"):
            return data
        with contextlib.suppress(Exception):  # cut off, or not what it says
            if self._encoding in ("gzip", "x-gzip", "deflate"):
                return zlib.decompressobj(47).decompress(data, BODY_LIMIT)
            # Who asked for one of these has loaded what reads it.
            if self._encoding == "br" and (brotli := sys.modules.get("brotli")):
                return bytes(brotli.decompress(data))
            if self._encoding == "zstd" and (zstandard := sys.modules.get("zstandard")):
                return bytes(zstandard.ZstdDecompressor().decompressobj().decompress(data))
        return None


def _unframed(data: bytes) -> bytes:
    """The content of a chunked transfer, as far as it came (RFC 9112, 7.1)."""
    found, place = bytearray(), 0
    while True:
        end = data.find(b"\r\n", place)
        if end < 0:
            return bytes(found)
        try:
            size = int(data[place:end].split(b";")[0], 16)
        except ValueError:
            return bytes(found)
        if size == 0:
            return bytes(found)
        found += data[end + 2 : end + 2 + size]
        place = end + 2 + size + 2


def _tokens(attributes: dict[str, Any], usage: Any) -> None:
    for name, value in (
        (a.INPUT_TOKENS, usage.input_tokens),
        (a.OUTPUT_TOKENS, usage.output_tokens),
        (a.CACHED_TOKENS, usage.cached_tokens),
        (a.REASONING_TOKENS, usage.reasoning_tokens),
    ):
        if value is not None:
            attributes[name] = value


def _said(data: bytes | None) -> str:
    """What an error's body says."""
    if not data:
        return ""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return data[:300].decode("utf-8", "replace").strip()
    error = body.get("error", body) if isinstance(body, dict) else body
    said = error.get("message", error) if isinstance(error, dict) else error
    return str(said)[:300]


def _provider(host: str) -> str:
    return "openai" if host.endswith("openai.com") else host


def _nobody(_text: str) -> None:
    pass
