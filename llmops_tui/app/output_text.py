"""Both sides of a case made ready to be shown: texts compared, trial by trial. Pure; may take a while."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from llmops_tui.app.lines import shown, shown_line
from llmops_tui.domain import format as fmt
from llmops_tui.domain.case import Case
from llmops_tui.domain.guardrails.words import did
from llmops_tui.domain.output import Output
from llmops_tui.domain.prose_diff import Diff, diff
from llmops_tui.engine.events import OutputDetail, PairDetail

#: Characters of one output that are shown; `y` copies all of them.
MAX_SHOWN = 100_000


class TrialDiff(msgspec.Struct, frozen=True):
    """One trial on both sides.

    Attributes:
        title: `trial 2 of 3`, `asked again`; empty where there is one trial.
        diff: of both texts; None where a side has none.
        left, right: the texts; None where there is no output.
        left_facts, right_facts: score, time, cost, tokens in words.
        left_failure, right_failure: why there is none.
        left_guards, right_guards: what guardrails did: `blocked by injection (context)`; empty: nothing.
    """

    title: str
    diff: Diff | None
    left: str | None
    right: str | None
    left_facts: str = ""
    right_facts: str = ""
    left_failure: str = ""
    right_failure: str = ""
    left_guards: str = ""
    right_guards: str = ""


#: (label, text): a decision with its note, why a case is known to fail.
Remarks = tuple[tuple[str, str], ...]


class OutputDoc(msgspec.Struct, frozen=True):
    """What the output pane shows of a case; `remarks` are of people."""

    inputs: tuple[tuple[str, str], ...]
    trials: tuple[TrialDiff, ...]
    size: int
    remarks: Remarks = ()


def build(
    detail: PairDetail,
    case: Case | None,
    remarks: Remarks = (),
    *,
    alone: bool = False,
    cancelled: Callable[[], bool] = bool,
) -> OutputDoc:
    """Compare the outputs of a case.

    Args:
        alone: a version beside itself: only one side is shown.
        cancelled: asked between trials; true ends the work early.
    """
    left = () if alone else detail.baseline
    planned = _planned(detail)
    trials: list[TrialDiff] = []
    for k in range(max(len(left), len(detail.candidate))):
        if cancelled():
            break
        title = ""
        if planned > 1:
            title = f"trial {k + 1} of {planned}" if k < planned else "asked again"
        elif k >= planned:
            title = "asked again; does not count"
        trials.append(_trial(title, _at(left, k), _at(detail.candidate, k)))
    size = sum(len(t.left or "") + len(t.right or "") for t in trials)
    return OutputDoc(_inputs(case), tuple(trials), size, remarks)


def _planned(detail: PairDetail) -> int:
    rows = [row for row in (detail.pair.candidate, detail.pair.baseline) if row is not None]
    return max((len(row.planned) for row in rows), default=1) or 1


def _at(side: Sequence[OutputDetail], k: int) -> OutputDetail | None:
    return side[k] if k < len(side) else None


def _trial(title: str, left: OutputDetail | None, right: OutputDetail | None) -> TrialDiff:
    a, b = _text(left), _text(right)
    return TrialDiff(
        title,
        diff(a, b) if a is not None and b is not None else None,
        a,
        b,
        facts(left.output) if left and left.output else "",
        facts(right.output) if right and right.output else "",
        shown_line(left.failure or "") if left else "",
        shown_line(right.failure or "") if right else "",
        guards(left.output) if left else "",
        guards(right.output) if right else "",
    )


def guards(output: Output | None) -> str:
    """`blocked by injection (context), redacted by pii (output)`; empty where guardrails did nothing."""
    return ", ".join(did(output.guardrails)) if output is not None else ""


def _text(side: OutputDetail | None) -> str | None:
    if side is None or side.output is None:
        return None
    text = shown(output_text(side.output))
    if len(text) > MAX_SHOWN:
        text = f"{text[:MAX_SHOWN]}\n… {fmt.count(len(text) - MAX_SHOWN)} more characters; y copies all"
    return text


def output_text(output: Output) -> str:
    """The answer as text: what was said, then the calls it made, one argument a line."""
    parts = [output.text] if output.text or not output.tool_calls else []
    parts += [tool_call_text(call) for call in output.tool_calls]
    return "\n".join(parts)


def tool_call_text(call: dict[str, Any]) -> str:
    """`→ search(query: "refund", top: 3)`, one argument a line, sorted, so that calls can be compared."""
    function = call.get("function") if isinstance(call.get("function"), dict) else call
    assert isinstance(function, dict)
    name, arguments = function.get("name", "?"), function.get("arguments", {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            return f"→ {name}({arguments})"
    if not isinstance(arguments, dict):
        return f"→ {name}({json.dumps(arguments, ensure_ascii=False)})"
    lines = [f"    {key}: {json.dumps(arguments[key], ensure_ascii=False)}" for key in sorted(arguments)]
    return "\n".join([f"→ {name}", *lines])


def facts(output: Output) -> str:
    """`1.3 s · 42 tokens · $0.002`, the least important last; first how it ended where that is unusual."""
    words = []
    if output.refused and output.finish_reason != "guardrail":
        words.append("refused")
    if output.finish_reason == "length":
        words.append("cut off at max_tokens")
    words.append(fmt.seconds(output.latency_s))
    if output.usage.output_tokens is not None:
        words.append(fmt.plural(output.usage.output_tokens, "token"))
    if output.cost_usd:
        words.append(fmt.money(output.cost_usd))
    return " · ".join(words)


def _inputs(case: Case | None) -> tuple[tuple[str, str], ...]:
    if case is None:
        return ()
    found = [(shown_line(str(name)), _value(value)) for name, value in case.vars.items()]
    if case.expected is not None:
        found.append(("expected", _value(case.expected)))
    return tuple(found)


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown_line(text[:2_000])
