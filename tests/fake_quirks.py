"""What real providers do beside answering, by the model's name: `quirk-429-retry-after`, …

Modelled on the error pages and API references of OpenAI, Azure OpenAI, Anthropic, Gemini, Groq,
Mistral, DeepSeek, OpenRouter, vLLM, Ollama and llama.cpp.
"""

# ruff: noqa: E501 (what providers say is quoted whole)

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fake_openai import Asked, Reply, Script, completion, error, events, say, stream, usage_of

QUIRKS: dict[str, Script] = {}


def quirk(name: str) -> Callable[[Script], Script]:
    def register(script: Script) -> Script:
        QUIRKS[name] = script
        return script

    return register


def first(reply: Callable[[Asked], Reply]) -> Script:
    """The quirk once, then a plain answer."""
    return lambda asked: reply(asked) if asked.nth == 1 else say(asked, asked.said)


def limited(**headers: str) -> Callable[[Asked], Reply]:
    names = {k.replace("_", "-"): v for k, v in headers.items()}
    return lambda _: error(
        429, "Rate limit reached for requests", names, type="requests", code="rate_limit_exceeded"
    )


DATE = {"date": "Tue, 01 Sep 2026 10:00:00 GMT", "retry_after": "Tue, 01 Sep 2026 10:00:07 GMT"}
QUIRKS |= {
    # -- limits
    "429": first(limited()),
    "429-retry-after": first(limited(retry_after="2")),
    "429-ms": first(limited(retry_after_ms="1500")),
    "429-date": first(limited(**DATE)),
    "429-long": limited(retry_after="3600"),
    "429-always": limited(),
    "quota": lambda _: error(
        429, "You exceeded your current quota, please check your plan and billing details.",
        type="insufficient_quota", code="insufficient_quota",
    ),
    "402": lambda _: error(402, "Insufficient Balance", type="unknown_error", code="invalid_request_error"),
    # -- faults on their side
    "500": first(lambda _: error(500, "The server had an error while processing your request", type="server_error")),
    "503-retry-after": first(lambda _: error(503, "overloaded", {"retry-after": "3"})),
    "529": first(lambda _: Reply(529, {}, [b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'])),
    "no-retry": lambda _: error(500, "do not come back", {"x-should-retry": "false"}),
    "html-502": lambda _: Reply(
        502, {"content-type": "text/html"},
        [b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"],
    ),
    # -- errors of the person
    "401": lambda asked: error(
        401, f"Incorrect API key provided: {asked.headers.get('authorization', '')[7:]}. You can find your API key"
        " at https://platform.openai.com/account/api-keys.", code="invalid_api_key",
    ),
    "403": lambda _: Reply(403, {}, [b'{"detail":"Forbidden for this project"}']),
    "404": lambda asked: error(
        404, f"The model `{asked.model}` does not exist or you do not have access to it.", code="model_not_found",
    ),
    "404-path": lambda _: Reply(404, {}, [b'{"detail":"Not Found"}']),
    "bad-model-400": lambda asked: error(400, f"{asked.model} is not a valid model ID", code=400),
    "context": lambda _: error(
        400, "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
        param="messages", code="context_length_exceeded",
    ),
    "list-error": lambda _: Reply(400, {}, [b'[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]']),
    "redirect": lambda _: Reply(308, {"location": "http://127.0.0.1:9/elsewhere?token=1"}, [b""]),
    # -- refusals
    "content-filter": lambda asked: stream(asked, [{"content": "It begins"}], "content_filter"),
    "prompt-filter": lambda _: error(
        400, "The response was filtered due to the prompt triggering content management policy.", param="prompt",
        code="content_filter", innererror={"code": "ResponsibleAIPolicyViolation"},
    ),
    # -- answers that look otherwise
    "length": lambda asked: say(asked, asked.said, "length"),
    "no-usage": lambda asked: stream(asked, [{"content": asked.said}]),
    "null-usage": lambda asked: completion(asked, {"role": "assistant", "content": asked.said}, usage=None),
    "plain-json": lambda asked: completion(asked, {"role": "assistant", "content": asked.said}),
    "null-content": lambda asked: completion(asked, {"role": "assistant", "content": None}),
    "parts": lambda asked: completion(
        asked, {"role": "assistant", "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": asked.said},
        ]},
    ),
    "empty-choices": lambda asked: completion(asked, {}, choices=[]),
    "no-done": lambda asked: stream(asked, [{"content": asked.said}], done=False),
    "no-finish": lambda asked: stream(asked, [{"content": asked.said}], None),
    "reasoning": lambda asked: stream(
        asked, [{"reasoning_content": "Let me think."}, {"reasoning": "Further."}, {"content": asked.said}],
        usage={**usage_of(asked, asked.said), "completion_tokens_details": {"reasoning_tokens": 5},
               "prompt_tokens_details": {"cached_tokens": 2}},
    ),
    # -- errors within a 200
    "error-200": first(lambda _: Reply(pieces=[b'{"error":{"code":502,"message":"Provider returned error"}}'])),
    "error-200-key": lambda _: Reply(pieces=[b'{"error":{"code":401,"message":"No auth credentials found"}}']),
    "error-midway": first(lambda asked: events([
        json.dumps({"choices": [{"index": 0, "delta": {"content": "Half"}}]}).encode(),
        b'{"error":{"message":"Upstream idle timeout","type":"server_error"}}',
    ])),
    "error-event": first(lambda _: Reply(
        headers={"content-type": "text/event-stream"},
        pieces=[b'event: error\ndata: {"type":"overloaded_error","message":"Overloaded"}\n\n'],
    )),
    # -- rubbish and broken lines
    "malformed": first(lambda _: Reply(pieces=[b'{"choices":[{"message":{"content":"cut o'])),
    "malformed-always": lambda _: Reply(pieces=[b"upstream connect error"]),
    "malformed-chunk": first(lambda _: events([b'{"choices":[{"delta":{"content":"a"}}', b"[DONE]"])),
    "dropped": first(lambda asked: cut(say(asked, asked.said), 3, "close")),
    "dropped-always": lambda asked: cut(say(asked, asked.said), 3, "close"),
    "ends-early": first(lambda asked: stream(asked, [{"content": "Half of"}], None, done=False)),
    "closed": first(lambda _: Reply(then="close")),
    "closed-always": lambda _: Reply(then="close"),
    "stale": lambda asked: stale(say(asked, asked.said)),
    "hang": lambda _: Reply(then="hang"),
    "hang-midway": lambda asked: cut(say(asked, asked.said), 2, "hang"),
}  # fmt: skip


def cut(reply: Reply, pieces: int, then: Any) -> Reply:
    return Reply(reply.status, reply.headers, reply.pieces[:pieces], then)


def stale(reply: Reply) -> Reply:
    return Reply(reply.status, reply.headers, reply.pieces, "stale")


def rejecting(param: str, message: str, code: str | None = "unsupported_value") -> Script:
    """Takes no such parameter, and otherwise answers."""
    return lambda asked: (
        error(400, message, param=param, code=code) if param in asked.body else say(asked, asked.said)
    )


QUIRKS |= {
    "no-temperature": rejecting(
        "temperature",
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
    ),
    "no-max-tokens": rejecting(
        "max_tokens",
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "unsupported_parameter",
    ),
    "no-stream-options": rejecting("stream_options", "Unknown parameter: 'stream_options'.", None),
    "no-stream": rejecting(
        "stream", "Your organization must be verified to stream this model.", "unsupported_value"
    ),
}


@quirk("refusal")
def refusal(asked: Asked) -> Reply:
    """OpenAI's structured outputs: the refusal has a field of its own."""
    if not asked.body.get("stream"):
        return completion(asked, {"role": "assistant", "content": None, "refusal": "I can't help with that."})
    return stream(
        asked,
        [{"role": "assistant", "content": None}, {"refusal": "I can't "}, {"refusal": "help with that."}],
    )


@quirk("no-seed")
def no_seed(asked: Asked) -> Reply:
    """As FastAPI servers say it: no `error`, a list of places."""
    if "seed" not in asked.body:
        return say(asked, asked.said)
    detail = [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]
    return Reply(422, {}, [json.dumps({"detail": detail}).encode()])


@quirk("tools")
def tools(asked: Asked) -> Reply:
    """Two calls in pieces, as OpenAI streams them."""
    return stream(
        asked,
        [
            {"role": "assistant", "content": None},
            {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "find", "arguments": ""}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '{"id":'}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": " 1}"}}]},
            {"tool_calls": [{"index": 1, "id": "b", "type": "function", "function": {"name": "add", "arguments": "{}"}}]},
        ],
        "tool_calls",
    )  # fmt: skip


@quirk("tools-unnumbered")
def tools_unnumbered(asked: Asked) -> Reply:
    """Two whole calls without a number, or all with number 0."""
    call = {"type": "function", "function": {"name": "find", "arguments": "{}"}}
    return stream(
        asked,
        [{"tool_calls": [{"id": "a", **call}]}, {"tool_calls": [{"id": "b", "index": 0, **call}]}],
        "tool_calls",
    )


@quirk("crlf-drip")
def crlf_drip(asked: Asked) -> Reply:
    """Comments, CR LF, an event over two lines, cut anywhere."""
    chunk = json.dumps({"choices": [{"index": 0, "delta": {"content": asked.said}}]})
    two_lines = chunk.replace(', "delta"', ',\r\ndata: "delta"')
    end = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
    text = f": hello\r\n\r\ndata: {two_lines}\r\n\r\nid: 7\r\ndata:{end}\r\n\r\ndata: [DONE]"
    data = text.encode()
    pieces = [data[i : i + 7] for i in range(0, len(data), 7)]
    return Reply(headers={"content-type": "text/event-stream"}, pieces=pieces)
