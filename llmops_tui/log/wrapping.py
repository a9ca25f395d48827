"""Functions, generators and streams that are watched while they do what they do anyway.

A wrapped generator takes what is sent and thrown, is closed and gives its value as before (PEP 380, PEP 525);
the span is the current one only while its body runs, never in its caller between two items.
"""

from __future__ import annotations

import functools

from llmops_tui.log import completions
from llmops_tui.log.bounded import HIDDEN, is_secret
from llmops_tui.log.faults import PROBLEMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from llmops_tui.log.spans import Span

#: Of code objects (`inspect` would cost a program milliseconds).
_VARARGS, _GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x04, 0x20, 0x80, 0x200
#: Items of a stream that are kept as its output.
_KEPT = 4000


def decorated(function: Any, begin: Callable[[str], Span], capture: bool) -> Any:
    """The function, each call of it a span that `begin` makes of its name. No function: as it was."""
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(decorated(function.__func__, begin, capture))
    if isinstance(function, type) or not callable(function):
        PROBLEMS.last = "log.request was put on something that is no function: it stays as it is"
        PROBLEMS.faults += 1
        return function
    code = _code(function)
    flags = getattr(code, "co_flags", 0)
    name = str(getattr(function, "__qualname__", "") or "request").replace("<locals>.", "")

    def begun(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Span:
        span = begin(name)
        if capture and span:
            try:
                given = _arguments(code, args, kwargs)
                if given is not None:
                    span.input(given)
            except Exception as error:
                PROBLEMS.fault(error)
        return span

    if flags & _ASYNC_GENERATOR:
        return _of_async_generator(function, begun, capture)
    if flags & _GENERATOR:
        return _of_generator(function, begun, capture)
    if flags & _COROUTINE:
        return _of_coroutine(function, begun, capture)
    return _of_function(function, begun, capture)


def _of_function(function: Any, begun: Any, capture: bool) -> Any:
    @functools.wraps(function)
    def watched_call(*args: Any, **kwargs: Any) -> Any:
        span = begun(args, kwargs)
        with span:
            result = function(*args, **kwargs)
            if capture:
                span.result(result)
            return result

    return watched_call


def _of_coroutine(function: Any, begun: Any, capture: bool) -> Any:
    @functools.wraps(function)
    async def watched_call(*args: Any, **kwargs: Any) -> Any:
        span = begun(args, kwargs)
        with span:
            result = await function(*args, **kwargs)
            if capture:
                span.result(result)
            return result

    return watched_call


def _of_generator(function: Any, begun: Any, capture: bool) -> Any:
    @functools.wraps(function)
    def watched_items(*args: Any, **kwargs: Any) -> Any:
        span = begun(args, kwargs)
        items = function(*args, **kwargs)
        return (yield from _driven(span, items, capture) if span else items)

    return watched_items


def _of_async_generator(function: Any, begun: Any, capture: bool) -> Any:
    @functools.wraps(function)
    async def watched_items(*args: Any, **kwargs: Any) -> Any:
        span = begun(args, kwargs)
        gathered = _Gathered(span, capture)
        items = function(*args, **kwargs)
        sent: Any = None
        thrown: BaseException | None = None
        with _Ending(span):
            while True:
                span.enter()
                try:
                    item = await (items.asend(sent) if thrown is None else items.athrow(thrown))
                except StopAsyncIteration:
                    gathered.finish(None)
                    return
                finally:
                    span.leave()
                gathered.take(item)
                sent, thrown = None, None
                try:
                    sent = yield item
                except GeneratorExit:
                    await items.aclose()
                    gathered.finish(None)
                    raise
                except BaseException as error:
                    thrown = error

    return watched_items


def watched(span: Span, chunks: Any) -> Any:
    """An iterable or async iterable of chunks, as an iterator; anything else as it is."""
    if hasattr(type(chunks), "__aiter__"):
        return _AsyncStream(span, chunks)
    if hasattr(type(chunks), "__iter__"):
        return _Stream(span, chunks)
    return chunks


# -- generators


class _Ending:
    """Ends a span with a block, without making it the current one."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._span.__exit__(kind, error, trace)


def _driven(span: Span, items: Generator[Any, Any, Any], capture: bool) -> Generator[Any, Any, Any]:
    gathered = _Gathered(span, capture)
    sent: Any = None
    thrown: BaseException | None = None
    with _Ending(span):
        while True:
            span.enter()
            try:
                item = items.send(sent) if thrown is None else items.throw(thrown)
            except StopIteration as stop:
                gathered.finish(stop.value)
                return stop.value
            finally:
                span.leave()
            gathered.take(item)
            sent, thrown = None, None
            try:
                sent = yield item
            except GeneratorExit:
                items.close()
                gathered.finish(None)
                raise
            except BaseException as error:
                thrown = error


class _Gathered:
    """What a stream said, put together: texts and chunks of chat completions."""

    __slots__ = ("_capture", "_count", "_is_over", "_said", "_span")

    def __init__(self, span: Span, capture: bool = True) -> None:
        self._span, self._capture = span, capture
        self._said: list[Any] = []
        self._count = 0
        self._is_over = False

    def take(self, item: Any) -> None:
        try:
            if self._count == 0:
                self._span.first_token()
            self._count += 1
            if self._capture and len(self._said) < _KEPT:
                self._said.append(item)
        except Exception as error:
            PROBLEMS.fault(error)

    def finish(self, value: Any) -> None:
        """At the end, or where the reader went away; `value` is what a generator returned."""
        if self._is_over:
            return
        self._is_over = True
        try:
            if not self._capture:
                return
            said = completions.joined(self._said)
            if said is None:
                said = value if not self._said else self._said
            if said is not None:
                self._span.result(said)
        except Exception as error:
            PROBLEMS.fault(error)
        finally:
            self._said = []


# -- streams of a client


class _Stream:
    """Passes everything else (`close`, `response`, a `with` block) on to the stream itself."""

    def __init__(self, span: Span, chunks: Any) -> None:
        self._chunks = chunks
        self._iterator: Any = None
        self._gathered = _Gathered(span)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        if self._iterator is None:
            self._iterator = iter(self._chunks)
        try:
            item = next(self._iterator)
        except StopIteration:
            self._gathered.finish(None)
            raise
        self._gathered.take(item)
        return item

    def __enter__(self) -> Any:
        self._chunks.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        self._gathered.finish(None)
        return self._chunks.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)

    def __del__(self) -> None:
        gathered = self.__dict__.get("_gathered")
        if gathered is not None:
            gathered.finish(None)


class _AsyncStream:
    def __init__(self, span: Span, chunks: Any) -> None:
        self._chunks = chunks
        self._iterator: Any = None
        self._gathered = _Gathered(span)

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        if self._iterator is None:
            self._iterator = aiter(self._chunks)
        try:
            item = await anext(self._iterator)
        except StopAsyncIteration:
            self._gathered.finish(None)
            raise
        self._gathered.take(item)
        return item

    async def __aenter__(self) -> Any:
        await self._chunks.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        self._gathered.finish(None)
        return await self._chunks.__aexit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)


# -- arguments


def _code(function: Any) -> Any:
    """Its code, also behind `functools.partial` and a method; None where it has none."""
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    return getattr(function, "__code__", None)


def _arguments(code: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Names → values of what was given; one argument alone is itself, none is None."""
    names = code.co_varnames[: code.co_argcount] if code is not None else ()
    found: dict[str, Any] = dict(zip(names, args, strict=False))
    if len(args) > len(names):
        found["args"] = list(args[len(names) :])
    found.update(kwargs)
    for name in ("self", "cls"):
        if names[:1] == (name,):
            found.pop(name, None)
    for name in found:
        if is_secret(name):
            found[name] = HIDDEN
    return next(iter(found.values())) if len(found) == 1 else found or None
