"""Gates as JUnit XML, which every CI shows: a test case for each rule, and one for each case and model.

The file is red exactly where the gate is: a case fails where a rule that failed names it, and not where it
merely changed. Structure: `junit-10.xsd` of Jenkins' xUnit plugin, without what other readers don't know:
where a case is written stands in the text of its failure, since a test case has no attribute for it there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Literal
from xml.etree import ElementTree as ET

import msgspec

from llmops_tui.domain.comparison import Pair
from llmops_tui.domain.gate.result import GateResult, RuleResult
from llmops_tui.domain.review import PairKey
from llmops_tui.domain.safe_text import clean, clean_line
from llmops_tui.report.shapes import Gated, Places

Outcome = Literal["passed", "failure", "error", "skipped"]
#: What XML 1.0 (section 2.2) can't hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Test(msgspec.Struct, frozen=True):
    """One test case. `said` is why, `more` what else to know where it did not pass."""

    group: str
    name: str
    outcome: Outcome
    said: str = ""
    more: str = ""
    time_s: float = 0.0
    kind: str = ""


def junit_xml(gates: Sequence[tuple[Gated, Places]], *, at: float) -> bytes:
    """A suite for each gate.

    Args:
        at: Unix seconds, when it was written.
    """
    root = ET.Element("testsuites")
    for number, (gated, places) in enumerate(gates):
        root.append(_suite(gated, places, number, at))
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode")
    return b"<?xml version='1.0' encoding='utf-8'?>\n" + text.encode() + b"\n"


def _suite(gated: Gated, places: Places, number: int, at: float) -> ET.Element:
    result = gated.result
    config = gated.candidate.config
    tests = [_rule(rule, result, f"{config}.rules") for rule in result.rules]
    tests += _cases(gated, places, f"{config}.cases")
    counts = {o: sum(t.outcome == o for t in tests) for o in ("failure", "error", "skipped")}
    name = f"llmops-tui gate: {config}"
    suite = ET.Element(
        "testsuite",
        {
            "name": _attribute(name),
            "tests": str(len(tests)),
            "failures": str(counts["failure"]),
            "errors": str(counts["error"]),
            "skipped": str(counts["skipped"]),
            "time": _seconds(sum(t.time_s for t in tests)),
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)),
            "hostname": "localhost",
            "id": str(number),
            "package": "llmops-tui",
        },
    )
    properties = ET.SubElement(suite, "properties")
    for key, value in _properties(gated):
        ET.SubElement(properties, "property", {"name": key, "value": _attribute(value)})
    for test in tests:
        suite.append(_element(test))
    ET.SubElement(suite, "system-out").text = _text("\n".join(result.reasons))
    ET.SubElement(suite, "system-err").text = _text("\n".join(gated.failures))
    return suite


def _properties(gated: Gated) -> list[tuple[str, str]]:
    result = gated.result
    return [
        ("verdict", result.verdict),
        ("headline", result.headline),
        ("baseline", gated.baseline.name),
        ("candidate", gated.candidate.name),
        ("exploratory", str(result.exploratory).lower()),
        ("provider_calls", str(result.provider_calls)),
    ]


def _rule(rule: RuleResult, result: GateResult, group: str) -> _Test:
    outcome: Outcome = "passed"
    if not rule.judged:
        outcome = "skipped"
    elif rule.ok is False:
        outcome = "error" if rule.kind == "errors" else "failure"
    elif rule.ok is None:
        outcome = "skipped" if result.exit_code == 0 else "error"
    more = f"would decide: {rule.would_decide}" if rule.would_decide and rule.ok is not True else ""
    kind = "inconclusive" if rule.ok is None else rule.kind
    return _Test(group, rule.rule, outcome, rule.why, more, kind=kind)


def _cases(gated: Gated, places: Places, group: str) -> list[_Test]:
    result = gated.result
    blamed: dict[PairKey, RuleResult] = {}
    for rule in result.rules:
        if rule.ok is False or rule.rule == "missing":
            for key in rule.cases:
                blamed.setdefault(key, rule)
    known = {(f.case_id, f.model): f.known_failing for f in result.flips if f.known_failing}
    several = len({p.model for p in gated.comparison.pairs}) > 1
    tests = [_case(p, blamed, known, places) for p in gated.comparison.pairs]
    return [
        msgspec.structs.replace(t, group=group, name=f"{t.name} [{p.model}]" if several else t.name)
        for t, p in zip(tests, gated.comparison.pairs, strict=True)
    ]


def _case(
    pair: Pair,
    blamed: dict[PairKey, RuleResult],
    known: dict[PairKey, str],
    places: Places,
) -> _Test:
    key = (pair.case_id, pair.model)
    times = [i.latency_s for i in pair.candidate.planned if i.latency_s] if pair.candidate else []
    moved = _moved(pair)
    outcome: Outcome = "passed"
    said = kind = more = ""
    rule = blamed.get(key)
    if rule is not None:
        outcome = "error" if rule.kind == "errors" else "failure"
        said, kind = f"{moved}; {rule.rule}: {rule.why}", rule.rule
        more = "\n".join(x for x in (_place(places, pair.case_id), moved, _failures(pair)) if x)
    elif key in known:
        outcome, said = "skipped", f"known to fail: {known[key]}"
    elif pair.change == "error":
        outcome, said = "skipped", f"no result, which max_errors puts up with; {_failures(pair)}"
    elif pair.pending:
        outcome, said = "skipped", "not evaluated"
    elif pair.baseline is None or pair.candidate is None:
        outcome, said = "skipped", "on one side only: there is nothing to hold it against"
    elif "unscored" in (pair.baseline.status, pair.candidate.status):
        outcome, said = "skipped", "no scorer says passed or failed"
    return _Test("", pair.case_id, outcome, said, more, sum(times), kind)


def _place(places: Places, case_id: str) -> str:
    file, line = places.get(case_id, ("", None))
    return f"{file}:{line}" if line is not None else file


def _moved(pair: Pair) -> str:
    before, after = (row.status if row else "not there" for row in (pair.baseline, pair.candidate))
    return before if before == after else f"{before} → {after}"


def _failures(pair: Pair) -> str:
    rows = (pair.candidate, pair.baseline)
    return "; ".join(dict.fromkeys(i.failure for r in rows if r for i in r.planned if i.failure))


def _element(test: _Test) -> ET.Element:
    attributes = {
        "classname": _attribute(test.group),
        "name": _attribute(test.name),
        "time": _seconds(test.time_s),
    }
    element = ET.Element("testcase", attributes)
    if test.outcome == "skipped":
        ET.SubElement(element, "skipped", {"message": _attribute(test.said)})
    elif test.outcome != "passed":
        why = {"message": _attribute(test.said), "type": test.kind}
        ET.SubElement(element, test.outcome, why).text = _text(test.more)
    return element


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", clean(text))


def _attribute(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", clean_line(text))
