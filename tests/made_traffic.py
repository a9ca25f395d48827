"""Live traffic made up for tests: requests of two spans, with what scorers and users said of them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Batch, LiveScore, Signal
from llmops_tui.domain.trace import Span
from llmops_tui.store.live import LIVE_DATABASE, LiveStore


class Made(msgspec.Struct, frozen=True):
    """One request as it is wanted; `attributes` go to its root."""

    at: float
    version: str = "v1"
    config: str = "bench"
    feature: str = "chat"
    user: str = ""
    session: str = ""
    model: str = "m1"
    provider: str = "p1"
    latency_s: float = 1.0
    ttft_s: float = 0.2
    cost_usd: float | None = 0.01
    input: str = "How long do I have?"
    output: str = "Two weeks."
    error: str = ""
    flagged: bool | None = None
    scores: dict[str, float] = {}
    bad: str = ""
    attributes: dict[str, Any] = {}
    documents: tuple[dict[str, Any], ...] = ()


def trace_id_of(number: int) -> str:
    return hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()


def batch_of(requests: Iterable[Made], first: int = 0) -> Batch:
    """The batch of some requests; the n-th one's trace id is `trace_id_of(first + n)`."""
    made = Batch()
    made.spans, made.signals, made.scores = [], [], []
    for number, request in enumerate(requests, first):
        trace_id = trace_id_of(number)
        made.spans += [Arrived(trace_id, span) for span in _spans(request)]
        for scorer, value in request.scores.items():
            made.scores.append(LiveScore(trace_id, scorer, value, value >= 0.5, "so it is", at=request.at))
        if request.bad:
            value = 0.0 if request.bad in ("thumb", "rating") else 1.0
            made.signals.append(Signal(f"s{number}", request.bad, value, request.at, trace_id))  # type: ignore[arg-type]
    return made


def _spans(r: Made) -> list[Span]:
    end = r.at + r.latency_s
    root = {
        a.CONFIG: r.config,
        a.VERSION: r.version,
        a.FEATURE: r.feature,
        a.INPUT: r.input,
        a.OUTPUT: r.output,
    }
    root |= {name: value for name, value in ((a.USER, r.user), (a.SESSION, r.session)) if value}
    root |= r.attributes
    status = "error" if r.error else "ok"
    call: dict[str, Any] = {a.MODEL: r.model, a.PROVIDER: r.provider, a.TIME_TO_FIRST_CHUNK: r.ttft_s}
    call |= {a.INPUT_TOKENS: 100, a.OUTPUT_TOKENS: 20}
    call |= {} if r.cost_usd is None else {a.COST: r.cost_usd}
    call |= {a.ERROR_TYPE: r.error} if r.error else {}
    spans = [
        Span("a" * 16, "", "answer", "step", r.at, end, status, r.error, root),
        Span("b" * 16, "a" * 16, "chat", "model", r.at, end, status, r.error, call),
    ]
    if r.flagged is not None:
        has = {a.GUARDRAIL: "pii", a.TRIGGERED: r.flagged}
        spans.append(Span("c" * 16, "a" * 16, "pii", "guardrail", r.at, r.at, "ok", "", has))
    if r.documents:
        has = {a.DOCUMENTS: list(r.documents)}
        spans.append(Span("d" * 16, "a" * 16, "search", "retrieval", r.at, r.at, "ok", "", has))
    return spans


def live_store(root: Path, requests: Iterable[Made], now: float) -> LiveStore:
    """The live database of a workspace with these requests in it."""
    (root / LIVE_DATABASE).parent.mkdir(parents=True, exist_ok=True)
    store = LiveStore.open(root / LIVE_DATABASE)
    store.ingest([batch_of(requests)], now)
    return store


def spread(
    n: int, since: float, until: float, make: Callable[[float, random.Random], Made], seed: int = 1
) -> list[Made]:
    """`n` requests at even distances."""
    rng = random.Random(seed)
    return [make(since + (until - since) * k / n, rng) for k in range(n)]
