"""Server-sent events and chat completions → one answer. Pure: bytes in, an `Answer` out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import msgspec

from llmops_tui.domain.model import Usage
from llmops_tui.domain.safe_text import whole_text
from llmops_tui.providers.base import Answer

#: No answer is this long; what goes on beyond it is not read into memory.
MAX_ANSWER_BYTES = 32 * 1024 * 1024


class Words(msgspec.Struct):
    """A `message`, or the `delta` of a chunk. What is not read here is not decoded.

    `reasoning_content` is what DeepSeek, vLLM and others call it; `reasoning` is OpenRouter's word.
    """

    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class Choice(msgspec.Struct):
    index: int | None = 0
    delta: Words | None = None
    message: Words | None = None
    finish_reason: str | None = None


class Completion(msgspec.Struct):
    """A chat completion, or one chunk of it."""

    choices: list[Choice] | None = None
    id: Any = None
    model: str | None = None
    system_fingerprint: str | None = None
    usage: Any = None
    error: Any = None
    x_groq: Any = None


_decode_strict = msgspec.json.Decoder(Completion).decode


def _decode(data: bytes) -> Completion:
    """
    Raises:
        msgspec.ValidationError: it is JSON of another shape.
        msgspec.DecodeError: it is no JSON, or not whole.
    """
    try:
        return _decode_strict(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if b"\\ud" not in data and b"\\uD" not in data:
            raise
        # Half of a surrogate pair, escaped: no text by itself, but the other half may be in the next chunk.
        try:
            loose = json.loads(data)
        except (ValueError, RecursionError):
            loose = None
        if loose is None:
            raise
        return msgspec.convert(loose, Completion)


class ErrorInAnswer(Exception):
    """An error object where an answer was due; `body` is what it holds."""

    def __init__(self, body: Any) -> None:
        super().__init__("error object")
        self.body = body


class Malformed(Exception):
    """What came is no chat completion; the text is a clause that says why."""


class AnswerParts:
    """Gathers the pieces of one answer.

    Args:
        started: `time.perf_counter()` when the request left.
        on_token: called with each piece of text.
    """

    def __init__(self, started: float, on_token: Callable[[str], None]) -> None:
        self._started = started
        self._on_token = on_token
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._reasoning: list[str] = []
        self._id: Any = None
        self._tools: list[dict[str, Any]] = []
        self._tool_of: dict[int, dict[str, Any]] = {}
        self._usage: Any = None
        self._rest = b""
        self._torn = b""
        self._in_error = False
        self.size = 0
        self.streamed = False
        self.ttft_s: float | None = None
        self.finish_reason: str | None = None
        self.model: str | None = None
        self.fingerprint: str | None = None
        self.has_choice = False
        self.is_done = False

    # -- what comes

    def feed(self, data: bytes) -> None:
        """Bytes of an event stream, cut anywhere.

        Raises:
            ErrorInAnswer, Malformed.
        """
        self.size += len(data)
        if self.size > MAX_ANSWER_BYTES:
            raise Malformed(f"it is longer than {MAX_ANSWER_BYTES // 2**20} MiB")
        *lines, self._rest = (self._rest + data if self._rest else data).split(b"\n")
        for line in lines:
            self._line(line)

    def end(self) -> None:
        """The stream is over; a last line may lack its line end.

        Raises:
            ErrorInAnswer, Malformed.
        """
        rest, self._rest = self._rest, b""
        if rest:
            self._line(rest)
        if self._torn:
            raise Malformed(f"it is not JSON: {_start(self._torn)}")

    def _line(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            self._data(line[5:].strip())
        elif line.startswith(b"event:"):
            self._in_error = line[6:].strip() == b"error"
        elif self._torn and not line.strip():
            raise Malformed(f"it is not JSON: {_start(self._torn)}")

    def _data(self, data: bytes) -> None:
        if data == b"[DONE]":
            self.is_done = True
            return
        if not data:
            return
        if self._in_error:
            raise ErrorInAnswer(_any(data))
        whole = self._torn + b"\n" + data if self._torn else data
        try:
            chunk = _decode(whole)
        except msgspec.ValidationError as error:
            raise Malformed(f"it is no chat completion: {error}") from None
        except msgspec.DecodeError:
            # One event may come in several data lines; the blank line after it tells.
            self._torn = whole
            return
        self._torn = b""
        self.streamed = True
        self.add(chunk)

    def whole(self, body: bytes) -> None:
        """The body of an answer that did not stream.

        Raises:
            ErrorInAnswer, Malformed.
        """
        try:
            completion = _decode(body)
        except msgspec.ValidationError as error:
            if (found := _any(body)) and isinstance(found, list):
                raise ErrorInAnswer(found) from None
            raise Malformed(f"it is no chat completion: {error}") from None
        except msgspec.DecodeError:
            raise Malformed(f"it is not JSON: {_start(body)}") from None
        self.size += len(body)
        self.add(completion)
        self.is_done = True

    def add(self, chunk: Completion) -> None:
        """One decoded chunk, or a whole completion.

        Raises:
            ErrorInAnswer.
        """
        if chunk.error:
            raise ErrorInAnswer(chunk.error)
        if chunk.usage is not None:
            self._usage = chunk.usage
        elif isinstance(chunk.x_groq, dict) and chunk.x_groq.get("usage"):
            self._usage = chunk.x_groq["usage"]
        self._id = self._id or chunk.id
        self.model = chunk.model or self.model
        self.fingerprint = chunk.system_fingerprint or self.fingerprint
        for choice in chunk.choices or ():
            if choice.index:
                continue
            self.has_choice = True
            words = choice.delta or choice.message
            if words is not None:
                self._words(words)
            self.finish_reason = choice.finish_reason or self.finish_reason

    def _words(self, words: Words) -> None:
        content = words.content
        if content:
            text = content if isinstance(content, str) else _joined(content)
            if text:
                self._first()
                self._text.append(text)
                self._on_token(text)
        reasoning = words.reasoning_content or words.reasoning
        if isinstance(reasoning, str):
            self._reasoning.append(reasoning)
        if words.refusal:
            self._refusal.append(words.refusal)
        for piece in words.tool_calls or ():
            self._first()
            self._tool(piece)

    def _first(self) -> None:
        if self.ttft_s is None:
            self.ttft_s = time.perf_counter() - self._started

    def _tool(self, piece: dict[str, Any]) -> None:
        """A piece of a tool call. Not all providers number them; a new id is a new call."""
        index = piece.get("index")
        number = index if isinstance(index, int) else max(len(self._tools) - (not piece.get("id")), 0)
        call = self._tool_of.get(number)
        if call is None or (piece.get("id") and call["id"] and piece["id"] != call["id"]):
            call = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
            self._tool_of[number] = call
            self._tools.append(call)
        call["id"] = call["id"] or piece.get("id") or ""
        function = piece.get("function") or {}
        arguments = function.get("arguments")
        call["function"]["name"] += function.get("name") or ""
        if arguments is not None:
            # Some give the arguments as an object, whole.
            text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
            call["function"]["arguments"] += text

    # -- what it came to

    @property
    def is_complete(self) -> bool:
        """The provider said that this is all."""
        return self.is_done or self.finish_reason is not None

    def answer(self) -> Answer:
        """The answer, from what has come."""
        text, refusal = whole_text("".join(self._text)), whole_text("".join(self._refusal))
        return Answer(
            text=text or refusal,
            tool_calls=tuple(_whole(call) for call in self._tools),
            finish_reason=_whole(self.finish_reason),
            refused=bool(refusal) or self.finish_reason == "content_filter",
            served_model=_whole(self.model),
            fingerprint=_whole(self.fingerprint),
            usage=usage_of(self._usage),
            latency_s=time.perf_counter() - self._started,
            ttft_s=self.ttft_s if self.streamed else None,
            raw=self._raw(),
        )

    def _raw(self) -> dict[str, Any]:
        """What would else be lost, and is worth looking at when an answer is strange."""
        found = {"id": self._id, "usage": self._usage, "reasoning": "".join(self._reasoning)}
        return {name: _whole(value) for name, value in found.items() if value}


def usage_of(value: Any) -> Usage:
    """Token counts from a `usage` object of OpenAI or its look-alikes; None where one is not given."""
    if not isinstance(value, dict):
        return Usage()
    prompt, completion = value.get("prompt_tokens_details"), value.get("completion_tokens_details")
    return Usage(
        input_tokens=_count(value, "prompt_tokens", "input_tokens"),
        output_tokens=_count(value, "completion_tokens", "output_tokens"),
        cached_tokens=_count(prompt, "cached_tokens")
        if isinstance(prompt, dict)
        else _count(value, "prompt_cache_hit_tokens", "cache_read_input_tokens"),
        reasoning_tokens=_count(completion, "reasoning_tokens") if isinstance(completion, dict) else None,
    )


def _count(value: dict[str, Any], *names: str) -> int | None:
    for name in names:
        count = value.get(name)
        if isinstance(count, (int, float)) and not isinstance(count, bool):
            return int(count)
    return None


def _joined(parts: Any) -> str:
    """Text of a content that comes in typed parts; parts of thinking are left out."""
    if not isinstance(parts, list):
        return ""
    texts = [p.get("text") for p in parts if isinstance(p, dict) and p.get("type") in ("text", None)]
    return "".join(t for t in texts if isinstance(t, str))


def _any(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        return data.decode("utf-8", "replace")


def _whole(value: Any) -> Any:
    """`whole_text` of every text in a value."""
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, dict):
        return {_whole(k): _whole(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return value


def _start(body: bytes) -> str:
    from llmops_tui.providers.faults import clean

    return clean(body[:2000].decode("utf-8", "replace"), 120) or "it is empty"
