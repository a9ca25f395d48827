"""What a function of the workspace calls by its own means, recorded as spans of its step.

`install` puts hooks on the HTTP clients that are loaded (httpx, http.client with requests and urllib,
aiohttp), on threads, and on OpenTelemetry; `refresh` does so for what was loaded since. A hook looks
for the scope of the running step in a context variable; where there is none it does nothing. No hook
changes what a call does, or raises.
"""

from __future__ import annotations

import sys
import threading

from llmops_tui.worker.instrument.scope import Recorder, Scope, SpanList, current, recording

__all__ = ["Recorder", "Scope", "SpanList", "current", "install", "provide", "recording", "refresh"]

_lock = threading.Lock()
_done: set[str] = set()


def install() -> None:
    """Put the hooks in place: once, before code of the workspace is loaded."""
    from llmops_tui.worker.instrument import threads

    with _lock:
        if "threading" not in _done:
            _done.add("threading")
            threads.install()
    refresh()


def refresh() -> None:
    """Hooks for libraries that were loaded since. Cheap: a look at `sys.modules` for each."""
    for name in ("http.client", "httpx", "aiohttp", "opentelemetry.sdk.trace"):
        if name in _done or name not in sys.modules:
            continue
        with _lock:
            if name in _done:
                continue
            try:
                ready = _hook(name)
            except Exception:  # a release of a library that is not as we know it: then it is not traced
                ready = True
            if ready:
                _done.add(name)


def imported() -> None:
    """After an import statement of workspace code, wherever it stands: hooks for what it loaded."""
    refresh()
    provide()


def provide() -> None:
    """After code of the workspace was loaded: have its OpenTelemetry spans made, if it makes any."""
    from llmops_tui.worker.instrument import otel

    if otel.is_used():
        refresh()
        otel.provide()


def _hook(name: str) -> bool:
    """Whether the library was loaded far enough."""
    from llmops_tui.worker.instrument import aiohttp_hook, http_client_hook, httpx_hook, otel

    module = sys.modules[name]
    match name:
        case "http.client":
            return http_client_hook.install(module)
        case "httpx":
            return httpx_hook.install(module)
        case "aiohttp":
            return aiohttp_hook.install(module)
        case _:
            return otel.install(module)
