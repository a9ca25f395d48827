"""Which changed part did it: mixtures of two versions on small real workspaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine_bench import Bench

from llmops_tui.domain.attribution import Explanation
from llmops_tui.engine.events import AskFirst, ExplainRequest
from llmops_tui.engine.explaining import ExplainOutcome, explain, stored

#: `echo` says the user message, cut to `max_tokens` words.
CASES = [
    {"id": "colour", "vars": {"question": "red"}, "scorers": [{"contains": "please"}]},
    {"id": "tone", "vars": {"question": "blue"}, "scorers": [{"contains": "please"}]},
    {"id": "short", "vars": {"question": "green"}, "scorers": [{"max_words": 4}]},
    {"id": "name", "vars": {"question": "grey"}, "scorers": [{"contains": "grey"}]},
]
POLITE = "user:\n{{ question }} please one two three\n"
RUDE = "user:\n{{ question }} now one two three\n"


async def explained(bench: Bench, *, agreed: bool = True, **versions: Any) -> ExplainOutcome:
    outcome = await explain(bench.engine, ExplainRequest("bench", agreed=agreed, **versions), bench.listen)
    assert isinstance(outcome, ExplainOutcome)
    return outcome


def shares(explanation: Explanation, n: int = 0) -> dict[str, float]:
    return {s.part: round(s.value, 9) for s in explanation.measures[n].shares}


def by_case(explanation: Explanation) -> dict[str, dict[str, float]]:
    return {c.case_id: {part: round(v, 9) for part, v in c.shares} for c in explanation.cases}


async def mixed_edit(root: Path, **parts: Any) -> Bench:
    """A prompt that loses two cases of four, and a parameter that mends one."""
    bench = Bench(root, cases=CASES, prompt=POLITE, config={"params": {"max_tokens": 9}}, **parts)
    await bench.evaluate()
    bench.write("prompts/bench.md", RUDE)
    bench.configure(params={"max_tokens": 4})
    await bench.evaluate()
    return bench


async def test_a_mixed_edit_is_explained_part_by_part(tmp_path: Path) -> None:
    bench = await mixed_edit(tmp_path)

    outcome = await explained(bench)
    explanation = outcome.explanation

    assert explanation.state == "explained"
    assert explanation.by_fact
    assert explanation.measures[0].measure == "pass_rate"
    assert explanation.measures[0].total.delta == pytest.approx(-0.25)
    assert shares(explanation) == {"prompt": -0.5, "params.max_tokens": 0.25}
    assert explanation.measures[0].interactions == ()
    assert by_case(explanation) == {
        "colour": {"prompt": -1.0},
        "tone": {"prompt": -1.0},
        "short": {"params.max_tokens": 1.0},
    }
    assert outcome.provider_calls == 8  # two versions in between, four cases each
    bench.engine.close()
