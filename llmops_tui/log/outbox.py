"""What waits to be sent, and the thread that sends it. The program never waits for either.

The queue is bounded: where it is full the oldest goes, and is counted. The thread is a daemon, started by
the first span; at the end of the program it has `EXIT_S` seconds.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections import deque

from llmops_tui.log.faults import PROBLEMS
from llmops_tui.log.settings import SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from llmops_tui.log.posting import Post

#: Spans and signals that wait, and characters of them.
CAPACITY, CAPACITY_SIZE = 8192, 32 << 20
#: Of one request.
BATCH, BATCH_SIZE = 512, 2 << 20
#: Spans are gathered for so long before they are sent.
GATHER_S = 0.5
EXIT_S = 2.0
#: Waits after attempts that failed.
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
#: A collector's `Retry-After` is honoured up to that.
LONGEST_ASKED_S = 300.0


class Outbox:
    """Of one process: a fork begins with an empty one, as its parent sends what waits."""

    def __init__(self) -> None:
        self._post: Post | None = None
        self._importing = threading.Lock()  # held while the thread imports, so that no fork falls into it
        self._held = False
        self._begin()
        atexit.register(self._exit)
        os.register_at_fork(
            before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._born
        )

    def _begin(self) -> None:
        # Reentrant: a signal handler or a destructor may log while this thread is in here.
        self._changed = threading.Condition(threading.RLock())
        self._waiting: deque[tuple[Any, int]] = deque()
        self._size = 0
        self._thread: threading.Thread | None = None
        self._is_idle = False
        self._is_closing = False
        self._has_given_up = False
        self._flushes = 0
        self._taken = 0  # ever put in
        self._done = 0  # ever sent, refused or dropped

    def put(self, item: Any, size: int) -> None:
        """Queue a span or (a dictionary) a signal of about so many characters."""
        with self._changed:
            self._waiting.append((item, size))
            self._size += size
            self._taken += 1
            while len(self._waiting) > CAPACITY or (self._size > CAPACITY_SIZE and len(self._waiting) > 1):
                self._size -= self._waiting.popleft()[1]
                self._done += 1
                PROBLEMS.dropped += 1
                PROBLEMS.last = "spans came faster than they could be sent: the oldest were dropped"
            if self._thread is None:
                self._start()
            elif self._is_idle:
                self._changed.notify_all()

    def flush(self, timeout_s: float = EXIT_S) -> bool:
        """Wait until all that was logged so far is sent; False where it was not in time."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            goal = self._taken
            if self._done >= goal:
                return True
            if self._thread is None or not self._thread.is_alive():
                self._start()
            self._flushes += 1
            self._changed.notify_all()
            while self._done < goal:
                left = deadline - time.monotonic()
                if left <= 0 or self._has_given_up:
                    return False
                self._changed.wait(left)
            return True

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="llmops_tui.log", daemon=True)
        try:
            self._thread.start()
        except BaseException:  # there are too many threads: the next span tries again
            self._thread = None
            raise
        util = sys.modules.get("multiprocessing.util")
        if util is not None and sys.modules["multiprocessing.process"].parent_process() is not None:
            # Such a child ends without `atexit`.
            util.Finalize(None, self._exit, exitpriority=0)

    # -- the thread

    def _run(self) -> None:
        wait_s, is_asked = 0.0, False
        batch: list[tuple[Any, int]] = []
        while True:
            try:
                self._pause(wait_s, bool(batch), is_asked)
                batch = batch or self._take()
                asked_s = self._send(batch) if batch else None
            except Exception as error:  # a fault of ours: this batch is given up, the thread goes on
                PROBLEMS.fault(error)
                asked_s = None
            if asked_s is None:
                self._settle(len(batch))
                batch, wait_s = [], 0.0
            elif self._is_closing and not 0 < asked_s <= EXIT_S / 2:
                self._give_up()
                return
            else:
                wait_s, is_asked = _longer(wait_s, asked_s), asked_s > 0

    def _settle(self, count: int) -> None:
        with self._changed:
            self._done += count
            self._changed.notify_all()

    def _give_up(self) -> None:
        """The program ends and nobody listens: it need not wait for that."""
        with self._changed:
            self._has_given_up = True
            self._changed.notify_all()

    def _pause(self, wait_s: float, has_batch: bool, is_asked: bool) -> None:
        """Wait for something to send, or until it is time to try again. A flush ends it, unless the collector
        asked for the wait."""
        with self._changed:
            seen = self._flushes
            if wait_s:
                self._wait(wait_s, is_asked)
            if not has_batch:
                while not self._waiting:
                    self._is_idle = True
                    self._changed.wait()
                    self._is_idle = False
                if len(self._waiting) < BATCH and self._flushes == seen and not self._is_closing:
                    self._wait(GATHER_S)

    def _wait(self, seconds: float, in_full: bool = False) -> None:
        """Until the time is over or somebody flushes."""
        seen, deadline = self._flushes, time.monotonic() + seconds
        while (in_full or self._flushes == seen) and (left := deadline - time.monotonic()) > 0:
            self._changed.wait(left)

    def _take(self) -> list[tuple[Any, int]]:
        found: list[tuple[Any, int]] = []
        size = 0
        with self._changed:
            while self._waiting and len(found) < BATCH and (not found or size < BATCH_SIZE):
                entry = self._waiting.popleft()
                size += entry[1]
                found.append(entry)
            self._size -= size
        return found

    def _send(self, batch: list[tuple[Any, int]]) -> float | None:
        """None where that is settled, else how many seconds the collector wants (0: it said nothing)."""
        if self._post is None:
            with self._importing:
                from llmops_tui.log.posting import Post
            self._post = Post()
        return self._post.send([item for item, _size in batch], SETTINGS)

    # -- the ends of a process

    def _exit(self) -> None:
        try:
            self._is_closing = True
            self.flush(EXIT_S)
        except Exception as error:
            PROBLEMS.fault(error)

    def _before_fork(self) -> None:
        self._held = self._importing.acquire(timeout=1.0)

    def _after_fork(self) -> None:
        if self._held:
            self._importing.release()

    def _born(self) -> None:
        self._importing = threading.Lock()
        self._post = None  # its connection is the parent's
        self._begin()


def _longer(before_s: float, asked_s: float) -> float:
    """The next wait: as asked, else twice the one before, and a little more or less than that."""
    if asked_s > 0:
        return min(asked_s, LONGEST_ASKED_S)
    spread = 0.75 + os.urandom(1)[0] / 512
    return min(max(before_s * 2, FIRST_WAIT_S), LONGEST_WAIT_S) * spread


OUTBOX = Outbox()
