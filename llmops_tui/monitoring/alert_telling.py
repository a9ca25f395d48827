"""What alert rules have to tell, channel by channel, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from llmops_tui.domain.live.alert_event import AlertEvent, event_of
from llmops_tui.domain.live.alert_outbox import (
    GIVE_UP_S,
    Notice,
    Outbox,
    Parting,
    admit,
    due,
    is_resting,
    taken_back,
    told,
    untold,
)
from llmops_tui.domain.live.alerting import AlertState, Heard
from llmops_tui.domain.live.settings import AlertRule, Severity

Results = Iterable[tuple["Telling", Mapping[str, str]]]


class Telling(msgspec.Struct, frozen=True):
    """One notification that is to go out.

    Attributes:
        notice: `summary` stands for many.
        channels: names.
        rules: whose state it tells.
    """

    notice: Notice | Literal["summary"]
    event: AlertEvent
    channels: tuple[str, ...]
    rules: tuple[str, ...]


class Recorded(msgspec.Struct, frozen=True):
    """What is to be kept of notifications that went out, or did not."""

    states: dict[str, AlertState]
    events: list[AlertEvent]
    outbox: Outbox


def parted(outbox: Outbox, state: AlertState, event: AlertEvent) -> Outbox:
    """With the end of a rule that is no more, for the channels that know that it fires."""
    channels = {name: Heard(fires=True, at=heard.at) for name, heard in state.heard.items() if heard.fires}
    if not channels:
        return outbox
    return msgspec.structs.replace(outbox, partings=(*outbox.partings, Parting(event, channels)))


def tellings(
    rules: Mapping[str, AlertRule], states: Mapping[str, AlertState], outbox: Outbox, now: float
) -> tuple[Outbox, list[Telling]]:
    """What is to go out now; the outbox with what went out."""
    wanted: list[Telling] = []
    for parting in outbox.partings:
        names = tuple(name for name, heard in parting.channels.items() if not is_resting(heard, now))
        if names:
            wanted.append(Telling("ended", parting.event, names, ()))
    for name, state in states.items():
        wanted += _of_rule(rules[name], state, now)
    # What failed before is tried last: it takes nobody's place.
    wanted.sort(key=lambda telling: _failed_before(telling, states, outbox))
    found: list[Telling] = []
    waiting: list[Telling] = []
    for telling in wanted:
        outbox, may = admit(outbox, now)
        if may == "send":
            found.append(telling)
        elif may == "summary" or waiting:
            waiting.append(telling)
    if waiting:
        found.append(_summary(waiting, rules, states, now))
    return outbox, found


def _of_rule(rule: AlertRule, state: AlertState, now: float) -> list[Telling]:
    """One telling for each notice that is due to some of its channels."""
    by_notice: dict[Notice, list[str]] = {}
    for channel in dict.fromkeys((*rule.to, *state.heard)):
        notice = due(state, channel, now, is_wanted=channel in rule.to)
        if notice is not None:
            by_notice.setdefault(notice, []).append(channel)
    return [
        Telling(
            notice,
            event_of(rule, state, notice, state.since if notice == "fired" else now),
            tuple(channels),
            (rule.name,),
        )
        for notice, channels in by_notice.items()
    ]


def _failed_before(telling: Telling, states: Mapping[str, AlertState], outbox: Outbox) -> bool:
    knows = [states[name].heard for name in telling.rules] or [
        parting.channels for parting in outbox.partings if parting.event == telling.event
    ]
    return all(heard.get(name, Heard()).failed_at > 0 for heard in knows for name in telling.channels)


def _summary(
    waiting: Sequence[Telling], rules: Mapping[str, AlertRule], states: Mapping[str, AlertState], now: float
) -> Telling:
    firing = [name for name, state in states.items() if state.phase == "firing"]
    channels = tuple(dict.fromkeys(channel for telling in waiting for channel in telling.channels))
    names = tuple(dict.fromkeys(name for telling in waiting for name in telling.rules))
    grave: Severity = "critical" if any(rules[n].severity == "critical" for n in firing) else "warning"
    if not firing:
        grave, sentence = "info", "no alert fires any more: all those that were told are over"
    else:
        shown = ", ".join(firing[:10]) + (", …" if len(firing) > 10 else "")
        sentence = (
            f"{len(firing)} alerts fire: {shown}; as there are so many, no more are sent for an hour: see"
            " llmops-tui alerts"
        )
    return Telling("summary", AlertEvent("", "summary", now, grave, "", sentence), channels, names)


def recorded(results: Results, states: Mapping[str, AlertState], outbox: Outbox, now: float) -> Recorded:
    """What became of notifications, kept channel by channel.

    Args:
        results: channel → why it failed, empty where it did not; one that is not named is not there any
            more, and counts as told.
    """
    changed: dict[str, AlertState] = {}
    events: list[AlertEvent] = []
    for telling, found in results:
        notice = telling.notice
        if found and all(found.values()):
            outbox = taken_back(outbox, now, summary=notice == "summary")
        ended: set[str] = set()
        if notice != "summary":
            if not telling.rules:
                outbox, ended = _parted_with(outbox, telling, found, now)
            for name in telling.rules:
                if (state := changed.get(name, states.get(name))) is not None:
                    heard, ended = _heard(state.heard, telling.channels, notice, found, state.since, now)
                    changed[name] = msgspec.structs.replace(state, heard=heard)
        for channel, why in found.items():
            said = f"{why}; given up after {GIVE_UP_S / 3_600:.0f} h" if channel in ended else why
            events.append(
                msgspec.structs.replace(
                    telling.event,
                    what="failed" if why else "sent",
                    at=now,
                    channel=channel,
                    sentence=said or telling.event.sentence,
                )
            )
    return Recorded(changed, events, outbox)


def _heard(
    before: Mapping[str, Heard],
    channels: Iterable[str],
    notice: Notice,
    found: Mapping[str, str],
    since: float,
    now: float,
) -> tuple[dict[str, Heard], set[str]]:
    """(what channels know now, those that are tried no more)."""
    heard, ended = dict(before), set[str]()
    for channel in channels:
        if found.get(channel):
            heard[channel], is_over = untold(heard.get(channel, Heard()), notice, since, now)
            if is_over:
                ended.add(channel)
        else:
            heard[channel] = told(notice, now)
    return heard, ended


def _parted_with(
    outbox: Outbox, telling: Telling, found: Mapping[str, str], now: float
) -> tuple[Outbox, set[str]]:
    """The outbox without those that know of the end, or are tried no more."""
    partings: list[Parting] = []
    ended: set[str] = set()
    for parting in outbox.partings:
        if parting.event == telling.event:
            heard, ended = _heard(parting.channels, telling.channels, "ended", found, 0.0, now)
            parting = Parting(parting.event, {name: each for name, each in heard.items() if each.fires})
        if parting.channels:
            partings.append(parting)
    return msgspec.structs.replace(outbox, partings=tuple(partings)), ended
