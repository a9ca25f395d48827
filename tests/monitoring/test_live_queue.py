"""What is worth a look, and why."""

from __future__ import annotations

import random
from pathlib import Path

from made_traffic import Made, live_store, spread, trace_id_of

from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.monitoring.queue import Queued, queue, reasons_of, words_of

NOW = 1_780_000_000.0
ALL = LiveFilter()
WORDS = [f"{a}{b}" for a in ("parcel", "refund", "card", "order") for b in ("day", "way", "box")]


def ordinary(at: float, rng: random.Random) -> Made:
    words = rng.sample(WORDS, 4)
    return Made(at, input=f"a question about {' and '.join(words)}", latency_s=1 + rng.random() / 10)


def calm(n: int = 100) -> list[Made]:
    return spread(n, NOW - 7_000, NOW - 100, ordinary)


def told(found: list[Queued]) -> list[tuple[str, tuple[str, ...]]]:
    return [(q.listed.request.input, tuple(r.sentence for r in q.reasons)) for q in found]


def test_the_worst_comes_first_and_says_why(tmp_path: Path) -> None:
    requests = [
        *calm(),
        Made(NOW - 60, input="failed", error="timeout"),
        Made(NOW - 50, input="disliked badly", bad="thumb", scores={"helpful": 0.1}),
        Made(NOW - 40, input="guarded", flagged=True),
    ]
    with live_store(tmp_path, requests, NOW) as store:
        found = queue(store, ALL, 3)
    assert told(found) == [
        ("disliked badly", ("the user gave a thumb down", "helpful failed")),
        ("failed", ("it failed (p1 · timeout)",)),
        ("guarded", ("a guardrail fired (pii)",)),
    ]
    assert [q.worth for q in found] == sorted((q.worth for q in found), reverse=True)
    assert found[0].worth == sum(r.weight for r in found[0].reasons)


def test_scorers_that_disagree_and_a_user_who_does_are_reasons(tmp_path: Path) -> None:
    requests = [
        *calm(),
        Made(NOW - 60, input="one", scores={"a": 0.95, "b": 0.1}),
        Made(NOW - 50, input="two", scores={"a": 0.95}, bad="retry"),
    ]
    with live_store(tmp_path, requests, NOW) as store:
        found = dict(told(queue(store, ALL, 9)))
    assert "scorers disagree (0.10 to 0.95)" in found["one"]
    assert "scorers passed it and the user was not happy" in found["two"]


def test_what_is_fine_is_not_in_it(tmp_path: Path) -> None:
    with live_store(tmp_path, calm(), NOW) as store:
        assert queue(store, ALL, 20) == []


def test_an_outlier_and_an_input_unlike_all_others_are_found(tmp_path: Path) -> None:
    strange = "zinc heron figurine waterproof outdoors"
    requests = [
        *calm(),
        Made(NOW - 60, input="a question about order and size", latency_s=30),
        Made(NOW - 50, input=strange),
    ]
    with live_store(tmp_path, requests, NOW) as store:
        found = dict(told(queue(store, ALL, 9)))
        known = dict(told(queue(store, ALL, 9, [strange])))
    assert any("it took 30 s" in why for why in found["a question about order and size"])
    assert any("figurine" in why for why in found[strange])
    assert strange not in known


def test_those_that_ask_the_same_are_one(tmp_path: Path) -> None:
    requests = [
        *calm(),
        *(Made(NOW - 60 - k, input="Where is my lost parcel now?", error="e") for k in range(5)),
    ]
    with live_store(tmp_path, requests, NOW) as store:
        (found,) = queue(store, ALL, 9)
    assert found.alike == 4
    assert found.listed.request.start == NOW - 60


def test_what_was_looked_at_or_is_a_case_is_left_out_and_can_be_put_back(tmp_path: Path) -> None:
    requests = [
        Made(NOW - k, input=f"{word} is different", error="e")
        for k, word in enumerate(("one", "two", "three"))
    ]
    with live_store(tmp_path, requests, NOW) as store:
        store.looked.mark(trace_id_of(0), NOW, "done")
        assert [t for t, _why in told(queue(store, ALL, 9, cased=[trace_id_of(1)]))] == ["three is different"]
        assert store.looked.of([trace_id_of(0), trace_id_of(2)]) == {trace_id_of(0): "done"}
        assert store.looked.unmark(trace_id_of(0))
        assert not store.looked.unmark(trace_id_of(0))
        assert len(queue(store, ALL, 9, cased=[trace_id_of(1)])) == 2


def test_times_of_a_signal_are_counted(tmp_path: Path) -> None:
    with live_store(tmp_path, [Made(NOW, bad="retry")], NOW) as store:
        (listed,) = store.requests.listed(ALL)
    listed.request.signals = [("retry", 1.0, True)] * 2
    (reason,) = reasons_of(listed.request)
    assert reason.sentence == "the user tried again, 2 times"


def test_words_are_those_of_any_language() -> None:
    assert words_of("Wo ist mein Päckchen_42?") == {"ist", "mein", "päckchen"}
