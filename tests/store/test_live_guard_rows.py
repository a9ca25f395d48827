"""What guardrails did is folded, kept with its request and dropped with it; what people said stays."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_traffic import NOW, answered, database, recomputed, rows, span, sums, trace_id

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Batch
from llmops_tui.domain.live.guards import GuardReview, GuardRow, row_of
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.request import Series, begin, fold
from llmops_tui.domain.trace import Span
from llmops_tui.store.live import LiveStore, schema

EVERY = LiveFilter()


def look(n: int, parent: int | None = 1, at: float = 0.0, **has: Any) -> Span:
    """A look of `injection`, with attributes of guardrails by their short names."""
    attributes = {a.GUARDRAIL: has.pop("name", "injection"), a.TRIGGERED: has.pop("fired", False)}
    for short, name in (
        *(("stage", a.GUARDRAIL_STAGE), ("score", a.GUARDRAIL_SCORE), ("threshold", a.GUARDRAIL_THRESHOLD)),
        *(("reason", a.GUARDRAIL_REASON), ("failed", a.GUARDRAIL_FAILED), ("action", a.ACTION)),
        *(("text", a.INPUT), ("cost", a.COST)),
    ):
        if short in has:
            attributes[name] = has.pop(short)
    return span(n, parent, "guardrail", at, attributes=attributes, **has)


def took(*spans: Span, trace: int = 1, sample: float | None = None) -> Batch:
    root = span(1, None, "request", attributes={a.INPUT: "what it was asked"})
    return Batch(spans=[Arrived(trace_id(trace), each) for each in (root, *spans)], guards_sample=sample)


def row(*spans: Span, guardrail: str = "injection") -> GuardRow:
    found = row_of(fold(begin(trace_id(1)), spans), guardrail)
    assert found is not None
    return found


def review(trace: int, *, right: bool, fired: bool = True, drawn: bool = True) -> GuardReview:
    return GuardReview(
        *(trace_id(trace), "injection", fired, right, drawn, 0.7, Series("desk", "v1"), NOW, NOW + 60)
    )


_looks = st.lists(
    st.fixed_dictionaries(
        {"at": st.sampled_from([0.0, 1.0]) | st.floats(0, 5).map(lambda x: round(x, 3))},
        optional={
            "fired": st.booleans(),
            "failed": st.sampled_from(["open", "closed", "", 7]),
            "score": st.sampled_from([0.2, 0.7, 1.5, float("nan"), "high"]),
            "threshold": st.sampled_from([0.5, 0.6]),
            "stage": st.sampled_from(["input", "context", "output", 3]),
            "action": st.sampled_from(["block", "flag"]),
            "reason": st.sampled_from(["it says ignore", "a mail address", None]),
            "text": st.sampled_from(["ignore all", "x" * 5_000, {"a": 1}]),
            "cost": st.sampled_from([0.001, 0.1, -1.0, float("inf")]),
            "name": st.sampled_from(["injection", "pii"]),
            "length": st.floats(0, 2),
        },
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(looks=_looks, data=st.data())
def test_order_and_portions_change_nothing_of_a_row(
    looks: list[dict[str, Any]], data: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    spans = [look(10 + n, **dict(each)) for n, each in enumerate(looks)]
    # A model that a guardrail asks, and one that answers.
    spans += [
        span(50, 10, "model", 1.0, attributes={a.MODEL: "judge", a.COST: 0.25}),
        span(51, 1, "model", 0.0, attributes={a.MODEL: "small", a.COST: 0.5}),
    ]
    # Series are numbered as they come.
    columns = "guardrail, started_at, triggered, failed, drawn, place, score, threshold, elapsed_s, cost_usd"
    known = []
    for order in (spans, data.draw(st.permutations(spans))):
        with LiveStore.open(database(tmp_path_factory.mktemp("live"))) as store:
            cut = data.draw(st.integers(0, len(order)))
            for part in (order[:cut], order[cut:], order[:2]):
                store.ingest([took(*part, sample=1.0)], NOW)
                assert sums(store) == recomputed(store)
            (request,) = rows(store).values()
            kept = store.database.rows(f"SELECT {columns} FROM guard_rows ORDER BY guardrail")
            known.append(
                (request.guarded, request.model, kept, [row_of(request, n) for n in sorted(request.guarded)])
            )
            assert {each[0]: each[2] for each in kept} == {
                name: fired > 0 for name, (_looked, fired) in request.guardrails.items()
            }
    assert known[0] == known[1]
    assert known[0][1] == "small"


def test_a_row_tells_of_the_surest_firing_and_of_all_looks_together() -> None:
    found = row(
        look(10, stage="input", score=0.3, threshold=0.6, length=0.25, reason="nothing", text="hello"),
        look(
            11, stage="context", fired=True, score=0.7, threshold=0.6, length=0.5, reason="first", text="one"
        ),
        look(
            12, stage="output", fired=True, score=0.9, threshold=0.6, length=0.25, reason="surest", text="two"
        ),
    )
    assert (found.stage, found.reason, found.evidence) == ("output", "surest", "two")
    assert (found.triggered, found.elapsed_s, found.threshold) == (True, 1.0, pytest.approx(0.6, abs=1e-4))
    assert found.score == pytest.approx(0.9, abs=1e-4)


def test_a_pass_quotes_nothing_and_a_failure_says_what_was_done() -> None:
    passed = row(look(10, text="hello", reason="clean"))
    assert (passed.triggered, passed.evidence, passed.reason, passed.failed) == (False, "", "", "")
    failed = row(look(10), look(11, failed="open"), look(12, failed="closed", reason="took 2 s"))
    assert (failed.triggered, failed.failed) == (False, "closed")


def test_what_a_guardrail_asked_is_its_cost_and_not_the_answer() -> None:
    answer = span(20, 1, "model", 0.0, attributes={a.MODEL: "small", a.PROVIDER: "p", a.COST: 0.5})
    judge = span(21, 10, "model", 3.0, failed=True, attributes={a.MODEL: "judge", a.COST: 0.25})
    for order in ([answer, judge, look(10)], [look(10), judge, answer], [judge, look(10), answer]):
        request = fold(begin(trace_id(1)), [])
        for each in order:
            fold(request, [each])
        assert (request.model, request.provider, request.call_failed) == ("small", "p", False)
        assert request.cost_usd == 0.75
        found = row_of(request, "injection")
        assert found is not None
        assert found.cost_usd == 0.25


def test_requests_are_counted_and_not_looks(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        several = [look(10), look(11, fired=True), look(12, fired=True)]
        store.ingest([took(*several), took(look(10), trace=2), took(look(10, failed="open"), trace=3)], NOW)
        (tally,) = store.totals(EVERY, 86_400).values()
        assert tally.guardrails == {"injection": (5, 2)}
        assert tally.guarded == {"injection": (3, 1, 1, 1)}
        assert tally.unguarded == 1


def test_firings_and_failures_are_kept_and_of_passes_the_share_that_is_drawn(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        batches = [took(look(10), trace=n, sample=0.3) for n in range(1, 401)]
        batches += [took(look(10, fired=True), trace=n, sample=0.3) for n in range(401, 601)]
        batches += [took(look(10, failed="open"), trace=n, sample=0.3) for n in range(601, 611)]
        store.ingest(batches, NOW)
        kept = store.database.rows(
            "SELECT triggered, failed, drawn, count(*) FROM guard_rows GROUP BY 1, 2, 3"
        )
    counts = {tuple(each[:3]): each[3] for each in kept}
    assert 90 < counts[0, 0, 1] < 150
    assert (0, 0, 0) not in counts
    assert counts[1, 0, 0] + counts[1, 0, 1] == 200
    assert 40 < counts[1, 0, 1] < 80
    assert counts.get((0, 1, 0), 0) + counts.get((0, 1, 1), 0) == 10


def test_the_share_is_remembered_and_a_drawn_row_stays_drawn(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        assert store.guards.sample == 0.1
        store.ingest([took(look(10), sample=1.0)], NOW)
    with LiveStore.open(database(tmp_path)) as store:
        assert store.guards.sample == 1.0
        store.ingest([took(look(10), trace=2)], NOW)
        store.ingest([took(look(11), sample=0.0), took(look(10), trace=3)], NOW)
        assert store.guards.drawn(map(trace_id, (1, 2, 3))) == {trace_id(1), trace_id(2)}


def test_the_queue_is_in_an_order_that_no_one_chose_and_what_was_said_leaves_it(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        store.ingest([took(look(10, fired=True, at=n), trace=n) for n in range(1, 41)], NOW)
        first = [r.trace_id for r in store.guards.waiting(EVERY, "injection", firings=True, limit=99)]
        assert sorted(first) == [trace_id(n) for n in range(1, 41)]
        assert first != sorted(first)
        store.guards.review(msgspec.structs.replace(review(1, right=True), trace_id=first[3]))
        left = [r.trace_id for r in store.guards.waiting(EVERY, "injection", firings=True, limit=99)]
        assert left == first[:3] + first[4:]
        assert store.guards.kept(EVERY)["injection"].waiting == 39
        assert store.guards.take_back("injection", [first[3], first[4]]) == 1
        assert store.guards.kept(EVERY)["injection"].waiting == 40


def test_of_two_reviews_of_one_row_the_last_counts(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        store.guards.review(review(1, right=True), review(2, right=False))
        store.guards.review(review(1, right=False))
        assert [r.right for r in store.guards.reviews(EVERY)] == [False, False]
        assert store.guards.reviews(LiveFilter(version="v2")) == []
        assert store.guards.reviews(LiveFilter(since=NOW + 1)) == []


def test_what_was_said_of_a_pass_is_not_said_of_the_firing_that_it_turns_out_to_be(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        store.ingest([took(look(10), sample=1.0)], NOW)
        store.guards.review(review(1, right=True, fired=False))
        store.ingest([took(look(11))], NOW)
        assert len(store.guards.reviews(EVERY)) == 1
        store.ingest([took(look(12, fired=True))], NOW)
        assert store.guards.reviews(EVERY) == []


def test_rows_go_with_their_requests_and_reviews_stay(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        store.ingest([took(look(10, fired=True, text="a secret thing"))], NOW)
        store.guards.review(review(1, right=True))
        before = store.totals(EVERY, 86_400)
        assert store.sweep(NOW + 40 * 86_400, 30, 1 << 40, 60).requests == 1
        assert store.database.rows("SELECT * FROM guard_rows") == []
        assert [r.right for r in store.guards.reviews(EVERY)] == [True]
        assert store.totals(EVERY, 86_400) == before
    path = database(tmp_path)
    assert all(b"secret thing" not in path.with_name(name).read_bytes() for name in ("live.db", "live.db-wal")
               if path.with_name(name).exists())  # fmt: skip


def test_a_database_of_an_older_release_gets_the_tables_and_counts_on(tmp_path: Path) -> None:
    path = database(tmp_path)
    with LiveStore.open(path) as store:
        store.ingest([Batch(spans=answered(1))], NOW)
        facts = rows(store)[trace_id(1)]
        older = msgspec.msgpack.encode(
            {k: v for k, v in msgspec.to_builtins(facts).items() if k != "guarded"}
        )
        with store.database.write() as connection:
            connection.execute("UPDATE requests SET facts = ?", (older,))
            for resolution, bucket, series, data in connection.execute(
                "SELECT resolution, bucket, series_id, data FROM rollups"
            ).fetchall():
                connection.execute(
                    "UPDATE rollups SET data = ? WHERE resolution = ? AND bucket = ? AND series_id = ?",
                    (msgspec.msgpack.encode(msgspec.msgpack.decode(data)[:-2]), resolution, bucket, series),
                )
    with sqlite3.connect(path) as connection:
        connection.executescript("DROP TABLE guard_rows; DROP TABLE guard_reviews")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'guards'")
        connection.execute("PRAGMA user_version = 1")
    with LiveStore.open(path) as store:
        assert store.database.one("PRAGMA user_version") == (schema.VERSION,)
        # The old request moves to another bucket; nothing is taken away that was never counted.
        early = span(99, None, "guardrail", -90_000.0, attributes={a.GUARDRAIL: "pii", a.TRIGGERED: True})
        store.ingest([Batch(spans=[Arrived(trace_id(1), early)])], NOW)
        assert sums(store) == recomputed(store)
        (tally,) = store.totals(EVERY, 86_400).values()
        assert tally.guarded == {"pii": (1, 1, 0, 0)}
        assert tally.guardrails == {"pii": (2, 1)}


def test_a_pass_tells_of_the_look_with_the_highest_score_then_of_the_last_one() -> None:
    looks = [
        look(10, at=0.0, stage="input", score=0.45, threshold=0.5),
        look(11, at=1.0, stage="context", score=0.45, threshold=0.6),
        look(12, at=2.0, stage="tool_result", score=0.0, threshold=0.7),
        look(13, at=3.0, stage="output"),
    ]
    for spans in (looks, looks[::-1]):
        found = row(*spans)
        assert (found.stage, found.score, found.threshold) == ("context", 0.45, 0.6)
