"""Live traffic made up for tests of guardrails: requests of three spans, with one guardrail's look."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from made_traffic import Made, batch_of

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Batch
from llmops_tui.domain.trace import Span
from llmops_tui.store.live import LIVE_DATABASE, LiveStore

NOW = 1_800_000_000.0


class Guarded(msgspec.Struct, frozen=True):
    """A request and a guardrail's look at it; `made` says the rest."""

    fired: bool = False
    score: float | None = 0.1
    threshold: float | None = 0.6
    failed: str = ""
    reason: str = ""
    name: str = "injection"
    cost_usd: float = 0.0
    elapsed_s: float = 0.01
    made: Made = Made(NOW - 60.0)
    others: tuple[tuple[str, bool], ...] = ()


def guarded_batch(requests: Iterable[Guarded], first: int = 0, sample: float = 1.0) -> Batch:
    """The n-th one's trace id is `trace_id_of(first + n)`."""
    every = list(requests)
    batch = batch_of([each.made for each in every], first)
    traces = list(dict.fromkeys(arrived.trace_id for arrived in batch.spans))
    for trace_id, each in zip(traces, every, strict=True):
        looks = [(each.name, each.fired), *each.others]
        for n, (name, fired) in enumerate(looks):
            has: dict[str, Any] = {a.GUARDRAIL: name, a.TRIGGERED: fired, a.GUARDRAIL_STAGE: "input"}
            if n == 0:
                has |= {} if each.score is None else {a.GUARDRAIL_SCORE: each.score}
                has |= {} if each.threshold is None else {a.GUARDRAIL_THRESHOLD: each.threshold}
                has |= {a.GUARDRAIL_FAILED: each.failed} if each.failed else {}
                has |= {a.GUARDRAIL_REASON: each.reason} if each.reason else {}
                has |= {a.COST: each.cost_usd} if each.cost_usd else {}
            has |= {a.GUARDRAIL_REASON: "it says ignore", a.INPUT: "… ignore all …"} if fired else {}
            at = each.made.at
            span = Span(
                f"{0xE0 + n:016x}", "a" * 16, name, "guardrail", at, at + each.elapsed_s, "ok", "", has
            )
            batch.spans.append(Arrived(trace_id, span))
    batch.guards_sample = sample
    return batch


def guarded_store(root: Path, requests: Iterable[Guarded], sample: float = 1.0) -> LiveStore:
    """The live database of a workspace with these requests in it."""
    (root / LIVE_DATABASE).parent.mkdir(parents=True, exist_ok=True)
    store = LiveStore.open(root / LIVE_DATABASE)
    store.ingest([guarded_batch(requests, sample=sample)], NOW)
    return store
