"""Questions about live traffic: every filter gives the same from sums as from the requests themselves."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from live_traffic import NOW, answered, database, rows, trace_id

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Batch, LiveScore, Signal
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.request import Request, Series
from llmops_tui.domain.live.tally import Tally, sum_of, tally_of
from llmops_tui.store.live import LiveStore

FILTERS: list[dict[str, Any]] = [
    *(
        {},
        {"feature": "refunds"},
        {"model": "small"},
        {"version": "v1"},
        {"version": "v9"},
        {"config": "desk"},
    ),
    *({"provider": "openai"}, {"user": "user-3"}, {"session": "session-1"}, {"error": "openai · timeout"}),
    *({"error": "openai · timeout", "only": "bad"}, {"error": "openai · timeout", "version": "v2"}),
    *({"only": o} for o in ("failed", "refused", "flagged", "bad", "scored", "low", "worth")),
    *({"only": "failed", "version": "v2"}, {"only": "bad", "user": "user-2"}, {"since": NOW - 40_000}),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    chance = random.Random(5)
    with LiveStore.open(database(tmp_path_factory.mktemp("live"))) as store:
        for n in range(1, 121):
            made = {a.VERSION: chance.choice(["v1", "v2"]), a.CONFIG: "desk", a.REFUSED: n % 11 == 0}
            spans = answered(n, chance.uniform(-80_000, 0), **made)
            if n % 5 == 0:
                spans = [_failed(each) for each in spans]
            scores = [LiveScore(trace_id(n), "words", n % 10 / 10, n % 10 > 4, at=NOW)] if n % 3 == 0 else []
            signals = [Signal(f"s{n}", "thumb", n % 2, NOW, trace_id(n))] if n % 4 == 0 else []
            store.ingest([Batch(spans=spans, scores=scores, signals=signals)], NOW)
        yield store


def _failed(arrived: Any) -> Any:
    import msgspec

    span = arrived.span
    if span.kind not in ("request", "model"):
        return arrived
    has = {**span.attributes, a.ERROR_TYPE: "timeout"}
    return msgspec.structs.replace(
        arrived, span=msgspec.structs.replace(span, status="error", attributes=has)
    )


def _takes(wanted: LiveFilter, r: Request) -> bool:
    score = r.score
    only = {
        "": True,
        "failed": r.failed,
        "refused": r.refused,
        "flagged": r.flagged,
        "bad": r.is_bad,
        "scored": score is not None,
        "low": score is not None and score < 0.5,
        "worth": r.failed or r.refused or r.flagged or r.is_bad,
    }[wanted.only]
    return bool(
        only
        and wanted.takes(r.series)
        and wanted.since <= r.start < wanted.until
        and wanted.user in ("", r.user)
        and wanted.session in ("", r.session)
        and wanted.error in ("", r.error)
    )


@pytest.mark.parametrize("parts", FILTERS, ids=str)
def test_sums_lists_and_counts_agree(store: LiveStore, parts: dict[str, Any]) -> None:
    wanted = LiveFilter(**{**parts, "since": parts.get("since", 0) // 60 * 60})
    fitting = [r for r in rows(store).values() if _takes(wanted, r)]
    expected = sum_of(map(tally_of, fitting))
    for resolution in (60, 600, 3_600, 86_400):
        if "since" not in parts or resolution == 60:
            assert sum_of(t for _, _, t in store.tallies(wanted, resolution)) == expected
            assert sum_of(store.totals(wanted, resolution).values()) == expected
    assert store.requests.count(wanted) == len(fitting)
    listed = [x.request for x in store.requests.listed(wanted)]
    assert sorted(r.trace_id for r in listed) == sorted(r.trace_id for r in fitting)
    assert [r.start for r in listed] == sorted((r.start for r in fitting), reverse=True)
    users = {user: (n, failed, bad) for user, n, _, failed, bad in store.requests.users(wanted)}
    assert sum(n for n, _, _ in users.values()) == len(fitting)
    assert sum(failed for _, failed, _ in users.values()) == sum(r.failed for r in fitting)


@pytest.mark.parametrize(
    "by", [(), ("version",), ("config", "version"), ("feature",), ("model",), ("provider",)]
)
@pytest.mark.parametrize("parts", FILTERS, ids=str)
def test_sums_told_apart_by_less_are_the_same_sums(
    store: LiveStore, parts: dict[str, Any], by: tuple[str, ...]
) -> None:
    wanted = LiveFilter(**{**parts, "since": parts.get("since", 0) // 60 * 60})

    def told(tallies: list[tuple[int, Series, Tally]]) -> dict[tuple[Any, ...], Tally]:
        made: dict[tuple[Any, ...], Tally] = {}
        for bucket, series, tally in tallies:
            key = (bucket, *(getattr(series, name) for name in by))
            made.setdefault(key, Tally()).merge(tally)
        return made

    assert told(store.tallies(wanted, 60, by)) == told(store.tallies(wanted, 60))


def test_what_is_mostly_asked_for_is_read_from_few_rows(store: LiveStore) -> None:
    for by in ((), ("version",), ("feature",), ("model",)):
        found = store.tallies(LiveFilter(), 86_400, by)
        assert len(found) == len({(at, *(getattr(series, name) for name in by)) for at, series, _ in found})


@pytest.mark.parametrize(
    ("order", "key"),
    [
        ("slowest", lambda r: -r.latency_s),
        ("dearest", lambda r: -r.cost_usd),
        ("lowest", lambda r: (r.score is None, r.score or 0.0, -r.start)),
    ],
)
def test_lists_are_in_order_and_go_on_where_they_ended(store: LiveStore, order: str, key: Any) -> None:
    whole = [x.request for x in store.requests.listed(LiveFilter(), order=order)]
    assert [key(r) for r in whole] == sorted(key(r) for r in rows(store).values())
    pieces = [
        x.request
        for offset in range(0, 120, 50)
        for x in store.requests.listed(LiveFilter(), order=order, limit=50, offset=offset)
    ]
    assert pieces == whole


def test_questions_are_answered_from_indexes(store: LiveStore) -> None:
    """The rows are large: none of these reads them."""
    for parts in FILTERS:
        found = store.requests.where(LiveFilter(**parts))
        if found is None:
            continue
        sql = f"SELECT id FROM requests WHERE {found[0]} ORDER BY latency_s DESC, id DESC LIMIT 9"
        (step, *_) = [row[3] for row in store.database.rows(f"EXPLAIN QUERY PLAN {sql}", found[1])]
        assert "COVERING INDEX" in step or "session" in parts, (parts, step)


def test_a_trace_is_told_with_its_scores_and_signals(store: LiveStore) -> None:
    live = store.requests.find(trace_id(12))
    assert live is not None
    trace = store.requests.trace(live.id)
    assert trace is not None
    assert [span.kind for span in trace.spans] == ["request", "retrieval", "guardrail", "model"]
    assert [s.scorer for s in store.requests.scores(live.id)] == ["words"]
    assert [s.kind for s in store.requests.signals(live.id)] == ["thumb"]
    assert store.requests.get(live.id) == live
    assert store.requests.trace(10**9) is None
    assert store.requests.get(10**9) is None


def test_looking_for_work_uses_its_indexes(store: LiveStore, tmp_path: Path) -> None:
    statements: list[str] = []
    store.database.connection.set_trace_callback(statements.append)
    store.watch.recall(0)
    store.watch.give_up(1)
    store.watch.undecided(NOW, 5)
    store.watch.waiting(5)
    store.database.connection.set_trace_callback(None)
    asked = [sql for sql in statements if sql.startswith(("UPDATE", "SELECT id"))]
    assert len(asked) == 4
    for sql in asked:
        plans = [row[3] for row in store.database.rows(f"EXPLAIN QUERY PLAN {sql}")]
        assert all("SCAN requests" not in plan or "USING INDEX" in plan for plan in plans), (sql, plans)
    # Every two seconds, with all of a day's requests there.
    (recalled,) = [sql for sql in asked if "started_at >=" in sql]
    (plan,) = (row[3] for row in store.database.rows(f"EXPLAIN QUERY PLAN {recalled}"))
    assert "requests_regretted" in plan


def test_what_is_still_under_way_is_not_judged_yet(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        root, *steps = answered(1)
        store.ingest([Batch(spans=steps)], NOW)
        store.ingest([Batch(spans=answered(2))], NOW + 1)
        assert [x.id for x in store.watch.undecided(NOW + 100, 5)] == [2]
        assert [x.id for x in store.watch.undecided(NOW + 301, 5)] == [1, 2]
        store.ingest([Batch(spans=[root])], NOW + 90)
        assert [x.id for x in store.watch.undecided(NOW + 100, 5)] == [2, 1]
        assert [x.id for x in store.watch.undecided(NOW + 100, 1)] == [2]
