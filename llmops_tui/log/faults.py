"""What went wrong inside the log: counted, never raised into the program that uses it."""

from __future__ import annotations

import functools

TYPE_CHECKING = False  # `typing` itself would cost a program milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")


class Problems:
    """What did not go as it should, since the program began.

    Attributes:
        faults: errors inside the log, all swallowed.
        dropped: spans and signals that found no room and pushed the oldest out.
        refused: those that the collector would not take.
        unreachable: attempts to send that found no collector, or a busy one.
        last: the newest of them, a sentence; empty where there was none.
    """

    __slots__ = ("dropped", "faults", "last", "refused", "unreachable")

    def __init__(self) -> None:
        self.faults = 0
        self.dropped = 0
        self.refused = 0
        self.unreachable = 0
        self.last = ""

    def __bool__(self) -> bool:
        return bool(self.faults or self.dropped or self.refused or self.unreachable)

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{name}={getattr(self, name)}" for name in sorted(self.__slots__) if name != "last"
        )
        return f"Problems({counts}, last={self.last!r})"

    def fault(self, error: BaseException) -> None:
        """Count an error inside the log. Its text is not asked for: that may be code of the program."""
        self.faults += 1
        self.last = f"{type(error).__name__} inside the log"

    def copy(self) -> Problems:
        made = Problems()
        for name in self.__slots__:
            setattr(made, name, getattr(self, name))
        return made


PROBLEMS = Problems()


class Nothing:
    """Stands for a span where there is none: the log is off, or had a fault. Takes every call.

    What a program needs back it gets back: a function that should be decorated, a stream that should be
    watched.
    """

    __slots__ = ()
    id = ""
    trace_id = ""

    def __bool__(self) -> bool:
        return False

    def __enter__(self) -> Nothing:
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    async def __aenter__(self) -> Nothing:
        return self

    async def __aexit__(self, *_error: object) -> None:
        return None

    def __call__(self, function: Any) -> Any:
        return function

    def stream(self, chunks: Any, *_args: Any, **_kwargs: Any) -> Any:
        return chunks

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._take

    def _take(self, *_args: Any, **_kwargs: Any) -> Nothing:
        return self


NOTHING = Nothing()


def guarded(method: Callable[P, R]) -> Callable[P, R]:
    """The method, whose faults are counted and swallowed; it then gives `NOTHING`."""

    @functools.wraps(method)
    def safe(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except Exception as error:  # whatever it is, the program goes on
            PROBLEMS.fault(error)
            return NOTHING  # type: ignore[return-value]

    return safe
