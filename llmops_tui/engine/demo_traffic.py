"""A day of the demo's shop: who asks what when, and what they get. Pure.

What is answered is what the model answered (`demo_answers`), and it takes as long as it took, give or take.
Planted are: when a version is in use, how much slower the provider is at an hour, and how customers take an
answer that is right or wrong.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Signal, SignalKind
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.engine.demo_answers import Answered

HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S
#: Of an evaluation, not of a request of a customer.
_NOT_LIVE = (a.CASE_ID, a.EVALUATED_MODEL, a.TRIAL)
CUSTOMERS = 300
#: Share of customers that say something, of a wrong answer and of a right one.
DOWN_IF_WRONG, RETRY_IF_WRONG, UP_IF_RIGHT, DOWN_IF_RIGHT = 0.3, 0.15, 0.15, 0.01


class Deployment(msgspec.Struct, frozen=True):
    """From an hour of the day on, customers get these answers."""

    hour: float
    answers: tuple[Answered, ...]


class Slowdown(msgspec.Struct, frozen=True):
    """Between two hours of the day the model takes so many times as long."""

    since_hour: float
    until_hour: float
    factor: float


class Sent(msgspec.Struct, frozen=True):
    """One request of the day: its trace, complete at `at` (Unix seconds), and its customer's signals."""

    at: float
    trace: Trace
    signals: tuple[Signal, ...]
    answered: Answered


def day(
    midnight: float,
    deployments: Sequence[Deployment],
    slowdowns: Sequence[Slowdown] = (),
    *,
    requests: int = 2_400,
    seed: int = 7,
) -> list[Sent]:
    """Everything that is sent in a day, in the order in which it is complete.

    Args:
        midnight: when the day begins, Unix seconds.
        deployments: in order; the first one from hour 0.
    """
    rnd = random.Random(seed)
    made = []
    for _ in range(requests):
        hour = _hour(rnd)
        current = [d for d in deployments if d.hour <= hour][-1]
        answered = rnd.choice(current.answers)
        factor = math.prod(s.factor for s in slowdowns if s.since_hour <= hour < s.until_hour)
        made.append(_request(rnd, midnight + hour * HOUR_S, answered, factor))
    return sorted(made, key=lambda sent: sent.at)


def spread(
    midnight: float, answers: Sequence[Answered], since_hour: float, until_hour: float, count: int, seed: int
) -> list[Sent]:
    """So many requests more between two hours of the day, from people who say nothing of their answers."""
    rnd = random.Random(seed)
    made = []
    for _ in range(count):
        hour = rnd.uniform(since_hour, until_hour)
        sent = _request(rnd, midnight + hour * HOUR_S, rnd.choice(answers), 1.0)
        made.append(msgspec.structs.replace(sent, signals=()))
    return made


def _hour(rnd: random.Random) -> float:
    """Busy by day, quiet at night: three times as many at three in the afternoon as at three at night."""
    while True:
        hour = rnd.random() * 24
        if rnd.random() < (2 - math.cos((hour - 3) / 24 * 2 * math.pi)) / 3:
            return hour


def _request(rnd: random.Random, start: float, answered: Answered, factor: float) -> Sent:
    customer = rnd.randrange(CUSTOMERS)
    about = {
        a.FEATURE: answered.question.feature,
        a.USER: f"customer-{customer}",
        a.SESSION: f"session-{customer}-{int(start // HOUR_S)}",
        a.ENVIRONMENT: "production",
    }
    trace = retimed(rnd, answered.trace, start, about, rnd.lognormvariate(0, 0.25) * factor)
    end = max(span.end for span in trace.spans)
    return Sent(end, trace, tuple(_signals(rnd, trace, about, answered.right, end)), answered)


def retimed(
    rnd: random.Random, trace: Trace, start: float, about: dict[str, str], model_factor: float
) -> Trace:
    """The same trace as if it had begun at `start`, under ids of its own; the model takes longer or less.

    Args:
        about: attributes of the root.
    """
    began = trace.root.start
    ids = {span.id: f"{rnd.getrandbits(64):016x}" for span in trace.spans}
    calls = [span for span in trace.spans if span.kind == "model"]
    spans = []
    for span in trace.spans:
        # Everything after a call is later by what it took longer.
        late = sum(c.length_s * (model_factor - 1) for c in calls if c.end <= span.start + 1e-9)
        inside = sum(
            (c.length_s * (model_factor - 1)) for c in calls if span.start <= c.start and c.end <= span.end
        )
        attributes = dict(span.attributes)
        if span.kind == "model" and isinstance(first := attributes.get(a.TIME_TO_FIRST_CHUNK), int | float):
            attributes[a.TIME_TO_FIRST_CHUNK] = first * model_factor
        if not span.parent_id:
            attributes = {name: value for name, value in attributes.items() if name not in _NOT_LIVE} | about
        spans.append(
            Span(
                ids[span.id],
                ids.get(span.parent_id, ""),
                "help desk" if not span.parent_id else span.name,
                span.kind,
                start + (span.start - began) + late,
                start + (span.end - began) + late + inside,
                span.status,
                span.error,
                attributes,
            )
        )
    return Trace(f"{rnd.getrandbits(128):032x}", "help desk", tuple(spans))


def _signals(
    rnd: random.Random, trace: Trace, about: dict[str, str], right: bool, end: float
) -> list[Signal]:
    """What the customer does next, some seconds later."""
    place = rnd.random()
    kinds: list[tuple[SignalKind, float]] = []
    if right and place < UP_IF_RIGHT:
        kinds = [("thumb", 1.0)]
    elif (right and place > 1 - DOWN_IF_RIGHT) or (not right and place < DOWN_IF_WRONG):
        kinds = [("thumb", 0.0)]
    elif not right and place < DOWN_IF_WRONG + RETRY_IF_WRONG:
        kinds = [("retry", 1.0)]
    at = end + rnd.uniform(3, 25)
    session, user, feature = about[a.SESSION], about[a.USER], about[a.FEATURE]
    return [
        Signal(f"{trace.id}-{kind}", kind, value, at, trace.id, session, user, feature)
        for kind, value in kinds
    ]
