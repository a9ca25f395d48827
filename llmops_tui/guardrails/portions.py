"""A pattern over a long text, with a look at the clock now and then."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llmops_tui.guardrails.registry import Deadline

#: Characters between two looks at the clock.
PORTION = 50_000


def found_in(
    pattern: re.Pattern[str], text: str, deadline: Deadline, *, longest: int
) -> Iterator[re.Match[str]]:
    """What `pattern.finditer(text)` gives.

    Args:
        longest: characters of a match, with what it looks at behind itself.

    Raises:
        TooSlow: the time is over.
    """
    done = 0
    for start in range(0, len(text), PORTION):
        deadline.check()
        end = start + PORTION
        for match in pattern.finditer(text, max(done, start), end + longest):
            if match.start() >= end:
                break
            yield match
            done = match.end()
            deadline.check()
