"""Calls, outputs, scores: what goes in comes out, once each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from store_flow import MODEL, PIN, call, content_key, database, output, score, start, version

from llmops_tui.domain.call import Draw, Failure
from llmops_tui.domain.canonical import digest, text_digest
from llmops_tui.domain.errors import StoreError
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(database(tmp_path)) as opened:
        yield opened


def test_a_call_comes_back_as_it_was(store: Store) -> None:
    asked = call("q", tool_calls=({"name": "look_up", "arguments": {"id": 1}},), finish_reason="tool_calls")
    store.calls.add_many([asked])
    assert store.calls.find(asked.key, asked.draw, fresh=True) == asked


def test_another_draw_of_a_call_is_another_answer(store: Store) -> None:
    store.calls.add_many([call("q")])
    key = call("q").key
    for draw in (Draw(0, 1), Draw(0, 0, "plan"), Draw(0, 0, "", 1)):
        assert store.calls.find(key, draw, fresh=False) is None


def test_a_plain_run_reads_the_newest_generation_and_a_fresh_one_only_its_own(store: Store) -> None:
    store.calls.add_many([call("q", "old"), call("q", "new", generation=3)])
    key = call("q").key
    plain = store.calls.find(key, Draw(0), fresh=False)
    assert plain is not None
    assert plain.text == "new"
    assert store.calls.find(key, Draw(4), fresh=True) is None
    own = store.calls.find(key, Draw(0), fresh=True)
    assert own is not None
    assert own.text == "old"


def test_a_call_recorded_twice_is_kept_and_counted_once(store: Store) -> None:
    store.calls.add_many([call("q", "first")])
    store.calls.add_many([call("q", "second"), call("r")])
    found = store.calls.find(call("q").key, Draw(), fresh=True)
    assert found is not None
    assert found.text == "first"
    assert store.calls.served(MODEL)[0].calls == 2
    assert store.calls.spent_since(0) == pytest.approx(0.004)


def test_what_a_model_served_is_told_pin_by_pin(store: Store) -> None:
    run = start(store, version(store), 2)
    store.record(run.id, calls=[call("a", sent_at=10.0)], results=(), at=1.0)
    store.record(run.id, calls=[call("b", sent_at=20.0, fingerprint=None)], results=(), at=1.0)
    store.calls.add_many([call("c", sent_at=30.0, served_model="small-2")])
    under_pin = store.calls.served(MODEL, digest(PIN))
    assert [(s.served_model, s.fingerprint, s.first_seen) for s in under_pin] == [
        ("small-1", "fp_1", 10.0),
        ("small-1", None, 20.0),
    ]
    assert [s.served_model for s in store.calls.served(MODEL)] == ["small-1", "small-1", "small-2"]


def test_averages_come_from_priced_calls_and_are_none_without(store: Store) -> None:
    assert store.calls.average_cost(MODEL) is None
    assert store.calls.average_tokens(MODEL) is None
    store.calls.add_many([call("a", cost_usd=0.01), call("b", cost_usd=0.03), call("c", cost_usd=None)])
    assert store.calls.average_cost(MODEL) == pytest.approx(0.02)
    assert store.calls.average_tokens(MODEL) == (10.0, 2.0)


def test_spending_counts_from_midnight_on(store: Store) -> None:
    midnight = 86_400.0 * 3
    store.calls.add_many([call("before", sent_at=midnight - 1), call("after", sent_at=midnight + 1)])
    assert store.calls.spent_since(midnight) == pytest.approx(0.002)


def test_an_output_comes_back_as_it_was(store: Store) -> None:
    made = msgspec.structs.replace(
        output("q", "Thirty days."), tool_calls=({"name": "f"},), finish_reason="stop"
    )
    id_ = store.outputs.add(content_key("q"), 0, 0, made, at=1.0)
    assert store.outputs.get(id_) == made
    assert store.outputs.texts([id_, 999]) == {id_: "Thirty days."}
    assert store.outputs.add(content_key("q"), 0, 0, output("q", "else"), at=2.0) == id_


def test_outputs_are_found_by_content_and_trial_newest_generation_first(store: Store) -> None:
    first = store.outputs.add(content_key("q"), 0, 0, output("q", "old"), at=1.0)
    newer = store.outputs.add(content_key("q"), 2, 0, output("q", "new"), at=1.0)
    trial = store.outputs.add(content_key("q"), 0, 1, output("q", "second trial"), at=1.0)
    place = (content_key("q"), 0)
    found = store.outputs.find_many([place, (content_key("q"), 1), (content_key("none"), 0)])
    assert {k: v.output_id for k, v in found.items()} == {place: newer, (content_key("q"), 1): trial}
    assert found[place].text_hash == text_digest("new")
    assert store.outputs.find_many([place], generation=0)[place].output_id == first
    assert store.outputs.find_many([place], generation=1) == {}


def test_few_outputs_among_many_are_found(store: Store) -> None:
    ids = {n: store.outputs.add(content_key(str(n)), 0, 0, output("q", str(n)), at=1.0) for n in range(50)}
    found = store.outputs.find_many([(content_key("7"), 0), (content_key("31"), 0), (content_key("7"), 1)])
    assert {k: v.output_id for k, v in found.items()} == {
        (content_key("7"), 0): ids[7],
        (content_key("31"), 0): ids[31],
    }


def test_an_output_that_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(StoreError, match="cleaned up; run again"):
        store.outputs.get(12)


@pytest.mark.parametrize("text", ["", "a\x00b", "cut \ud83d emoji", "日本語\r\n", "x" * 300_000])
def test_any_text_survives(store: Store, text: str) -> None:
    id_ = store.outputs.add(content_key("q"), 0, 0, output("q", text), at=1.0)
    assert store.outputs.get(id_).text == text
    asked = call(text, text)
    store.calls.add_many([asked])
    assert store.calls.find(asked.key, asked.draw, fresh=True) == asked


def test_a_text_is_kept_once_by_content(store: Store) -> None:
    hashes = store.blobs.put_many(["one", "two", "one"])
    assert hashes[0] == hashes[2] == text_digest("one")
    assert store.blobs.known([*hashes, text_digest("three")]) == set(hashes)
    assert store.blobs.get_many(hashes) == {text_digest("one"): "one", text_digest("two"): "two"}
    assert store.blobs.get(text_digest("three")) is None


def test_scores_come_back_with_reasons_in_the_order_asked(store: Store) -> None:
    id_ = store.outputs.add(content_key("q"), 0, 0, output("q"), at=1.0)
    a, b = score("contains", 0.5, weight=2.0), score("max_words")
    store.scores.add_many(id_, [a, b])
    assert store.scores.for_output(id_, [b.key, digest("none"), a.key]) == [b, a]
    planned = store.scores.find_many([id_, 77])
    assert planned == {id_: {s.key: msgspec.structs.replace(s, reason="") for s in (a, b)}}


def test_a_score_stands_and_an_error_is_replaced(store: Store) -> None:
    id_ = store.outputs.add(content_key("q"), 0, 0, output("q"), at=1.0)
    given, erred = score("contains"), score("judge", 0.0)
    erred = msgspec.structs.replace(erred, value=None, passed=None, error="it timed out")
    store.scores.add_many(id_, [given, erred])
    later = [msgspec.structs.replace(given, value=0.0), score("judge")]
    store.scores.add_many(id_, later)
    assert store.scores.for_output(id_, [given.key, erred.key]) == [given, score("judge")]


def test_failures_are_attempts_and_never_answers(store: Store) -> None:
    run = start(store, version(store), 1)
    failure = Failure("rate_limit", "gateway: 429", "wait \ud83d", "gateway", 4)
    store.attempts.add(run.id, "one", MODEL, 0, content_key("one"), failure, at=5.0)
    (attempt,) = store.attempts.for_run(run.id)
    assert (attempt.case_id, attempt.failure.kind, attempt.failure.attempts, attempt.at) == (
        "one",
        "rate_limit",
        4,
        5.0,
    )
    assert store.outputs.find_many([(content_key("one"), 0)]) == {}


def test_what_guardrails_saw_comes_back_as_it_was(store: Store) -> None:
    looks = (
        Look("pii", "input", True, "redact", 1.0, "an \ud800 address", "", (0, 2)),
        Look("own", "output", False, "block", None, "", "it raised ValueError"),
    )
    made = msgspec.structs.replace(output("hello"), guardrails=looks, guard_calls=(digest("g"),))
    id_ = store.outputs.add(content_key("one"), 0, 0, made, 1.0)
    other = store.outputs.add(content_key("two"), 0, 0, output("hello"), 1.0)
    found = store.outputs.get(id_)
    assert (found.guardrails, found.guard_calls) == (looks, (digest("g"),))
    assert store.outputs.looks([id_, other]) == {id_: looks}
    assert store.outputs.get(other).guardrails == ()


def test_calls_of_guardrails_stay_as_long_as_their_output(store: Store) -> None:
    asked = call("is this an attack?")
    store.calls.add_many([asked])
    made = msgspec.structs.replace(output("hello"), calls=(), guard_calls=(asked.key,))
    id_ = store.outputs.add(content_key("one"), 0, 0, made, 1.0)
    assert store.gc(keep_outputs=frozenset({id_})).calls == 0
    assert store.gc().calls == 1
