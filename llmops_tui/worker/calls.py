"""Asking a model once: look it up, share it with an equal request in flight, or send it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Call, ChatRequest, Draw, request_key
from llmops_tui.domain.model import Model, cost_usd
from llmops_tui.domain.redact import Redactor
from llmops_tui.providers.base import Provider
from llmops_tui.worker.links import Links
from llmops_tui.worker.streaming import TokenStream


class JobListener:
    """Tells the engine what a provider does for one job."""

    def __init__(
        self,
        job: int,
        provider: str,
        send: Callable[[m.FromWorker], None],
        redactor: Redactor,
        stream: TokenStream,
    ):
        self.job = job
        self.provider = provider
        self.token = stream.add
        self._stream = stream
        self._send = send
        self._redactor = redactor

    def sent(self, attempt: int, at: float) -> None:
        self._stream.restart()
        self._send(m.Sent(self.job, self.provider, attempt, at))

    def waiting(self, said: str, retry_at: float) -> None:
        self._send(m.Waiting(self.job, self.provider, self._redactor.redact(said), retry_at))


class Calls:
    """The call cache as the worker sees it."""

    def __init__(self, provider: Callable[[str], Provider], links: Links, redactor: Redactor) -> None:
        self._provider = provider
        self._links = links
        self._redactor = redactor
        self._in_flight: dict[tuple[str, Draw], asyncio.Task[Call]] = {}
        self._waiters: dict[asyncio.Task[Call], int] = {}
        self._streams: dict[asyncio.Task[Call], TokenStream] = {}

    async def ask(
        self, job: int, model: Model, request: ChatRequest, draw: Draw, fresh: bool, *, stream: bool = False
    ) -> Call:
        """The answer to a request in a draw.

        Equal requests of one draw that run at the same time are asked once. A job that is
        cancelled leaves the request alone while another job waits for it.

        Args:
            stream: the job is told of the text while it comes.

        Raises:
            CallFailed: the provider did not answer.
        """
        key = request_key(model, request)
        task = self._in_flight.get((key, draw))
        if task is None:
            tokens = TokenStream(self._links.send, self._redactor)
            task = asyncio.create_task(self._ask(job, key, model, request, draw, fresh, tokens))
            self._in_flight[key, draw] = task
            task.add_done_callback(partial(self._forget, (key, draw)))
            self._waiters[task] = 0
            self._streams[task] = tokens
        self._waiters[task] += 1
        if stream:
            self._streams[task].join(job)
        try:
            return await asyncio.shield(task)
        finally:
            self._waiters[task] -= 1
            if not self._waiters[task]:
                del self._waiters[task], self._streams[task]
                # Who asks the same from here on asks anew: this one ends.
                if self._in_flight.get((key, draw)) is task:
                    del self._in_flight[key, draw]
                task.cancel()

    def _forget(self, place: tuple[str, Draw], task: asyncio.Task[Call]) -> None:
        if self._in_flight.get(place) is task:
            del self._in_flight[place]

    async def _ask(
        self,
        job: int,
        key: str,
        model: Model,
        request: ChatRequest,
        draw: Draw,
        fresh: bool,
        tokens: TokenStream,
    ) -> Call:
        known = await self._links.find_call(key, draw, fresh)
        if known is not None:
            return known
        listener = JobListener(job, model.provider, self._links.send, self._redactor, tokens)
        try:
            answer = await self._provider(model.provider).ask(model, request, listener)
        except BaseException:
            tokens.end(complete=False)
            raise
        tokens.end(complete=True)
        call = Call(
            key=key,
            draw=draw,
            model_id=model.id,
            request=self._redactor.redact_struct(request),
            text=self._redactor.redact(answer.text),
            tool_calls=self._redactor.redact_json(answer.tool_calls),
            finish_reason=answer.finish_reason,
            refused=answer.refused,
            served_model=answer.served_model,
            fingerprint=answer.fingerprint,
            usage=answer.usage,
            latency_s=answer.latency_s,
            ttft_s=answer.ttft_s,
            cost_usd=cost_usd(answer.usage, model.price),
            attempts=answer.attempts,
            sent_at=answer.sent_at,
            raw=self._redactor.redact_json(answer.raw),
        )
        self._links.send(m.Called(job, call))
        return call
