"""What is sent when: once when a rule fires, once when it is over, and no storms. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from llmops_tui.domain.live.alerting import AlertState

#: A rule that goes on firing is told of again after so long.
REMIND_S = 4 * 3_600.0
#: What could not be sent is tried again after so long.
RETRY_S = 300.0
#: Notifications in an hour, over all rules; beyond them one summary is sent.
MOST_AN_HOUR = 10
_HOUR_S = 3_600.0

Notice = Literal["fired", "cleared", "reminder"]


class Outbox(msgspec.Struct, frozen=True):
    """What was sent lately, over all rules.

    Attributes:
        sent: Unix seconds. summary_at: when the last summary was sent, if one was.
    """

    sent: tuple[float, ...] = ()
    summary_at: float | None = None


def due(state: AlertState, now: float) -> Notice | None:
    """What is to be told of a rule: the difference between how it is and what was told.

    It is the same after a restart, and what fired and ended unseen (during a pause) is not told at all.
    """
    if state.failed_at and 0 <= now - state.failed_at < RETRY_S:
        return None
    if state.phase == "firing":
        if state.told != "firing":
            return "fired"
        # A clock that was set back makes no silence.
        return "reminder" if not 0 <= now - state.told_at < REMIND_S else None
    return "cleared" if state.told == "firing" else None


def taken_back(outbox: Outbox, now: float, *, summary: bool = False) -> Outbox:
    """One that went out and did not arrive: it takes nobody's place, and a summary is tried again soon."""
    if summary:
        return Outbox(outbox.sent, now - _HOUR_S + RETRY_S)
    return msgspec.structs.replace(outbox, sent=outbox.sent[:-1])


def admit(outbox: Outbox, now: float) -> tuple[Outbox, Literal["send", "summary", "withhold"]]:
    """Whether one more may go out: itself, a summary in its place, or nothing."""
    sent = tuple(t for t in outbox.sent if 0 <= now - t < _HOUR_S)
    if len(sent) < MOST_AN_HOUR:
        return msgspec.structs.replace(outbox, sent=(*sent, now)), "send"
    if outbox.summary_at is not None and 0 <= now - outbox.summary_at < _HOUR_S:
        return msgspec.structs.replace(outbox, sent=sent), "withhold"
    return Outbox(sent, now), "summary"
