"""Live traffic, made up: traces in portions, and the sums that must come of them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Batch
from llmops_tui.domain.live.request import Request, Series
from llmops_tui.domain.live.tally import Tally, parts_of, tally_of
from llmops_tui.domain.trace import Span
from llmops_tui.store.live import LiveStore
from llmops_tui.store.live.placing import alone
from llmops_tui.store.live.rollups import RESOLUTIONS

NOW = 1_800_000_000.0


def database(folder: Path) -> Path:
    return folder / ".llmops" / "live.db"


def span(n: int, parent: int | None, kind: str = "model", at: float = 0.0, **has: Any) -> Span:
    """Span `n`, beginning `at` seconds after `NOW`; `has`: `length`, `failed`, `name`, `attributes`."""
    start = NOW + at
    return Span(
        *(f"{n:016x}", "" if parent is None else f"{parent:016x}", has.get("name", f"{kind} {n}"), kind),
        *(start, start + has.get("length", 1.0), "error" if has.get("failed") else "ok"),
        attributes=has.get("attributes", {}),
    )


def trace_id(n: int) -> str:
    return f"{n:032x}"


def answered(n: int, at: float = 0.0, **attributes: Any) -> list[Arrived]:
    """A request of four spans, as a program sends it."""
    root = {a.FEATURE: "refunds", a.USER: f"user-{n % 7}", a.SESSION: f"session-{n % 3}"}
    root |= {a.INPUT: "how long?", a.OUTPUT: "30 days", **attributes}
    call = {a.MODEL: "small", a.PROVIDER: "openai", a.INPUT_TOKENS: 100, a.OUTPUT_TOKENS: 20, a.COST: 0.001}
    spans = [
        span(10 * n + 1, None, "request", at, attributes=root),
        span(10 * n + 2, 10 * n + 1, "retrieval", at, length=0.25),
        span(10 * n + 3, 10 * n + 1, "model", at + 0.25, length=0.75, attributes=call),
        span(10 * n + 4, 10 * n + 1, "guardrail", at, length=0.125, attributes={a.GUARDRAIL: "pii"}),
    ]
    return [Arrived(trace_id(n), each) for each in spans]


def day_of_traffic(traces: int, seed: int = 1) -> list[Batch]:
    chance = random.Random(seed)
    return [Batch(spans=answered(n + 1, chance.uniform(-86_000, 0))) for n in range(traces)]


def rows(store: LiveStore) -> dict[str, Request]:
    """What is known of each trace."""
    decode = msgspec.msgpack.Decoder(Request).decode
    found = (decode(facts) for (facts,) in store.database.rows("SELECT facts FROM requests"))
    return {each.trace_id: each for each in found}


def sums(store: LiveStore) -> dict[tuple[int, int, int], Tally]:
    return {
        (resolution, bucket, series): tally
        for resolution in RESOLUTIONS
        for bucket, series, tally in store.rollups.read(resolution, 0, 1e12)
    }


def recomputed(store: LiveStore) -> dict[tuple[int, int, int], Tally]:
    """The same from nothing but the requests and the signals that are about none."""
    made: dict[tuple[int, int, int], Tally] = {}

    def add(at: float, series: int, tally: Tally) -> None:
        for resolution in RESOLUTIONS:
            key = (resolution, int(at // resolution) * resolution, series)
            made.setdefault(key, Tally()).merge(tally)

    decode = msgspec.msgpack.Decoder(Request).decode
    for series, facts in store.database.rows("SELECT series_id, facts FROM requests"):
        request = decode(facts)
        add(request.start, series, tally_of(request))
        for margin in store.labels.margins(request.series):
            add(request.start, margin, tally_of(request))
        for part in parts_of(request):
            add(request.start, store.labels.series_id(request.series, part), tally_of(request))
    for at, kind, value, feature in store.database.rows(
        "SELECT at, kind, value, feature FROM signals WHERE request_id IS NULL AND trace_id = x''"
    ):
        (series,) = [id_ for id_, each in store.labels.series().items() if each == Series(feature=feature)]
        add(at, series, alone(kind, value))
        for margin in store.labels.margins(Series(feature=feature)):
            add(at, margin, alone(kind, value))
    return made
