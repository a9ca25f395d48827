"""JUnit XML: the structure that CI servers validate, red where the gate is red, valid whatever the text."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import msgspec
import pytest
from gate_outcomes import outcome
from hypothesis import given as examples
from hypothesis import strategies as st

from llmops_tui.domain.gate.settings import GateSettings, MaxDrop
from llmops_tui.report.junit import junit_xml
from tests.domain import gate_cases

#: `junit-10.xsd` of Jenkins' xUnit plugin: element → (children, needed attributes, other attributes).
STRUCTURE = {
    "testsuites": ({"testsuite"}, set(), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
    ),
    "properties": ({"property"}, set(), set()),
    "property": (set(), {"name", "value"}, set()),
    "testcase": (
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"name"},
        {"time", "classname"},
    ),
    "failure": (set(), set(), {"type", "message"}),
    "error": (set(), set(), {"type", "message"}),
    "skipped": (set(), set(), {"type", "message"}),
    "system-out": (set(), set(), set()),
    "system-err": (set(), set(), set()),
}


def written(given: gate_cases.GateInput, settings: GateSettings | None = None, **more: object) -> ET.Element:
    places = dict.fromkeys(given.cases, ("evals/bench.yaml", 3))
    root = ET.fromstring(junit_xml([(outcome(given, settings, **more), places)], at=0.0))
    check(root)
    (suite,) = root
    for outcome_, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(suite.attrib[count]) == len(suite.findall(f"testcase/{outcome_}"))
    assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
    return suite


def check(element: ET.Element) -> None:
    children, needed, others = STRUCTURE[element.tag]
    assert needed <= element.attrib.keys() <= needed | others, element.tag
    for child in element:
        assert child.tag in children, (element.tag, child.tag)
        check(child)


def state(suite: ET.Element, name: str) -> str:
    (case,) = [c for c in suite.findall("testcase") if c.get("name") == name]
    return case[0].tag if len(case) else "passed"


def test_a_failure_is_that_of_the_rule_and_of_the_cases_that_it_names() -> None:
    suite = written(gate_cases.given("pppf", "pfpf", fact=True))
    assert (suite.get("failures"), suite.get("errors")) == ("2", "0")
    assert [state(suite, n) for n in ("pass_rate", "review", "c0", "c1", "c3")] == [
        "failure",
        "passed",
        "passed",
        "failure",
        "passed",
    ]
    failure = suite.find("testcase[@name='c1']/failure")
    assert failure is not None
    assert (failure.text or "").splitlines() == ["evals/bench.yaml:3", "passed → failed"]
    assert "the pass rate fell by 25.0 points" in failure.attrib["message"]


def test_the_file_is_green_where_the_gate_passes_though_a_case_was_lost() -> None:
    suite = written(gate_cases.given("pf", "fp", fact=True))
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "0", "0")


def test_errors_are_errors_where_they_decide_and_skipped_where_they_are_put_up_with() -> None:
    given = gate_cases.given("pp", "pe", fact=True)
    assert state(written(given), "c1") == "error"
    assert state(written(given), "errors") == "error"
    suite = written(given, GateSettings(max_errors=1))
    assert (state(suite, "c1"), suite.get("errors")) == ("skipped", "0")


def test_what_is_left_open_is_an_error_unless_it_is_let_pass() -> None:
    given, rules = gate_cases.given("p" * 8, "p" * 6 + "ff"), GateSettings(max_drop=MaxDrop(pass_rate=0.05))
    assert state(written(given, rules), "pass_rate") == "error"
    let_pass = msgspec.structs.replace(rules, on_inconclusive="pass")
    suite = written(given, let_pass)
    assert (state(suite, "pass_rate"), suite.get("errors")) == ("skipped", "0")


def test_what_does_not_count_is_skipped_and_says_why() -> None:
    before, after = {"a": "p", "b": "p", "c": "u"}, {"a": "p", "b": "f", "c": "u", "d": "p"}
    given = gate_cases.given(before, after, fact=True, known_failing=["b"])
    suite = written(given)
    said = {c.get("name"): c[0].get("message") for c in suite.findall("testcase") if len(c)}
    assert said["b"] == "known to fail: known"
    assert "one side only" in str(said["d"])
    assert "no scorer" in str(said["c"])
    assert suite.get("failures") == "0"


def test_rejected_changes_fail_and_accepted_ones_do_not() -> None:
    suite = written(gate_cases.given("pp", "fp", fact=True, decisions={"c0": "accepted", "c1": "rejected"}))
    assert (state(suite, "c0"), state(suite, "c1"), state(suite, "review")) == (
        "passed",
        "failure",
        "failure",
    )


def test_every_gate_is_a_suite_of_its_own() -> None:
    one = (outcome(gate_cases.given("p", "p", fact=True)), {})
    root = ET.fromstring(junit_xml([one, one], at=0.0))
    check(root)
    assert [suite.get("id") for suite in root] == ["0", "1"]


@examples(st.text())
def test_any_text_makes_valid_xml(text: str) -> None:
    hostile = text + "\x00\x1b[31m\x85\ud800\ufffe<&]]>\"'"
    given = gate_cases.given(
        {hostile: "p", "b": "p"}, {hostile: "f", "b": "p"}, fact=True, tags={hostile: ["critical"]}
    )
    suite = written(given, failures=(hostile,))
    assert suite.get("failures") == "3"


@pytest.mark.parametrize("control", ["\x0b", "\ufffe", "\uffff", "\ud83d", "\u202e"])
def test_what_xml_cannot_hold_is_replaced(control: str) -> None:
    suite = written(gate_cases.given({f"a{control}b": "p"}, {f"a{control}b": "f"}, fact=True))
    (name,) = [c.attrib["name"] for c in suite.findall("testcase") if c.attrib["classname"] == "bench.cases"]
    assert name.startswith("a")
    assert name.endswith("b")
    assert control not in name
