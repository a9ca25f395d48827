"""What `log.request` and `log.step` give."""

from __future__ import annotations

from llmops_tui.domain import semconv as a
from llmops_tui.log import wrapping
from llmops_tui.log.context import CURRENT
from llmops_tui.log.faults import NOTHING, PROBLEMS
from llmops_tui.log.settings import SETTINGS
from llmops_tui.log.spans import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])


class Recipe:
    """What `log.request` gives: a context manager, a decorator, or (with `begin`) neither."""

    __slots__ = ("_begun", "_capture", "_is_step", "_name", "_words")

    def __init__(self, name: str, words: dict[str, Any], capture: bool = True, is_step: bool = False) -> None:
        self._name, self._words, self._capture, self._is_step = name, words, capture, is_step
        self._begun: list[Span] = []

    def begin(self, name: str = "") -> Span:
        """A span that ends with its `end()`. Within a request it is a step of that."""
        if SETTINGS.is_off:
            return NOTHING  # type: ignore[return-value]
        try:
            name = self._name or name or "request"
            outer = CURRENT.get()
            if outer is not None and outer.end_ns:
                outer = None
            is_inner = self._is_step or outer is not None
            attributes = {a.KIND: "step", a.STEP: name} if is_inner else {a.KIND: "request"}
            made = Span(name, attributes, outer)
            if self._words:
                made.about(**self._words)
            return made
        except Exception as error:
            PROBLEMS.fault(error)
            return NOTHING  # type: ignore[return-value]

    def __call__(self, function: F) -> F:
        return wrapping.decorated(function, self.begin, self._capture)  # type: ignore[no-any-return]

    def __enter__(self) -> Span:
        made = self.begin()
        self._begun.append(made)
        return made.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        begun = self._begun
        if begun:
            # Threads and tasks may share one recipe: the span at work here is the one that ends here.
            inner = CURRENT.get()
            span = inner if inner is not None and inner in begun else begun[-1]
            begun.remove(span)
            span.__exit__(kind, error, trace)

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)
