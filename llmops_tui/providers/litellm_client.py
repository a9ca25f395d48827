"""The hundred other providers, through litellm: imported when used, its errors read as ours."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from llmops_tui.domain.call import ChatRequest, Failure
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Model, Usage
from llmops_tui.providers.answer_parts import AnswerParts, Choice, Completion, Malformed, Words
from llmops_tui.providers.base import Answer, CallFailed, Embedded, Listener, Note, Unheard
from llmops_tui.providers.embedding import about_embedding, embedded, in_batches
from llmops_tui.providers.faults import (
    Asked,
    Fault,
    Said,
    fault_of,
    hide_key,
    refused_stream,
    said_in,
    status_of,
)
from llmops_tui.providers.retry import AttemptFailed, Clock, RetryPolicy, retry_after_s

#: litellm's own words before those of the provider: `litellm.RateLimitError: OpenAIException - `.
_PREFIX = re.compile(r"^(\s*(litellm\.)?\w+(Error|Exception)( -|:)\s+)+")
_NO_KEY = re.compile(r"missing.{0,30}(api key|credentials)|api_key client option must be set", re.I)
#: The text of an error that came in the middle of a stream is said twice.
_ORIGINAL = re.compile(r"\s*Original exception: .*", re.S)
_NOT_REACHED = re.compile(r"^connection error|cannot connect to host", re.I)
_UNREADABLE = "look whether the model is meant for chat, and providers.{}.base_url if it is set"
_CUT_OFF = re.compile(
    r"payload is not completed|incomplete|disconnected|connection reset|delimiter|peer closed", re.I
)


class LitellmProvider:
    """Asks through litellm, with our retries, limits and sentences in place of its own."""

    def __init__(
        self,
        setup: ProviderSetup,
        _note: Note,
        *,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._setup = setup
        self._clock = clock or Clock()
        self._policy = RetryPolicy(setup, clock=self._clock, jitter=jitter)
        self._litellm: Any = None
        self._importing: asyncio.Task[Any] | None = None
        #: Models that were found not to take `stream`, or `stream_options`.
        self._refusing: dict[str, set[str]] = {}

    async def ask(self, model: Model, request: ChatRequest, listener: Listener) -> Answer:
        """The model's answer.

        Raises:
            CallFailed: there is none, after the retries that the settings allow.
        """
        await self._load()
        refusing = set(self._refusing.get(model.id, ()))
        return await self._policy.run(lambda: self._attempt(model, request, listener, refusing), listener)

    async def embed(self, model: Model, texts: Sequence[str], listener: Listener | None = None) -> Embedded:
        """A vector for each text.

        Raises:
            CallFailed: there are none, after the retries that the settings allow.
        """
        await self._load()
        heard = listener or Unheard()

        async def ask(batch: list[str]) -> Embedded:
            return await self._policy.run(lambda: self._embed_once(model, batch), heard)

        try:
            return await in_batches(texts, ask)
        except CallFailed as failed:
            raise CallFailed(about_embedding(failed.failure, model.name)) from None

    async def preload(self, _model: Model) -> None:
        """Import litellm in a thread; it takes seconds."""
        with contextlib.suppress(CallFailed):  # said when the model is asked
            await self._load()

    async def close(self) -> None:
        if self._litellm is not None:
            await self._litellm.close_litellm_async_clients()

    async def _load(self) -> None:
        if self._litellm is None:
            if self._importing is None:
                self._importing = asyncio.create_task(asyncio.to_thread(import_litellm))
            # A request that is cancelled does not stop the import that others wait for.
            try:
                self._litellm = await asyncio.shield(self._importing)
            except ImportError as error:
                message = f"litellm, which speaks to {self._setup.name}, can't be imported: {error}"
                raise CallFailed(Failure("unavailable", message, "install llmops-tui anew")) from None

    # -- one attempt

    async def _attempt(
        self, model: Model, request: ChatRequest, listener: Listener, refusing: set[str]
    ) -> Answer:
        """
        Args:
            refusing: of this call: what is left out of its further attempts (changed here).
        """
        arguments = self._arguments(model, request, refusing)
        asked = Asked(self._setup.name, model.name, request.params.keys())
        parts = AnswerParts(time.perf_counter(), listener.token)
        try:
            got = await self._litellm.acompletion(**arguments)
            if not arguments.get("stream"):
                parts.add(completion_of(got))
                return parts.answer()
            async for chunk in got:
                parts.streamed = True
                parts.add(completion_of(chunk))
        # litellm raises its own, those of httpx and aiohttp, and whatever a provider's code runs into.
        except Exception as error:
            return self._failed(error, model, asked, arguments, refusing)
        return self._whole(parts, got, refusing)

    async def _embed_once(self, model: Model, texts: list[str]) -> Embedded:
        arguments = {
            "model": model.id,
            "input": texts,
            "num_retries": 0,
            "max_retries": 0,
            "timeout": self._setup.timeout_s,
            **self._access(),
        }
        started = time.perf_counter()
        name = self._setup.name
        try:
            got = await self._litellm.aembedding(**arguments)
            usage = getattr(got, "usage", None)
            found = [vector_of(one) for one in got.data or ()]
            tokens = getattr(usage, "prompt_tokens", None)
            return embedded(found, len(texts), tokens, time.perf_counter() - started)
        except Malformed as error:
            message = f"{name} sent an answer that can't be read: {error}"
            failure = Failure(
                "bad_response", message, f"look whether '{model.name}' is a model for embeddings", name
            )
            raise AttemptFailed(failure, retry=True) from None
        # litellm raises its own, those of httpx and aiohttp, and whatever a provider's code runs into.
        except Exception as error:
            self._failed(error, model, Asked(name, model.name), arguments, set())
            failure = Failure("refused_request", f"{name} declined these texts", "", name)
            raise AttemptFailed(failure) from None

    def _access(self) -> dict[str, Any]:
        """Where the provider is and who asks, as far as the settings say."""
        access: dict[str, Any] = {}
        if self._setup.base_url:
            access["api_base"] = self._setup.base_url
        if self._setup.api_key:
            access["api_key"] = self._setup.api_key
        if self._setup.headers:
            access["extra_headers"] = dict(self._setup.headers)
        return access

    def _arguments(self, model: Model, request: ChatRequest, refusing: set[str]) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            **request.params,
            "model": model.id,
            "messages": list(request.messages),
            "num_retries": 0,
            "max_retries": 0,
            "timeout": self._setup.timeout_s,
        }
        if request.tools:
            arguments["tools"] = list(request.tools)
        if request.response_format is not None:
            arguments["response_format"] = request.response_format
        if "stream" in refusing:
            arguments["stream"] = False
        elif arguments.setdefault("stream", True) and "stream_options" not in refusing:
            arguments.setdefault("stream_options", {"include_usage": True})
        return {**arguments, **self._access()}

    def _whole(self, parts: AnswerParts, stream: Any, refusing: set[str]) -> Answer:
        """The answer of a stream that litellm calls complete."""
        name = self._setup.name
        answer = parts.answer()
        if not answer.text and not answer.tool_calls and answer.finish_reason in (None, "stop"):
            # It makes an empty stream of whatever does not stream: plain JSON, an error within a
            # 200, a refusal. Asked plainly, it says which.
            refusing.add("stream")
            raise AttemptFailed(
                Failure("bad_response", f"{name} sent an empty stream", "ask again", name), at_once=True
            )
        ends = ("received_finish_reason", "intermittent_finish_reason")
        if not any(getattr(stream, end, True) for end in ends):
            message = f"the stream from {name} ended before the answer was complete"
            raise AttemptFailed(
                Failure("dropped", message, "ask again; if it happens often, lower its concurrency", name),
                retry=True,
            )
        if not any(getattr(chunk, "usage", None) for chunk in getattr(stream, "chunks", ())):
            # Where the provider counts nothing litellm counts by itself; that is not what was billed.
            return msgspec.structs.replace(answer, usage=Usage())
        return answer

    # -- what went wrong

    def _failed(
        self, error: Exception, model: Model, asked: Asked, arguments: dict[str, Any], refusing: set[str]
    ) -> Answer:
        """A refusal as an answer.

        Raises:
            AttemptFailed: for everything else.
        """
        if isinstance(error, AttemptFailed):
            raise error
        said = hide_key(said_by(error), self._setup.api_key)
        status = status_by(error, said)
        left_out = refused_stream(status, said, arguments)
        if left_out:
            self._refusing.setdefault(model.id, set()).add(left_out)
            refusing.add(left_out)
            raise AttemptFailed(Failure("refused_request", said.message), at_once=True) from None
        fault = self._fault(error, status, said, asked, model)
        if fault.filtered:
            return Answer(text="", finish_reason="content_filter", refused=True)
        headers = getattr(error, "litellm_response_headers", None)
        headers = headers or getattr(getattr(error, "response", None), "headers", None) or {}
        after_s = retry_after_s(headers, self._clock.unix())
        raise AttemptFailed(fault.failure, retry=fault.retry, retry_after_s=after_s) from None

    def _fault(self, error: Exception, status: int, said: Said, asked: Asked, model: Model) -> Fault:
        name, kind = self._setup.name, type(error).__name__
        if kind == "ContentPolicyViolationError":
            return Fault(Failure("refused_request", said.message, "", name), filtered=True)
        if _NO_KEY.search(said.message):
            return Fault(Failure("auth", f"there is no key for {name}", self._key_remedy(model), name))
        if status in (401, 403) and not self._setup.api_key:
            failure = fault_of(asked, status, said).failure
            return Fault(Failure("auth", failure.message, self._key_remedy(model), name))
        if _NOT_REACHED.search(said.message):
            return Fault(
                Failure(
                    "unavailable",
                    f"{name} can't be reached: {said.message}",
                    "look at the network, and whether the provider is up",
                    name,
                ),
                retry=True,
            )
        if _CUT_OFF.search(said.message):
            message = f"{name} dropped the connection before its answer was complete: {said.message}"
            remedy = "ask again; if it happens often, lower its concurrency"
            return Fault(Failure("dropped", message, remedy, name), retry=True)
        if said.message.startswith("Invalid response object"):
            message = f"{name} sent an answer that litellm can't read"
            return Fault(Failure("bad_response", message, _UNREADABLE.format(name), name), retry=True)
        if kind == "ContextWindowExceededError":
            return fault_of(asked, 413, said)
        if not getattr(error, "status_code", None) and not isinstance(error, OSError):
            # A defect in litellm, or a parameter that it can't handle: the same the next time.
            message = f"litellm could not ask {name}: {kind}: {said.message}"
            return Fault(Failure("bad_response", message, "look at params of the configuration", name))
        return fault_of(asked, status, said)

    def _key_remedy(self, model: Model) -> str:
        found = self._litellm.validate_environment(model.id)
        names = " or ".join(found.get("missing_keys") or ()) or "its key"
        return f"set {names} in the environment or in the .env of the workspace"


def import_litellm() -> Any:
    """litellm, kept off the web and silent. Takes seconds; call it in a thread."""
    for name in (
        "LITELLM_LOCAL_MODEL_COST_MAP",
        "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS",
        "LITELLM_LOCAL_BLOG_POSTS",
        "LITELLM_LOCAL_POLICY_TEMPLATES",
        "LITELLM_LOCAL_AUTOROUTER_PRESETS",
    ):
        os.environ[name] = "True"
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False
    # For embeddings, `max_retries=0` is read as "not set".
    litellm.DEFAULT_MAX_RETRIES = 0
    for logger in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    return litellm


def completion_of(got: Any) -> Completion:
    """litellm's chunk or response as one of ours."""
    usage = getattr(got, "usage", None)
    return Completion(
        choices=[_choice(c) for c in got.choices or ()],
        model=got.model,
        system_fingerprint=getattr(got, "system_fingerprint", None),
        usage=usage.model_dump() if usage is not None else None,
    )


def vector_of(one: Any) -> tuple[int | None, list[float]]:
    """(number, vector) of one entry of litellm's answer: a mapping or an object."""
    found = one if isinstance(one, dict) else one.model_dump()
    return found.get("index"), list(found["embedding"])


def _choice(choice: Any) -> Choice:
    words = getattr(choice, "delta", None) or getattr(choice, "message", None)
    return Choice(
        index=choice.index,
        delta=Words(
            content=getattr(words, "content", None),
            refusal=_refusal(words),
            tool_calls=[t.model_dump() for t in getattr(words, "tool_calls", None) or ()],
        ),
        finish_reason=choice.finish_reason,
    )


def _refusal(words: Any) -> str | None:
    specific = getattr(words, "provider_specific_fields", None) or {}
    return getattr(words, "refusal", None) or specific.get("refusal")


def said_by(error: Exception) -> Said:
    """What the provider said, from a litellm exception."""
    body = getattr(error, "body", None)
    if isinstance(body, dict) and body:
        return said_in(body)
    text = _ORIGINAL.sub("", str(getattr(error, "message", "") or error))
    before, traceback, after = text.partition("Traceback (most recent call last)")
    if traceback and not (text := before.strip()):
        text = after.strip().splitlines()[-1]
    said = said_in(_PREFIX.sub("", text))
    code = getattr(error, "code", None)
    return Said(said.message, str(code) if code else "", param=str(getattr(error, "param", None) or ""))


def status_by(error: Exception, said: Said) -> int:
    """The HTTP status of a litellm exception."""
    status = getattr(error, "status_code", None)
    return int(status) if isinstance(status, (int, str)) and str(status).isdigit() else status_of(said)
