"""`live`, `channels` and `alerts` of llmops.yaml: resolved, and every mistake with its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.live.duration import duration_s, percentage
from llmops_tui.domain.live.settings import DEFAULT_RULES, REDACTED, Canary, LiveSettings
from llmops_tui.monitoring.redaction import BUILT_IN
from llmops_tui.workspace import json_schema, load, load_cached, template

Build = Callable[..., Path]

WHOLE = """\
live:
  port: 4400
  token: ${COLLECT_TOKEN}
  keep_days: 7
  max_mb: 500
  hash_users: true
  redact: [email, 'order-[0-9]+']
  guards_sample: 0.02
  sample:
    rate: 0.1
    features: {refunds: 0.5}
    scorers: [{max_words: 60}, refusal, {max_words: 90}]
    per_day_usd: 1.0
    per_minute: 30
  canary: {config: bench, every: 6h}
channels:
  pager: {command: [notify-send, llmops]}
  chat: {webhook: "${CHAT_WEBHOOK}"}
alerts:
  - {name: slow, metric: latency_p95, window: 15m, above: 4s, to: [chat]}
  - {name: worse, metric: pass_rate, window: 1h, decrease: 10%, min_n: 40, for: 10m, severity: critical}
  - {name: errors, metric: error_rate, window: 10m, above: 5%, feature: refunds}
  - {name: hourly, metric: ttft_p50, increase: 0.5, reference: same_hours}
  - {name: inputs, metric: drift.input_words}
"""


def read(workspace: Build, text: str) -> tuple[LiveSettings, list[str]]:
    """The settings, and what was said of them."""
    found = load(workspace(files={"llmops.yaml": text}))
    return found.live, [str(problem) for problem in found.problems]


def said(workspace: Build, *rules: str, channels: str = "{}") -> list[str]:
    """What is said of alerts; the first stands in line 3."""
    return read(workspace, "\n".join([f"channels: {channels}", "alerts:", *(f"  - {r}" for r in rules)]))[1]


def test_all_of_it_is_resolved(workspace: Build) -> None:
    live, problems = read(workspace, WHOLE)
    assert problems == []
    assert (live.port, live.token, live.keep_days, live.max_mb) == (4400, "${COLLECT_TOKEN}", 7, 500)
    assert live.hash_users
    assert live.redact == ("email", "order-[0-9]+")
    assert live.guards_sample == 0.02
    assert [use.label for use in live.sampling.scorers] == ["max_words", "refusal", "max_words#2"]
    assert (live.sampling.rate, live.sampling.features) == (0.1, {"refunds": 0.5})
    assert live.canary == Canary("bench", 21_600)
    assert [c.command or c.url for c in live.channels] == [("notify-send", "llmops"), "${CHAT_WEBHOOK}"]
    slow, worse, errors, hourly, inputs = live.rules
    assert (slow.above, slow.window_s, slow.to) == (4, 900, ("chat",))
    assert (worse.decrease, worse.min_n, worse.for_s, worse.severity) == (0.1, 40, 600, "critical")
    assert (errors.above, errors.feature) == (0.05, "refunds")
    assert (hourly.increase, hourly.reference) == (0.5, "same_hours")
    assert (inputs.is_drift, inputs.window_s) == (True, 86_400)


def test_a_workspace_that_says_nothing_has_a_few_rules_and_an_empty_list_has_none(workspace: Build) -> None:
    assert load(workspace()).live == LiveSettings(rules=DEFAULT_RULES)
    assert read(workspace, "alerts: []\n")[0].rules == ()
    assert read(workspace, "live: {port: 4400}\n")[0].rules == DEFAULT_RULES


def test_it_is_the_same_from_the_memo(workspace: Build) -> None:
    root = workspace(files={"llmops.yaml": WHOLE})
    assert load_cached(root).live == load_cached(root).live == load(root).live


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            "{name: a, metric: latncy_p95, above: 4s}",
            "llmops.yaml:3 there is no metric 'latncy_p95'; did you mean 'latency_p95'?",
        ),
        (
            "{name: a, metric: score, below: 0.5}",
            "llmops.yaml:3 'score' names no scorer; write score.NAME",
        ),
        (
            "{name: a, metric: error_rate.x, above: 5%}",
            "llmops.yaml:3 'error_rate' has nothing after a dot; write metric: error_rate",
        ),
        (
            "{name: a, metric: error_rate}",
            "llmops.yaml:3 'a' needs exactly one of above, below, increase, decrease, not none;"
            " write above: 5%, or increase: 20%",
        ),
        (
            "{name: a, metric: error_rate, above: 5%, increase: 10%}",
            "llmops.yaml:3 'a' needs exactly one of above, below, increase, decrease, not above and increase;"
            " write above: 5%, or increase: 20%",
        ),
        (
            "{name: a, metric: error_rate, above: 5}",
            "llmops.yaml:3 errors lies between 0 and 1, so that above: 5 never says anything;"
            " write above: 5%",
        ),
        (
            "{name: a, metric: latency_p95, above: 5 bananas}",
            "llmops.yaml:3 '5 bananas' is no limit of latency p95; write above: 4s",
        ),
        (
            "{name: a, metric: pass_rate, decrease: 150%}",
            "llmops.yaml:3 nothing can decrease by 150%; write decrease: 10%",
        ),
        (
            "{name: a, metric: error_rate, above: 5%, window: 15 bananas}",
            "llmops.yaml:3 '15 bananas' is not a duration; write window: 15m, 6h or 7d",
        ),
        (
            "{name: a, metric: error_rate, above: 5%, window: 20s}",
            "llmops.yaml:3 the window of 'a' is 20s; write 1m to 7d",
        ),
        (
            "{name: a, metric: error_rate, above: 5%, to: [caht]}",
            "llmops.yaml:3 there is no channel 'caht'; did you mean 'chat'?",
        ),
        (
            "{name: a, metric: error_rate, above: 5%, reference: before}",
            "llmops.yaml:3 'a' has a reference: a limit needs no reference; remove it",
        ),
        (
            "{name: a, metric: error_rate, above: 5%, for: soon}",
            "llmops.yaml:3 'soon' is not a duration; write for: 15m, 6h or 7d",
        ),
        (
            "{name: a, metric: drift.weather}",
            "llmops.yaml:3 there is no metric 'drift.weather'; what may drift: input_words, output_words,"
            " latency, language, terms, score.NAME",
        ),
        (
            "{name: a, metric: drift.language, above: 3}",
            "llmops.yaml:3 'a' is about drift, which has no limit; remove above: it fires where drift is"
            " proven and not small",
        ),
        (
            "{name: a, metric: error_rate, abov: 5%}",
            "llmops.yaml:3 unknown key 'abov' in alerts[1]; did you mean 'above'?",
        ),
        (
            "{name: a b, metric: error_rate, above: 5%}",
            "llmops.yaml:3 'a b' is no name of an alert; use letters, digits, dots, - and _",
        ),
    ],
)
def test_a_mistake_in_a_rule_is_a_sentence(workspace: Build, rule: str, sentence: str) -> None:
    found = said(workspace, rule, channels="{chat: {webhook: '${W}'}}")
    assert found
    assert found[0].startswith(sentence)


def test_two_rules_of_a_name_are_a_mistake(workspace: Build) -> None:
    rule = "{name: a, metric: error_rate, above: 5%}"
    assert said(workspace, rule, rule) == [
        "llmops.yaml:4 there are two alerts named 'a'; give one another name"
    ]


def test_a_metric_that_can_not_be_tested_says_what_then(workspace: Build) -> None:
    (warning,) = said(workspace, "{name: a, metric: cost, above: 20}")
    assert "chance can't be told from change" in warning
    assert load(workspace(files={"llmops.yaml": "alerts: [{name: a, metric: cost, above: 20}]"})).errors == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("live: {token: s3cret-token}", "llmops.yaml:1 a key is written out in a file that is in git"),
        (
            "channels: {chat: {webhook: https://hooks.example/services/T/B/x}}",
            "llmops.yaml:1 a key is written out in a file that is in git; write webhook: ${CHAT_WEBHOOK}",
        ),
        (
            "channels: {chat: {webhook: '${W}', headers: {Authorization: Bearer abc}}}",
            "llmops.yaml:1 a key is written out in a file that is in git",
        ),
        ("channels: {chat: {}}", "llmops.yaml:1 the channel 'chat' needs exactly one of command and webhook"),
        (
            "channels: {chat: {webhook: chat.example}}",
            "llmops.yaml:1 the webhook of the channel 'chat' is not",
        ),
        (
            "channels: {chat: {command: []}}",
            "llmops.yaml:1 the command of the channel 'chat' names no program",
        ),
        (
            "channels: {chat: {command: 'a \"b'}}",
            "llmops.yaml:1 the command of the channel 'chat' can't be read",
        ),
        (
            "live: {canary: {config: bnech}}",
            "llmops.yaml:1 there is no configuration 'bnech'; did you mean 'bench'?",
        ),
        (
            "live: {canary: {config: bench, every: 1s}}",
            "llmops.yaml:1 '1s' is not how often a canary can run",
        ),
        ("live: {redact: ['a(']}", "llmops.yaml:1 'a(' is not a regular expression"),
        ("live: {redact: ['a*']}", "llmops.yaml:1 'a*' matches nothing at all, and so everywhere"),
        (
            "live: {redact: [emial]}",
            "llmops.yaml:1 'emial' is taken for a regular expression: no built-in pattern has this name;"
            " did you mean 'email'?",
        ),
        (
            "live: {sample: {rate: 0.1, scorers: [refusl]}}",
            "llmops.yaml:1 there is no scorer 'refusl'; did you mean 'refusal'?",
        ),
        (
            "live: {sample: {rate: 0.1, scorers: [equals]}}",
            "llmops.yaml:1 equals needs 'expected', which a live request does not have",
        ),
        ("live: {sample: {rate: 0.1}}", "llmops.yaml:1 requests are sampled, and no scorer judges them"),
        (
            "live: {sample: {rate: 0.1, scorers: [faithfulness]}}",
            "llmops.yaml:1 faithfulness names no model that judges",
        ),
        ("live: {sample: {rate: 2}}", "llmops.yaml:1 'live.sample.rate' must be at most 1, not 2"),
    ],
)
def test_a_mistake_elsewhere_is_a_sentence(workspace: Build, text: str, sentence: str) -> None:
    _, found = read(workspace, text)
    assert [s for s in found if s.startswith(sentence)], found


def test_a_written_out_key_is_copied_nowhere(workspace: Build) -> None:
    root = workspace(files={"llmops.yaml": "live: {token: s3cret-token}"})
    load_cached(root)
    kept = [p for p in (root / ".llmops").rglob("*") if p.is_file() and b"s3cret-token" in p.read_bytes()]
    assert kept == []


def test_what_can_be_redacted_by_name_is_what_redaction_knows() -> None:
    assert set(REDACTED) == set(BUILT_IN)


def test_the_schema_that_editors_read_has_all_of_it() -> None:
    made = json_schema("workspace")
    assert {"live", "channels", "alerts"} <= made["properties"].keys()
    assert "for" in made["$defs"]["AlertEntry"]["properties"]


@given(st.integers(1, 999), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_a_duration_of_one_unit_is_read(n: int, unit: str) -> None:
    worth = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400}[unit]
    assert duration_s(f"{n}{unit}") == pytest.approx(n * worth)
    assert duration_s(f"{n} {unit}") == pytest.approx(n * worth)


@given(st.text(max_size=20))
def test_no_text_breaks_the_reading_of_durations_and_percentages(text: str) -> None:
    for found in (duration_s(text), percentage(text)):
        assert found is None or found >= 0


def test_durations_add_up() -> None:
    assert duration_s("1h 30m") == duration_s("1h30m") == 5_400
    assert [duration_s(bad) for bad in ("", "15", "m", "-5m", "1h 30", "inf s", "1e9s")] == [None] * 7


def test_versions_of_several_configurations_are_not_compared_unawares(workspace: Build) -> None:
    rule = "{name: a, metric: error_rate, increase: 50%%, reference: version%s}"
    text = f"alerts:\n  - {rule % ''}\n"
    config = "prompt: prompts/p.md\nmodels: [echo/parrot]\nevals: []\n"
    files = {"llmops.yaml": text, "configs/other.yaml": config}
    told = [str(problem) for problem in load(workspace(files=files)).problems]
    assert any("compares versions of all 2 configurations" in problem for problem in told)
    files["llmops.yaml"] = f"alerts:\n  - {rule % ', config: other'}\n"
    told = [str(problem) for problem in load(workspace(files=files)).problems]
    assert not any("compares versions" in problem for problem in told)


def test_what_the_template_has_as_comments_holds_when_it_is_no_comment(tmp_path: Path) -> None:
    template.create(tmp_path / "w")
    settings = tmp_path / "w" / "llmops.yaml"
    text = settings.read_text(encoding="utf-8")
    assert load(tmp_path / "w").live.rules == DEFAULT_RULES
    at = text.index("# live:")
    keys = re.compile(r"^# (?=live:|channels:|alerts:|  )", re.MULTILINE)
    settings.write_text(text[:at] + keys.sub("", text[at:]), encoding="utf-8")
    found = load(tmp_path / "w")
    assert [str(problem) for problem in found.problems] == []
    assert found.live.sampling.rate == 0.1
    assert [channel.name for channel in found.live.channels] == ["chat"]
    assert [rule.name for rule in found.live.rules] == ["slow", "worse-answers"]


def test_the_six_rules_that_are_there_to_copy_are_those_that_hold(workspace: Build) -> None:
    page = (Path(__file__).parents[2] / "docs/alerts.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(alerts:\n.*?)```", page, re.DOTALL)
    assert load(workspace(files={"llmops.yaml": block})).live.rules == DEFAULT_RULES
