"""Which span is at work here: of this thread, task or generator."""

from __future__ import annotations

import functools
from contextvars import ContextVar, copy_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from llmops_tui.log.spans import Span

    F = TypeVar("F", bound=Callable[..., Any])

CURRENT: ContextVar[Span | None] = ContextVar("llmops_tui.log", default=None)


def carry(function: F) -> F:
    """The function, to be called in another thread as if it were called here: `pool.submit(log.carry(f))`."""
    if not callable(function):
        return function
    context = copy_context()

    @functools.wraps(function)
    def carried(*args: Any, **kwargs: Any) -> Any:
        return context.copy().run(function, *args, **kwargs)

    return carried  # type: ignore[return-value]
