"""Threads that a step starts belong to it: they get a copy of its context."""

from __future__ import annotations

import concurrent.futures
import contextvars
import functools
import threading
from typing import Any

from llmops_tui.worker.instrument.scope import current


def install() -> None:
    """Hooks on `Thread.start` and `ThreadPoolExecutor.submit`, for steps that are recorded alone."""
    start = threading.Thread.start
    submit: Any = concurrent.futures.ThreadPoolExecutor.submit

    @functools.wraps(start)
    def started(self: threading.Thread) -> None:
        if current.get() is not None and not self.ident:
            self.run = functools.partial(contextvars.copy_context().run, self.run)  # type: ignore[method-assign]
        start(self)

    @functools.wraps(submit)
    def submitted(self: Any, fn: Any, /, *args: Any, **options: Any) -> Any:
        if current.get() is not None:
            fn = functools.partial(contextvars.copy_context().run, fn)
        return submit(self, fn, *args, **options)

    threading.Thread.start = started  # type: ignore[method-assign]
    concurrent.futures.ThreadPoolExecutor.submit = submitted  # type: ignore[method-assign]
