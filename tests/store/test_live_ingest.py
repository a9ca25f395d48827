"""However live traffic comes in, the same is known of it, and the sums are those of what is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_traffic import NOW, answered, database, recomputed, rows, span, sums, trace_id

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Arrived, Batch, LiveScore, Signal
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.store.live import LiveStore

#: Often the same ones: what decides between equals must not be the order they came in.
_times = st.sampled_from([-86_400.0, -60.0, -1.0]) | st.floats(-90_000, 0).map(lambda at: round(at, 3))
_attributes = st.fixed_dictionaries(
    {},
    optional={
        a.FEATURE: st.sampled_from(["refunds", "orders"]),
        a.VERSION: st.sampled_from(["v1", "v2"]),
        a.SESSION: st.sampled_from(["one", "two"]),
        a.USER: st.sampled_from(["ann", "bob"]),
        a.MODEL: st.sampled_from(["small", "large"]),
        a.COST: st.floats(0, 0.1),
        a.INPUT_TOKENS: st.integers(0, 1000),
        a.INPUT: st.sampled_from(["how long?", "where?"]),
        a.OUTPUT: st.sampled_from(["30 days", "here"]),
        a.ERROR_TYPE: st.sampled_from(["timeout", "429"]),
        a.TIME_TO_FIRST_CHUNK: st.floats(0, 2),
        a.TAGS: st.lists(st.sampled_from(["x", "y", "z"]), max_size=2),
        a.REFUSED: st.booleans(),
        a.TRIGGERED: st.booleans(),
    },
)


#: Calls often, as there may be calls in calls.
_KINDS = ["model", "model", "other", "step", "request", "retrieval", "guardrail", "embedding"]


@st.composite
def _arrivals(draw: Any) -> list[Arrived | Signal | LiveScore]:
    """Spans of three traces, signals and scores, some before what they are about."""
    came: list[Arrived | Signal | LiveScore] = []
    for trace in (1, 2, 3):
        for n in range(draw(st.integers(1, 5))):
            kind = draw(st.sampled_from(_KINDS))
            made = span(
                100 * trace + n,
                None if n == 0 else 100 * trace + draw(st.integers(0, n - 1)),
                kind,
                draw(_times),
                length=draw(st.sampled_from([0.0, 1.0]) | st.floats(0, 5)),
                failed=draw(st.booleans()),
                name=draw(st.sampled_from(["find", "ask", "check"])),
                attributes=draw(_attributes),
            )
            came.append(Arrived(trace_id(trace), made))
    for n in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(["thumb", "rating", "retry"]))
        about = draw(st.sampled_from(["trace", "session", "nothing"]))
        came.append(
            Signal(
                f"signal-{n}",
                kind,
                draw(st.sampled_from([0.0, 0.3, 1.0])),
                NOW + draw(_times),
                trace_id(draw(st.integers(1, 4))) if about == "trace" else "",
                draw(st.sampled_from(["one", "two", "three"])) if about == "session" else "",
                feature=draw(st.sampled_from(["", "refunds"])),
            )
        )
    for n in range(draw(st.integers(0, 4))):
        came.append(
            LiveScore(
                trace_id(draw(st.integers(1, 4))),
                draw(st.sampled_from(["faithful", "words"])),
                draw(st.none() | st.floats(0, 1)),
                draw(st.none() | st.booleans()),
                error=draw(st.sampled_from(["", "no answer"])),
                at=NOW - 10 + n,
                source=draw(st.sampled_from(["online", "worth", "langfuse"])),
            )
        )
    return came


def _batch(came: list[Any]) -> Batch:
    return Batch(
        spans=[x for x in came if isinstance(x, Arrived)],
        signals=[x for x in came if isinstance(x, Signal)],
        scores=[x for x in came if isinstance(x, LiveScore)],
    )


def _portions(draw: Any, came: list[Any]) -> list[list[Batch]]:
    """All of it in some order, some of it twice, in some portions."""
    order = draw(st.permutations(came + draw(st.lists(st.sampled_from(came), max_size=4))))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=4)))
    pieces = [order[i:j] for i, j in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    return [[_batch(piece)] for piece in pieces]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_order_and_portions_and_duplicates_change_nothing(
    data: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    came = data.draw(_arrivals())
    known = []
    for portions in ([[_batch(came)]], _portions(data.draw, came), _portions(data.draw, came)):
        with LiveStore.open(database(tmp_path_factory.mktemp("live"))) as store:
            for portion in portions:
                store.ingest(portion, NOW)
                assert sums(store) == recomputed(store)
            signals = store.database.rows(
                "SELECT s.id, r.trace_id FROM signals s LEFT JOIN requests r ON r.id = s.request_id"
                " ORDER BY s.id"
            )
            known.append((rows(store), signals))
    assert known[0] == known[1] == known[2]


def test_a_span_around_a_call_is_no_call_in_any_sum_whichever_comes_first(tmp_path: Path) -> None:
    inner = span(12, 11, "model", attributes={a.MODEL: "small", a.INPUT_TOKENS: 100, a.COST: 0.5})
    outer = span(11, None, "model", attributes={a.MODEL: "chain", a.INPUT_TOKENS: 100, a.COST: 0.5})
    for order in ([outer, inner], [inner, outer]):
        with LiveStore.open(database(tmp_path / order[0].id)) as store:
            for each in order:
                store.ingest([Batch(spans=[Arrived(trace_id(1), each)])], NOW)
            (tally,) = store.totals(LiveFilter(), 86_400).values()
            assert (tally.calls, tally.priced, tally.input_tokens, tally.cost_usd) == (1, 1, 100, 0.5)
            assert store.totals(LiveFilter(model="chain"), 86_400) == {}
            assert sums(store) == recomputed(store)


def test_what_is_learned_later_moves_a_request_to_another_bucket_and_series(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        late = Arrived(trace_id(1), span(13, 11, "model", 7_000.0, attributes={a.MODEL: "small"}))
        store.ingest([Batch(spans=[late])], NOW)
        (bucket,) = {bucket for resolution, bucket, _ in sums(store) if resolution == 60}
        early = Arrived(trace_id(1), span(11, None, "request", 0.0, attributes={a.FEATURE: "refunds"}))
        store.ingest([Batch(spans=[early])], NOW)
        (moved,) = {bucket for resolution, bucket, _ in sums(store) if resolution == 60}
        assert moved < bucket
        assert sums(store) == recomputed(store)


def test_the_same_again_is_a_duplicate_and_changes_nothing(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        batch = Batch(
            spans=answered(1),
            signals=[Signal("s", "thumb", 0.0, NOW, trace_id(1))],
            scores=[LiveScore(trace_id(1), "words", 1.0, True, at=NOW)],
        )
        first = store.ingest([batch, batch], NOW)
        before = (rows(store), sums(store))
        second = store.ingest([batch], NOW + 5)
    assert (first.spans, first.duplicates, first.signals, first.scores) == (4, 4, 1, 1)
    assert (second.spans, second.duplicates, second.signals, second.scores) == (0, 4, 0, 0)
    with LiveStore.open(database(tmp_path)) as store:
        assert (rows(store), sums(store)) == before


def test_a_signal_of_a_session_finds_the_request_before_it_whichever_comes_first(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        store.ingest([Batch(signals=[Signal("s", "thumb", 0.0, NOW + 50, session="chat")])], NOW)
        store.ingest([Batch(spans=answered(1, 0.0, **{a.SESSION: "chat"}))], NOW)
        assert rows(store)[trace_id(1)].is_bad
        store.ingest([Batch(spans=answered(2, 20.0, **{a.SESSION: "chat"}))], NOW)
        assert not rows(store)[trace_id(1)].is_bad
        assert rows(store)[trace_id(2)].is_bad
        store.ingest([Batch(spans=answered(3, 60.0, **{a.SESSION: "chat"}))], NOW)
        assert rows(store)[trace_id(2)].is_bad
        assert sums(store) == recomputed(store)


def test_a_failure_to_judge_takes_no_judgement_away(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        good = LiveScore(trace_id(1), "words", 1.0, True, at=NOW)
        failed = LiveScore(trace_id(1), "words", None, None, error="no answer", at=NOW + 5)
        store.ingest([Batch(spans=answered(1), scores=[good])], NOW)
        store.ingest([Batch(scores=[failed])], NOW)
        (live,) = [store.requests.find(trace_id(1))]
        assert live is not None
        assert live.request.scores == {"words": (1.0, True)}
        assert [s.error for s in store.requests.scores(live.id)] == [""]


@pytest.mark.parametrize(
    "attributes",
    [
        {a.INPUT_TOKENS: float("nan"), a.OUTPUT_TOKENS: -5, a.COST: float("nan")},
        {a.INPUT_TOKENS: 10**400, a.OUTPUT_TOKENS: "many", a.COST: 10**400},
        {a.COST: float("inf"), a.TIME_TO_FIRST_CHUNK: 10**400, a.TAGS: [{"a": 1}, None, 10**400]},
        {a.INPUT: {"a": 10**400}, a.OUTPUT: "\ud800", a.INPUT_MESSAGES: [{"role": "user", "parts": 5}, 7]},
        {a.FEATURE: {"deep": ["x"] * 50}, a.USER: 17, a.SESSION: "\udfff\x00", a.MODEL: ["small"]},
        {a.INPUT_MESSAGES: "text", a.OUTPUT_MESSAGES: [{"parts": [{"type": "text", "content": 3}]}]},
        {"\ud800": "\ud800", a.GUARDRAIL: 4, a.TRIGGERED: "yes", a.REFUSED: 1, a.ERROR_TYPE: {"x": 1}},
    ],
)
@pytest.mark.parametrize("kind", ["model", "guardrail", "embedding", "tool"])
def test_what_a_program_makes_up_never_breaks_anything(
    tmp_path: Path, attributes: dict[str, Any], kind: str
) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        made = [span(1, None, kind, failed=True, attributes=attributes, name="\ud800 name"), span(2, 1)]
        store.ingest([Batch(spans=[Arrived(trace_id(1), each) for each in made])], NOW)
        assert sums(store) == recomputed(store)
        (live,) = store.requests.listed(LiveFilter())
        trace = store.requests.trace(live.id)
        assert trace is not None
        assert len(trace.spans) == 2
        for tally in sums(store).values():
            assert tally.input_tokens >= 0
            assert 0 <= tally.cost_usd <= 1e5


@pytest.mark.parametrize("id_", ["", "xyz", "AB" * 16, "1", "ü" * 20, "0" * 400])
def test_ids_that_are_none_are_given_one_and_stay_the_same(tmp_path: Path, id_: str) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        made = Arrived(id_, span(1, None))
        signal = Signal("s", "thumb", 0.0, NOW, id_)
        store.ingest([Batch(spans=[made, Arrived(id_.lower(), span(2, 1))], signals=[signal])], NOW)
        again = store.ingest([Batch(spans=[made])], NOW)
        assert again.duplicates == 1
        assert store.counts()["spans"] == 2
        if id_:
            assert sum(r.is_bad for r in rows(store).values()) == 1


@pytest.mark.parametrize("start", [0.0, -1.0, NOW * 1e9, NOW + 400 * 86_400, float("nan"), float("inf")])
def test_a_clock_that_is_wrong_opens_no_bucket_elsewhere(tmp_path: Path, start: float) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        made = msgspec.structs.replace(span(1, None), start=start, end=start + 2)
        store.ingest([Batch(spans=[Arrived(trace_id(1), made)])], NOW)
        assert {NOW // 86_400 * 86_400} >= {key[1] for key in sums(store) if key[0] == 86_400}
        trace = store.requests.trace(store.requests.listed(LiveFilter())[0].id)
        assert trace is not None
        assert trace.spans[0].attributes["llmops.times_as_sent"][0] == repr(start)


def test_what_is_found_out_afterwards_is_in_every_sum(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        signal = Signal("s", "thumb", 0.0, NOW, trace_id(1))
        store.ingest([Batch(spans=answered(1), signals=[signal])], NOW)
        (live,) = store.requests.listed(LiveFilter())
        assert store.traits.describe([(live.id, {"language": ["en"]})]) == 1
        assert sums(store) == recomputed(store)
        assert store.totals(LiveFilter(), 86_400).popitem()[1].traits == {"language": {"en": 1}}


def test_a_trace_may_span_days(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        spans = [span(1, None, "request", -300_000, length=300_000), span(2, 1, "model", -10)]
        for each in reversed(spans):
            store.ingest([Batch(spans=[Arrived(trace_id(1), each)])], NOW)
        assert sums(store) == recomputed(store)
        assert rows(store)[trace_id(1)].latency_s == 300_000


def test_made_up_labels_do_not_fill_the_database(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        for portion in range(30):
            spans = []
            for n in range(portion * 100, portion * 100 + 100):
                made = {a.FEATURE: f"f{n}", a.MODEL: f"m{n}", a.ERROR_TYPE: f"e{n}", a.STEP: f"s{n}"}
                made |= {a.VERSION: f"v{n}", a.PROVIDER: f"p{n}", a.CONFIG: f"c{n}", a.GUARDRAIL: f"g{n}"}
                root = span(2 * n + 1, None, "model", failed=True, attributes=made)
                step = span(2 * n + 2, 2 * n + 1, "guardrail", attributes=made)
                spans += [Arrived(trace_id(n + 1), root), Arrived(trace_id(n + 1), step)]
            store.ingest([Batch(spans=spans)], NOW)
        assert sums(store) == recomputed(store)
        assert len(store.labels.series()) <= 2_100
        whole = [tally for _, _, tally in store.tallies(LiveFilter(), 86_400)]
        assert sum(t.requests for t in whole) == 3_000
        assert len({e for t in whole for e in t.errors}) <= 101
        assert len({e for t in whole for e in t.steps}) <= 61


def test_a_series_keeps_its_number_when_there_are_too_many_and_another_process_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmops_tui.store.live.labels.MOST_SERIES", 5)
    with LiveStore.open(database(tmp_path)) as store:
        for n in range(8):
            store.ingest([Batch(spans=answered(n + 1, n, **{a.FEATURE: f"f{n}"}))], NOW)
    with LiveStore.open(database(tmp_path)) as store:
        bad = Signal("late", "thumb", 0.0, NOW + 60, trace_id(1))
        store.ingest([Batch(spans=answered(101, **{a.FEATURE: "f0"}), signals=[bad])], NOW)
        assert sums(store) == recomputed(store)
        assert [t.requests for _, _, t in store.tallies(LiveFilter(feature="f0"), 86_400)] == [2]


@given(st.permutations(range(5)), st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_scores_of_one_moment_the_same_one_counts_everywhere(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], is_after: bool
) -> None:
    said: list[tuple[float | None, bool | None]] = [(0.5, True), (0.25, True), (0.25, False), (1.0, None)]
    scores = [LiveScore(trace_id(1), "words", *each, at=NOW) for each in said]
    batches = [Batch(scores=[score]) for score in scores] + [Batch(spans=answered(1))]
    with LiveStore.open(database(tmp_path_factory.mktemp("ties"))) as store:
        for n in order:
            store.ingest([batches[n]], NOW)
        if is_after:
            assert store.ingest(batches, NOW).scores == 0
        assert rows(store)[trace_id(1)].scores == {"words": (0.25, False)}
        assert [(s.value, s.passed) for s in store.requests.scores(1)] == [(0.25, False)]


def test_the_digits_of_an_id_may_be_large(tmp_path: Path) -> None:
    small = span(0xABCDEF, None)
    large = msgspec.structs.replace(small, id=small.id.upper(), parent_id=small.id.upper())
    with LiveStore.open(database(tmp_path)) as store:
        for _ in range(2):
            store.ingest([Batch(spans=[Arrived(trace_id(1), each) for each in (small, large)])], NOW)
        assert store.counts()["spans"] == 1


def test_traits_are_looked_for_in_new_requests_as_much_as_in_old_ones(tmp_path: Path) -> None:
    with LiveStore.open(database(tmp_path)) as store:
        store.ingest([Batch(spans=answered(n)) for n in range(1, 31)], NOW)
        found, upto = store.traits.waiting(NOW + 1, 20)
        assert (upto, [id_ for id_, _text in found]) == (30, list(range(2, 31, 2)))
