"""What users do with the answers."""

from __future__ import annotations

import os
import time

from llmops_tui.log.bounded import Bound
from llmops_tui.log.context import CURRENT
from llmops_tui.log.faults import PROBLEMS, guarded
from llmops_tui.log.outbox import OUTBOX
from llmops_tui.log.settings import SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: As `domain.live.arrival` has them, which is too heavy for other people's programs.
KINDS = ("thumb", "rating", "edit", "retry", "copy", "escalation", "abandon")
#: Characters that the collector takes of each.
_LENGTHS = {"comment": 10_000, "edited": 50_000, "original": 50_000}
_LENGTH = 500


@guarded
def signal(
    kind: str,
    value: float | None = None,
    *,
    trace: str = "",
    session: str = "",
    user: str = "",
    feature: str = "",
    comment: str = "",
    original: str = "",
    edited: str = "",
) -> None:
    """What a user did: `thumb` (1 up, 0 down), `rating` in [0, 1], `edit`, `retry`, `copy`, `escalation`,
    `abandon`.

    Args:
        trace: id of the trace (`r.trace_id`); by default that of the request at work. Without either, the
            newest request of the session is meant.
        original, edited: of an edit, the text before and as the user left it; its value is then the distance.
    """
    if SETTINGS.is_off:
        return
    inner = CURRENT.get()
    if not trace and not session and inner is not None:
        trace = inner.trace_id
    given = {"trace_id": trace, "session": session, "user": user, "feature": feature, "comment": comment}
    given |= {"original": original, "edited": edited}
    # Programs have ids that are numbers or of a class of their own.
    about = {name: _text(value) for name, value in given.items()}
    if wrong := _wrong(kind, value, about):
        PROBLEMS.refused += 1
        PROBLEMS.last = wrong
        return
    found: dict[str, Any] = {"id": os.urandom(16).hex(), "kind": kind, "at": time.time()}
    if value is not None:
        found["value"] = float(value)
    for name, text in about.items():
        if text:
            found[name] = text[: _LENGTHS.get(name, _LENGTH)]
    bound = Bound()
    OUTBOX.put(bound.of(found), bound.used)


def _text(value: Any) -> str:
    """A text as it is, anything else as text; runs no code of the program."""
    if type(value) is str:
        return value
    said = None if value is None else Bound().of(value)
    return "" if said is None else str(said)


def _wrong(kind: Any, value: Any, about: dict[str, str]) -> str:
    """Why the collector would refuse it, and all that came with it; empty where it would not."""
    if kind not in KINDS:
        return f"a signal's kind has to be one of {', '.join(KINDS)}"
    if value is not None and (not isinstance(value, int | float) or not 0 <= value <= 1):
        return f"the value of a {kind} has to be from 0 to 1"
    if kind == "thumb" and value not in (0, 1):
        return "the value of a thumb has to be 1 (up) or 0 (down)"
    if value is None and (
        kind == "rating" or (kind == "edit" and not (about["original"] and about["edited"]))
    ):
        return f"a {kind} needs a value"
    trace = about["trace_id"]
    is_id = len(trace) == 32 and all(c in "0123456789abcdef" for c in trace)
    if trace and not is_id:
        return "a signal's trace has to be 32 hexadecimal digits: take it from r.trace_id"
    return "" if trace or about["session"] else "a signal has to name a trace or a session"
