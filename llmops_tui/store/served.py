"""Sums over calls: what providers served, what was spent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

import msgspec

from llmops_tui.domain.call import Call

#: Every time zone's midnight begins a quarter of an hour.
QUARTER_S = 900


class Served(msgspec.Struct, frozen=True):
    """What a provider said it served under one pin.

    Attributes:
        first_seen, last_seen: Unix seconds of the first and the last call it answered.
    """

    served_model: str | None
    fingerprint: str | None
    first_seen: float
    last_seen: float
    calls: int


class _Sum:
    __slots__ = ("calls", "cost", "first", "input", "last", "output", "priced")

    def __init__(self) -> None:
        self.first, self.last = float("inf"), float("-inf")
        self.calls = self.priced = self.input = self.output = 0
        self.cost = 0.0

    def add(self, call: Call) -> None:
        self.first = min(self.first, call.sent_at)
        self.last = max(self.last, call.sent_at)
        self.calls += 1
        self.input += call.usage.input_tokens or 0
        self.output += call.usage.output_tokens or 0
        if call.cost_usd is not None:
            self.priced += 1
            self.cost += call.cost_usd


def add_sums(connection: sqlite3.Connection, calls: Iterable[tuple[Call, str]]) -> None:
    """Count calls that are new. Within a transaction.

    Args:
        calls: each with the hash of its model's pin, or an empty string.
    """
    served: dict[tuple[str, str, str, str], _Sum] = {}
    spent: dict[int, float] = {}
    for call, pin in calls:
        key = (call.model_id, pin, call.served_model or "", call.fingerprint or "")
        served.setdefault(key, _Sum()).add(call)
        if call.cost_usd is not None:
            quarter = int(call.sent_at // QUARTER_S)
            spent[quarter] = spent.get(quarter, 0.0) + call.cost_usd
    connection.executemany(
        "INSERT INTO served VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen), "
        "calls = calls + excluded.calls, priced_calls = priced_calls + excluded.priced_calls, "
        "cost_usd = cost_usd + excluded.cost_usd, input_tokens = input_tokens + excluded.input_tokens, "
        "output_tokens = output_tokens + excluded.output_tokens",
        [(*key, s.first, s.last, s.calls, s.priced, s.cost, s.input, s.output) for key, s in served.items()],
    )
    add_to_spending(connection, spent)


def add_to_spending(connection: sqlite3.Connection, spent: Mapping[int, float]) -> None:
    """Add USD to quarters of an hour. Within a transaction."""
    connection.executemany(
        "INSERT INTO spending VALUES (?, ?) "
        "ON CONFLICT DO UPDATE SET cost_usd = cost_usd + excluded.cost_usd",
        list(spent.items()),
    )
