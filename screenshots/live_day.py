"""A day of live traffic for the picture of the Live screen: the demo's answers, sent over and over.

What was asked and answered, and how long it took, is what the embedded model did; when and who is made up.
"""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import msgspec
from recording import LiveRecording

from llmops_tui.domain import semconv as a
from llmops_tui.domain.comparison import Comparison
from llmops_tui.domain.live.arrival import Arrived, Batch, LiveScore, Signal
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.metrics import GROUPS
from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.domain.trace import Trace
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.live_traces import view_of_live
from llmops_tui.engine.traces import Traces
from llmops_tui.monitoring.overview import overview, plot
from llmops_tui.store.live import LiveStore

REQUESTS, DAY_S = 1_500, 86_400
#: Share of the day after which the new version answers.
DEPLOYED = 0.6
#: Requests that the pictures show.
LISTED = 60


def live_day(engine: Engine, comparison: Comparison, folder: Path, at: float) -> LiveRecording:
    """Send a day that ends at a moment, and read what the screen asks."""
    traces = Traces(engine.store)
    versions = comparison.baseline.version, comparison.candidate.version
    cases = sorted({pair.case_id for pair in comparison.pairs})
    made = {(v.name, case): traces.of(v, case) for v in versions for case in cases}
    chance = random.Random(0)
    with LiveStore.open(folder / "live.db") as store:
        batches = []
        for n in range(REQUESTS):
            share = n / REQUESTS
            version = versions[share >= DEPLOYED].name
            case = chance.choice(cases)
            start = at - DAY_S * (1 - share)
            batches.append(_sent(n, made[version, case], version, start, chance))
        store.ingest(batches, at)
        wanted = LiveFilter(since=at - DAY_S, until=at)
        seen = overview(store, wanted, LiveSettings(), at)
        rows = tuple(store.requests.listed(wanted, limit=LISTED))
        low = tuple(store.requests.listed(LiveFilter(only="scored"), order="lowest", limit=LISTED))
        first = low[0].id
        requests = store.requests
        trace = view_of_live(requests.trace(first), requests.scores(first), requests.signals(first))
        views = {view.group: view for view in seen.groups}
        metrics = [views[group].headline.metric for group in GROUPS]
        plots = {metric: plot(store, wanted, metric, "version", at) for metric in metrics}
    return LiveRecording(seen, plots, rows, low, trace)


def _sent(n: int, trace: Trace, version: str, start: float, chance: random.Random) -> Batch:
    """One request of the day."""
    id_ = hashlib.sha256(str(n).encode()).hexdigest()[:32]
    shift = start - trace.root.start
    about = {
        a.CONFIG: "helpdesk",
        a.VERSION: version,
        a.FEATURE: trace.root.attributes.get(a.CASE_ID, "").partition("-")[0],
        a.USER: f"u{chance.randrange(200)}",
    }
    batch = Batch()
    for span in trace.spans:
        if span.kind == "scorer":
            batch.scores.append(_score(id_, span.attributes, start))
            continue
        attributes = {**span.attributes, **(about if span.id == trace.root.id else {})}
        moved: dict[str, Any] = {"start": span.start + shift, "end": span.end + shift}
        moved["attributes"] = {k: v for k, v in attributes.items() if v is not None}
        batch.spans.append(Arrived(id_, msgspec.structs.replace(span, **moved)))
    passed = all(score.passed is not False for score in batch.scores)
    if chance.random() < 0.15:
        value = float(passed if chance.random() < 0.9 else not passed)
        batch.signals.append(Signal(f"s{n}", "thumb", value, start + 60, id_))
    return batch


def _score(id_: str, attributes: dict[str, Any], at: float) -> LiveScore:
    label = attributes.get(a.SCORE_LABEL)
    return LiveScore(
        *(id_, str(attributes.get(a.EVALUATION, "scorer")), attributes.get(a.SCORE)),
        None if label is None else label == "pass",
        str(attributes.get(a.EXPLANATION) or ""),
        at=at,
    )
