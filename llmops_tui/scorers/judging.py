"""From a scorer's word to a `Score`: keys, thresholds, and errors that are never zeros."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.output import Output
from llmops_tui.domain.score import Score, score_key
from llmops_tui.scorers.registry import BUILT_INS, CannotJudge
from llmops_tui.scorers.wording import clipped

#: Values this close below a threshold pass: 0.1 + 0.2 shall reach 0.3.
_EPSILON = 1e-12
_REASON_CHARS = 300
#: Of a built-in scorer: it keeps to what matters by itself, and may name several sentences.
_BUILT_IN_REASON_CHARS = 600

ALLOWED = (
    "return True or False, a number from 0 to 1, None, (value, reason), "
    'or {"value": …, "passed": …, "reason": …}'
)


def judge(use: ScorerUse, output: Output, case: Case) -> Score:
    """The score of a built-in scorer. Never raises: what goes wrong is the score's `error`."""
    try:
        built_in = BUILT_INS[use.name]
        judgement = built_in.judge(use.options, output, case)
    except CannotJudge as error:
        return _error(use, case, f"{use.name}: {error}")
    except RecursionError:
        return _error(use, case, f"{use.name}: the output or what it is held against is nested too deeply")
    except Exception as error:  # one scorer's fault must not cost the output its other scores
        detail = clipped(str(error), _REASON_CHARS)
        return _error(
            use, case, f"{use.name} raised {type(error).__name__}" + (f": {detail}" if detail else "")
        )
    passed = None
    if judgement.value is not None:
        passed = _passes(judgement.value, built_in.passes_from if use.threshold is None else use.threshold)
    reason = clipped(judgement.reason, _BUILT_IN_REASON_CHARS)
    return _score(use, case, judgement.value, passed, reason)


def from_return(use: ScorerUse, case: Case, returned: Any) -> Score:
    """The score of a function of `scorers.py`, from what it returned.

    It may return a bool; a number in [0, 1]; None (unscored); (value, reason); or a mapping with
    `value` (or `score`), `passed` and `reason`. A number alone passes only by a `threshold` of the
    entry: without one, whether it passed is not said. A `threshold` outdoes `passed`.
    """
    reason: Any = ""
    passed: Any = None
    value: Any = returned
    if isinstance(returned, tuple):
        if len(returned) != 2:
            return _not_allowed(use, case, f"a tuple of {len(returned)}")
        value, reason = returned
    elif isinstance(returned, Mapping):
        unknown = [str(key) for key in returned if key not in ("value", "score", "passed", "reason")]
        if unknown or ("value" in returned and "score" in returned) or not returned:
            what = (
                f"a mapping with {clipped(repr(unknown[0]), 40)}"
                if unknown
                else "an empty or ambiguous mapping"
            )
            return _not_allowed(use, case, what)
        value = returned.get("value", returned.get("score"))
        passed, reason = _unwrapped(returned.get("passed")), returned.get("reason", "")
        if passed is not None and not isinstance(passed, bool):
            return _not_allowed(use, case, f"`passed` as {_named(passed)}")
        if value is None and passed is not None:
            value = passed
    value = _unwrapped(value)
    if reason is not None and not isinstance(reason, str):
        return _not_allowed(use, case, f"a reason that is {_named(reason)}")
    return _checked(use, case, value, passed, reason or "")


def _checked(use: ScorerUse, case: Case, value: Any, passed: bool | None, reason: str) -> Score:
    reason = clipped(reason, _REASON_CHARS)
    if value is None:
        return _score(use, case, None, None, reason or "says nothing about this output")
    if isinstance(value, bool):
        passed = value if passed is None else passed
    elif not isinstance(value, Real):
        return _not_allowed(use, case, _named(value))
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isnan(number) or not 0.0 <= number <= 1.0:
        return _error(use, case, f"{use.name} returned {number:g}: a value must be between 0 and 1")
    if use.threshold is not None:
        passed = _passes(number, use.threshold)
    if not reason:
        reason = {True: "passed", False: "failed", None: f"gave {number:.3g}"}[passed]
        if passed is None:
            reason += "; set a `threshold` to say from where it passes"
    return _score(use, case, number, passed, reason)


def _unwrapped(value: Any) -> Any:
    """A scalar of numpy, pandas or torch as the plain value it holds."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    item = getattr(value, "item", None)
    if not callable(item):
        return value
    try:
        return item()
    except (TypeError, ValueError, RuntimeError):
        return value


def _passes(value: float, threshold: float) -> bool:
    return value >= threshold - _EPSILON


def _named(value: Any) -> str:
    name = type(value).__name__
    return f"a value of type {name}" if not isinstance(value, str) else f"the text '{clipped(value, 40)}'"


def _score(use: ScorerUse, case: Case, value: float | None, passed: bool | None, reason: str) -> Score:
    return Score(score_key(use, case), use.label or use.name, value, passed, reason, None, use.weight)


def _error(use: ScorerUse, case: Case, message: str) -> Score:
    return Score(score_key(use, case), use.label or use.name, None, None, "", message, use.weight)


def _not_allowed(use: ScorerUse, case: Case, what: str) -> Score:
    return _error(use, case, f"{use.name} returned {what}; {ALLOWED}")
