"""aiohttp's client."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from typing import Any

from llmops_tui.worker.instrument.exchange import Exchange, inside, watch


def install(aiohttp: Any) -> bool:
    """A hook on `ClientSession._request`; false where aiohttp is only half loaded."""
    session = getattr(aiohttp, "ClientSession", None)
    if session is None:
        return False
    request = session._request

    @functools.wraps(request)
    async def _request(self: Any, method: Any, str_or_url: Any, **options: Any) -> Any:
        exchange = _begun(self, method, str_or_url, options)
        if exchange is None:
            return await request(self, method, str_or_url, **options)
        try:
            with inside():
                response = await request(self, method, str_or_url, **options)
        except BaseException as error:
            said = str(error)
            exchange.end(f"{type(error).__name__}: {said}" if said else type(error).__name__)
            raise
        try:
            exchange.answered(response.status, response.headers, is_raw=False)
            response.content = _Tee(response.content, exchange)
        except Exception:
            exchange.end()
        return response

    session._request = _request
    return True


def _begun(session: Any, method: Any, url: Any, options: dict[str, Any]) -> Exchange | None:
    try:
        exchange = watch(str(method), str(session._build_url(url)))
        if exchange is not None:
            if options.get("json") is not None:
                exchange.sent(session._json_serialize(options["json"]))
            else:
                exchange.sent(options.get("data"))
    except Exception:  # what we want to know must not hurt the call
        return None
    return exchange


class _Tee:
    """The content of an answer, told to an exchange as it is read."""

    def __init__(self, content: Any, exchange: Exchange) -> None:
        self._content = content
        self._exchange = exchange

    async def read(self, n: int = -1) -> Any:
        return self._told(await self._content.read(n), whole=n < 0)

    async def readany(self) -> Any:
        return self._told(await self._content.readany())

    async def readline(self, *args: Any, **options: Any) -> Any:
        return self._told(await self._content.readline(*args, **options))

    async def readuntil(self, *args: Any, **options: Any) -> Any:
        return self._told(await self._content.readuntil(*args, **options))

    async def readexactly(self, n: int) -> Any:
        return self._told(await self._content.readexactly(n))

    async def readchunk(self) -> Any:
        data, is_end = await self._content.readchunk()
        return self._told(data), is_end

    def read_nowait(self, n: int = -1) -> Any:
        return self._told(self._content.read_nowait(n))

    async def iter_chunked(self, n: int) -> AsyncIterator[Any]:
        while data := await self.read(n):
            yield data

    async def iter_any(self) -> AsyncIterator[Any]:
        while data := await self.readany():
            yield data

    async def iter_chunks(self) -> AsyncIterator[Any]:
        while (pair := await self.readchunk()) != (b"", False):
            yield pair

    async def __aiter__(self) -> AsyncIterator[Any]:
        while line := await self.readline():
            yield line

    def _told(self, data: Any, *, whole: bool = False) -> Any:
        self._exchange.feed(data)
        if whole or not data or self._content.at_eof():
            self._exchange.end()
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)
