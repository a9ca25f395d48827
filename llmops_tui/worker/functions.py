"""A step that is a Python function of the workspace: `module:function`.

A plain function runs in a thread of its own. Async functions of one version share one event loop, in a
thread, as they do in a server: so an async client that a module makes once works for all of them.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from llmops_tui.domain.call import Call
from llmops_tui.worker import instrument
from llmops_tui.worker.code import RELEASE_S, CodeError, Limit, WorkspaceCode, arguments
from llmops_tui.worker.modules import ModuleSet
from llmops_tui.worker.results import BadResult, StepResult, step_result

#: Sends messages with parameters to the model; runs on the worker's loop.
Send = Callable[[tuple[dict[str, Any], ...], dict[str, Any]], Awaitable[Call]]

_SLOW = "raise timeout_s of the step if it may"


class Ask:
    """`ask`, as a function of the workspace sees it: asks the model of the step.

    `ask("text")` or `ask([{"role": …, "content": …}], temperature=0)`. In a plain function it gives the
    answer's text; in an async function it is awaited. `ask.wait(…)` waits wherever it is called, for a
    plain function that an async one calls; `ask.call(…)` is `wait` with the whole `Call`.

    Args:
        send: asks.
        loop: where `send` runs.
    """

    def __init__(self, send: Send, loop: asyncio.AbstractEventLoop) -> None:
        self._send = send
        self._loop = loop
        self._waiting: set[concurrent.futures.Future[Call]] = set()
        self._closed = False

    def __call__(self, messages: str | Sequence[Mapping[str, Any]], /, **params: Any) -> Any:
        future = self._begin(messages, params)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return future.result().text
        return _text(future)

    def wait(self, messages: str | Sequence[Mapping[str, Any]], /, **params: Any) -> str:
        return self._begin(messages, params).result().text

    def call(self, messages: str | Sequence[Mapping[str, Any]], /, **params: Any) -> Call:
        return self._begin(messages, params).result()

    def close(self) -> None:
        """Nobody waits any more: what is under way is given up, and so is who waits for it."""
        self._closed = True
        for future in tuple(self._waiting):
            future.cancel()

    def _begin(
        self, messages: str | Sequence[Mapping[str, Any]], params: dict[str, Any]
    ) -> concurrent.futures.Future[Call]:
        if self._closed:
            raise RuntimeError("ask was called after its step had ended")
        sent = _messages(messages)

        async def outside() -> Call:
            with instrument.recording(None):  # our own requests are recorded where they are made
                return await self._send(sent, params)

        future = asyncio.run_coroutine_threadsafe(outside(), self._loop)
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future


async def _text(future: concurrent.futures.Future[Call]) -> str:
    return (await asyncio.wrap_future(future)).text


def _messages(messages: Any) -> tuple[dict[str, Any], ...]:
    if isinstance(messages, str):
        return ({"role": "user", "content": messages},)
    if isinstance(messages, Mapping):
        messages = [messages]
    if not isinstance(messages, Sequence) or not messages:
        raise TypeError("ask takes a text, or a list of messages")
    for message in messages:
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise TypeError("ask takes messages of the form {'role': …, 'content': …}")
    return tuple(dict(message) for message in messages)


class Functions:
    """Calls functions of one version.

    Args:
        modules: of the version.
        code: runs plain functions with a time limit, and says what was raised.
    """

    def __init__(self, modules: ModuleSet, code: WorkspaceCode) -> None:
        self._modules = modules
        self._code = code
        self._loop: asyncio.AbstractEventLoop | None = None

    async def call(
        self,
        spec: str,
        known: Mapping[str, Any],
        given: Mapping[str, Any],
        timeout_s: float | Limit,
        scope: instrument.Scope | None = None,
    ) -> StepResult:
        """Call `module:function` with what it asks for by name.

        Args:
            known: what may be asked for: `vars`, each of them by its name, `ask`, results of steps, ….
            given: arguments of the step's own; each must be a parameter.
            timeout_s: time limit, in seconds; of a plain function and of an awaitable that it gives, each.
            scope: what the function calls is recorded here.

        Raises:
            CodeError: there is no result; a sentence. What was raised is its `__cause__`.
        """
        limit = Limit.of(timeout_s)
        ask = known.get("ask")
        release = ask.close if isinstance(ask, Ask) else _nothing

        def begin() -> tuple[bool, Any]:
            instrument.refresh()
            function = self._modules.get(spec)
            instrument.refresh()
            instrument.provide()
            bound = arguments(function, dict(known), dict(given))
            returned = function(**bound)
            return inspect.isawaitable(returned), returned

        with instrument.recording(scope):
            try:
                awaitable, returned = await self._code.call(begin, limit, _SLOW, release)
                if awaitable:
                    returned = await self._await(returned, limit, release)
            finally:
                release()
        if inspect.isgenerator(returned) or inspect.isasyncgen(returned):
            raise CodeError(f"{spec} is a generator; collect what it yields and return that")
        try:
            return step_result(returned)
        except BadResult as error:
            raise CodeError(f"{spec} {error}") from error

    def close(self) -> None:
        """End the loop of async functions."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    async def _await(self, awaitable: Any, limit: Limit, release: Callable[[], None]) -> Any:
        async def finish() -> tuple[Any, BaseException | None]:
            try:
                return await awaitable, None
            except asyncio.CancelledError:
                raise
            except BaseException as raised:  # SystemExit too: it must not end the loop
                return None, raised

        future = asyncio.run_coroutine_threadsafe(finish(), self._own_loop())
        waiting = asyncio.wrap_future(future)
        try:
            async with limit.running():
                returned, raised = await asyncio.shield(waiting)
        except TimeoutError:
            release()
            future.cancel()
            await self._still_turns()
            raise CodeError(f"took longer than {limit.limit_s:g} s; {_SLOW}") from None
        except asyncio.CancelledError:
            if waiting.cancelled() and not _is_cancelling():
                raise CodeError("CancelledError: the function cancelled itself") from None
            future.cancel()
            raise
        if raised is not None:
            raise CodeError(self._code.describe(raised)) from raised
        return returned

    async def _still_turns(self) -> None:
        """See whether the loop of async functions can go on; one that is blocked is left behind."""
        loop = self._loop
        if loop is None:
            return
        turn = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop)
        done, _ = await asyncio.wait([asyncio.wrap_future(turn)], timeout=RELEASE_S)
        if not done:
            self._loop = None
            self._code.has_stuck = True

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = loop = asyncio.new_event_loop()
            with instrument.recording(None):  # the loop is no step's; its tasks are
                threading.Thread(target=_turn, args=(loop,), daemon=True).start()
        return self._loop


def _nothing() -> None:
    pass


def _is_cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    with contextlib.suppress(RuntimeError):
        loop.run_forever()
