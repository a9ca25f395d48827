"""What is shown of live traffic: the screen, the command and the report draw the same of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.metrics import Group, Unit

Status = Literal["ok", "warning", "critical", "unknown"]
#: What figures can be split by.
Dimension = Literal["version", "feature", "model", "provider", "user", "config"]
DIMENSIONS: tuple[Dimension, ...] = ("version", "feature", "model", "provider", "user", "config")


class Point(msgspec.Struct, frozen=True):
    """A figure in one bucket of time; None where nothing came.

    Attributes:
        at: Unix seconds, start of the bucket.
    """

    at: float
    value: float | None
    n: int


class Figure(msgspec.Struct, frozen=True):
    """One figure over a window.

    Attributes:
        metric: its name in `live.metrics`.
        low, high: 95 % interval, where one can be given.
        before: the same over the window before; None where nothing is known.
        status: of the alert rules about it, and of what is plainly wrong.
        why: a sentence, where the status is not ok.
    """

    metric: str
    title: str
    unit: Unit
    worse: Literal["up", "down", ""]
    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    before: float | None = None
    points: tuple[Point, ...] = ()
    status: Status = "ok"
    why: str = ""


class GroupView(msgspec.Struct, frozen=True):
    """One of the six: its headline figure, and more of it."""

    group: Group
    headline: Figure
    others: tuple[Figure, ...] = ()
    status: Status = "ok"


class FiringAlert(msgspec.Struct, frozen=True):
    """An alert that fires, or has fired within the window.

    Attributes:
        since, until: Unix seconds; until is None while it fires.
        sentence: what is wrong, with figures.
        filter: the requests behind it.
    """

    rule: str
    metric: str
    severity: str
    since: float
    until: float | None
    sentence: str
    filter: LiveFilter


class Overview(msgspec.Struct, frozen=True):
    """All of a window at a glance.

    Attributes:
        resolution_s: seconds between points.
        traffic: spans, traces, requests.
        newest_at: when the newest request began; None where there is none at all.
        dropped: what could not be taken in (`asides`).
    """

    filter: LiveFilter
    resolution_s: int
    groups: tuple[GroupView, ...]
    traffic: tuple[Figure, ...]
    alerts: tuple[FiringAlert, ...] = ()
    newest_at: float | None = None
    dropped: int = 0


class Line(msgspec.Struct, frozen=True):
    """One line of a plot: a metric of one version, feature, model or user."""

    name: str
    figure: Figure


class Plot(msgspec.Struct, frozen=True):
    """A metric over time, split by a dimension; without one, a single line."""

    metric: str
    by: Dimension | None
    resolution_s: int
    lines: tuple[Line, ...]
