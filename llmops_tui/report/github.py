"""What GitHub Actions shows of a gate: annotations at the cases' lines, and a summary of the job.

A line of a log that begins with `::`, or has `##[` in it, is a command to the runner
(https://docs.github.com/actions/reference/workflow-commands-for-github-actions), so text that nobody
vouches for is cleaned, put on one line and escaped as the runner unescapes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from llmops_tui.domain.gate.result import RuleResult
from llmops_tui.domain.review import Decision, PairKey
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report.gate_markdown import gate_document
from llmops_tui.report.shapes import Gated, Places

Level = Literal["error", "warning", "notice"]
#: Annotations of one kind that GitHub keeps of a step.
MOST = 10
#: Bytes that a step's summary may have; a longer one is refused as a whole.
SUMMARY_BYTES = 1024 * 1024
#: What a file is called at the root of the repository.
PathOf = Callable[[str], str]


def annotation_lines(gated: Gated, places: Places, path_of: PathOf, exit_code: int) -> list[str]:
    """Workflow commands, one a line: the verdict, then the cases that the deciding rules name.

    Args:
        path_of: of a file as cases name it.
        exit_code: of the gate; what lets the job pass is no error.
    """
    result = gated.result
    if result.verdict == "pass":
        return []
    level: Level = "error" if exit_code else "warning"
    config, new, old = gated.candidate.config, gated.candidate.name, gated.baseline.name
    title = f"{config}: {result.verdict}"
    why = result.reasons[0] if result.reasons else result.headline
    first = command(level, f"{new} against {old}: {why}", {"title": title})
    rules = [r for r in result.rules if r.ok is False] or [r for r in result.rules if r.ok is None]
    lines = [first]
    for key, rule in _named(rules).items():
        if len(lines) == MOST:
            break
        file, line = places.get(key[0], ("", None))
        properties = {"title": f"{config}: {key[0]}"}
        if file:
            where = {"file": path_of(file), **({"line": str(line)} if line is not None else {})}
            properties = {**where, **properties}
        failed = level if rule.ok is False else "warning"
        lines.append(command(failed, _about(gated, key, rule), properties))
    return lines


def _named(rules: Sequence[RuleResult]) -> dict[PairKey, RuleResult]:
    named: dict[PairKey, RuleResult] = {}
    for rule in rules:
        for key in rule.cases:
            named.setdefault(key, rule)
    return named


def _about(gated: Gated, key: PairKey, rule: RuleResult) -> str:
    pair = next((p for p in gated.comparison.pairs if (p.case_id, p.model) == key), None)
    if pair is None:
        return f"{key[0]} on {key[1]} ({rule.rule})"
    rows = (pair.baseline, pair.candidate)
    before, after = (row.status if row is not None else "not there" for row in rows)
    failure = next((i.failure for row in rows if row for i in row.planned if i.failure), "")
    said = f"{key[0]} on {key[1]}: {before} → {after} ({rule.rule})"
    return f"{said}: {failure}" if failure else said


def command(name: Level, message: str, properties: Mapping[str, str]) -> str:
    """`::error file=evals/a.yaml,line=3,title=…::message`, whatever the texts hold."""
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return clean_line(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(gates: Sequence[tuple[Gated, Mapping[PairKey, Decision]]], *, room: int = SUMMARY_BYTES) -> str:
    """The job's summary as markdown; what is too long for GitHub is told without its numbers.

    Args:
        room: bytes that it may have.
    """
    text = "".join(gate_document(gated, decisions) for gated, decisions in gates)
    if len(text.encode()) <= room:
        return text
    text = "".join(gate_document(gated, decisions, brief=True) for gated, decisions in gates)
    encoded = text.encode()
    if len(encoded) <= room:
        return text
    note = "\n\nThe rest is left out: GitHub shows no more. `llmops-tui gate --markdown FILE` has it all.\n"
    return encoded[: max(room - len(note.encode()), 0)].decode("utf-8", "ignore") + note
