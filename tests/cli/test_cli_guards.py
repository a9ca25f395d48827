"""`guards`: figures, reviews and thresholds from the command line, on a real database."""

from __future__ import annotations

import json
import time

import pytest
from desk import Desk
from guarded_traffic import Guarded, guarded_batch
from live_desk import LiveDesk
from made_traffic import Made

from llmops_tui.store.live import LIVE_DATABASE, LiveStore


@pytest.fixture
def live(desk: Desk) -> LiveDesk:
    now = time.time()
    requests = [
        *(Guarded(True, 0.9, made=Made(now - 60 * k, "v1", "desk", input=f"bad {k}")) for k in range(1, 11)),
        *(Guarded(False, 0.2, made=Made(now - 60 * k, "v2", "desk", input=f"q {k}")) for k in range(1, 41)),
        Guarded(False, 0.58, made=Made(now - 90, "v2", "desk", bad="thumb"), others=(("pii", True),)),
    ]
    (desk.root / LIVE_DATABASE).parent.mkdir(parents=True, exist_ok=True)
    with LiveStore.open(desk.root / LIVE_DATABASE) as store:
        store.ingest([guarded_batch(requests[:-1])], now)
        store.ingest([guarded_batch(requests[-1:], first=900, sample=0.0)], now)
    return LiveDesk(desk)


def waiting(live: LiveDesk, queue: str) -> list[str]:
    assert live.run("guards", "review", "injection", "--queue", queue, "--limit", "99", "--json") == 0, (
        live.err
    )
    (found,) = json.loads(live.out)["guardrails"]
    return [item["trace_id"] for item in found["items"]]


def test_without_traffic_it_says_how_to_get_some(desk: Desk) -> None:
    code, _out, err = desk("guards")
    assert code == 2
    assert "no live traffic has come in yet" in err


def test_figures_with_their_intervals_and_queues(live: LiveDesk) -> None:
    assert live.run("guards") == 0, live.err
    for part in (
        "injection",
        "51 looked at · 10 fired",
        "not reviewed",
        "10 firings",
        "40 passes",
        "desk v2",
    ):
        assert part in live.out
    assert "all the time" not in live.out
    assert live.run("guards", "--json") == 0
    whole = json.loads(live.out)
    assert whole["until"] - whole["since"] == pytest.approx(7 * 86_400, abs=60)
    (injection, pii) = whole["guardrails"]
    assert (injection["name"], injection["looked"], injection["fired"]) == ("injection", 51, 10)
    assert injection["queues"] == {"firings": 10, "sample": 40, "suspected": 1}
    assert injection["precision"] == {"value": None, "interval": [0.0, 1.0], "n": 0}
    assert {v["version"]: v["fired"] for v in injection["versions"]} == {"v1": 10, "v2": 0}
    assert (pii["name"], pii["fired"]) == ("pii", 1)
    assert live.run("guards", "--version", "v1", "--json") == 0
    assert [each["looked"] for each in json.loads(live.out)["guardrails"]] == [10]
    assert live.run("guards", "--markdown") == 0
    assert "| `injection` | 51 | 10 | 0 |" in live.out
    assert live.run("guards", "--markdown", "--json") == 2


def test_a_request_is_not_called_both_right_and_wrong_by_ids_of_two_lengths(live: LiveDesk) -> None:
    one = waiting(live, "firings")[0]
    assert live.run("guards", "review", "injection", "--right", one[:12], "--wrong", one) == 2
    assert "a request is named twice" in live.err
    assert len(waiting(live, "firings")) == 10


def test_reviews_by_id_make_figures(live: LiveDesk) -> None:
    firings, sample = waiting(live, "firings"), waiting(live, "sample")
    right, wrong = ",".join(i[:12] for i in firings[:9]), firings[9]
    assert live.run("guards", "review", "injection", "--right", right, "--wrong", wrong) == 0, live.err
    assert live.out.strip() == "10 reviewed"
    words = [word for trace_id in sample for word in ("--right", trace_id)]
    assert live.run("guards", "review", "injection", *words, "--json") == 0
    assert len(json.loads(live.out)["reviewed"]) == 40
    assert live.run("guards", "--json") == 0
    found = json.loads(live.out)["guardrails"][0]
    assert (found["precision"]["value"], found["precision"]["n"]) == (0.9, 10)
    assert found["recall"]["value"] == 1.0
    assert found["recall"]["interval"][0] < 0.8
    assert found["queues"] == {"firings": 0, "sample": 0, "suspected": 1}
    assert live.run("guards") == 0
    assert "90.0%" in live.out


def test_a_suspected_miss_says_why_and_counts_for_no_rate(live: LiveDesk) -> None:
    assert live.run("guards", "review", "injection", "--queue", "suspected") == 0
    assert "pii fired on the same request; its score 0.58 is close below the threshold 0.60" in live.out
    (one,) = waiting(live, "suspected")
    assert live.run("guards", "review", "injection", "--wrong", one) == 0
    assert "1 of them not of the random sample, so no part of any rate" in live.out
    assert waiting(live, "suspected") == []
    assert live.run("guards", "review", "injection", "--queue", "reviewed") == 0
    assert one[:12] in live.out
    assert live.run("guards", "review", "injection", "--undo", one) == 0
    assert waiting(live, "suspected") == [one]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["review", "injektion"], "no guardrail 'injektion' looked at anything; did you mean 'injection'"),
        (["review", "--right", "aaaaaaaa"], "name the guardrail; there are injection, pii"),
        (
            ["review", "injection", "--right", "aaaaaaaa"],
            "no request, or more than one, is called 'aaaaaaaa'",
        ),
        (["review", "injection", "--right", "a", "--wrong", "a"], "a request is named twice"),
        (["tune", "nothing"], "no guardrail 'nothing' looked at anything"),
    ],
)
def test_mistakes_of_reviews_are_sentences(live: LiveDesk, words: list[str], said: str) -> None:
    assert live.run("guards", *words) == 2
    assert said in live.err


def test_nothing_is_kept_of_a_list_with_a_mistake(live: LiveDesk) -> None:
    firings = waiting(live, "firings")
    assert live.run("guards", "review", "injection", "--right", firings[0], "--wrong", "f" * 32) == 2
    assert waiting(live, "firings") == firings


def test_one_named_by_more_and_by_less_of_its_digits_is_named_twice(live: LiveDesk) -> None:
    firings = waiting(live, "firings")
    both = ("--right", firings[0], "--wrong", firings[0][:12])
    assert live.run("guards", "review", "injection", *both) == 2
    assert "a request is named twice" in live.err
    assert waiting(live, "firings") == firings


def test_the_curve_is_a_table_once_something_is_reviewed(live: LiveDesk) -> None:
    assert live.run("guards", "tune", "injection") == 4
    assert "nothing that counts is reviewed" in live.out
    firings, sample = waiting(live, "firings"), waiting(live, "sample")
    assert live.run("guards", "review", "injection", "--right", ",".join(firings)) == 0
    assert (
        live.run("guards", "review", "injection", "--right", ",".join(sample[:-1]), "--wrong", sample[-1])
        == 0
    )
    assert live.run("guards", "tune", "injection") == 0
    assert "▸ 0.6" in live.out
    assert live.run("guards", "tune", "injection", "--json") == 0
    found = json.loads(live.out)
    assert found["current"] == 0.6
    assert [point["threshold"] for point in found["points"]] == [0.2, 0.6, 0.9]
    assert found["points"][0]["recall"]["value"] == 1.0
    assert live.run("guards", "tune", "injection", "--markdown") == 0
    assert "| **0.6** |" in live.out
