"""Names in a filter that nothing in its window has: what is said of them, and what there is."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.settings import AlertRule
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.monitoring.overview import choices
from llmops_tui.store.live import LiveStore
from llmops_tui.store.live.rollups import DAY

#: Values that are named.
MOST_NAMED = 8
_DIMENSIONS = ("config", "version", "feature", "model", "provider", "user")
#: A rule is about traffic to come as well: what had some in so long is there.
_RULE_S = 7 * DAY
_SHOWN = 60


def absent(store: LiveStore, wanted: LiveFilter, now: float, when: str = "in this window") -> list[str]:
    """A sentence for each name that no request of the window has, with the names that there are.

    Args:
        now: Unix seconds.
        when: how the window is called.
    """
    window = LiveFilter(since=wanted.since, until=min(wanted.until, now))
    said: list[str] = []
    for dimension in _DIMENSIONS:
        name = getattr(wanted, dimension)
        if not name or store.requests.count(msgspec.structs.replace(window, **{dimension: name})):
            continue
        there = [value for value, _count in choices(store, window, dimension)]
        # Sums are kept longer than single requests.
        if name not in there:
            said.append(f"no request {when} is of {dimension} '{_short(name)}'; {_named(there)}")
    return said


def absent_of_rules(store: LiveStore, rules: Iterable[AlertRule], now: float) -> list[str]:
    """The same of alert rules, over the last week."""
    return [
        f"alert {rule.name}: {sentence}"
        for rule in rules
        for sentence in absent(store, rule.filter(now - _RULE_S, now), now, "of the last 7 days")
    ]


def _named(there: list[str]) -> str:
    if not there:
        return "nothing there names one"
    more = f" and {len(there) - MOST_NAMED} more" if len(there) > MOST_NAMED else ""
    are = "is" if len(there) == 1 else "are"
    return f"there {are} {', '.join(_short(name) for name in there[:MOST_NAMED])}{more}"


def _short(name: str) -> str:
    return clean_line(name)[:_SHOWN]
