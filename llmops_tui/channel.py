"""Messages between two processes over a socket: one JSON object a line.

Both ends use this one class. Writes of one turn of the event loop leave in one system call.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from llmops_tui.domain.messages import encode

In = TypeVar("In")


class Channel(asyncio.Protocol, Generic[In]):
    """A connected end.

    Args:
        decode: bytes of one line → message; raises `msgspec.MsgspecError` on rubbish.
        on_message: called for each message, on the event loop.
        on_closed: called once, when the other end is gone, with the reason if there was one.
        sock: the connected socket.
    """

    def __init__(
        self,
        decode: Callable[[bytes], In],
        on_message: Callable[[In], None],
        on_closed: Callable[[Exception | None], None],
        sock: socket.socket,
    ) -> None:
        self._sock = sock
        self._decode = decode
        self._on_message = on_message
        self._on_closed = on_closed
        self._transport: asyncio.Transport | None = None
        self._partial: list[bytes] = []
        self._out: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, rest = data.split(b"\n")
        if lines and self._partial:
            lines[0] = b"".join(self._partial) + lines[0]
            self._partial.clear()
        if rest:
            self._partial.append(rest)
        for line in lines:
            try:
                message = self._decode(line)
            except msgspec.MsgspecError as error:
                self.close(error)
                return
            self._on_message(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        closed, self._on_closed = self._on_closed, lambda _: None
        closed(exc)

    def send(self, message: msgspec.Struct) -> None:
        """Queue a message; what is sent to a closed channel is dropped."""
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(encode(message))

    def _flush(self) -> None:
        lines, self._out = self._out, []
        if self._transport is not None and lines:
            self._transport.write(b"\n".join(lines) + b"\n")

    def close(self, exc: Exception | None = None) -> None:
        if self._loop.is_closed():
            # The command is over: the other end only needs to see that we are gone.
            self._sock.close()
            return
        self._flush()
        if self._transport is not None:
            self._transport.close()
            with contextlib.suppress(OSError):
                # The other end sees it now; the transport closes only on a later turn of the loop.
                self._sock.shutdown(socket.SHUT_WR)
        if exc is not None:
            closed, self._on_closed = self._on_closed, lambda _: None
            closed(exc)


async def connect(
    sock: socket.socket,
    decode: Callable[[bytes], In],
    on_message: Callable[[In], None],
    on_closed: Callable[[Exception | None], None],
) -> Channel[In]:
    """A channel on a connected socket, which it then owns."""
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    _, channel = await loop.create_connection(lambda: Channel(decode, on_message, on_closed, sock), sock=sock)
    return channel
