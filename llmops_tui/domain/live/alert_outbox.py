"""What is sent when: once when a rule fires, once when it is over, and no storms. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from llmops_tui.domain.live.alert_event import AlertEvent
from llmops_tui.domain.live.alerting import AlertState, Heard

#: A rule that goes on firing is told of again after so long.
REMIND_S = 4 * 3_600.0
#: What could not be sent is tried again after so long, and given up after so long.
RETRY_S = 300.0
GIVE_UP_S = 24 * 3_600.0
#: Notifications in an hour, over all rules; beyond them one summary is sent.
MOST_AN_HOUR = 10
_HOUR_S = 3_600.0

Notice = Literal["fired", "cleared", "reminder", "ended"]


class Parting(msgspec.Struct, frozen=True):
    """The end of a rule that was edited or taken away, for those who were told that it fires.

    Attributes:
        channels: those that were not told yet.
    """

    event: AlertEvent
    channels: dict[str, Heard]


class Outbox(msgspec.Struct, frozen=True):
    """What was sent lately, over all rules, and what is to be told of rules that are no more.

    Attributes:
        sent: Unix seconds. summary_at: when the last summary was sent, if one was.
    """

    sent: tuple[float, ...] = ()
    summary_at: float | None = None
    partings: tuple[Parting, ...] = ()


def due(state: AlertState, channel: str, now: float, *, is_wanted: bool = True) -> Notice | None:
    """What a channel is to be told of a rule: the difference between how it is and what the channel knows.

    It is the same after a restart, and what fired and ended unseen (during a pause) is not told at all.

    Args:
        is_wanted: the rule still names the channel; one that it does not is told the end.
    """
    heard = state.heard.get(channel, Heard())
    if is_resting(heard, now):
        return None
    if state.phase == "firing" and is_wanted:
        if heard.given_up == state.since:
            return None
        if not heard.fires:
            return "fired"
        # A clock that was set back makes no silence.
        return "reminder" if not 0 <= now - heard.at < REMIND_S else None
    if not heard.fires:
        return None
    return "ended" if state.phase == "firing" else "cleared"


def is_resting(heard: Heard, now: float) -> bool:
    """It could not be told just before."""
    return bool(heard.failed_at) and 0 <= now - heard.failed_at < RETRY_S


def told(notice: Notice, now: float) -> Heard:
    """What a channel knows that a notice arrived at."""
    return Heard(fires=notice in ("fired", "reminder"), at=now)


def untold(heard: Heard, notice: Notice, since: float, now: float) -> tuple[Heard, bool]:
    """What a channel knows that a notice did not arrive at, and whether no more is tried of it.

    Args:
        since: when the phase began that is told of.
    """
    fires = notice in ("fired", "reminder")
    trying = f"{notice} {since}" if fires else notice
    first = heard.failing_since if heard.trying == trying and heard.failing_since <= now else now
    if now - first < GIVE_UP_S:
        again = msgspec.structs.replace(heard, failed_at=now, trying=trying, failing_since=first)
        return again, False
    return (Heard(heard.fires, heard.at, given_up=since) if fires else Heard(at=now)), True


def taken_back(outbox: Outbox, now: float, *, summary: bool = False) -> Outbox:
    """One that went out and did not arrive: it takes nobody's place, and a summary is tried again soon."""
    if summary:
        return msgspec.structs.replace(outbox, summary_at=now - _HOUR_S + RETRY_S)
    return msgspec.structs.replace(outbox, sent=outbox.sent[:-1])


def admit(outbox: Outbox, now: float) -> tuple[Outbox, Literal["send", "summary", "withhold"]]:
    """Whether one more may go out: itself, a summary in its place, or nothing."""
    sent = tuple(t for t in outbox.sent if 0 <= now - t < _HOUR_S)
    if len(sent) < MOST_AN_HOUR:
        return msgspec.structs.replace(outbox, sent=(*sent, now)), "send"
    if outbox.summary_at is not None and 0 <= now - outbox.summary_at < _HOUR_S:
        return msgspec.structs.replace(outbox, sent=sent), "withhold"
    return msgspec.structs.replace(outbox, sent=sent, summary_at=now), "summary"
