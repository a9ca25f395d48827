"""regex: a pattern is there, or is missing."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain.redact import MARK
from llmops_tui.guardrails.registry import NOTHING, About, Check, Deadline, Found, Match, TooSlow, guardrail
from llmops_tui.scorers.wording import quoted


@guardrail("regex")
def pattern(options: dict[str, Any]) -> Check:
    import regex

    wanted = [options["value"]] if isinstance(options["value"], str) else options["value"]
    flags = 0 if options["case_sensitive"] else regex.IGNORECASE
    compiled = [(each, regex.compile(each, flags)) for each in wanted]

    def is_missing(text: str, _about: About, deadline: Deadline) -> Found:
        missing = [name for name, each in compiled if not _spans(each, text, deadline, most=1)]
        if not missing:
            return NOTHING
        return Found(1.0, f"{quoted(missing[0])} matches nothing{_more(missing)}")

    def is_there(text: str, _about: About, deadline: Deadline) -> Found:
        found = {name: _spans(each, text, deadline) for name, each in compiled}
        there = [name for name, spans in found.items() if spans]
        if not there:
            return NOTHING
        matches = _apart([span for spans in found.values() for span in spans])
        # The pattern and not what matches it, which may be what nobody should read.
        return Found(1.0, f"{quoted(there[0])} matches{_more(there)}", matches)

    return is_missing if options["require"] else is_there


def _spans(compiled: Any, text: str, deadline: Deadline, most: int | None = None) -> list[tuple[int, int]]:
    """Where it matches; the pattern has what is left of the time.

    Raises:
        TooSlow: that is not enough.
    """
    found: list[tuple[int, int]] = []
    deadline.check()
    try:
        for match in compiled.finditer(text, timeout=max(deadline.left_s, 1e-6)):
            found.append(match.span())
            if len(found) == most:
                break
            deadline.check()
    except TimeoutError:
        raise TooSlow from None
    return found


def _apart(spans: list[tuple[int, int]]) -> tuple[Match, ...]:
    """In order, those that overlap as one, without those that are empty."""
    apart: list[list[int]] = []
    for start, end in sorted(spans):
        if apart and start < apart[-1][1]:
            apart[-1][1] = max(end, apart[-1][1])
        elif start < end:
            apart.append([start, end])
    return tuple(Match(start, end, MARK) for start, end in apart)


def _more(names: list[str]) -> str:
    return f", and {len(names) - 1} more" if len(names) > 1 else ""
