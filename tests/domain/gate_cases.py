"""Comparisons made from a line of results, for the tests of the gate.

`"pf"` is a case whose first trial passed and whose second failed; `"e"` erred, `"m"` is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmops_tui.domain.comparison import Comparison, compare
from llmops_tui.domain.gate.rows import CaseFacts, GateInput
from llmops_tui.domain.review import Decision
from llmops_tui.domain.run import Item, RunInfo, Snapshot, VersionInfo, make_rows
from llmops_tui.domain.score import Status

MODEL = "local/m"
STATUS: dict[str, Status] = {"p": "passed", "f": "failed", "e": "error", "m": "missing", "u": "unscored"}
SCORE = {"p": 1.0, "f": 0.0}


def side(number: int, results: Mapping[str, str], texts: Mapping[str, str] | None = None) -> Snapshot:
    items = [
        Item(
            case,
            MODEL,
            trial,
            STATUS[letter],
            SCORE.get(letter),
            output_id=None if letter in "em" else number * 100_000 + n * 100 + trial,
            text_hash=""
            if letter in "em"
            else (texts or {}).get(case, f"{number:x}{n:07x}{letter.encode().hex()}00"),
            latency_s=1.0,
            cost_usd=0.001,
        )
        for n, (case, letters) in enumerate(results.items())
        for trial, letter in enumerate(letters)
    ]
    version = VersionInfo(number, "bench", number, f"{number:064x}", 0.0)
    total = len(items)
    return Snapshot(
        version, RunInfo(number, number, "manual", "complete", 0.0, total, total), make_rows(items)
    )


def between(baseline: Mapping[str, str], candidate: Mapping[str, str]) -> Comparison:
    return compare(side(1, baseline), side(2, candidate))


def cases(before: str, after: str) -> tuple[dict[str, str], dict[str, str]]:
    """One trial a case: `cases("ppf", "pff")`."""
    return {f"c{n}": r for n, r in enumerate(before)}, {f"c{n}": r for n, r in enumerate(after)}


def given(
    before: str | Mapping[str, str],
    after: str | Mapping[str, str],
    *,
    fact: bool = False,
    tags: Mapping[str, Sequence[str]] | None = None,
    groups: Mapping[str, str] | None = None,
    known_failing: Sequence[str] = (),
    decisions: Mapping[str, str] | None = None,
    **more: object,
) -> GateInput:
    """What a gate is given, by results alone."""
    if isinstance(before, str) and isinstance(after, str):
        before, after = cases(before, after)
    comparison = between(before, after)  # type: ignore[arg-type]
    names = {p.case_id for p in comparison.pairs}
    facts = {
        name: CaseFacts(
            tuple((tags or {}).get(name, ())),
            (groups or {}).get(name),
            "known" if name in known_failing else "",
        )
        for name in names
    }
    decided = {
        (name, MODEL): Decision("bench", name, MODEL, choice, (), ())  # type: ignore[arg-type]
        for name, choice in (decisions or {}).items()
    }
    return GateInput(
        comparison=comparison,
        cases=facts,
        decisions=decided,
        deterministic=frozenset({MODEL}) if fact else frozenset(),
        **more,  # type: ignore[arg-type]
    )
