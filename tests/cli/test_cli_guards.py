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


def test_without_a_name_three_of_each_are_shown_with_how_many_there_are(live: LiveDesk) -> None:
    assert live.run("guards", "review", "--queue", "sample") == 0
    assert "injection · sample, 3 of 40" in live.out
    assert live.out.count("passed · score 0.20") == 3
    assert live.run("guards", "review", "--queue", "sample", "--json") == 0
    found = {each["guardrail"]: each for each in json.loads(live.out)["guardrails"]}
    assert (found["injection"]["count"], len(found["injection"]["items"])) == (40, 3)
    assert live.run("guards", "review", "injection", "--queue", "sample") == 0
    assert "injection · sample, 10 of 40" in live.out


def test_what_was_looked_at_is_told(live: LiveDesk) -> None:
    assert live.run("guards", "review", "injection", "--queue", "sample", "--limit", "1", "--json") == 0
    (item,) = json.loads(live.out)["guardrails"][0]["items"]
    assert item["looked_at"] == [item["input"]]


def test_failures_are_told_with_how_it_failed(live: LiveDesk) -> None:
    now = time.time()
    failed = [
        Guarded(failed="open", score=None, reason="it took 0.5 s", made=Made(now - 9 - k, "v2", "desk"))
        for k in range(3)
    ]
    with LiveStore.open(live.root / LIVE_DATABASE) as store:
        store.ingest([guarded_batch(failed, first=700)], now)
    assert live.run("guards", "review", "injection", "--queue", "failures") == 0
    assert live.out.count("failed itself, open") == 3
    assert "it took 0.5 s" in live.out
    assert live.run("guards") == 0
    assert "failed most often: it took 0.5 s" in live.out
    assert live.run("guards", "--json") == 0
    assert json.loads(live.out)["guardrails"][0]["failure"] == "it took 0.5 s"


def test_another_configuration_has_none_of_these_guardrails(live: LiveDesk) -> None:
    assert live.run("guards", "--config", "other", "--json") == 0
    assert json.loads(live.out)["guardrails"] == []
    assert live.run("guards", "review", "--config", "other") == 0
    assert live.out.strip() == ""


def test_what_only_fires_or_not_is_neither_drawn_nor_written(live: LiveDesk) -> None:
    (file,) = (live.root / "configs").glob("desk.yaml")
    before = file.read_text()
    file.write_text(before + "guardrails: [pii]\n")
    assert live.run("guards", "tune", "pii") == 4
    assert "it fires or not: there is nothing to tune" in live.out
    assert live.run("guards", "tune", "pii", "--set", "0.7") == 2
    assert "it fires or not: there is nothing to tune" in live.err
    assert file.read_text() == before + "guardrails: [pii]\n"


def test_a_function_that_only_ever_told_1_or_0_is_not_tuned(live: LiveDesk) -> None:
    now = time.time()
    (live.root / "guardrails.py").write_text("def shouts(text):\n    return text.isupper()\n")
    (file,) = (live.root / "configs").glob("desk.yaml")
    before = file.read_text()
    file.write_text(before + "guardrails: [shouts]\n")
    looks = [Guarded(k < 3, float(k < 3), 0.5, name="shouts", made=Made(now - 9 - k)) for k in range(12)]
    with LiveStore.open(live.root / LIVE_DATABASE) as store:
        store.ingest([guarded_batch(looks, first=800)], now)
    assert live.run("guards", "tune", "shouts", "--set", "0.7") == 2
    assert "it fires or not: there is nothing to tune; 'shouts' only ever told 1 or 0" in live.err
    assert file.read_text() == before + "guardrails: [shouts]\n"


def test_the_marked_threshold_is_that_on_disk(live: LiveDesk) -> None:
    (file,) = (live.root / "configs").glob("desk.yaml")
    file.write_text(file.read_text() + "guardrails:\n  - injection: {threshold: 0.72}\n")
    for queue in ("firings", "sample"):
        assert live.run("guards", "review", "injection", "--right", ",".join(waiting(live, queue))) == 0
    assert live.run("guards", "tune", "injection") == 0, live.err
    assert "▸ 0.72" in live.out
    assert "▸ 0.6" not in live.out
    assert "The threshold is now 0.72; traffic of this window had 0.6." in live.out
    assert live.run("guards", "tune", "injection", "--markdown") == 0
    assert "traffic of this window had 0.6" in live.out
