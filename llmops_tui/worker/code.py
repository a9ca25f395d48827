"""The workspace's Python: its modules from source, its functions with a time limit.

Runs only here, and only when the engine sent it (that is: once the person trusted the workspace).
Each call has a thread of its own, so that one that hangs costs that call; the thread can't be
ended, so the worker starts anew when its jobs are done.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import linecache
import re
import sys
import threading
import traceback
import types
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.output import Output
from llmops_tui.domain.safe_text import whole_text
from llmops_tui.domain.score import Score, score_key
from llmops_tui.scorers import from_return

#: How long a thread that was freed may take to end.
RELEASE_S = 1.0
#: Names under which `worker.modules` loads versions of modules: nobody should read them.
_LOADED = re.compile(r"\b_workspace\d+\.")


class WorkspaceCode(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads the modules that the engine sent, by name.

    Args:
        sources: module name → source.
        folder: where the files are, for line numbers in errors and as the current folder.
        timeout_s: time limit of one call.
    """

    def __init__(self, sources: dict[str, str], folder: str, timeout_s: float) -> None:
        self._sources = sources
        self._folder = folder
        self._timeout_s = timeout_s
        self.has_stuck = False
        if sources:
            sys.meta_path.insert(0, self)

    # -- import machinery

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._sources:
            return None
        package = any(name.startswith(f"{fullname}.") for name in self._sources)
        return importlib.util.spec_from_loader(
            fullname, self, origin=self._file(fullname), is_package=package
        )

    def exec_module(self, module: types.ModuleType) -> None:
        file = self._file(module.__name__)
        source = self._sources[module.__name__]
        module.__file__ = file
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec"), module.__dict__)

    def _file(self, name: str) -> str:
        return str(Path(self._folder, *name.split(".")).with_suffix(".py"))

    # -- scoring

    async def score(self, use: ScorerUse, output: Output, case: Case) -> Score:
        """The score of a function of `scorers.py`; what it raises is the score's error, with its line."""
        known = {
            "output": output.text,
            "expected": case.expected,
            "vars": case.vars,
            "tags": list(case.tags),
            "case_id": case.id,
            "context": [chunk.text for chunk in output.retrieved],
            "tool_calls": list(output.tool_calls),
            "latency_s": output.latency_s,
            "cost_usd": output.cost_usd,
            "guardrails": list(output.fired),
        }

        def work() -> Any:
            function = getattr(importlib.import_module("scorers"), use.name)
            given = arguments(function, known, use.options)
            result = function(**given)
            return asyncio.run(_finish(result)) if inspect.isawaitable(result) else result

        try:
            returned = await self.call(work)
        except CodeError as error:
            return Score(score_key(use, case), use.label, None, None, "", str(error), use.weight)
        return from_return(use, case, returned)

    async def call(
        self,
        work: Callable[[], Any],
        timeout_s: float | Limit | None = None,
        remedy: str = "raise code.timeout_s in llmops.yaml if it may",
        release: Callable[[], None] | None = None,
    ) -> Any:
        """Run `work` in a thread of its own, in a copy of this task's context.

        Args:
            timeout_s: time limit; None: that of the settings.
            remedy: what to do about one that takes longer.
            release: frees a thread that waits for something of ours, when its time is over.

        Raises:
            CodeError: it raised (with file and line; `__cause__` is what), ended the interpreter, or took
                too long.
        """
        limit = Limit.of(self._timeout_s if timeout_s is None else timeout_s)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def settle(value: Any, error: CodeError | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)

        def run() -> None:
            try:
                value, error = work(), None
            except BaseException as raised:  # SystemExit too: it must end the call, not the worker
                value, error = None, CodeError(self.describe(raised))
                error.__cause__ = raised
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, value, error)

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(run,), daemon=True).start()
        try:
            async with limit.running():
                return await asyncio.shield(future)
        except TimeoutError:
            if release is not None:
                release()
                await asyncio.wait([future], timeout=RELEASE_S)
            if future.done():
                future.exception()  # seen: what it said after its time is of no interest
            else:
                self.has_stuck = True
            raise CodeError(f"took longer than {limit.limit_s:g} s; {remedy}") from None

    def describe(self, raised: BaseException) -> str:
        """What was raised, as a person reads it: `app.py:3 ModuleNotFoundError: No module named 'x'`."""
        try:
            said = whole_text(str(raised))
        except Exception:  # its __str__ is the workspace's code too
            said = ""
        text = f"{type(raised).__name__}: {said}" if said else type(raised).__name__
        text = _LOADED.sub("", text)
        if isinstance(raised, SyntaxError) and raised.filename:
            return f"{self._relative(raised.filename)}:{raised.lineno} {text}"
        frames = traceback.extract_tb(raised.__traceback__)
        ours = [f for f in frames if self._folder and self._is_ours(f.filename)]
        return f"{self._relative(ours[-1].filename)}:{ours[-1].lineno} {text}" if ours else text

    def _is_ours(self, file: str) -> bool:
        """A file of the workspace, and of no environment that lies in it."""
        return file.startswith(self._folder) and "site-packages" not in file

    def _relative(self, file: str) -> str:
        return file.removeprefix(self._folder).lstrip("/\\")


class CodeError(Exception):
    """A function of the workspace did not return; the text says why and where."""


class Limit:
    """The time limit of one step: its clock stands still while the step waits for calls of its own.

    A call waits for a free place at its provider, which is no fault of who asks; how long a call itself
    may take is the provider's `timeout_s`. Used on one event loop, by one waiter at a time.

    Args:
        limit_s: how long each wait may take, in seconds.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._left_s = limit_s
        self._under_way = 0
        self._timeout: asyncio.Timeout | None = None

    @classmethod
    def of(cls, limit: float | Limit) -> Limit:
        return limit if isinstance(limit, Limit) else cls(limit)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """The clock stands still meanwhile; several may do this at a time."""
        if not self._under_way:
            self._stop()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._go()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Wait in it for what is limited.

        Raises:
            TimeoutError: the time is over; what was awaited in it is cancelled.
        """
        self._left_s = self.limit_s
        async with asyncio.timeout(None) as self._timeout:
            if not self._under_way:
                self._go()
            try:
                yield
            finally:
                self._timeout = None

    def _stop(self) -> None:
        timeout = self._timeout
        if timeout is None or timeout.expired():
            return
        ends_at = timeout.when()
        assert ends_at is not None
        self._left_s = ends_at - asyncio.get_running_loop().time()
        timeout.reschedule(None)

    def _go(self) -> None:
        timeout = self._timeout
        if timeout is not None and not timeout.expired():
            timeout.reschedule(asyncio.get_running_loop().time() + self._left_s)


def arguments(function: Callable[..., Any], known: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """What a function asks for by name, from what is known about the case and its own options.

    Raises:
        TypeError: a parameter that nobody gives, or an option that it does not take.
    """
    parameters = inspect.signature(function).parameters
    takes_rest = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    given = {name: known[name] for name in parameters if name in known}
    unknown = [name for name in options if name not in parameters and not takes_rest]
    if unknown:
        raise TypeError(f"takes no option '{unknown[0]}'")
    given.update(options)
    missing = [
        name
        for name, p in parameters.items()
        if name not in given and p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]
    if missing:
        raise TypeError(f"asks for '{missing[0]}'; known are {', '.join(sorted(known))} and its options")
    return given


async def _finish(awaitable: Any) -> Any:
    return await awaitable
