"""Local models: each served by llama.cpp in a process of its own, asked like any other endpoint."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from llmops_tui.domain.call import ChatRequest, Failure
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.domain.model import Model
from llmops_tui.providers.base import Answer, CallFailed, Embedded, Listener, Note, Unheard
from llmops_tui.providers.faults import clean
from llmops_tui.providers.model_server import Settings, Started
from llmops_tui.providers.openai_client import OpenAIProvider
from llmops_tui.providers.retry import Given

LOAD_TIMEOUT_S = 180.0
#: How long a start that failed is taken as the answer for others that ask for the same.
REMEMBER_FAILURE_S = 10.0
#: A connection breaks a moment before the process that held it is gone.
DYING_S = 1.0


class ModelServer:
    """One running server. Ends with this process, whatever ends that (its stdin closes)."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        drain: asyncio.Task[None],
        client: OpenAIProvider,
        runtime: str,
    ) -> None:
        self.process = process
        self.drain = drain
        self.client = client
        self.runtime = runtime

    @property
    def is_alive(self) -> bool:
        return self.process.returncode is None

    async def has_died(self) -> bool:
        """Whether it is gone, or about to be."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), DYING_S)
        return not self.is_alive

    async def close(self) -> None:
        await self.client.close()
        await _end(self.process)


class Continued:
    """A listener to whom a request that was sent before is a further attempt."""

    def __init__(self, listener: Listener, sent_before: int) -> None:
        self._sent_before = sent_before
        self._listener = listener
        self.waiting = listener.waiting
        self.token = listener.token

    def sent(self, attempt: int, at: float) -> None:
        self._listener.sent(attempt + self._sent_before, at)


class LocalProvider:
    """Starts a server for each (file, settings) on the first request, and anew when it died."""

    def __init__(self, setup: ProviderSetup, note: Note) -> None:
        self._setup = setup
        self._note = note
        self._servers: dict[Settings, ModelServer] = {}
        self._locks: dict[Settings, asyncio.Lock] = {}
        self._failed: dict[Settings, tuple[float, Failure]] = {}

    async def ask(self, model: Model, request: ChatRequest, listener: Listener) -> Answer:
        """The model's answer. A request whose server died is asked once more, of a new one.

        Raises:
            CallFailed: the model can't be loaded, died twice, or refused the request.
        """
        answer, server, sent_before = await self._asked(
            model,
            self._settings(model),
            listener,
            lambda client, heard: client.ask(model, request, heard),
        )
        # The server knows the model by its path, which is this machine's business alone.
        return msgspec.structs.replace(
            answer,
            served_model=model.name,
            fingerprint=server.runtime,
            attempts=answer.attempts + sent_before,
        )

    async def embed(self, model: Model, texts: Sequence[str], listener: Listener | None = None) -> Embedded:
        """A vector for each text, from a server of its own: one that embeds does not answer.

        Raises:
            CallFailed: the model can't be loaded, died twice, or refused the request.
        """
        settings = msgspec.structs.replace(self._settings(model), embeddings=True, prompt_cache=False)
        found, _, sent_before = await self._asked(
            model, settings, listener or Unheard(), lambda client, heard: client.embed(model, texts, heard)
        )
        return msgspec.structs.replace(found, attempts=found.attempts + sent_before)

    async def _asked(
        self,
        model: Model,
        settings: Settings,
        listener: Listener,
        ask: Callable[[OpenAIProvider, Listener], Awaitable[Given]],
    ) -> tuple[Given, ModelServer, int]:
        """(answer, who gave it, requests sent in vain): once more of a new server if the first died."""
        for sent_before, is_last in ((0, False), (1, True)):
            server = await self._server(model, settings)
            try:
                return await ask(server.client, Continued(listener, sent_before)), server, sent_before
            except CallFailed as failed:
                if failed.failure.kind not in ("dropped", "unavailable") or not await server.has_died():
                    raise
                if is_last:
                    raise CallFailed(self._died(model, _how(server.process.returncode))) from None
        raise AssertionError("unreachable")

    async def preload(self, model: Model) -> None:
        with contextlib.suppress(CallFailed):
            # What is wrong is said when the model is asked.
            await self._server(model, self._settings(model))

    async def close(self) -> None:
        servers = list(self._servers.values())
        self._servers.clear()
        await asyncio.gather(*(s.close() for s in servers))

    # -- servers

    def _settings(self, model: Model) -> Settings:
        if model.path is None or not Path(model.path).is_file():
            raise CallFailed(
                Failure(
                    "unavailable",
                    f"the weights of {model.id} are not on this machine: {model.path or 'no file'}",
                    f"name the GGUF file under providers.{self._setup.name}.models in llmops.yaml",
                    self._setup.name,
                )
            )
        known = {**self._setup.options, **model.pin}
        return Settings(
            str(Path(model.path).resolve()),
            slots=int(known.get("slots", 1)),
            context=int(known.get("context", 2048)),
            prompt_cache=bool(known.get("prompt_cache", False)),
        )

    async def _server(self, model: Model, settings: Settings) -> ModelServer:
        async with self._locks.setdefault(settings, asyncio.Lock()):
            server = self._servers.get(settings)
            if server is not None and server.is_alive:
                return server
            if server is not None:
                how = _how(server.process.returncode)
                self._note("warning", f"The server of {model.id} ended ({how}); it is started anew.")
                del self._servers[settings]
                await server.close()
            at, failure = self._failed.get(settings, (0.0, None))
            if failure is not None and time.monotonic() - at < REMEMBER_FAILURE_S:
                raise CallFailed(failure)
            try:
                self._servers[settings] = server = await self._start(model, settings)
            except CallFailed as failed:
                self._failed[settings] = (time.monotonic(), failed.failure)
                raise
            return server

    async def _start(self, model: Model, settings: Settings) -> ModelServer:
        key = secrets.token_urlsafe(24)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "llmops_tui.providers.model_server"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl-C in the terminal is for the owner to judge; this one ends with its stdin.
            start_new_session=True,
        )
        tail: deque[str] = deque(maxlen=40)
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        drain = asyncio.create_task(_drain(process.stderr, tail))
        process.stdin.write(msgspec.json.encode(msgspec.structs.replace(settings, api_key=key)) + b"\n")
        try:
            line = await asyncio.wait_for(process.stdout.readline(), LOAD_TIMEOUT_S)
        except TimeoutError:
            await _end(process)
            raise CallFailed(self._not_loaded(model, f"not ready after {LOAD_TIMEOUT_S:.0f} s")) from None
        except asyncio.CancelledError:
            process.kill()
            raise
        started = msgspec.json.decode(line, type=Started) if line else Started()
        if not started.address:
            await _end(process)
            await drain
            how = _how(process.returncode)
            reason = "; ".join(dict.fromkeys([*(s for s in (started.error,) if s), *list(tail)[-2:]]))
            raise CallFailed(self._not_loaded(model, clean(reason) or how))
        client = OpenAIProvider(self._endpoint(started.address, key, settings), self._note, local=True)
        return ModelServer(process, drain, client, started.runtime)

    def _endpoint(self, address: str, key: str, settings: Settings) -> ProviderSetup:
        return msgspec.structs.replace(
            self._setup,
            base_url=f"{address}/v1",
            api_key=key,
            concurrency=settings.slots,
            # What this server can't do now it can't do in a second either.
            retries=0,
        )

    # -- what went wrong

    def _not_loaded(self, model: Model, reason: str) -> Failure:
        return Failure(
            "unavailable",
            f"{model.id} could not be loaded from {Path(model.path or '').name}: {reason}",
            "look whether the file is a whole GGUF file, and whether there is memory enough for it",
            self._setup.name,
        )

    def _died(self, model: Model, how: str) -> Failure:
        return Failure(
            "crash",
            f"the server of {model.id} ended twice with this request ({how})",
            f"memory may be short: lower providers.{self._setup.name}.context or slots in llmops.yaml",
            self._setup.name,
        )


async def _drain(stream: asyncio.StreamReader, tail: deque[str]) -> None:
    """Keep the last lines of a log, so that its pipe never fills."""
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # a line longer than the reader's limit; the rest of it follows
            continue
        if not line:
            return
        # A line of the log starts with a time and a level.
        if text := re.sub(r"^[\d.]+ [A-Z](\s+|$)", "", clean(line.decode("utf-8", "replace"))):
            tail.append(text)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 2.0)
    except TimeoutError:
        process.kill()
        await process.wait()


def _how(code: int | None) -> str:
    import signal

    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"
