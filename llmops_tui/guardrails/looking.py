"""How each kind of guardrail looks: at once, in a process of its own, or by asking a model."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.guardrails.apart import Apart, shared
from llmops_tui.guardrails.evidence import safe_reason
from llmops_tui.guardrails.registry import About, CannotCheck, Check, Deadline, Found, TooSlow
from llmops_tui.guardrails.watch import Piece, Watched

#: A longer text is no guardrail's to look at: whatever it did would take too long.
LONGEST = 4_000_000


class Seen(msgspec.Struct, frozen=True):
    """What one look says of each piece; None where it failed. error: how it failed first, a sentence."""

    found: tuple[Found | None, ...]
    error: str = ""


Looker = Callable[[Sequence[Piece], About, Watched], Awaitable[Seen]]


def must_wait(use: GuardrailUse) -> bool:
    """Whether a look of it must be awaited."""
    return use.is_function or use.judge is not None or _runs_apart(use)


def _runs_apart(use: GuardrailUse) -> bool:
    return use.kind in GUARDRAILS and GUARDRAILS[use.kind].apart


class Lookers:
    """Makes what looks for a guardrail, once.

    Attributes:
        broken: guardrail → why it can't be made, a clause. Each of its looks fails.
    """

    def __init__(self, apart: Apart | None, times_judges: bool) -> None:
        self._apart = apart
        self._times_judges = times_judges
        self._patience_s = None if times_judges else math.inf
        self.broken: dict[str, str] = {}
        self._made: dict[str, Looker] = {}
        self._lock = threading.Lock()

    def of(self, use: GuardrailUse) -> Looker:
        made = self._made.get(use.name)
        if made is not None:
            return made
        with self._lock:
            if use.name not in self._made:
                self._made[use.name] = self._make(use)
            return self._made[use.name]

    def prepare(self, use: GuardrailUse) -> None:
        self.of(use)
        if (apart := self._apart_of(use)) is not None:
            apart.start(use)

    def _apart_of(self, use: GuardrailUse) -> Apart | None:
        if use.is_function:
            return self._apart
        return shared(self._patience_s) if _runs_apart(use) else None

    def _make(self, use: GuardrailUse) -> Looker:
        if use.is_function or _runs_apart(use):
            return _Apart(use, self._apart_of(use))
        if use.judge is not None:
            from llmops_tui.guardrails.judged import Judged

            is_both = use.options.get("method") == "both"
            check = self._check(use, {**use.options, "method": "heuristics"}) if is_both else None
            return _Judging(use, Judged(use, check), self._times_judges)
        return _AtOnce(use, self._check(use, use.options))

    def _check(self, use: GuardrailUse, options: dict[str, object]) -> Check:
        """The check; where it can't be made, one that says so at each look."""
        try:
            from llmops_tui.guardrails.checks import prepare

            return prepare(use.kind, options)
        except CannotCheck as error:
            said = failure_of(error)
        except Exception as error:  # it has seen no text yet that it could quote
            said = safe_reason(f"{type(error).__name__}: {error}")
        self.broken[use.name] = said

        def broken(_text: str, _about: About, _deadline: Deadline) -> Found:
            raise CannotCheck(said)

        return broken


class _AtOnce:
    """A built-in check, in this thread. It never suspends."""

    def __init__(self, use: GuardrailUse, check: Check) -> None:
        self._use = use
        self._check = check

    async def __call__(self, pieces: Sequence[Piece], about: About, watched: Watched) -> Seen:  # noqa: ARG002
        deadline = Deadline(self._use.timeout_s)
        found: list[Found | None] = []
        error = ""
        for piece in pieces:
            try:
                found.append(_sound(_look_at(self._check, piece.text, about, deadline)))
            except TooSlow:
                error = error or too_slow(self._use)
                break
            except Exception as raised:
                found.append(None)
                error = error or failure_of(raised)
        return Seen((*found, *[None] * (len(pieces) - len(found))), error)


class _Apart:
    def __init__(self, use: GuardrailUse, apart: Apart | None) -> None:
        self._use = use
        self._apart = apart

    async def __call__(self, pieces: Sequence[Piece], about: About, watched: Watched) -> Seen:  # noqa: ARG002
        if self._apart is None:
            return Seen((None,) * len(pieces), "there is no guardrails.py to run it from")
        if any(len(piece.text) > LONGEST for piece in pieces):
            return Seen((None,) * len(pieces), _TOO_LONG)
        try:
            answers = await asyncio.wrap_future(self._apart.look(self._use, pieces, about))
        except Exception as raised:
            return Seen((None,) * len(pieces), failure_of(raised))
        found: list[Found | None] = []
        error = ""
        for answer in answers:
            try:
                if isinstance(answer, str):
                    raise CannotCheck(answer)
                found.append(_sound(answer))
            except CannotCheck as failed:
                found.append(None)
                error = error or failure_of(failed)
        return Seen(tuple(found), error)


class _Judging:
    """A model is asked about each piece, one after the other."""

    def __init__(self, use: GuardrailUse, judged: Callable[..., Awaitable[Found]], is_timed: bool) -> None:
        self._use = use
        self._judged = judged
        self._is_timed = is_timed

    async def __call__(self, pieces: Sequence[Piece], about: About, watched: Watched) -> Seen:
        deadline = Deadline(self._use.timeout_s)
        found: list[Found | None] = []
        error = ""
        for piece in pieces:
            try:
                async with asyncio.timeout(deadline.left_s if self._is_timed else None):
                    found.append(_sound(await self._judged(piece.text, about, watched)))
            except (TooSlow, TimeoutError):
                error = error or too_slow(self._use)
                break
            except Exception as raised:
                found.append(None)
                error = error or failure_of(raised)
        return Seen((*found, *[None] * (len(pieces) - len(found))), error)


_TOO_LONG = f"the text has more than {LONGEST:,} characters"


def _look_at(check: Check, text: str, about: About, deadline: Deadline) -> Found:
    if len(text) > LONGEST:
        raise CannotCheck(_TOO_LONG)
    # What a check finds counts, be it late; what comes after it has no time left.
    deadline.check()
    return check(text, about, deadline)


def _sound(found: Found) -> Found:
    """
    Raises:
        CannotCheck: its score is none.
    """
    if not 0.0 <= found.score <= 1.0:  # NaN neither
        raise CannotCheck(f"it gave the score {found.score:g}, which is not from 0 to 1")
    return found


def too_slow(use: GuardrailUse) -> str:
    return f"took longer than {use.timeout_s:g} s"


def failure_of(raised: BaseException) -> str:
    """A sentence. What an exception of a check says may quote the text, so only its kind is told."""
    if isinstance(raised, CannotCheck):
        return safe_reason(str(raised)) or "it could not check the text"
    return f"raised {type(raised).__name__}"
