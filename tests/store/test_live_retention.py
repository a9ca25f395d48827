"""Raw traffic goes, sums stay, and the database keeps within its limit."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from live_traffic import NOW, answered, database, recomputed, rows, span, sums, trace_id

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Aside, Batch, LiveScore, Signal
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.store.live import LiveStore
from llmops_tui.store.live.retention import size_bytes
from llmops_tui.store.live.rollups import DAY, HOUR, MINUTE, TEN_MINUTES, resolution_for

HUGE = 10**12


def everything(n: int, at: float = 0.0) -> Batch:
    return Batch(
        spans=answered(n, at),
        signals=[Signal(f"s{n}", "thumb", 0.0, NOW + at, trace_id(n), user=f"user-{n % 7}", comment="bad")],
        scores=[LiveScore(trace_id(n), "words", 1.0, True, at=NOW + at)],
        aside=[Aside("collect", str(n), "it is broken", "text")],
    )


def test_what_is_too_old_goes_with_all_that_belongs_to_it_and_sums_stay(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        store.ingest([everything(n) for n in range(1, 51)], NOW)
        store.ingest([everything(n) for n in range(51, 61)], NOW + 20 * DAY)
        before = sums(store)
        swept = store.sweep(NOW + 31 * DAY, 30, HUGE, 60)
        counts = store.counts()
        assert (swept.requests, swept.spans, swept.signals, swept.scores) == (50, 200, 50, 50)
        assert swept.is_done
        assert swept.asides == 50
        assert (counts["requests"], counts["spans"], counts["signals"], counts["scores"]) == (10, 40, 10, 10)
        after = sums(store)
        assert {k: v for k, v in before.items() if k[0] in (HOUR, DAY)} == {
            k: v for k, v in after.items() if k[0] in (HOUR, DAY)
        }
        assert "50 requests, 200 spans" in swept.sentence()
        assert store.database.rows("PRAGMA foreign_key_check") == []
        again = store.sweep(NOW + 31 * DAY, 30, HUGE, 60)
        assert again.sentence() == ""
        assert again.is_done


def test_the_same_export_again_after_it_was_dropped_is_not_counted_twice(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        store.ingest([everything(1)], NOW)
        store.sweep(NOW + 40 * DAY, 30, HUGE, 60)
        before = sums(store)
        found = store.ingest([everything(1)], NOW + 40 * DAY)
        assert (found.spans, found.late, found.signals, found.scores) == (0, 4, 0, 0)
        assert sums(store) == before
        assert rows(store) == {}


def test_a_signal_that_names_no_trace_is_not_counted_again_either(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        of_session = Signal("one", "thumb", 0.0, NOW + 60, session="here")
        alone = Signal("two", "thumb", 0.0, NOW, feature="refunds")
        batch = Batch(spans=answered(1, **{a.SESSION: "here"}), signals=[of_session, alone])
        store.ingest([batch], NOW)
        assert store.sweep(NOW + 40 * DAY, 30, HUGE, 60).signals == 2
        before = sums(store)
        assert store.ingest([batch], NOW + 40 * DAY).signals == 0
        assert sums(store) == before


def test_no_user_id_and_no_text_is_left_in_the_files(tmp_path: Path) -> None:
    path = database(tmp_path)
    with LiveStore.open(path) as store:
        for n in range(1, 200):
            made = {a.USER: f"somebody-{n}@example.org", a.INPUT: f"a secret question {n}"}
            batch = Batch(
                spans=answered(n, -n, **made),
                signals=[Signal(f"s{n}", "thumb", 0, NOW, session="?", user=f"somebody-{n}@example.org")],
            )
            store.ingest([batch], NOW)
        assert b"somebody-" in path.read_bytes() + path.with_name("live.db-wal").read_bytes()
        # Later writes touch the rows again, so that older copies of them lie about.
        store.ingest(
            [Batch(scores=[LiveScore(trace_id(n), "w", 1.0, True, at=NOW) for n in range(1, 200)])], NOW
        )
        assert store.sweep(NOW + 31 * DAY, 30, 100_000, 60).requests == 199
        for name in ("live.db", "live.db-wal"):
            left = path.with_name(name).read_bytes()
            assert b"somebody-" not in left
            assert b"secret question" not in left


def test_the_files_stay_under_their_limit_while_traffic_comes_in(tmp_path: Path) -> None:
    limit = 24_000_000
    path = database(tmp_path)
    chance = random.Random(3)
    dropped = 0
    with LiveStore.open(path) as store, LiveStore.open(path) as sweeper:
        for n in range(1, 221):
            text = chance.randbytes(100_000).hex()
            store.ingest([Batch(spans=answered(n, n, **{a.OUTPUT: text}))], NOW + n)
            while sweeper.retention.is_due(limit):
                swept = sweeper.sweep(NOW + n, 30, limit, 60)
                dropped += swept.requests
                assert swept.bytes <= limit
            assert size_bytes(path) <= limit
        kept = [r.request.trace_id for r in store.requests.listed(LiveFilter())]
        tally = store.totals(LiveFilter(), DAY).values()
    # The newest are there, the oldest are not; all are counted.
    assert kept == [trace_id(n) for n in range(220, 220 - len(kept), -1)]
    assert dropped == 220 - len(kept) > 100
    assert sum(t.requests for t in tally) == 220


def test_a_budget_that_is_used_up_leaves_the_rest_for_the_next_time(tmp_path: Path) -> None:
    ticks = iter(range(10**9))
    with LiveStore.open(database(tmp_path)) as store:
        store.ingest([everything(n) for n in range(1, 101)], NOW)
        store.retention._clock = lambda: float(next(ticks))
        total, sweeps, done = 0, 0, False
        while not done:
            swept = store.sweep(NOW + 31 * DAY, 30, HUGE, 12)
            total, sweeps, done = total + swept.requests, sweeps + 1, swept.is_done
        assert total == 100
        assert sweeps > 5


def test_a_trace_of_many_spans_goes_in_steps(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        spans = [Arrived(trace_id(1), span(n, None if n == 1 else 1, at=n / 100)) for n in range(1, 3_502)]
        store.ingest([Batch(spans=spans)], NOW)
        steps: list[int] = []
        drop = store.retention._drop

        def counted(ids: list[int], now: float, dropped: dict[str, int]) -> bool:
            before = store.database.connection.total_changes
            found = drop(ids, now, dropped)
            steps.append(store.database.connection.total_changes - before)
            return found

        store.retention._drop = counted  # type: ignore[method-assign]
        assert store.sweep(NOW + 31 * DAY, 30, HUGE, 60).spans == 3_501
        assert len(steps) >= 4
        assert max(steps) <= 1_100


def test_what_comes_again_while_its_trace_is_being_dropped_is_not_counted_twice(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        spans = [Arrived(trace_id(1), span(n, None if n == 1 else 1, at=n / 100)) for n in range(1, 1_502)]
        store.ingest([Batch(spans=spans)], NOW)
        before = sums(store)
        ticks = iter(range(10**9))
        store.retention._clock = lambda: float(next(ticks))
        first = store.sweep(NOW + 31 * DAY, 30, HUGE, 3)
        assert 0 < first.spans < 1_501
        assert store.ingest([Batch(spans=spans)], NOW + 31 * DAY).late == 1_501
        assert {k: v for k, v in sums(store).items() if k[0] in (HOUR, DAY)} == {
            k: v for k, v in before.items() if k[0] in (HOUR, DAY)
        }


def test_scores_and_signals_of_long_ago_wait_for_their_trace_as_long_as_others(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        batch = everything(1, -300 * DAY)
        store.ingest([Batch(signals=batch.signals, scores=batch.scores)], NOW)
        assert store.sweep(NOW + DAY, 30, HUGE, 60).sentence() == ""
        store.ingest([Batch(spans=batch.spans)], NOW + DAY)
        known = rows(store)[trace_id(1)]
        assert (len(known.signals), known.scores) == (1, {"words": (1.0, True)})
        store.ingest([Batch(signals=[Signal("alone", "thumb", 0.0, NOW)])], NOW)
        assert store.sweep(NOW + 30.5 * DAY, 30, HUGE, 60).signals == 1


def test_what_judging_cost_is_known_also_when_the_requests_are_gone(tmp_path: Path) -> None:
    def judged(n: int, source: str, at: float) -> Batch:
        return Batch(scores=[LiveScore(trace_id(n), "j", 1.0, True, at=at, source=source, cost_usd=0.25)])

    with LiveStore.open(database(tmp_path)) as store:
        store.ingest([everything(n) for n in (1, 2, 3)], NOW)
        store.ingest([judged(1, "online", NOW), judged(2, "worth", NOW), judged(3, "langfuse", NOW)], NOW)
        assert store.watch.spent_since(NOW - HOUR) == 0.5
        assert store.sweep(NOW, 30, 1, 60).requests == 3
        store.ingest([judged(1, "online", NOW + 60)], NOW + 60)
        assert store.watch.spent_since(NOW - HOUR) == 0.75
        assert store.watch.spent_since(NOW + HOUR) == 0
        store.ingest([judged(9, "online", NOW + 3 * DAY)], NOW + 3 * DAY)
        assert store.watch.spent_since(0) == 0.25


def test_no_more_dropped_traces_are_remembered_than_have_room(tmp_path: Path) -> None:
    limit = 4_000_000
    with LiveStore.open(database(tmp_path)) as store:
        store.database.connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
            f" INSERT INTO dropped SELECT CAST(i AS BLOB), {int(NOW // DAY)} - i % 50 FROM n"
        )
        assert store.sweep(NOW, 30, limit, 60).is_done
        assert store.database.one("SELECT count(*), max(day) FROM dropped") == (5_000, int(NOW // DAY))


def test_fine_buckets_go_and_what_comes_late_opens_none(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        store.ingest([Batch(spans=answered(1)[1:])], NOW)
        store.sweep(NOW + 20 * DAY, 90, HUGE, 60)
        assert {k[0] for k in sums(store)} == {TEN_MINUTES, HOUR, DAY}
        # The root comes late: the request is taken out of its series and put into another.
        store.ingest([Batch(spans=answered(1))], NOW + 20 * DAY)
        whole = recomputed(store)
        assert sums(store) == {k: v for k, v in whole.items() if k[0] != MINUTE}
        assert all(v.requests == 1 for v in sums(store).values())


@pytest.mark.parametrize(
    ("window_s", "resolution"),
    [
        (HOUR, MINUTE),
        (6 * HOUR, TEN_MINUTES),
        (DAY, TEN_MINUTES),
        (7 * DAY, HOUR),
        (30 * DAY, DAY),
        (1, MINUTE),
    ],
)
def test_a_window_has_about_150_points_at_most(window_s: float, resolution: int) -> None:
    assert resolution_for(window_s) == resolution
    assert window_s / resolution <= 170


def test_an_old_window_is_drawn_from_what_is_kept() -> None:
    assert resolution_for(HOUR, 20 * DAY) == TEN_MINUTES
    assert resolution_for(HOUR, 100 * DAY) == HOUR
