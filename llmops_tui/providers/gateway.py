"""An OpenAI-compatible endpoint on this machine, for programs that are evaluated.

A program's calls through it are those of its step: kept, priced and traced as any other. Each running
step has a key of its own, which says whose calls they are; without one nobody is answered.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain.call import Call, ChatRequest, Failure
from llmops_tui.domain.errors import did_you_mean
from llmops_tui.providers.base import CallFailed

if TYPE_CHECKING:
    from aiohttp import web

#: Asks for the holder of a key: (key, model id, request). Raises `CallFailed`.
GatewayAsk = Callable[[str, str, ChatRequest], Awaitable[Call]]

#: Largest body of a request, in bytes.
BODY_LIMIT = 20_000_000
_NOT_PARAMS = frozenset({"model", "messages", "stream", "stream_options", "tools", "response_format"})
_STATUS = {
    "auth": 401,
    "rate_limit": 429,
    "timeout": 504,
    "dropped": 502,
    "bad_response": 502,
    "unavailable": 503,
    "refused_request": 400,
    "context_length": 400,
    "cancelled": 499,
}
#: Pieces of a streamed answer's text, in characters.
_PIECE = 40


class Access(msgspec.Struct, frozen=True):
    """What an OpenAI client needs: its `base_url` and `api_key`."""

    base_url: str
    api_key: str


class _Refused(Exception):
    """An error for the program: status, sentence and code."""

    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Gateway:
    """The endpoint. Starts when the first step asks for access.

    Args:
        ask: asks the models.
    """

    def __init__(self, ask: GatewayAsk) -> None:
        self._ask = ask
        self._models: dict[str, tuple[str, ...]] = {}
        self._runner: web.AppRunner | None = None
        self._address = ""
        self._starting = asyncio.Lock()

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`; empty while it does not run."""
        return self._address

    async def open(self, models: Iterable[str]) -> Access:
        """Access for one step, until `shut`.

        Args:
            models: ids that it may ask; the first is the one that is evaluated.
        """
        async with self._starting:
            if self._runner is None:
                await self._start()
        key = f"llmops-{secrets.token_urlsafe(24)}"
        self._models[key] = tuple(dict.fromkeys(models))
        return Access(f"http://{self._address}/v1", key)

    def shut(self, key: str) -> None:
        """The step has ended: its key opens nothing any more."""
        self._models.pop(key, None)

    async def close(self) -> None:
        self._models.clear()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner, self._address = None, ""

    async def _start(self) -> None:
        from aiohttp import web

        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._list)
        app.router.add_route("*", "/{rest:.*}", self._elsewhere)
        # A program that is ended takes its requests with it.
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._runner = runner
        host, port = runner.addresses[0][:2]
        self._address = f"{host}:{port}"

    # -- what may be asked

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        try:
            key = self._key(request)
            body = await _body(request)
            model = _model(body.get("model"), self._models[key])
            asked = _asked(body)
            try:
                call = await self._ask(key, model, asked)
            except CallFailed as failed:
                raise _failure(failed.failure) from failed
        except _Refused as refused:
            return _error(refused)
        except web.HTTPRequestEntityTooLarge:
            return _error(
                _Refused(413, f"the request is larger than {BODY_LIMIT // 1_000_000} MB", "too_large")
            )
        except Exception as error:  # a defect of ours is told, not hidden behind a page of HTML
            return _error(_Refused(500, f"{type(error).__name__}: {error}", "internal"))
        if not body.get("stream"):
            return web.json_response(_completion(call, model))
        options = body.get("stream_options")
        with_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for chunk in _chunks(call, model, with_usage):
            await response.write(b"data: " + msgspec.json.encode(chunk) + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    async def _list(self, request: web.Request) -> web.Response:
        from aiohttp import web

        try:
            models = self._models[self._key(request)]
        except _Refused as refused:
            return _error(refused)
        data = [{"id": m, "object": "model", "created": 0, "owned_by": m.partition("/")[0]} for m in models]
        return web.json_response({"object": "list", "data": data})

    async def _elsewhere(self, request: web.Request) -> web.Response:
        try:
            self._key(request)
        except _Refused as refused:
            return _error(refused)
        return _error(
            _Refused(
                404,
                f"{request.method} {request.path} is not served here; "
                "there are POST /v1/chat/completions and GET /v1/models",
                "not_found",
            )
        )

    def _key(self, request: web.Request) -> str:
        given = request.headers.get("Authorization", "")
        key = given[7:].strip() if given[:7].lower() == "bearer " else ""
        for known in self._models:
            if hmac.compare_digest(known.encode(), key.encode("utf-8", "surrogateescape")):
                return known
        raise _Refused(
            401,
            "this key opens nothing: use OPENAI_API_KEY (or openai['api_key']) of the step that runs; "
            "it ends with its step",
            "invalid_api_key",
        )


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(await request.read())
    except (msgspec.DecodeError, RecursionError) as error:
        raise _Refused(400, f"the body is not JSON: {error}", "invalid_json") from error
    if not isinstance(body, dict):
        raise _Refused(400, "the body is not a JSON object", "invalid_json")
    return body


def _model(name: Any, known: Sequence[str]) -> str:
    """The id of a model that was asked for by it, or by its name without the provider."""
    if name in known:
        return str(name)
    same = [each for each in known if each.partition("/")[2] == name]
    if len(same) == 1:
        return same[0]
    what = f"there is no model '{name}'" if isinstance(name, str) else "'model' is missing"
    listed = ", ".join(known) or "none"
    near = did_you_mean(str(name), list(known))
    remedy = f"{near} " if near.startswith("did you mean") else ""
    raise _Refused(404, f"{what} for this step; {remedy}those there are: {listed}", "model_not_found")


def _asked(body: dict[str, Any]) -> ChatRequest:
    messages, tools, format_ = body.get("messages"), body.get("tools"), body.get("response_format")
    if not isinstance(messages, list) or not messages:
        raise _Refused(400, "'messages' must be a list with a message in it", "invalid_messages")
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise _Refused(400, f"messages[{place}] has no 'role'", "invalid_messages")
    if tools is not None and not (isinstance(tools, list) and all(isinstance(t, dict) for t in tools)):
        raise _Refused(400, "'tools' must be a list of tools", "invalid_tools")
    if format_ is not None and not isinstance(format_, dict):
        raise _Refused(400, "'response_format' must be a mapping", "invalid_response_format")
    if body.get("n") not in (None, 1):
        raise _Refused(400, "'n' must be 1 here: ask again for another answer", "unsupported_value")
    params = {k: v for k, v in body.items() if k not in _NOT_PARAMS and k != "n" and v is not None}
    return ChatRequest(tuple(messages), params, tuple(tools or ()), format_)


def _failure(failure: Failure) -> _Refused:
    code = "context_length_exceeded" if failure.kind == "context_length" else failure.kind
    return _Refused(_STATUS.get(failure.kind, 500), str(failure), code)


def _error(refused: _Refused) -> web.Response:
    from aiohttp import web

    error = {"message": str(refused), "type": "llmops_tui", "param": None, "code": refused.code}
    # What can be tried again was tried again already.
    return web.json_response({"error": error}, status=refused.status, headers={"x-should-retry": "false"})


# -- answers in the provider's form


def _completion(call: Call, model: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": call.text or None}
    message["refusal"] = call.text if call.refused else None
    if call.tool_calls:
        message["tool_calls"] = list(call.tool_calls)
    elif message["content"] is None and not call.refused:
        message["content"] = ""
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(call)}
    return {**_head(call, model, "chat.completion"), "choices": [choice], "usage": _usage(call)}


def _chunks(call: Call, model: str, with_usage: bool) -> Iterable[dict[str, Any]]:
    head = _head(call, model, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {
            **head,
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}],
        }

    yield chunk({"role": "assistant", "content": ""})
    for start in range(0, len(call.text), _PIECE):
        yield chunk({"refusal" if call.refused else "content": call.text[start : start + _PIECE]})
    for index, tool_call in enumerate(call.tool_calls):
        yield chunk({"tool_calls": [{"index": index, **tool_call}]})
    yield chunk({}, _reason(call))
    if with_usage:
        yield {**head, "choices": [], "usage": _usage(call)}


def _head(call: Call, model: str, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{call.key[:24]}",
        "object": kind,
        "created": int(call.sent_at),
        "model": model,
        "system_fingerprint": call.fingerprint,
    }


def _reason(call: Call) -> str:
    return call.finish_reason or ("tool_calls" if call.tool_calls else "stop")


def _usage(call: Call) -> dict[str, Any]:
    given, made = call.usage.input_tokens or 0, call.usage.output_tokens or 0
    return {
        "prompt_tokens": given,
        "completion_tokens": made,
        "total_tokens": given + made,
        "prompt_tokens_details": {"cached_tokens": call.usage.cached_tokens or 0},
        "completion_tokens_details": {"reasoning_tokens": call.usage.reasoning_tokens or 0},
    }
