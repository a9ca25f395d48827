"""The client of every OpenAI-compatible endpoint: streams, so that time to first token is real."""

from __future__ import annotations

import contextlib
import random
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from llmops_tui import __version__
from llmops_tui.domain.call import ChatRequest, Failure
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Model
from llmops_tui.providers.answer_parts import (
    MAX_ANSWER_BYTES,
    AnswerParts,
    ErrorInAnswer,
    Malformed,
)
from llmops_tui.providers.base import Answer, CallFailed, Embedded, Listener, Note, Unheard
from llmops_tui.providers.embedding import about_embedding, in_batches, read_embeddings
from llmops_tui.providers.faults import (
    Asked,
    Said,
    clean,
    fault_of,
    hide_key,
    read_error,
    refused_stream,
    said_in,
    status_of,
)
from llmops_tui.providers.retry import AttemptFailed, Clock, RetryPolicy, retry_after_s

LOOPBACK = frozenset({"localhost", "::1"})
_MAX_ERROR_BYTES = 64 * 1024
_encode = msgspec.json.Encoder().encode


class OpenAIProvider:
    """Speaks to one endpoint over one pool of connections."""

    def __init__(
        self,
        setup: ProviderSetup,
        _note: Note,
        *,
        local: bool = False,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """
        Args:
            local: the endpoint is a model server of ours (its errors have other remedies).
        """
        self._setup = setup
        self._local = local
        self._clock = clock or Clock()
        self._policy = RetryPolicy(setup, clock=self._clock, jitter=jitter)
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[tuple[str, str], URL] = {}
        self._proxy: str | None = None
        #: Then a connection that breaks before any answer may be one that the server gave up in the pool.
        self._has_answered = False
        #: Models that were found not to take `stream`, or `stream_options`.
        self._refusing: dict[str, set[str]] = {}
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream, application/json",
            # A compressed stream is held back until there is enough to compress.
            "Accept-Encoding": "identity",
            "User-Agent": f"llmops-tui/{__version__}",
        }
        if setup.api_key:
            self._headers["Authorization"] = f"Bearer {setup.api_key}"
        self._headers.update(setup.headers)

    async def ask(self, model: Model, request: ChatRequest, listener: Listener) -> Answer:
        """The model's answer.

        Raises:
            CallFailed: there is none, after the retries that the settings allow.
        """
        return await self._policy.run(lambda: self._attempt(model, request, listener), listener)

    async def embed(self, model: Model, texts: Sequence[str], listener: Listener | None = None) -> Embedded:
        """A vector for each text.

        Raises:
            CallFailed: there are none, after the retries that the settings allow.
        """
        heard = listener or Unheard()

        async def ask(batch: list[str]) -> Embedded:
            return await self._policy.run(lambda: self._embed_once(model, batch), heard)

        try:
            return await in_batches(texts, ask)
        except CallFailed as failed:
            raise CallFailed(about_embedding(failed.failure, model.name, local=self._local)) from None

    async def preload(self, model: Model) -> None:
        """Make the pool of connections and read the settings of proxies."""
        with contextlib.suppress(AttemptFailed):  # said when the model is asked
            self._url(model)
        self._connections()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    # -- one attempt

    async def _attempt(self, model: Model, request: ChatRequest, listener: Listener) -> Answer:
        refusing = self._refusing.get(model.name, ())
        body = request_body(model.name, request, refusing)
        asked = Asked(self._setup.name, model.name, body.keys() - _NOT_PARAMS, self._local)
        url = self._url(model)
        parts = AnswerParts(time.perf_counter(), listener.token)
        connections = self._connections()
        try:
            async with connections.post(
                url, data=_encode(body), headers=self._headers, allow_redirects=False, proxy=self._proxy
            ) as response:
                if response.status != 200:
                    return await self._refused(response, model, asked, body)
                await self._read(response, parts)
        except (aiohttp.ClientError, OSError) as error:
            # What came after the provider said "that is all" is not missed.
            if not parts.is_done:
                stale = self._has_answered and not parts.size and not isinstance(error, _NOT_CONNECTED)
                raise AttemptFailed(self._broken(error, url), retry=True, at_once=stale) from None
        except RuntimeError:
            if not connections.closed:
                raise
            # Somebody else found the server dead, and closed what we were about to use.
            gone = self._broken(ConnectionResetError("the connection was closed"), url)
            raise AttemptFailed(gone, retry=True) from None
        except (ErrorInAnswer, Malformed) as error:
            raise self._wrong(error, asked) from None
        self._has_answered = not self._local
        if not parts.has_choice or not parts.is_complete:
            raise AttemptFailed(self._unfinished(parts), retry=True)
        return parts.answer()

    async def _embed_once(self, model: Model, texts: list[str]) -> Embedded:
        asked = Asked(self._setup.name, model.name, local=self._local)
        url = self._url(model, "embeddings")
        started = time.perf_counter()
        connections = self._connections()
        body = _encode({"model": model.name, "input": texts})
        try:
            async with connections.post(
                url, data=body, headers=self._headers, allow_redirects=False, proxy=self._proxy
            ) as response:
                if response.status != 200:
                    await self._refused(response, model, asked, {})
                    name = self._setup.name
                    raise AttemptFailed(Failure("refused_request", f"{name} declined these texts", "", name))
                got = b"".join([data async for data in _limited(response)])
        except (aiohttp.ClientError, OSError) as error:
            stale = self._has_answered and not isinstance(error, _NOT_CONNECTED)
            raise AttemptFailed(self._broken(error, url), retry=True, at_once=stale) from None
        except Malformed as error:
            raise self._wrong(error, asked) from None
        except RuntimeError:
            if not connections.closed:
                raise
            gone = self._broken(ConnectionResetError("the connection was closed"), url)
            raise AttemptFailed(gone, retry=True) from None
        try:
            answer = read_embeddings(got, len(texts), time.perf_counter() - started)
        except (ErrorInAnswer, Malformed) as error:
            raise self._wrong(error, asked) from None
        self._has_answered = not self._local
        return answer

    @staticmethod
    async def _read(response: aiohttp.ClientResponse, parts: AnswerParts) -> None:
        if response.content_type == "text/event-stream":
            async for data in response.content.iter_any():
                parts.feed(data)
            parts.end()
            return
        body = b"".join([data async for data in _limited(response)])
        if body.lstrip()[:5] in (b"data:", b"event"):
            parts.feed(body)
            parts.end()
        else:
            parts.whole(body)

    async def _refused(
        self, response: aiohttp.ClientResponse, model: Model, asked: Asked, body: dict[str, Any]
    ) -> Answer:
        """An answer with an error status: a refusal, a retry or the end.

        Raises:
            AttemptFailed: it is not a refusal of the content.
        """
        status = response.status
        said = hide_key(read_error(await response.content.read(_MAX_ERROR_BYTES)), self._setup.api_key)
        if 300 <= status < 400 and (target := response.headers.get("Location")):
            said = Said(f"moved to {clean(target.split('?')[0])}")
        dropped = refused_stream(status, said, body)
        if dropped:
            self._refusing.setdefault(model.name, set()).add(dropped)
            raise AttemptFailed(Failure("refused_request", said.message), at_once=True)
        fault = fault_of(asked, status, said)
        if fault.filtered:
            return Answer(text="", finish_reason="content_filter", refused=True)
        wish = response.headers.get("x-should-retry")
        raise AttemptFailed(
            fault.failure,
            retry=fault.retry and wish != "false",
            retry_after_s=retry_after_s(response.headers, self._clock.unix()),
        )

    # -- what went wrong

    def _wrong(self, error: ErrorInAnswer | Malformed, asked: Asked) -> AttemptFailed:
        name = self._setup.name
        if isinstance(error, ErrorInAnswer):
            said = hide_key(said_in(error.body), self._setup.api_key)
            fault = fault_of(asked, status_of(said), said)
            return AttemptFailed(fault.failure, retry=fault.retry)
        remedy = f"look whether providers.{name}.base_url in llmops.yaml is an OpenAI-compatible endpoint"
        return AttemptFailed(
            Failure("bad_response", f"{name} sent an answer that can't be read: {error}", remedy, name),
            retry=True,
        )

    def _broken(self, error: Exception, url: URL) -> Failure:
        name = self._setup.name
        where = f"{url.host}:{url.port}"
        if isinstance(error, _NOT_CONNECTED):
            reason = clean(str(getattr(error, "strerror", "") or error))
            remedy = f"look whether it runs and providers.{name}.base_url in llmops.yaml is right"
            return Failure("unavailable", f"{name} can't be reached at {where}: {reason}", remedy, name)
        reason = clean(str(error)) or type(error).__name__
        message = f"{name} dropped the connection before its answer was complete: {reason}"
        return Failure("dropped", message, "ask again; if it happens often, lower its concurrency", name)

    def _unfinished(self, parts: AnswerParts) -> Failure:
        name = self._setup.name
        if parts.has_choice:
            message = f"the stream from {name} ended before the answer was complete"
            return Failure("dropped", message, "ask again; if it happens often, lower its concurrency", name)
        return Failure("bad_response", f"the answer from {name} has no choices", "ask again", name)

    # -- the connection

    def _url(self, model: Model, path: str = "chat/completions") -> URL:
        base = self._setup.base_url or model.endpoint
        url = self._urls.get((base, path))
        if url is None:
            root = self._root(base)
            url = root.joinpath(*path.split("/")).with_query(root.query)
            if "Authorization" in self._headers:
                url = url.with_user(None)
            self._urls[base, path] = url
            self._proxy = proxy_for(url)
        return url

    def _root(self, base: str) -> URL:
        try:
            root = URL(base)
        except ValueError:
            root = URL()
        if root.scheme in ("http", "https") and root.host:
            return root
        name = self._setup.name
        remedy = f"write providers.{name}.base_url in llmops.yaml as http://HOST:PORT/v1 or https://HOST/v1"
        raise AttemptFailed(
            Failure("unavailable", f"the base_url of {name} is no web address: {base!r}", remedy, name)
        )

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # llama.cpp's server closes a connection after a stream, without saying so first.
                connector=aiohttp.TCPConnector(limit=self._setup.concurrency, force_close=self._local),
                # The time limit is the retry policy's; the one of aiohttp would end long streams.
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(30.0, self._setup.timeout_s)),
                cookie_jar=aiohttp.DummyCookieJar(),
                # It would read .netrc and send what it finds there in place of the key.
                trust_env=False,
            )
        return self._session


_NOT_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.InvalidURL)
_NOT_PARAMS = frozenset({"model", "messages", "stream", "stream_options"})


def request_body(name: str, request: ChatRequest, refusing: Any = ()) -> dict[str, Any]:
    """The JSON body of a request. `extra_body` is merged in last.

    Args:
        refusing: what the model was found not to take: `stream`, `stream_options`.
    """
    body: dict[str, Any] = {"model": name, "messages": request.messages}
    if "stream" not in refusing:
        body["stream"] = True
        if "stream_options" not in refusing:
            body["stream_options"] = {"include_usage": True}
    body.update(request.params)
    extra = body.pop("extra_body", None)
    if request.tools:
        body["tools"] = request.tools
    if request.response_format is not None:
        body["response_format"] = request.response_format
    if isinstance(extra, dict):
        body.update(extra)
    if not body.get("stream"):
        body.pop("stream_options", None)
    return body


def proxy_for(url: URL) -> str | None:
    """The proxy that the environment names for an address; never one for this machine."""
    host = url.host or ""
    if host in LOOPBACK or host.startswith("127.") or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(url.scheme)


async def _limited(response: aiohttp.ClientResponse) -> Any:
    size = 0
    async for data in response.content.iter_any():
        size += len(data)
        if size > MAX_ANSWER_BYTES:
            raise Malformed(f"it is longer than {MAX_ANSWER_BYTES // 2**20} MiB")
        yield data
