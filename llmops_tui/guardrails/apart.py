"""Functions of `guardrails.py`, and kinds that are large, in processes of their own.

A process does one look at a time: one that hangs, also in C, is killed when its time is over, and costs
nobody else's look. There are a few, started when they are needed and ended when they were not for a while.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import lru_cache
from typing import Any

import msgspec

from llmops_tui.domain.canonical import digest
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.domain.safe_text import whole_text
from llmops_tui.guardrails.child import Child, Gone
from llmops_tui.guardrails.registry import About, Found, Match
from llmops_tui.guardrails.watch import Piece

#: Processes of one set of sources.
CHILDREN = 4
#: Seconds that a process is kept without work.
_IDLE_S = 60.0
#: Seconds that starting, and loading what is asked for, may take: no part of a look's time limit.
START_S = 10.0
#: Seconds for which what did not load in that time is not tried again.
_RETRY_S = 60.0


class Apart:
    """Runs looks elsewhere. For any thread, and after a fork.

    Args:
        sources: path of a module of the workspace → source: `guardrails.py`, and what it imports.
        folder: where the workspace is.
        children: processes at most.
        patience_s: how long a look waits for a process that is free; None: as long as it may take itself.
    """

    def __init__(
        self,
        sources: Mapping[str, str] | None = None,
        folder: str = "",
        *,
        children: int = CHILDREN,
        patience_s: float | None = None,
    ) -> None:
        self._settings = (dict(sources or {}), folder, children, patience_s)
        self._pool = self._new_pool()

    def look(self, use: GuardrailUse, pieces: Sequence[Piece], about: About) -> Future[list[Found | str]]:
        """What a guardrail finds in each piece, or a sentence on how it failed there.

        All pieces together take at most the guardrail's time limit, from when a process is free: `patience_s`
        is for waiting until then.
        """
        return self._put(use, tuple(pieces), about)

    def start(self, use: GuardrailUse) -> None:
        """Load what a guardrail needs, so that its first look need not wait for that. Does not wait."""
        self._put(use, (), About("input"))

    def close(self) -> None:
        """End the processes. Looks that are under way fail."""
        self._pool.close()

    def _put(self, use: GuardrailUse, pieces: tuple[Piece, ...], about: About) -> Future[list[Found | str]]:
        job = _Job(use, pieces, about, time.monotonic(), Future())
        self._in_pool().put(job)
        return job.future

    def _new_pool(self) -> _Pool:
        pool = _Pool(*self._settings)
        weakref.finalize(self, pool.close)
        return pool

    def _in_pool(self) -> _Pool:
        # Threads do not live on in a forked process, and the children are its parent's.
        if self._pool.process != os.getpid():
            self._pool = self._new_pool()
        return self._pool


@lru_cache(maxsize=2)
def shared(patience_s: float | None = None) -> Apart:
    """Runs the kinds that are large: they need no sources, so one serves all.

    Args:
        patience_s: see `Apart`.
    """
    return Apart(children=1, patience_s=patience_s)


class _Job(msgspec.Struct, frozen=True, eq=False):
    """One look of one guardrail at all its pieces."""

    use: GuardrailUse
    pieces: tuple[Piece, ...]
    about: About
    put_at: float
    future: Future[list[Found | str]]

    @property
    def key(self) -> str:
        return digest([self.use.kind, self.use.options])

    def answer(self, answers: list[Found | str]) -> None:
        self.future.set_result(answers)

    def fail(self, said: str) -> None:
        """Every piece failed."""
        self.answer([said] * len(self.pieces))

    def preparing(self) -> dict[str, Any]:
        use = self.use
        return {"kind": use.kind, "options": use.options, "is_function": use.is_function}

    def looking(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        told = msgspec.structs.asdict(self.about)
        return {"texts": [p.text for p in pieces], "wheres": [p.where for p in pieces], "about": told}


class _Pool:
    """Threads that each look after one process, and the jobs they take."""

    def __init__(self, sources: dict[str, str], folder: str, most: int, patience_s: float | None) -> None:
        self.process = os.getpid()
        self._sources, self._folder, self._most = sources, folder, most
        self._patience_s = patience_s
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._keepers, self._pending = 0, 0
        self._is_closed = False
        self._children: set[Child] = set()
        self._started_at = 0.0
        #: Key of a guardrail → how it did not load, and until when that is believed.
        self._broken: dict[str, tuple[str, float]] = {}

    def put(self, job: _Job) -> None:
        with self._lock:
            if self._is_closed:
                job.fail(_ENDED)
                return
            self._pending += 1
            if self._pending > self._keepers and self._keepers < self._most:
                self._keepers += 1
                threading.Thread(target=self._keep, daemon=True, name="llmops-tui guardrail").start()
            self._jobs.put(job)

    def close(self) -> None:
        if self.process != os.getpid():
            return  # a fork's copy: the processes are its parent's
        with self._lock:
            self._is_closed = True
            for _ in range(self._keepers):
                self._jobs.put(None)
            for child in self._children:
                child.kill()

    # -- in the thread of a keeper

    def _keep(self) -> None:
        child: Child | None = None
        while (job := self._next()) is not None:
            try:
                child = self._do(job, child)
            except Exception as error:  # a fault of ours must not leave anyone waiting
                self._drop(child)
                child = None
                if not job.future.done():
                    job.fail(f"could not be run apart: {type(error).__name__}")
            with self._lock:
                self._pending -= 1
        self._drop(child)

    def _next(self) -> _Job | None:
        """The next job; None: there was none for a while, or there will be none."""
        while True:
            with contextlib.suppress(queue.Empty):
                job = self._jobs.get(timeout=_IDLE_S)
                if job is not None and self._is_closed:
                    job.fail(_ENDED)
                    continue
                return job
            with self._lock:
                if self._jobs.empty():
                    self._keepers -= 1
                    return None

    def _do(self, job: _Job, child: Child | None) -> Child | None:
        """Answer a job; returns the process for the next one."""
        if not job.future.set_running_or_notify_cancel():
            return child
        waits_s = job.use.timeout_s if self._patience_s is None else self._patience_s
        # That others were starting is nothing that a look is blamed for.
        if job.pieces and time.monotonic() - max(job.put_at, self._started_at) > waits_s:
            job.fail(f"waited longer than {waits_s:g} s for the looks before it")
            return child
        answers: list[Found | str] = []
        end: float | None = None
        child, failed = self._ready(job, child)
        while len(answers) < len(job.pieces):
            if child is None or failed:
                answers += [failed] * (len(job.pieces) - len(answers))
                break
            end = end or time.monotonic() + job.use.timeout_s
            child = self._look(job, child, answers, end)
            if child is None and len(answers) < len(job.pieces):
                child, failed = self._ready(job, None)
        job.answer(answers)
        return child

    def _ready(self, job: _Job, child: Child | None) -> tuple[Child | None, str]:
        """A process that has loaded what looks, and what went wrong with that."""
        key = job.key
        if child is not None and not child.is_alive:
            # What an earlier look left running ended it: nothing that this look is blamed for.
            self._drop(child)
            child = None
        said, until = self._broken.get(key, ("", 0.0))
        if time.monotonic() < until:
            return child, said
        if child is not None and key in child.ready:
            return child, child.ready[key]
        try:
            if child is None:
                child = Child(self._sources, self._folder)
                with self._lock:
                    self._children.add(child)
                    if self._is_closed:
                        child.kill()
            child.prepare(key, job.preparing(), START_S)
            self._started_at = time.monotonic()
            return child, child.ready[key]
        except Gone as gone:
            said = str(gone)
            if gone.was_slow:
                said = f"did not load within {START_S:g} s"
                self._broken[key] = (said, time.monotonic() + _RETRY_S)
            self._drop(child)
            return None, said

    def _look(self, job: _Job, child: Child, answers: list[Found | str], end: float) -> Child | None:
        """Adds answers; where the process was lost on a piece, the rest is left for another one."""
        rest = job.pieces[len(answers) :]
        left_s = end - time.monotonic()
        try:
            for reply in child.look(job.key, job.looking(rest), left_s):
                answers.append(_answer(reply, job.pieces[len(answers)].text))
        except Gone as gone:
            if gone.was_slow:
                answers += [f"took longer than {job.use.timeout_s:g} s"] * (len(job.pieces) - len(answers))
            else:
                answers.append(str(gone))
            self._drop(child)
            return None
        return child

    def _drop(self, child: Child | None) -> None:
        if child is not None:
            with self._lock:
                self._children.discard(child)
            child.end()


_ENDED = "its process was ended"


def _answer(reply: dict[str, Any], text: str) -> Found | str:
    """What a process says of one text. It ran code of others, so nothing is taken on trust."""
    if isinstance(reply.get("error"), str):
        return str(reply["error"])
    try:
        found = msgspec.convert(reply, _Reply)
    except msgspec.ValidationError:
        return "its process answered with what can't be read"
    matches = tuple(
        Match(start, end, whole_text(label))
        for start, end, label in found.matches
        if 0 <= start <= end <= len(text)
    )
    return Found(found.score, found.reason, matches)


class _Reply(msgspec.Struct):
    score: float
    reason: str = ""
    matches: list[tuple[int, int, str]] = []
