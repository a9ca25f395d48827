"""What the collector did since it started."""

from __future__ import annotations

from collections import Counter

import msgspec


class Figures(msgspec.Struct):
    """Counts; they only grow.

    Attributes:
        since: Unix seconds, when it started.
        spans: new and durable; `duplicates` were there before.
        aside: could not be taken, and are kept for a look.
        requests: answered, by HTTP status.
        faults: of writing, since the last that went well.
    """

    since: float
    spans: int = 0
    duplicates: int = 0
    signals: int = 0
    scores: int = 0
    aside: int = 0
    requests: Counter[int] = msgspec.field(default_factory=Counter)
    faults: int = 0
