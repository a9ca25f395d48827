"""The JSON shapes: the keys that the issue promises, figures that add up, and text that stays data."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import msgspec
from gate_outcomes import outcome
from sample_comparison import Sample

from llmops_tui.domain.errors import Problem
from llmops_tui.domain.gate.result import LookResult
from llmops_tui.domain.manifest import make_manifest, make_part
from llmops_tui.domain.run import tally
from llmops_tui.engine.events import VersionSummary
from llmops_tui.report.gate_json import gate_json, refused_json
from llmops_tui.report.json import compare_json, dumps, error_json, output_ids, run_json, show_json
from tests.domain import gate_cases


def test_a_run_adds_up_to_its_cases() -> None:
    side = Sample().comparison.candidate
    result = run_json(side.version, side.run, tally(side.rows))
    assert result["passed"] + result["failed"] + result["errors"] + result["unscored"] == result["cases"] == 5
    assert {
        "version",
        "config",
        "pass_rate",
        "mean_score",
        "provider_calls",
        "cached_outputs",
        "elapsed_s",
        "cost_usd",
    } <= result.keys()
    assert (result["version"], result["config"], result["provider_calls"]) == ("v12", "helpdesk", 4)


def test_a_run_with_nothing_to_do_sent_nothing_and_cost_nothing() -> None:
    side = Sample().comparison.baseline
    result = run_json(side.version, None, tally(side.rows))
    assert (result["state"], result["provider_calls"], result["cost_usd"]) == ("unchanged", 0, 0.0)
    assert result["cached_outputs"] == 5


def test_a_comparison_names_the_parts_and_gives_every_case_with_both_outputs() -> None:
    sample = Sample()
    result = compare_json(sample.comparison, sample.changes, sample.outputs())
    assert (result["baseline"], result["candidate"]) == ("v11", "v12")
    assert result["changed_parts"] == ["prompt", "params.temperature"]
    assert result["pass_rate"] == {"baseline": 0.75, "candidate": 0.75, "delta": 0.0, "n": 4}
    cases = {case["id"]: case for case in result["cases"]}
    assert {k: v["change"] for k, v in cases.items()} == {
        "refund-window": "regressed",
        "shipping-cost": "improved",
        "opening-hours": "same",
        "vat-number": "same",
        "gift-card": "error",
    }
    refund = cases["refund-window"]
    assert (refund["flip"], refund["delta"], refund["output_changed"]) == ("pass→fail", -1.0, True)
    assert (refund["baseline_score"], refund["candidate_score"]) == (1.0, 0.0)
    assert refund["baseline_output"] == sample.old_texts["refund-window"]
    assert refund["candidate_output"] == sample.new_texts["refund-window"]
    assert cases["gift-card"]["candidate_output"] is None
    assert cases["gift-card"]["error"] == "the provider said 500"


def test_the_outputs_it_needs_are_named() -> None:
    sample = Sample()
    assert set(sample.outputs()) <= set(output_ids(sample.comparison))


def test_what_a_model_wrote_reaches_the_pipe_escaped_and_unchanged() -> None:
    text = "\x1b[2Jgone \u202e \ud800 \x9b5m ünï"
    sample = Sample({"hostile": text})
    printed = dumps(compare_json(sample.comparison, (), sample.outputs()))
    assert printed.isascii()
    assert "\x1b" not in printed
    hostile = next(c for c in json.loads(printed)["cases"] if c["id"] == "hostile")
    assert hostile["candidate_output"] == text


def test_a_failure_says_what_where_and_what_to_do() -> None:
    problem = Problem("unknown variable 'contxt'", "did you mean 'context'?", "prompts/helpdesk.md", 4)
    error = error_json([problem], 2)["error"]
    assert error["message"] == ("prompts/helpdesk.md:4 unknown variable 'contxt'; did you mean 'context'?")
    assert error["exit_code"] == 2
    assert error["problems"][0] == {
        "message": "unknown variable 'contxt'",
        "remedy": "did you mean 'context'?",
        "file": "prompts/helpdesk.md",
        "line": 4,
        "warning": False,
    }


def test_every_key_is_described_on_the_page() -> None:
    sample = Sample()
    side = sample.comparison.candidate
    summary = VersionSummary(side.version, side.run, tally(side.rows), ("prompt",))
    part = make_part("params", "temperature", 0)
    answers = [
        {**run_json(side.version, side.run, tally(side.rows)), "failures": []},
        compare_json(sample.comparison, sample.changes, sample.outputs()),
        show_json(summary, make_manifest([part])),
        error_json([Problem("x")], 2),
        _every_key_of_a_gate(),
    ]
    page = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    said = set(re.findall(r"[`\"](\w+)[`\"]", page))
    for answer in answers:
        assert not _keys(answer) - said


def _every_key_of_a_gate() -> dict[str, object]:
    """With a flip, a flaky case, an accepted one and a look."""
    look = LookResult(1, 2, "inconclusive", 0.1, (-0.05, 0.25), 0.2, 0.033, 12, 0.5)
    before, after = {"a": "pp", "b": "pp", "c": "pp"}, {"a": "ff", "b": "pf", "c": "ff"}
    gated = outcome(gate_cases.given(before, after, decisions={"c": "accepted"}))
    gated = msgspec.structs.replace(gated, result=msgspec.structs.replace(gated.result, looks=(look,)))
    answer = gate_json(gated, [], 1)
    assert all(answer[key] for key in ("rules", "flips", "flaky", "accepted", "looks", "reasons"))
    return {**answer, "gates": [refused_json("bench", [Problem("x")], 2)]}


def test_a_gate_says_what_the_issue_promises() -> None:
    answer = gate_json(outcome(gate_cases.given("pp", "pf", fact=True)), [], 1)
    promised = {
        "verdict",
        "reasons",
        "rules",
        "flips",
        "flaky",
        "trials_spent",
        "provider_calls",
        "exploratory",
    }
    assert promised | {"exploratory"} <= answer.keys()
    assert all({"rule", "limit", "observed", "interval", "ok"} <= rule.keys() for rule in answer["rules"])


def test_what_is_beyond_all_bounds_is_null() -> None:
    gated = outcome(gate_cases.given("pp", "pp", fact=True))
    (first, *others) = gated.result.rules
    rules = (msgspec.structs.replace(first, observed=math.inf, interval=(0.0, math.inf)), *others)
    gated = msgspec.structs.replace(gated, result=msgspec.structs.replace(gated.result, rules=rules))
    rule = json.loads(dumps(gate_json(gated, [], 0)))["rules"][0]
    assert (rule["observed"], rule["interval"]) == (None, [0.0, None])


def _keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in _keys(inner)}
    if isinstance(value, list):
        return {key for inner in value for key in _keys(inner)}
    return set()
