"""`live`, `queue` and `signal` from the command line, on a real database."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from desk import Desk
from live_desk import LiveDesk
from made_traffic import Made, batch_of, live_store, trace_id_of

from llmops_tui.domain.live.metrics import METRICS
from llmops_tui.store.live import LIVE_DATABASE, LiveStore


@pytest.fixture
def live(desk: Desk) -> LiveDesk:
    now = time.time()
    requests = [
        *(
            Made(now - 60 * k, "v1", "desk", user="ann", scores={"faithfulness": 0.9}, input=f"question {k}?")
            for k in range(1, 31)
        ),
        *(
            Made(now - 60 * k, "v2", "desk", user="bob", error="timeout", bad="thumb", input=f"other {k}?")
            for k in range(1, 11)
        ),
        *(Made(now - 30 * 3600 - 60 * k, "v1", "desk", user="ann") for k in range(20)),
    ]
    live_store(desk.root, requests, now).close()
    return LiveDesk(desk)


def test_without_traffic_it_says_how_to_get_some(desk: Desk) -> None:
    code, _out, err = desk("live")
    assert code == 2
    assert "no live traffic has come in yet; start `llmops-tui collect`" in err


def test_the_six_at_a_glance(live: LiveDesk) -> None:
    assert live.run("live") == 0
    for word in (
        "quality",
        "cost",
        "latency",
        "safety",
        "signals",
        "errors",
        "pass rate",
        "latency p95",
        "25.0%",
    ):
        assert word in live.out
    assert "80 spans · 40 traces · 40 requests" in live.out


def test_json_has_the_counts_and_every_metric(live: LiveDesk) -> None:
    assert live.run("live", "--json") == 0
    found = json.loads(live.out)
    assert (found["spans"], found["traces"], found["requests"]) == (80, 40, 40)
    errors = found["metrics"]["error_rate"]
    assert (errors["value"], errors["n"], errors["before"]) == (0.25, 40, 0.0)
    low, high = errors["interval"]
    assert low < 0.25 < high
    stems = {name.partition(".")[0] for name in found["metrics"]}
    assert {
        "pass_rate",
        "score",
        "cost_per_request",
        "latency_p99",
        "refusal_rate",
        "complaint_rate",
    } <= stems
    assert stems <= set(METRICS)
    assert set(found["status"]) == {"quality", "cost", "latency", "safety", "signals", "errors"}


def test_by_a_dimension(live: LiveDesk) -> None:
    assert live.run("live", "--by", "version", "--metric", "error_rate", "--json") == 0
    lines = json.loads(live.out)["plots"]["lines"]
    assert {x["name"]: x["metrics"]["error_rate"]["value"] for x in lines} == {"v1": 0.0, "v2": 1.0}
    assert live.run("live", "--by", "user") == 0
    assert "pass rate by user" in live.out
    assert "ann" in live.out


def test_a_filter_and_a_window(live: LiveDesk) -> None:
    assert live.run("live", "--json", "--since", "48h", "--version", "v1") == 0
    assert json.loads(live.out)["requests"] == 50
    assert live.run("live", "--json", "--since", "all", "--user", "bob") == 0
    assert json.loads(live.out)["requests"] == 10


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--metric", "eror_rate"], "there is no figure 'eror_rate'; did you mean 'error_rate'"),
        (["--metric", "score"], "write score.SCORER"),
        (["--since", "soon"], "'soon' is no time"),
        (["--json", "--markdown"], "two forms of one answer"),
    ],
)
def test_mistakes_are_sentences(live: LiveDesk, given: list[str], said: str) -> None:
    assert live.run("live", *given) == 2
    # With --json, mistakes are told on stdout.
    assert said in live.err + live.out


def test_markdown_and_the_weekly_report(live: LiveDesk) -> None:
    assert live.run("live", "--markdown") == 0
    assert "| ! |" not in live.out
    assert "**errors**" in live.out
    assert live.run("live", "--weekly") == 0
    weekly = live.out
    assert live.run("live", "report") == 0
    for part in (
        *("# The week in live traffic", "## At a glance", "## By version", "## What got worse", "## Alerts"),
        *("## The dearest features", "## The dearest users", "## Worth a look", "## Cases made of traffic"),
    ):
        assert part in weekly
        assert part in live.out


def test_requests_are_listed_and_counted(live: LiveDesk) -> None:
    assert live.run("live", "requests", "--only", "failed", "--limit", "3", "--json") == 0
    found = json.loads(live.out)
    assert found["count"] == 10
    assert len(found["requests"]) == 3
    assert all(r["version"] == "v2" and r["error"] == "p1 · timeout" for r in found["requests"])
    assert live.run("live", "requests", "--limit", "2") == 0
    assert "38 more" in live.err
    assert "question 1?" in live.out


def test_a_request_is_shown_with_what_was_said_of_it(live: LiveDesk) -> None:
    assert live.run("live", "show", trace_id_of(0)[:12]) == 0
    assert "faithfulness" in live.out
    assert "0.90" in live.out
    assert "model call" in live.out
    assert live.run("live", "show", trace_id_of(0)[:12], "--markdown") == 0
    assert "## What was said of it" in live.out
    assert live.run("live", "show", trace_id_of(30), "--json") == 0
    found = json.loads(live.out)
    assert found["signals"][0]["kind"] == "thumb"
    assert found["request"]["trace_id"] == trace_id_of(30)
    assert "chat" in json.dumps(found["trace"])


@pytest.mark.parametrize("id_", ["nothing", "1234", "f" * 32])
def test_a_trace_that_is_not_there_is_a_sentence(live: LiveDesk, id_: str) -> None:
    assert live.run("live", "show", id_) == 2
    assert "error:" in live.err


def test_a_signal_counts_at_once_and_only_once(live: LiveDesk) -> None:
    def complained() -> float:
        live.run("live", "--json", "--version", "v1")
        return float(json.loads(live.out)["metrics"]["complaint_rate"]["value"])

    assert complained() == 0
    words = ["signal", "thumb", "down", "--trace", trace_id_of(0)[:10], "--at", "2026-01-01T00:00:00Z"]
    assert live.run(*words) == 0
    assert "thumb 0 noted" in live.out
    assert complained() == pytest.approx(1 / 30)
    assert live.run(*words) == 0
    assert "was noted already" in live.out
    assert complained() == pytest.approx(1 / 30)


def test_an_edit_is_told_by_its_two_texts(live: LiveDesk, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abcd")
    (tmp_path / "b").write_text("abXY")
    files = ["--original", str(tmp_path / "a"), "--edited", str(tmp_path / "b")]
    assert live.run("signal", "edit", "--trace", trace_id_of(1), *files, "--json") == 0
    assert json.loads(live.out)["value"] == 0.5
    with LiveStore.open(live.root / LIVE_DATABASE, read_only=True) as store:
        listed = store.requests.find(trace_id_of(1))
        assert listed is not None
        assert [s.edited for s in store.requests.signals(listed.id)] == ["abXY"]


def test_a_signal_by_hand_is_redacted_like_any_other(live: LiveDesk) -> None:
    (live.root / "llmops.yaml").write_text("live: {hash_users: true, redact: [email]}\n")
    words = ["--user", "ann", "--comment", "write to ann@example.com", "--trace", trace_id_of(2)]
    assert live.run("signal", "thumb", "up", *words) == 0, live.err
    with LiveStore.open(live.root / LIVE_DATABASE, read_only=True) as store:
        listed = store.requests.find(trace_id_of(2))
        assert listed is not None
        (signal,) = store.requests.signals(listed.id)
    assert signal.user not in ("", "ann")
    later = Made(time.time(), "v7", "desk", user=signal.user)
    with LiveStore.open(live.root / LIVE_DATABASE) as store:
        store.ingest([batch_of([later], 900)], time.time())
    assert live.run("live", "--json", "--user", "ann") == 0
    assert json.loads(live.out)["requests"] == 1
    assert "ann@example.com" not in signal.comment


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["thumb", "up"], "says of no answer what it is about"),
        (["rating", "7", "--session", "s"], "no number from 0 to 1"),
        (["thumb", "--session", "s"], "a thumb without a value"),
    ],
)
def test_wrong_signals_are_sentences(live: LiveDesk, words: list[str], said: str) -> None:
    assert live.run("signal", *words) == 2
    assert said in live.err


def test_the_queue_says_why_and_forgets_what_is_done(live: LiveDesk) -> None:
    assert live.run("queue", "--json", "--limit", "50") == 0
    found = json.loads(live.out)["queue"]
    first = found[0]
    assert {r["why"] for r in first["reasons"]} == {"the user gave a thumb down", "it failed (p1 · timeout)"}
    assert live.run("queue", "done", first["trace_id"][:12]) == 0
    assert live.run("queue", "--json", "--limit", "50") == 0
    left = json.loads(live.out)["queue"]
    assert first["trace_id"] not in {each["trace_id"] for each in left}
    assert live.run("queue", "done", "--undo", first["trace_id"]) == 0
    assert live.run("queue") == 0
    assert "the user gave a thumb down; it failed" in live.out or "it failed" in live.out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--version", "v99"], "no request in this window is of version 'v99'; there are v1, v2"),
        (["--config", "nosuch"], "no request in this window is of config 'nosuch'; there is desk"),
        (["--feature", "x", "--user", "eve"], "is of user 'eve'; there are ann, bob"),
        (
            ["--version", "v2", "--since", "2020-01-01", "--until", "2020-01-02"],
            "nothing there names one",
        ),
    ],
)
@pytest.mark.parametrize("command", [["live"], ["live", "requests"], ["live", "report"]])
def test_a_name_that_takes_nothing_is_told_with_what_there_is(
    live: LiveDesk, command: list[str], given: list[str], said: str
) -> None:
    assert live.run(*command, *given) == 0
    assert said in live.err
    assert live.run(*command, "--version", "v2") == 0
    assert live.err == ""


def test_at_most_eight_names_are_told(desk: Desk) -> None:
    now = time.time()
    live_store(desk.root, [Made(now - 60, f"v{n}") for n in range(1, 12)], now).close()
    assert " and 3 more\n" in desk("live", "--version", "v99")[2]


def test_an_alert_about_what_is_not_there_is_told(live: LiveDesk) -> None:
    settings = live.root / "llmops.yaml"
    rule = "alerts: [{name: slow, metric: latency_p95, above: 4s, feature: refund}]\n"
    before = settings.read_text(encoding="utf-8") if settings.exists() else ""
    settings.write_text(before + rule, encoding="utf-8")
    assert live.run("alerts") == 0
    assert "alert slow: no request of the last 7 days is of feature 'refund'; there is chat" in live.err
