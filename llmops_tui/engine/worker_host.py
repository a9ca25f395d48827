"""The worker of an engine: one process, kept or replaced, and whose run hears what it says."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Call, Draw
from llmops_tui.domain.configuration import Configuration, Workspace
from llmops_tui.domain.errors import StoreError, WorkspaceError
from llmops_tui.engine.events import Event, Notice
from llmops_tui.engine.runner import Runner
from llmops_tui.engine.worker_client import Launched, Ticket, WorkerClient, launch
from llmops_tui.store import Store

#: Jobs given to a worker at once, at least and at most.
WINDOW = (16, 512)


class Aside:
    """A job outside of any run, and who listens to it.

    Args:
        heard: called with the text so far.
        waiting: called with what a provider said that makes us wait; empty: it goes on.
    """

    def __init__(self, heard: Callable[[str], None], waiting: Callable[[str], None]) -> None:
        self.ticket: Ticket | None = None
        self.calls: list[Call] = []
        self.spent: list[m.Spent] = []
        self.fault: StoreError | None = None
        self.text = ""
        self._heard = heard
        self.waiting = waiting

    @property
    def costs(self) -> list[float | None]:
        """USD of all that was asked for it, one by one; None where a price is not known."""
        return [*(call.cost_usd for call in self.calls), *(each.cost_usd for each in self.spent)]

    def token(self, message: m.Token) -> None:
        self.text = message.text if message.anew else self.text + message.text
        self._heard(self.text)


class WorkerHost:
    """Owns the worker process. What it says goes to the run under way, else to the store.

    Jobs aside have no part in the run: their calls are kept, and counted for nobody's progress.
    """

    def __init__(self, store: Store) -> None:
        self.runner: Runner | None = None
        self._store = store
        self._client: WorkerClient | None = None
        self._launched: Launched | None = None
        self._setup: m.Setup | None = None
        self._emit: Callable[[Event], None] = lambda _event: None
        self._providers: set[str] = set()
        self._asides: dict[int, Aside] = {}

    # -- the process

    def launch(self) -> None:
        """Start the process now; it is set up when it is needed."""
        if self._launched is None and self._client is None:
            with contextlib.suppress(OSError):  # said when it is needed
                self._launched = launch()

    def adopt(self, launched: Launched) -> None:
        """Take over a process that was started already."""
        self._launched = launched

    def client(self, workspace: Workspace, configuration: Configuration) -> WorkerClient:
        """The worker for a configuration: a new one where keys, Python or settings have changed.

        Raises:
            WorkspaceError: a key of a provider in use is missing.
        """
        from llmops_tui.workspace import connect

        needed = configuration.providers
        # What was connected stays so: two versions on different providers share one worker.
        try:
            setups, secrets, env = connect(workspace, needed | self._providers)
            self._providers |= needed
        except WorkspaceError:
            setups, secrets, env = connect(workspace, needed)
            self._providers = needed
        code = workspace.code
        modules = code.modules if code.trusted else {}
        index = str(Path(workspace.root) / ".llmops" / "index")
        setup = m.Setup(m.PROTOCOL, setups, secrets, env, modules, workspace.root, code.timeout_s, index)
        if self._client is not None and setup != self._setup:
            client, self._client = self._client, None
            self.supersede(set())
            client.close()
        if self._client is None:
            window = 2 * sum(s.concurrency for s in setups) + 8
            launched, self._launched = self._launched, None
            self._client = WorkerClient(self, setup, min(max(window, WINDOW[0]), WINDOW[1]), launched)
            self._setup = setup
        return self._client

    def close(self) -> None:
        """End the process, whether it was set up or not."""
        if self._client is not None:
            self._client.close()
        if self._launched is not None:
            self._launched.close()

    # -- the run under way

    def begin(self, runner: Runner, emit: Callable[[Event], None]) -> None:
        self.runner, self._emit = runner, emit

    def end(self, runner: Runner) -> None:
        if self.runner is runner:
            self.runner = None

    def supersede(self, wanted: set[str]) -> dict[str, Ticket]:
        """End the run under way; gives those of its open jobs that are still wanted."""
        runner, self.runner = self.runner, None
        return runner.hand_over(wanted) if runner is not None else {}

    # -- beside it

    def may_connect(self, configuration: Configuration) -> bool:
        """Whether a job of a configuration can be done now without ending the run under way."""
        return self.runner is None or configuration.providers <= self._providers

    def ask_aside(
        self,
        workspace: Workspace,
        configuration: Configuration,
        job: Callable[[int], m.Evaluate | m.ScoreOnly],
        aside: Aside,
    ) -> asyncio.Future[m.Evaluated]:
        """Have a job done before those that wait.

        Args:
            job: makes it, from its number.

        Raises:
            WorkspaceError: a key of a provider in use is missing.
        """
        client = self.client(workspace, configuration)
        number = client.next_number()
        self._asides[number] = aside
        blobs, key = configuration.blobs, configuration.manifest.hash
        aside.ticket = client.submit(job(number), blobs, key, first=True)
        aside.ticket.future.add_done_callback(lambda _: self._asides.pop(number, None))
        return aside.ticket.future

    def drop(self, aside: Aside) -> None:
        """Nobody waits for it any more."""
        if self._client is not None and aside.ticket is not None:
            self._client.cancel([aside.ticket])

    # -- what the worker says

    def find_call(self, key: str, draw: Draw, fresh: bool) -> Call | None:
        if self.runner is not None:
            return self.runner.find_call(key, draw, fresh)
        return self._store.calls.find(key, draw, fresh)

    def find_made(self, key: str, draw: Draw, fresh: bool) -> Any | None:
        if self.runner is not None:
            return self.runner.find_made(key, draw, fresh)
        try:
            return self._store.made.find(key, draw, fresh)
        except StoreError as error:
            self._tell(error)
            return None

    def made(self, message: m.Made) -> None:
        if self.runner is not None:
            self.runner.made(message)
            return
        try:
            self._store.made.add(message.key, message.draw, message.result, time.time())
        except StoreError as error:
            aside = self._asides.get(message.job)
            if aside is not None:
                aside.fault = error
            else:
                self._tell(error)

    def called(self, message: m.Called) -> None:
        aside = self._asides.get(message.job)
        if aside is not None:
            self._keep_aside(aside, message.call)
        elif self.runner is not None:
            self.runner.called(message.call)
        else:
            # Its run was cancelled while the answer was on its way: it was paid for, so it is kept.
            self._store.calls.add_many([message.call])

    def _keep_aside(self, aside: Aside, call: Call) -> None:
        aside.calls.append(call)
        try:
            self._store.calls.add_many([call])
        except StoreError as error:
            aside.fault = error

    def spent(self, message: m.Spent) -> None:
        aside = self._asides.get(message.job)
        if aside is None and self.runner is not None:
            self.runner.spent(message)
            return
        if aside is not None:
            aside.spent.append(message)
        try:
            self._store.calls.add_spending(message.cost_usd, time.time())
        except StoreError as error:
            if aside is not None:
                aside.fault = error
            else:
                self._emit(Notice("error", str(error)))

    def token(self, message: m.Token) -> None:
        if message.job in self._asides:
            self._asides[message.job].token(message)

    def sent(self, message: m.Sent) -> None:
        if message.job in self._asides:
            self._asides[message.job].waiting("")
        elif self.runner is not None:
            self.runner.sent(message)

    def waiting(self, message: m.Waiting) -> None:
        if message.job in self._asides:
            self._asides[message.job].waiting(f"{message.provider}: {message.said}")
        elif self.runner is not None:
            self.runner.waiting(message)

    def _tell(self, error: StoreError) -> None:
        """No run is there that it could end; the connection to the worker must outlive it."""
        self._emit(Notice("error", str(error), key="run"))

    def note(self, message: m.Note) -> None:
        self._emit(Notice(message.level, message.text))
