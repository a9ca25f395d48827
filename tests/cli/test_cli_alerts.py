"""`alerts`: how rules stand, what cron gets, and a test through a channel."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from desk import Desk

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.alert_event import AlertEvent
from llmops_tui.domain.live.arrival import Arrived, Batch
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.trace import Span
from llmops_tui.monitoring.alerting import LOCK
from llmops_tui.store.live import LIVE_DATABASE, LiveStore
from llmops_tui.store.lock import WorkspaceLock

RULES = """\
channels:
  file: {command: [%s, -c, "import sys;open('told.jsonl','a').write(sys.stdin.read()+chr(10))"]}
alerts:
  - {name: errors, metric: error_rate, window: 15m, above: 20%%, severity: critical, to: [file]}
  - {name: slow, metric: latency_p95, above: 60s}
"""


def write_rules(root: Path) -> None:
    (root / "llmops.yaml").write_text(RULES % sys.executable, encoding="utf-8")


def traffic(root: Path, *, failed: bool) -> None:
    """An hour of traffic up to now."""
    now = time.time()
    spans = [
        Arrived(
            f"{n:032x}",
            Span(
                *(f"{n:016x}", "", "answer", "model", now - 3_600 + n * 9, now - 3_599 + n * 9),
                *("error" if failed else "ok", "", {a.MODEL: "small", a.FEATURE: "\x1b[31mred"}),
            ),
        )
        for n in range(400)
    ]
    with LiveStore.open(root / LIVE_DATABASE) as store:
        store.ingest([Batch(spans)], now)


def told(root: Path) -> list[dict[str, object]]:
    path = root / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_without_live_traffic_the_rules_are_listed_and_nothing_fires(desk: Desk) -> None:
    code, out, err = desk("alerts")
    assert (code, err) == (0, "")
    assert out.startswith("0 alerts of 6 rules fire, none was looked at yet")
    assert "latency_p95" in out
    assert desk("alerts", "--check")[0] == 0
    assert not (desk.root / LIVE_DATABASE).exists()


def test_a_check_from_cron_looks_tells_and_exits_with_1_while_a_rule_fires(desk: Desk) -> None:
    write_rules(desk.root)
    traffic(desk.root, failed=True)
    answer = desk.json("alerts", "--check", code=1)
    assert answer["firing"] == ["errors"]
    assert answer["checked"] is True
    rule = answer["rules"][0]
    assert (rule["state"], rule["value"], rule["limit"]) == ("firing", 1.0, 0.2)
    assert rule["requests"]["only"] == "failed"
    assert [t["state"] for t in told(desk.root)] == ["fired"]
    # Cron comes again: nobody is told twice, and it still fires.
    assert desk("alerts", "--check")[0] == 1
    assert len(told(desk.root)) == 1


def test_the_list_says_what_fires_since_when_and_which_requests(desk: Desk) -> None:
    write_rules(desk.root)
    traffic(desk.root, failed=True)
    desk("alerts", "--check")
    code, out, _ = desk("alerts")
    assert code == 0
    assert "1 alert of 2 rules fires" in out
    assert "● critical: errors  since " in out
    assert "error_rate is 100.0%" in out
    assert "llmops-tui live requests --since" in out
    assert "100.0% > 20.0%" in out
    assert "errors sent to file" in out
    assert "\x1b" not in out


def test_a_check_of_good_traffic_exits_with_0(desk: Desk) -> None:
    write_rules(desk.root)
    traffic(desk.root, failed=False)
    assert desk.json("alerts", "--check")["firing"] == []
    assert told(desk.root) == []


def test_while_another_process_looks_a_check_only_reads(desk: Desk) -> None:
    write_rules(desk.root)
    traffic(desk.root, failed=True)
    lock = WorkspaceLock(desk.root, LOCK)
    assert lock.acquire() is None
    assert desk.json("alerts", "--check")["checked"] is False
    assert told(desk.root) == []
    lock.release()


def test_a_test_goes_through_the_channels_of_its_rule(desk: Desk) -> None:
    write_rules(desk.root)
    code, out, _ = desk("alerts", "--test", "errors")
    assert (code, out) == (0, "file: told\n")
    assert [(t["rule"], t["state"]) for t in told(desk.root)] == [("errors", "test")]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--test", "errros"), "there is no alert 'errros'; did you mean 'errors'?"),
        (("--test", "slow"), "the alert 'slow' goes to the screen only; name channels: to: [chat]"),
        (("--test", "slow", "--check"), "--check and --test are two things: choose one"),
    ],
)
def test_a_call_that_can_not_be_meant_is_a_sentence(
    desk: Desk, words: tuple[str, ...], sentence: str
) -> None:
    write_rules(desk.root)
    code, _, err = desk("alerts", *words)
    assert code == 2
    assert sentence in err


def test_a_channel_that_fails_is_told_and_exits_with_3(desk: Desk) -> None:
    (desk.root / "llmops.yaml").write_text(
        "channels: {gone: {command: no-such-program-anywhere}}\n"
        "alerts: [{name: errors, metric: error_rate, above: 20%, to: [gone]}]\n",
        encoding="utf-8",
    )
    code, out, _ = desk("alerts", "--test", "errors")
    assert code == 3
    assert "can't be run" in out
    assert desk.json("alerts", "--test", "errors", code=3)["channels"]["gone"] is not None


def test_a_mistake_in_the_rules_is_told_and_one_elsewhere_is_not(desk: Desk) -> None:
    (desk.root / "configs/other.yaml").write_text("prompt: nowhere.md\n", encoding="utf-8")
    assert desk("alerts")[0] == 0
    (desk.root / "llmops.yaml").write_text("alerts: [{name: a, metric: nonsense}]\n", encoding="utf-8")
    code, _, err = desk("alerts", "--check")
    assert code == 2
    assert "llmops.yaml:1 there is no metric 'nonsense'" in err


def regress(root: Path) -> None:
    """A regression that a collector found, and did not live to see the end of."""
    at = time.time() - 600
    sentence = "desk v2 is worse than v1 (since it came): errors 1.0% → 20.0%"
    wanted = LiveFilter(since=at - 600, config="desk", version="v2")
    event = AlertEvent(
        "regression desk v2", "fired", at, "critical", "error_rate", sentence, 0.2, 90, 0.01, wanted
    )
    with LiveStore.open(root / LIVE_DATABASE) as store:
        store.alerts.keep({}, [event])


def test_a_regression_of_a_version_is_listed_as_it_fires(desk: Desk) -> None:
    write_rules(desk.root)
    regress(desk.root)
    code, out, _ = desk("alerts")
    assert code == 0
    assert "● critical: regression desk v2  since " in out
    assert "desk v2 is worse than v1" in out
    assert "--version v2" in out
    answer = desk.json("alerts")
    assert answer["firing"] == ["regression desk v2"]
    assert answer["regressions"][0]["requests"]["version"] == "v2"


def test_a_check_without_a_collector_ends_a_regression_that_is_over(desk: Desk) -> None:
    write_rules(desk.root)
    traffic(desk.root, failed=False)
    regress(desk.root)
    assert desk.json("alerts", "--check")["regressions"] == []
    assert [t["state"] for t in told(desk.root)] == ["ended"]


def test_a_check_says_which_channel_could_not_be_told(desk: Desk) -> None:
    (desk.root / "llmops.yaml").write_text(
        "channels: {gone: {command: no-such-program-anywhere}}\n"
        "alerts: [{name: errors, metric: error_rate, above: 20%, to: [gone]}]\n",
        encoding="utf-8",
    )
    traffic(desk.root, failed=True)
    code, _, err = desk("alerts", "--check")
    assert code == 1
    assert "sent to gone" not in err
    assert "fired: errors: not sent: gone: the command no-such-program-anywhere can't be run" in err
