"""Three lines for a Python program that is not instrumented: what it asks its models goes to the collector.

    from llmops_tui import log

    @log.request(feature="refunds")
    def answer(question): ...

It can't slow or break the program: spans go through a bounded queue to a thread of their own, a fault inside
is counted (`problems()`) and never raised, and importing it costs a few milliseconds. docs/log.md.
"""

from __future__ import annotations

from llmops_tui.log.context import CURRENT, carry
from llmops_tui.log.faults import NOTHING, PROBLEMS, Problems, guarded
from llmops_tui.log.outbox import OUTBOX
from llmops_tui.log.recipe import Recipe
from llmops_tui.log.settings import SETTINGS
from llmops_tui.log.signals import signal
from llmops_tui.log.spans import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any])
else:

    def overload(function):
        return function


__all__ = [
    "Problems",
    "Span",
    "carry",
    "current",
    "flush",
    "off",
    "on",
    "problems",
    "request",
    "setup",
    "signal",
    "step",
]


@overload
def request(name: str = "", *, capture: bool = True, **about: Any) -> Recipe: ...
@overload
def request(name: F) -> F: ...  # noqa: F811
@guarded
def request(name: Any = "", *, capture: bool = True, **about: Any) -> Any:  # noqa: F811
    """One request of a user: a decorator of a function, or a context manager.

    Args:
        name: by default that of the function.
        capture: of a function, write its arguments and what it gives down.
        about: `feature`, `user`, `session`, `config`, `version`, `environment`, `tags`; anything else is kept
            as metadata.
    """
    if callable(name):
        return Recipe("", {})(name)
    return Recipe(name if isinstance(name, str) else "", about, capture)


@overload
def step(name: str = "", *, capture: bool = True) -> Recipe: ...
@overload
def step(name: F) -> F: ...  # noqa: F811
@guarded
def step(name: Any = "", *, capture: bool = True) -> Any:  # noqa: F811
    """A step within the request at work: a decorator, or a context manager."""
    if callable(name):
        return Recipe("", {}, is_step=True)(name)
    return Recipe(name if isinstance(name, str) else "", {}, capture, is_step=True)


def current() -> Span:
    """The span at work here, to say more about it: `log.current().about(user=uid)`. Outside of any, one that
    takes every call and does nothing."""
    return CURRENT.get() or NOTHING  # type: ignore[return-value]


@guarded
def setup(
    *,
    endpoint: str | None = None,
    token: str | None = None,
    service: str | None = None,
    environment: str | None = None,
) -> None:
    """Where the collector is and what this program is called; what is not given stays as it is.

    The environment says the same: `LLMOPS_TUI_ENDPOINT`, `LLMOPS_TUI_TOKEN`, `OTEL_SERVICE_NAME`.
    """
    if endpoint is not None:
        SETTINGS.endpoint = endpoint
    if token is not None:
        SETTINGS.token = token
    if service is not None:
        SETTINGS.resource["service.name"] = service
    if environment is not None:
        SETTINGS.resource["deployment.environment.name"] = environment


def off() -> None:
    """Log nothing from here on. `LLMOPS_TUI_LOG=off` in the environment does the same."""
    SETTINGS.is_off = True


def on() -> None:
    SETTINGS.is_off = False


def flush(timeout_s: float = 2.0) -> bool:
    """Wait until all that was logged is sent; False where that took longer, or nobody listens."""
    try:
        return OUTBOX.flush(timeout_s)
    except Exception as error:
        PROBLEMS.fault(error)
        return False


def problems() -> Problems:
    """What did not go as it should so far; false where all went well."""
    return PROBLEMS.copy()
