"""Where the log sends to, from the environment and `setup`."""

from __future__ import annotations

import os

#: Where `llmops-tui collect` listens.
DEFAULT = "http://127.0.0.1:4318"
_OFF = frozenset(["off", "0", "false", "no"])


class Settings:
    """Read again after each `setup`; an endpoint that is none shows up among the problems.

    Attributes:
        is_off: nothing is logged.
        resource: attributes that every span has: `service.name` and such.
    """

    __slots__ = ("endpoint", "is_off", "resource", "token")

    def __init__(self) -> None:
        self.is_off = os.environ.get("LLMOPS_TUI_LOG", "").strip().lower() in _OFF
        self.endpoint = os.environ.get("LLMOPS_TUI_ENDPOINT", "").strip() or DEFAULT
        self.token = os.environ.get("LLMOPS_TUI_TOKEN", "").strip()
        self.resource: dict[str, str] = {}
        if service := os.environ.get("OTEL_SERVICE_NAME", "").strip():
            self.resource["service.name"] = service


SETTINGS = Settings()
