"""http.client, and what is built upon it (urllib, urllib3, requests)."""

from __future__ import annotations

import functools
from typing import Any

from llmops_tui.worker.instrument.exchange import Exchange, watch

_KEPT = "_llmops_exchange"


def install(client: Any) -> bool:
    """Hooks on the steps of a request; false where http.client is only half loaded."""
    if not hasattr(client, "HTTPSConnection"):
        return False
    connection = client.HTTPConnection
    putrequest, endheaders, send = connection.putrequest, connection.endheaders, connection.send
    getresponse = connection.getresponse

    @functools.wraps(putrequest)
    def begin(self: Any, method: Any, url: Any, *args: Any, **options: Any) -> Any:
        _keep(self, _begun(self, method, url))
        return putrequest(self, method, url, *args, **options)

    @functools.wraps(endheaders)
    def head(self: Any, *args: Any, **options: Any) -> Any:
        kept = _kept(self)
        if kept is not None:
            kept.in_head = True
        try:
            return endheaders(self, *args, **options)
        except BaseException as error:
            _failed(self, error)
            raise
        finally:
            if kept is not None:
                kept.in_head = False

    @functools.wraps(send)
    def body(self: Any, data: Any) -> Any:
        kept = _kept(self)
        if kept is None or kept.is_sending:  # what it sends to open the connection, to a proxy
            return send(self, data)
        if kept.in_head:
            kept.in_head = False  # the head, with the keys: not to be looked at
        else:
            kept.exchange.sent(data)
        kept.is_sending = True
        try:
            return send(self, data)
        finally:
            kept.is_sending = False

    @functools.wraps(getresponse)
    def answer(self: Any, *args: Any, **options: Any) -> Any:
        try:
            response = getresponse(self, *args, **options)
        except BaseException as error:
            _failed(self, error)
            raise
        kept = _kept(self)
        if kept is not None:
            _keep(self, None)
            _answered(response, kept.exchange)
        return response

    connection.putrequest = begin
    connection.endheaders = head
    connection.send = body
    connection.getresponse = answer
    return True


class _Request:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.in_head = False
        self.is_sending = False


def _begun(connection: Any, method: Any, url: Any) -> _Request | None:
    try:
        if "://" not in url:
            tunnel = getattr(connection, "_tunnel_host", None)
            host = tunnel or connection.host
            port = (getattr(connection, "_tunnel_port", None) if tunnel else None) or connection.port
            scheme = "https" if connection.default_port == 443 else "http"
            host = f"[{host}]" if ":" in host else host
            url = f"{scheme}://{host}:{port}{url}"
        exchange = watch(str(method), url)
    except Exception:  # what we want to know must not hurt the call
        return None
    return None if exchange is None else _Request(exchange)


def _answered(response: Any, exchange: Exchange) -> None:
    try:
        exchange.answered(response.status, response.headers, is_raw=True, framed=True)
        if response.fp is None:
            exchange.end()
        else:
            response.fp = _Tee(response.fp, exchange)
    except Exception:
        exchange.end()


def _failed(connection: Any, error: BaseException) -> None:
    kept = _kept(connection)
    if kept is not None:
        _keep(connection, None)
        said = str(error)
        kept.exchange.end(f"{type(error).__name__}: {said}" if said else type(error).__name__)


def _kept(connection: Any) -> _Request | None:
    kept: _Request | None = connection.__dict__.get(_KEPT)
    return kept


def _keep(connection: Any, request: _Request | None) -> None:
    if request is None:
        connection.__dict__.pop(_KEPT, None)
    else:
        connection.__dict__[_KEPT] = request


class _Tee:
    """The file of an answer, told to an exchange as it is read."""

    def __init__(self, file: Any, exchange: Exchange) -> None:
        self._file = file
        self._exchange = exchange

    def read(self, *args: Any) -> Any:
        return self._told(self._file.read(*args))

    def read1(self, *args: Any) -> Any:
        return self._told(self._file.read1(*args))

    def readline(self, *args: Any) -> Any:
        return self._told(self._file.readline(*args))

    def readinto(self, buffer: Any) -> Any:
        count = self._file.readinto(buffer)
        if count:
            self._exchange.feed(memoryview(buffer)[:count].tobytes())
        return count

    def readinto1(self, buffer: Any) -> Any:
        count = self._file.readinto1(buffer)
        if count:
            self._exchange.feed(memoryview(buffer)[:count].tobytes())
        return count

    def close(self) -> None:
        self._exchange.end()
        self._file.close()

    def _told(self, data: Any) -> Any:
        self._exchange.feed(data)
        return data

    def __iter__(self) -> Any:
        for line in self._file:
            yield self._told(line)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
