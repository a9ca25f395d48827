"""Sends traces while a run is under way, without making it wait: a queue, and a thread that empties it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from llmops_tui.domain.configuration import Otlp, Workspace
from llmops_tui.domain.errors import LlmopsError
from llmops_tui.domain.run import Item, VersionInfo
from llmops_tui.domain.trace import Trace
from llmops_tui.engine.events import Event, Notice
from llmops_tui.tracing import Sender, counted

#: Outputs that wait; beyond that the oldest are dropped.
WAITING = 5_000
#: Outputs that are read and sent together.
PORTION = 200
#: Time in which outputs gather, so that each commit (some 30 ms) is not a request of its own.
GATHER_S = 0.5
#: Time that the end of a run waits for what is left.
FLUSH_S = 5.0
KEY = "tracing"
LATER = "send them with: llmops-tui trace export"


class Kept(msgspec.Struct, frozen=True):
    """An output that was committed."""

    version: VersionInfo
    run_id: int
    item: Item


#: Reads the traces of outputs. Called in the thread; a connection of its own is opened and closed there.
Read = Callable[[Sequence[Kept]], Iterable[Trace]]


class LiveExport:
    """Sends traces of committed outputs to one place until it is closed.

    Whatever goes wrong becomes a `Notice`; nothing is ever raised into a run.

    Args:
        target: with variables filled in (`workspace.otlp_target`).
        emit: called from the thread too.
        waiting: outputs that may wait.

    Raises:
        SendError: the endpoint is no URL, or a header can't be sent.
    """

    def __init__(
        self, target: Otlp, read: Read, emit: Callable[[Event], None], *, waiting: int = WAITING
    ) -> None:
        self._closing = threading.Event()
        # Waiting between attempts ends at once when the end has come.
        self._sender = Sender(
            target.endpoint, target.headers, project=target.project, timeout_s=10.0, sleep=self._closing.wait
        )
        self._read = read
        self._emit = emit
        self._queue: deque[Kept] = deque()
        self._waiting = waiting
        self._changed = threading.Condition()
        self._dropped = 0
        self._unsent = 0
        self._told_failure = False
        self._busy = 0
        self._thread = threading.Thread(target=self._work, name="live export", daemon=True)
        self._thread.start()

    def outputs(self, items: Iterable[Kept]) -> None:
        """Outputs that were committed. Returns at once."""
        with self._changed:
            self._queue.extend(items)
            over = len(self._queue) - self._waiting
            for _ in range(over):
                self._queue.popleft()
            is_first = over > 0 and not self._dropped
            self._dropped += max(over, 0)
            self._changed.notify()
        if is_first:
            text = f"{self._sender.place} takes traces slower than they are made: some are left out; {LATER}"
            self._emit(Notice("warning", text, KEY))

    def close(self, limit_s: float = FLUSH_S) -> None:
        """Send what is left, as far as that goes within the limit."""
        with self._changed:
            self._closing.set()
            self._changed.notify()
        self._thread.join(limit_s)
        if self._thread.is_alive():
            with self._changed:
                left = len(self._queue) + self._busy
                self._queue.clear()
            self._emit(Notice("warning", f"{counted(left, 'trace')} could not be sent in time; {LATER}", KEY))

    # -- in the thread

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._closing.is_set():
                    self._changed.wait()
                self._changed.wait_for(
                    lambda: self._closing.is_set() or len(self._queue) >= PORTION, GATHER_S
                )
                portion = [self._queue.popleft() for _ in range(min(len(self._queue), PORTION))]
                self._busy = len(portion)
            if not portion:
                return
            self._send(portion)
            with self._changed:
                self._busy = 0

    def _send(self, portion: list[Kept]) -> None:
        try:
            sent = self._sender.send(self._read(portion))
        except LlmopsError as error:
            self._fail(str(error), len(portion))
        except Exception as error:  # a run must not suffer from a defect in here
            self._fail(f"traces can't be sent: {type(error).__name__}: {error}", len(portion))
        else:
            if sent.refused:
                said = f": {sent.said[0]}" if sent.said else ""
                self._fail(f"{self._sender.place} refused {counted(sent.refused, 'span')}{said}", 0)
            elif self._told_failure:
                self._told_failure = False
                text = f"{counted(self._unsent, 'trace')} could not be sent; {LATER}" if self._unsent else ""
                self._unsent = 0
                self._emit(Notice("warning", text, KEY))

    def _fail(self, text: str, unsent: int) -> None:
        self._unsent += unsent
        if not self._told_failure:
            self._told_failure = True
            self._emit(Notice("error", text, KEY))


def opened(workspace: Workspace, database: Path, emit: Callable[[Event], None]) -> LiveExport | None:
    """As the settings have it; None where they don't ask for it, or where it can't be (a notice says why)."""
    from llmops_tui.workspace import otlp_target

    if workspace.otlp is None or not workspace.otlp.live:
        return None
    try:
        target = otlp_target(Path(workspace.root), workspace.otlp, "llmops.yaml")
        return LiveExport(target, reading(database), emit)
    except LlmopsError as error:
        emit(Notice("error", str(error), KEY))
        return None


def reading(database: Path) -> Read:
    """Traces from a database, by a connection that only reads."""

    def read(portion: Sequence[Kept]) -> Iterable[Trace]:
        from llmops_tui.engine.traces import Traces
        from llmops_tui.store import Store

        with Store.open(database, read_only=True) as store:
            traces = Traces(store)
            for kept in portion:
                yield traces.of_item(kept.version, kept.run_id, kept.item)

    return read
