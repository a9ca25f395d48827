"""A replay beside its original: for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmops_tui.domain import format as fmt
from llmops_tui.domain import semconv as a
from llmops_tui.domain.output import Output
from llmops_tui.domain.safe_text import clean, clean_line
from llmops_tui.domain.score import Score
from llmops_tui.domain.trace_diff import TraceDiff
from llmops_tui.report.diff_lines import text_diff
from llmops_tui.report.text import EMPTY, Line
from llmops_tui.report.trace_json import trace_diff_json
from llmops_tui.report.trace_text import trace_diff_lines

WIDTH = 100


def replay_lines(
    output: Output | None,
    scores: Sequence[Score],
    failure: str,
    calls: int,
    cost_usd: float | None,
    diff: TraceDiff,
    *,
    width: int = WIDTH,
) -> list[Line]:
    """Where the traces part, the answers, and how the new one was judged."""
    lines = trace_diff_lines(diff, width=width)
    before = str(diff.before.root.attributes.get(a.OUTPUT, ""))
    lines += [EMPTY, (("Answer", "bold"),)]
    if output is None:
        lines.append(((f"✗ {clean_line(failure)}", "removed"),))
    elif output.text == before:
        lines += [(("the same as before", "dim"),), ((clean(before), ""),)]
    else:
        lines += [((line, _style(line)),) for line in text_diff(before, output.text, width=width - 2)]
    for score in scores:
        mark = {True: "✓", False: "✗", None: "·"}[score.passed]
        value = "–" if score.value is None else f"{score.value:.2f}"
        said = clean_line(score.error or score.reason)
        lines.append(((f"{mark} {clean_line(score.label)} {value}  {said}", ""),))
    asked = f"{calls} request{'' if calls == 1 else 's'} sent"
    cost = "" if cost_usd is None else f" · {fmt.money(cost_usd)}"
    lines += [EMPTY, ((asked + cost, "dim"),)]
    return lines


def _style(line: str) -> str:
    return {"-": "removed", "+": "added"}.get(line[:1], "dim")


def replay_json(
    output: Output | None,
    scores: Sequence[Score],
    failure: str,
    calls: int,
    cost_usd: float | None,
    diff: TraceDiff,
) -> dict[str, Any]:
    """Keys: `before`, `output`, `scores`, `failure`, `provider_calls`, `cost_usd`, `trace`."""
    return {
        "before": diff.before.root.attributes.get(a.OUTPUT),
        "output": output.text if output is not None else None,
        "failure": failure or None,
        "scores": [
            {
                "label": score.label,
                "value": score.value,
                "passed": score.passed,
                "reason": score.reason,
                "error": score.error,
            }
            for score in scores
        ],
        "provider_calls": calls,
        "cost_usd": cost_usd,
        "trace": trace_diff_json(diff),
    }
