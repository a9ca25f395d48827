"""Who may send: from this machine, with the token, and never a web page."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Mapping

from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.monitoring.collector.answers import Refusal

#: Names of this machine; the last two are what containers call it.
_OWN_NAMES = frozenset({"localhost", "host.docker.internal", "host.containers.internal"})
_SHOWN = 80


class Guard:
    """Checks the head of a request, before anything of its body is read.

    Args:
        token: asked for where it is not empty.
        on_loopback: the collector listens on loopback alone: only names of this machine are answered, so
            that a web page can't reach it under a name of its own (DNS rebinding).
    """

    def __init__(self, token: str, *, on_loopback: bool) -> None:
        self._token = token.encode("utf-8", "surrogateescape")
        self._on_loopback = on_loopback

    def check(self, headers: Mapping[str, str]) -> None:
        """Raises a `Refusal` where the request may not come in."""
        host = headers.get("Host", "")
        if self._on_loopback and not _is_own(_name(host)):
            raise Refusal(
                403,
                f"'{clean_line(host)[:_SHOWN]}' is not a name of this machine: send to 127.0.0.1, or let "
                "the collector listen elsewhere with --host and a token",
                closes=True,
            )
        origin = headers.get("Origin")
        if origin is not None and origin.lower() not in (f"http://{host}".lower(), f"https://{host}".lower()):
            raise Refusal(
                403,
                "a web page may not send here: let its server send, or an OpenTelemetry Collector in between",
                closes=True,
            )
        if self._token and not self._has_token(headers):
            raise Refusal(
                401,
                "the token is missing or wrong: send it as 'Authorization: Bearer TOKEN' or as 'x-api-key'",
                headers={"WWW-Authenticate": 'Bearer realm="llmops-tui"'},
                closes=True,
            )

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        given = [headers.get("x-api-key", "")]
        scheme, _, value = headers.get("Authorization", "").partition(" ")
        match scheme.lower():
            case "bearer":
                given.append(value.strip())
            case "basic":
                given.append(_password(value))
        # All of them and in constant time: how long it takes says nothing about the token.
        same = [hmac.compare_digest(g.encode("utf-8", "surrogateescape"), self._token) for g in given]
        return any(same)


def check_place(host: str | None, token: str, *, on_loopback: bool) -> None:
    """Raises a `UsageError` where the collector would be open to others without a token."""
    if not on_loopback and not token:
        raise UsageError(
            Problem(
                f"on {clean_line(host or '')} others can reach the collector, and there is no token",
                "set LLMOPS_TUI_TOKEN, or write live.token: ${NAME} into llmops.yaml",
            )
        )


def _password(value: str) -> str:
    """Of HTTP's basic authentication (RFC 7617); empty where it can't be read."""
    try:
        text = base64.b64decode(value.strip(), validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return ""
    return text.partition(":")[2]


def _name(host: str) -> str:
    """The host of a `Host` header without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().rstrip(".")


def _is_own(name: str) -> bool:
    if name in _OWN_NAMES:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
