"""The engine's end of the worker process: start it, feed it jobs, survive its death.

A worker that dies is started anew. What it had in hand is then run one job at a time, so that the
job that kills workers is known for certain, fails with a clear error, and costs nobody else.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque
from typing import IO, Any, Protocol

import msgspec

from llmops_tui import __version__
from llmops_tui.channel import Channel, connect
from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Call, Draw, Failure
from llmops_tui.domain.errors import Problem, WorkerError
from llmops_tui.domain.model import Model

START_TIMEOUT_S = 30.0
PING_EVERY_S = 5.0
#: Silence for this long, with jobs in hand, means that it hangs (native code that holds the interpreter).
HANG_S = 40.0


class Owner(Protocol):
    """Who is told what the worker does. All are called on the event loop."""

    def find_call(self, key: str, draw: Draw, fresh: bool) -> Call | None: ...

    def find_made(self, key: str, draw: Draw, fresh: bool) -> Any | None: ...

    def made(self, message: m.Made) -> None: ...

    def called(self, message: m.Called) -> None: ...

    def spent(self, message: m.Spent) -> None: ...

    def sent(self, message: m.Sent) -> None: ...

    def token(self, message: m.Token) -> None: ...

    def waiting(self, message: m.Waiting) -> None: ...

    def note(self, message: m.Note) -> None: ...


class Ticket(msgspec.Struct):
    """A job on its way. `future` gives its `Evaluated`."""

    job: m.Evaluate | m.ScoreOnly
    future: asyncio.Future[m.Evaluated]
    blobs: dict[str, str]
    blobs_key: str
    deaths: int = 0


class Launched(msgspec.Struct):
    """A worker process that was started; it waits for its set-up."""

    process: subprocess.Popen[bytes]
    sock: socket.socket
    log: IO[bytes]

    def close(self) -> None:
        """It is not needed: it ends when it sees that we are gone."""
        self.sock.close()
        self.log.close()


def launch() -> Launched:
    """Start a worker process: a millisecond or two here, the rest of its start is beside us.

    Raises:
        OSError: the system gives no process.
    """
    ours, theirs = socket.socketpair()
    log = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the worker)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "llmops_tui.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    return Launched(process, ours, log)


class WorkerClient:
    """Keeps one worker alive while there are jobs.

    Args:
        setup: sent to each worker that is started.
        launched: a process that was started already, to be used first.
        window: jobs given to the worker at once; the others wait here, where cancelling is free.
    """

    def __init__(self, owner: Owner, setup: m.Setup, window: int, launched: Launched | None = None) -> None:
        self._owner = owner
        self._setup = setup
        self._launched = launched
        self._window = window
        self._numbers = itertools.count(1)
        self._queue: deque[Ticket] = deque()
        self._in_hand: dict[int, Ticket] = {}
        #: Jobs that were in hand when a worker died: run one at a time until they are done.
        self._suspects: set[int] = set()
        self._channel: Channel[m.FromWorker] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[m.Ready] | None = None
        self._pinger: asyncio.Task[None] | None = None
        self._known: set[str] = set()
        self._heard = 0.0
        self._closed = False
        self._preload: tuple[Model, ...] = ()

    # -- jobs

    @property
    def pid(self) -> int | None:
        """The running worker's process, or None."""
        return self._process.pid if self._process is not None else None

    def next_number(self) -> int:
        return next(self._numbers)

    def submit(
        self, job: m.Evaluate | m.ScoreOnly, blobs: dict[str, str], blobs_key: str, *, first: bool = False
    ) -> Ticket:
        """Queue a job.

        Args:
            first: before those that wait: somebody is looking.
            blobs: the texts that it names by hash.
            blobs_key: names this set of texts, so that it is looked through once for many jobs.
        """
        ticket = Ticket(job, asyncio.get_running_loop().create_future(), blobs, blobs_key)
        if first:
            self._queue.appendleft(ticket)
        else:
            self._queue.append(ticket)
        self._feed()
        return ticket

    def cancel(self, tickets: list[Ticket]) -> None:
        """Stop these: those that wait at once, those in hand as soon as the worker has let go."""
        gone = {t.job.job for t in tickets}
        for ticket in [t for t in self._queue if t.job.job in gone]:
            self._settle(ticket, m.Evaluated(ticket.job.job, None, (), Failure("cancelled", "cancelled")))
        self._queue = deque(t for t in self._queue if t.job.job not in gone)
        in_hand = tuple(n for n in gone if n in self._in_hand)
        if in_hand and self._channel is not None:
            self._channel.send(m.Cancel(in_hand))

    def _feed(self) -> None:
        if not self._queue or self._closed:
            return
        if self._channel is None:
            self._launch()
            return
        window = 1 if self._suspects else self._window
        while self._queue and len(self._in_hand) < window:
            ticket = self._queue.popleft()
            self._in_hand[ticket.job.job] = ticket
            if ticket.blobs_key not in self._known:
                self._known.add(ticket.blobs_key)
                for hash_, text in ticket.blobs.items():
                    self._channel.send(m.Blob(hash_, text))
            self._channel.send(ticket.job)

    def _settle(self, ticket: Ticket, result: m.Evaluated) -> None:
        self._suspects.discard(ticket.job.job)
        if not ticket.future.done():
            ticket.future.set_result(result)

    # -- the process

    def start(self, preload: tuple[Model, ...] = ()) -> None:
        """Start the worker in the background, before the first job needs it.

        Args:
            preload: models that it makes ready: five seconds of import, or loading weights.
        """
        self._preload = preload
        if self._channel is not None and preload:
            self._channel.send(m.Preload(preload))
        self._launch()

    def _launch(self) -> None:
        if self._starting is None and self._channel is None and not self._closed:
            self._starting = asyncio.create_task(self._start())

    async def _start(self) -> None:
        try:
            await self._spawn()
        except (OSError, WorkerError, TimeoutError) as error:
            text = str(error) or "it did not answer in time"
            self._end_process()
            self._fail_all(Failure("crash", f"the worker process could not be started: {text}"))
        finally:
            self._starting = None
        self._feed()

    async def _spawn(self) -> None:
        launched, self._launched = self._launched or launch(), None
        self._process, self._log = launched.process, launched.log
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        self._known = set()
        channel = await connect(launched.sock, m.decode_from_worker, self._receive, self._lost)
        channel.send(self._setup)
        ready = await asyncio.wait_for(self._ready, START_TIMEOUT_S)
        if ready.protocol != m.PROTOCOL or ready.version != __version__:
            channel.close()
            raise WorkerError(
                Problem(
                    f"it is release {ready.version}, this is {__version__}",
                    "start llmops-tui anew: it was upgraded while it ran",
                )
            )
        self._channel = channel
        if self._preload:
            channel.send(m.Preload(self._preload))
        self._heard = loop.time()
        self._pinger = asyncio.create_task(self._ping())

    async def _ping(self) -> None:
        loop = asyncio.get_running_loop()
        for n in itertools.count():
            await asyncio.sleep(PING_EVERY_S)
            if self._in_hand and loop.time() - self._heard > HANG_S and self._process is not None:
                self._process.send_signal(signal.SIGKILL)
                return
            if self._channel is not None:
                self._channel.send(m.Ping(n))

    def _receive(self, message: m.FromWorker) -> None:
        self._heard = asyncio.get_running_loop().time()
        match message:
            case m.Evaluated():
                ticket = self._in_hand.pop(message.job, None)
                if ticket is not None:
                    self._settle(ticket, message)
                self._feed()
            case m.Lookup():
                found = self._owner.find_call(message.key, message.draw, message.fresh)
                if self._channel is not None:
                    self._channel.send(m.Found(message.lookup, found))
            case m.FindMade():
                result = self._owner.find_made(message.key, message.draw, message.fresh)
                if self._channel is not None:
                    self._channel.send(m.FoundMade(message.lookup, result))
            case m.Made():
                self._owner.made(message)
            case m.Called():
                self._owner.called(message)
            case m.Spent():
                self._owner.spent(message)
            case m.Sent():
                self._owner.sent(message)
            case m.Token():
                self._owner.token(message)
            case m.Waiting():
                self._owner.waiting(message)
            case m.Note():
                self._owner.note(message)
            case m.Ready():
                if self._ready is not None and not self._ready.done():
                    self._ready.set_result(message)
            case m.Pong():
                pass

    def _lost(self, _exc: Exception | None) -> None:
        """The worker is gone: on purpose (after a hanging function), or not."""
        if self._closed:
            return
        how = self._end_process()
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(WorkerError(f"{how}{self._said()}"))
        in_hand = list(self._in_hand.values())
        self._in_hand.clear()
        if len(in_hand) == 1:
            in_hand[0].deaths += 1
        if len(in_hand) == 1 and in_hand[0].deaths > 1:
            (guilty,) = in_hand
            failure = Failure(
                "crash",
                f"the worker process ended ({how}) while it had this case{self._said()}",
                "look at what this case runs: a Python function, or native code under it",
            )
            self._settle(guilty, m.Evaluated(guilty.job.job, None, (), failure))
        else:
            self._suspects |= {t.job.job for t in in_hand}
            self._queue.extendleft(reversed(in_hand))
        if self._queue:
            self._owner.note(m.Note("warning", f"The worker process ended ({how}); it was started anew."))
        self._feed()

    def _said(self) -> str:
        """The last line on its error stream, if it has one."""
        if self._log is None:
            return ""
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(self._log.tell() - 2000, 0))
        lines = [x for x in self._log.read().decode("utf-8", "replace").splitlines() if x.strip()]
        return f": {lines[-1][:300]}" if lines else ""

    def _end_process(self) -> str:
        """Reap it; says how it ended."""
        if self._pinger is not None:
            self._pinger.cancel()
            self._pinger = None
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        process, self._process = self._process, None
        if process is None:
            return "gone"
        try:
            code = process.wait(timeout=1.5)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def _fail_all(self, failure: Failure) -> None:
        tickets = [*self._in_hand.values(), *self._queue]
        self._in_hand.clear()
        self._queue.clear()
        for ticket in tickets:
            self._settle(ticket, m.Evaluated(ticket.job.job, None, (), failure))

    def close(self) -> None:
        """End the worker; its model servers end with it."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
        self._fail_all(Failure("cancelled", "cancelled"))
        if self._pinger is not None:
            self._pinger.cancel()
        # Closing the socket ends it; nobody waits for that.
        if self._channel is not None:
            self._channel.close()
        if self._log is not None:
            self._log.close()
