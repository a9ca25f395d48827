"""Sockets that listen, or a sentence."""

from __future__ import annotations

import errno
import ipaddress
import socket

from llmops_tui.domain.errors import LlmopsError, Problem
from llmops_tui.domain.safe_text import clean_line

_BACKLOG = 512
_LOOPBACK = ("127.0.0.1", "::1")
#: The machine has no such address, or no IPv6 at all.
_ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT})


class ListenError(LlmopsError):
    """The collector can't listen there."""


def is_loopback(host: str | None) -> bool:
    """Whether only this machine reaches it; None is loopback."""
    if host is None:
        return True
    try:
        addresses = [ipaddress.ip_address(str(found[4][0]).partition("%")[0]) for found in _resolved(host, 0)]
    except ListenError:
        return False
    return all(address.is_loopback for address in addresses)


def listen(host: str | None, port: int) -> list[socket.socket]:
    """Sockets on every address of the host, all on one port.

    Args:
        host: None for loopback: `127.0.0.1`, and `::1` where the machine has it.
        port: 0 for any free one.

    Raises:
        ListenError: the port is in use or not allowed, or the host has no address here.
    """
    sockets: list[socket.socket] = []
    hosts = _LOOPBACK if host is None else (host,)
    try:
        for name in hosts:
            for family, _, _, _, address in _resolved(name, port):
                try:
                    sockets.append(_bound(family, (str(address[0]), port, *address[2:])))
                except OSError as error:
                    if host is None and sockets and error.errno in _ABSENT:
                        continue
                    raise
                port = sockets[0].getsockname()[1]
    except OSError as error:
        _close(sockets)
        raise ListenError(_problem(error, hosts[0], port)) from None
    except ListenError:
        if host is not None or not sockets:
            _close(sockets)
            raise
    return sockets


def _resolved(
    host: str, port: int
) -> list[tuple[socket.AddressFamily, int, int, str, tuple[str | int, ...]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        text = f"there is no address '{clean_line(host)[:80]}' to listen at"
        raise ListenError(Problem(text, "name one of this machine with --host")) from None
    return list(dict.fromkeys(found))  # type: ignore[arg-type]


def _bound(family: socket.AddressFamily, address: tuple[str | int, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Without it a collector could not be started again for a minute.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setblocking(False)
        made.bind(address)
        made.listen(_BACKLOG)
    except BaseException:
        made.close()
        raise
    return made


def _problem(error: OSError, host: str, port: int) -> Problem:
    if error.errno == errno.EADDRINUSE:
        return Problem(f"port {port} is in use", "name another with --port N, or let one be found: --port 0")
    if error.errno == errno.EACCES:
        return Problem(f"port {port} needs rights that you don't have", "name one above 1023 with --port N")
    return Problem(f"{clean_line(host)}, port {port}, can't be listened at: {error.strerror}", "see --host")


def _close(sockets: list[socket.socket]) -> None:
    for made in sockets:
        made.close()
