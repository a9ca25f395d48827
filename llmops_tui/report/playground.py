"""Answers to a made-up input, as lines of text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from llmops_tui.domain import format as fmt
from llmops_tui.domain.guardrails.words import did, look_json
from llmops_tui.domain.output import Output
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.domain.score import Score
from llmops_tui.report.diff_lines import output_diff, output_text
from llmops_tui.report.text import EMPTY, Line

Json = dict[str, Any]


class Answer(msgspec.Struct, frozen=True):
    """One side's answer; `failure` says why there is none."""

    side: str
    version: str
    model: str
    output: Output | None
    scores: tuple[Score, ...] = ()
    failure: str = ""
    cached: bool = False


def head_line(answer: Answer) -> Line:
    """Whose answer follows."""
    name = clean_line(answer.version)
    return ((name, "bold"), (f"  {answer.side} · {clean_line(answer.model)}", "dim"))


def fact_lines(answer: Answer) -> list[Line]:
    """What stands below an answer: what it took, and how it was judged."""
    if answer.output is None:
        return [((f"✗ {clean_line(answer.failure)}", "error"),)]
    return [((facts(answer.output, cached=answer.cached), "dim"),), *map(_score_line, answer.scores)]


def facts(output: Output, *, cached: bool = False) -> str:
    """`1.3 s · first token 200 ms · 40 in, 42 out · $0.002`."""
    words = [fmt.seconds(output.latency_s)]
    if output.ttft_s is not None:
        words.append(f"first token {fmt.seconds(output.ttft_s)}")
    tokens = [
        f"{fmt.count(n)} {way}"
        for n, way in ((output.usage.input_tokens, "in"), (output.usage.output_tokens, "out"))
        if n is not None
    ]
    if tokens:
        words.append(f"tokens: {', '.join(tokens)}")
    if output.cost_usd:
        words.append(fmt.money(output.cost_usd))
    if output.finish_reason == "length":
        words.append("cut off at max_tokens")
    words += did(output.guardrails)
    if output.refused and output.finish_reason != "guardrail":
        words.append("refused")
    return " · ".join([*words, *(["answered before"] if cached else [])])


def _score_line(score: Score) -> Line:
    label = clean_line(score.label)
    if score.error is not None:
        return ((f"! {label}  ", "error"), (clean_line(score.error), ""))
    mark, style = {True: ("✓", "improved"), False: ("✗", "regressed"), None: ("–", "dim")}[score.passed]
    return ((f"{mark} ", style), (f"{label}  {fmt.score(score.value)}  {clean_line(score.reason)}", ""))


def difference_lines(left: Answer, right: Answer, width: int) -> list[Line]:
    """What the right answer says otherwise."""
    if left.output is None or right.output is None:
        return []
    before, after = (output_text(a) for a in (left, right))
    if before == after:
        return [EMPTY, ((f"{right.version} answers as {left.version} does.", "dim"),)]
    styles = {"-": "removed", "+": "added", "#": "dim"}
    head: Line = ((f"{left.version} → {right.version}", "bold"),)
    rows = output_diff(before, after, width=width)
    return [EMPTY, head, *(((row, styles.get(row[:1], "")),) for row in rows)]


def ask_json(
    config: str,
    names: tuple[str, str],
    inputs: dict[str, Any],
    answers: Sequence[Answer],
    *,
    case_id: str,
    said: Sequence[str],
    calls: int,
    cost_usd: float | None,
    kept: tuple[str, str] | None,
) -> Json:
    """What `ask` prints. `names`: of both versions; the first is empty where one answers alone."""
    return {
        "config": config,
        "baseline": names[0] or None,
        "candidate": names[1],
        "vars": inputs,
        "case": case_id or None,
        "answers": [_answer_json(answer) for answer in answers],
        "calls": calls,
        "cost_usd": cost_usd,
        "said": list(said),
        "kept": {"id": kept[0], "file": kept[1]} if kept is not None else None,
    }


def _answer_json(answer: Answer) -> Json:
    output = answer.output
    return {
        "side": answer.side,
        "version": answer.version,
        "model": answer.model,
        "text": output.text if output else None,
        "tool_calls": list(output.tool_calls) if output else [],
        "finish_reason": output.finish_reason if output else None,
        "refused": output.refused if output else False,
        "guardrails": [look_json(look) for look in output.guardrails] if output else [],
        "latency_s": output.latency_s if output else None,
        "ttft_s": output.ttft_s if output else None,
        "input_tokens": output.usage.input_tokens if output else None,
        "output_tokens": output.usage.output_tokens if output else None,
        "cost_usd": output.cost_usd if output else None,
        "cached": answer.cached,
        "failure": answer.failure or None,
        "scores": [
            {"scorer": s.label, "value": s.value, "passed": s.passed, "reason": s.reason, "error": s.error}
            for s in answer.scores
        ],
    }
