"""The worker's loop: takes jobs, runs each as a task, answers as they end.

Ends when the socket to its owner closes, whatever ended the owner; model servers it started end
with it (their own pipe closes).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from pathlib import Path

from llmops_tui import __version__
from llmops_tui.channel import Channel, connect
from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Failure
from llmops_tui.domain.model import Model
from llmops_tui.domain.redact import Redactor
from llmops_tui.providers import make_provider
from llmops_tui.providers.base import Provider
from llmops_tui.worker.calls import Calls
from llmops_tui.worker.code import WorkspaceCode
from llmops_tui.worker.embedding import Embedding
from llmops_tui.worker.evaluate import Evaluator
from llmops_tui.worker.execution import JobFailed
from llmops_tui.worker.links import Links
from llmops_tui.worker.resources import Resources

CLOSE_TIMEOUT_S = 1.0


class Worker:
    """State of one worker: its providers, its blobs, its running jobs."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.channel: Channel[m.ToWorker] | None = None
        self.blobs: dict[str, str] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.providers: dict[str, Provider] = {}
        self.setups: dict[str, m.ProviderSetup] = {}
        self.links = Links(self.send)
        self.redactor = Redactor(())
        self.evaluator: Evaluator | None = None
        self.resources: Resources | None = None
        self.code = WorkspaceCode({}, "", 10.0)

    def send(self, message: m.FromWorker) -> None:
        assert self.channel is not None
        self.channel.send(message)

    def receive(self, message: m.ToWorker) -> None:
        match message:
            case m.Evaluate() | m.ScoreOnly():
                task = asyncio.create_task(self._run(message))
                self.tasks[message.job] = task
            case m.Found() | m.FoundMade():
                self.links.answer(message)
            case m.Blob():
                self.blobs[message.hash] = message.text
            case m.Setup():
                self._set_up(message)
            case m.Cancel():
                for job in list(self.tasks) if message.jobs is None else message.jobs:
                    if job in self.tasks:
                        self.tasks[job].cancel()
            case m.Preload():
                for model in message.models:
                    self.links.background(self._provider(model.provider).preload(model))
            case m.Ping():
                self.send(m.Pong(message.n))

    def _set_up(self, setup: m.Setup) -> None:
        self.setups = {s.name: s for s in setup.providers}
        self.redactor = Redactor(setup.secrets)
        self.code = WorkspaceCode(setup.code, setup.code_dir, setup.code_timeout_s)
        os.environ.update(setup.env)
        if setup.code_dir:
            os.chdir(setup.code_dir)
        calls = Calls(self._provider, self.links, self.redactor)
        self.resources = Resources(
            *(self.blobs, calls, self.code, self.redactor, self.links, self._embedder, setup.code_dir),
            Path(setup.index_dir) if setup.index_dir else None,
        )
        self.evaluator = Evaluator(self.resources)

    def _provider(self, name: str) -> Provider:
        if name not in self.providers:
            setup = self.setups.get(name) or m.ProviderSetup(name, "litellm")
            self.providers[name] = make_provider(setup, self._note)
        return self.providers[name]

    def _embedder(self, model: Model) -> Embedding:
        return Embedding(self._provider(model.provider), model)

    def _note(self, level: str, text: str) -> None:
        clean = self.redactor.redact(text)
        self.send(m.Note("error" if level == "error" else "warning" if level == "warning" else "info", clean))

    async def _run(self, message: m.Evaluate | m.ScoreOnly) -> None:
        assert self.evaluator is not None
        try:
            if isinstance(message, m.Evaluate):
                result = await self.evaluator.evaluate(message)
            else:
                result = m.Evaluated(message.job, None, await self.evaluator.score_only(message))
        except JobFailed as failed:
            failure = self.redactor.redact_failure(failed.failure)
            result = m.Evaluated(message.job, None, (), failure, failed.spans, failed.began_at)
        except asyncio.CancelledError:
            result = m.Evaluated(message.job, None, (), Failure("cancelled", "cancelled"))
        except Exception as error:  # a defect of ours must cost one job, not the worker
            text = f"{type(error).__name__}: {error}"
            result = m.Evaluated(message.job, None, (), Failure("internal", self.redactor.redact(text)))
        finally:
            self.tasks.pop(message.job, None)
        try:
            self.send(result)
        except (ValueError, TypeError, OverflowError) as error:
            # What can't be said must not leave the engine waiting.
            text = f"the result can't be handed over: {type(error).__name__}"
            self.send(m.Evaluated(message.job, None, (), Failure("internal", text)))
        if self.code.has_stuck and not self.tasks:
            self.send(m.Note("warning", "A Python function of the workspace hangs; the worker starts anew."))
            self.closed.set()

    async def close(self) -> None:
        for task in list(self.tasks.values()):
            task.cancel()
        if self.resources is not None:
            await self.resources.close()
        for provider in self.providers.values():
            await provider.close()


async def serve(sock: socket.socket) -> None:
    """Serve one engine until its socket closes."""
    worker = Worker()
    worker.channel = await connect(sock, m.decode_to_worker, worker.receive, lambda _exc: worker.closed.set())
    worker.send(m.Ready(m.PROTOCOL, __version__, os.getpid()))
    await worker.closed.wait()
    worker.channel.close()
    # Providers get a moment to close; the process ends in any case.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(worker.close(), CLOSE_TIMEOUT_S)
