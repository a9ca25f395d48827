"""httpx, and what is built upon it (the OpenAI client, litellm)."""

from __future__ import annotations

import functools
from typing import Any

from llmops_tui.worker.instrument.exchange import Exchange, inside, watch


def install(httpx: Any) -> bool:
    """Hooks on `Client.send` and `AsyncClient.send`; false where httpx is only half loaded."""
    if not hasattr(httpx, "Client") or not hasattr(httpx, "AsyncClient"):
        return False
    plain, asynchronous = httpx.Client.send, httpx.AsyncClient.send

    class Tee(httpx.SyncByteStream, httpx.AsyncByteStream):  # type: ignore[misc]
        """The stream of an answer, told to an exchange as it is read."""

        def __init__(self, stream: Any, exchange: Exchange) -> None:
            self._stream = stream
            self._exchange = exchange

        def __iter__(self) -> Any:
            try:
                for piece in self._stream:
                    self._exchange.feed(piece)
                    yield piece
            except Exception as error:
                self._exchange.end(_described(error))
                raise
            self._exchange.end()

        async def __aiter__(self) -> Any:
            try:
                async for piece in self._stream:
                    self._exchange.feed(piece)
                    yield piece
            except Exception as error:
                self._exchange.end(_described(error))
                raise
            self._exchange.end()

        def close(self) -> None:
            self._exchange.end()
            self._stream.close()

        async def aclose(self) -> None:
            self._exchange.end()
            await self._stream.aclose()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._stream, name)

    @functools.wraps(plain)
    def send(self: Any, request: Any, *args: Any, **options: Any) -> Any:
        exchange = _begun(request)
        if exchange is None:
            return plain(self, request, *args, **options)
        try:
            with inside():
                response = plain(self, request, *args, **options)
        except BaseException as error:
            exchange.end(_described(error))
            raise
        _answered(response, exchange, Tee)
        return response

    @functools.wraps(asynchronous)
    async def asend(self: Any, request: Any, *args: Any, **options: Any) -> Any:
        exchange = _begun(request)
        if exchange is None:
            return await asynchronous(self, request, *args, **options)
        try:
            with inside():
                response = await asynchronous(self, request, *args, **options)
        except BaseException as error:
            exchange.end(_described(error))
            raise
        _answered(response, exchange, Tee)
        return response

    httpx.Client.send = send
    httpx.AsyncClient.send = asend
    return True


def _begun(request: Any) -> Exchange | None:
    try:
        exchange = watch(str(request.method), str(request.url))
        if exchange is not None:
            exchange.sent(getattr(request, "_content", b""))
    except Exception:  # what we want to know must not hurt the call
        return None
    return exchange


def _answered(response: Any, exchange: Exchange, tee: type) -> None:
    try:
        if hasattr(response, "_content"):  # read already
            exchange.answered(response.status_code, response.headers, is_raw=False)
            exchange.feed(response.content)
            exchange.end()
        else:
            exchange.answered(response.status_code, response.headers, is_raw=True)
            response.stream = tee(response.stream, exchange)
    except Exception:
        exchange.end()


def _described(error: BaseException) -> str:
    said = str(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
