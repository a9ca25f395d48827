"""Cases whose trials disagree: labelled, and never left out of an estimate."""

from __future__ import annotations

from collections.abc import Sequence


def is_flaky(trials: Sequence[float]) -> bool:
    """Trials of one side disagree."""
    return len(trials) > 1 and min(trials) != max(trials)
