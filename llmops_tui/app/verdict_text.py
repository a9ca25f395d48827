"""The verdict and the work under way on the second line, and what is left of the review. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmops_tui.app.bench_state import BenchState
from llmops_tui.app.lines import Span, cut, shown_line
from llmops_tui.app.status import Status
from llmops_tui.domain import format as fmt
from llmops_tui.domain.gate.result import GateResult, RuleResult
from llmops_tui.engine.events import Working

if TYPE_CHECKING:
    from llmops_tui.engine.gating import GateOutcome

WORDS = {"pass": "PASS", "fail": "FAIL", "inconclusive": "INCONCLUSIVE"}
STYLES = {"pass": "pass-word", "fail": "fail-word", "inconclusive": "open-word"}
#: Share of the line that the words behind the verdict may take.
HEADLINE = 3
#: Cells in which a verdict can be told with the beginning of its headline.
LEAST = 24


def verdict(bench: BenchState, status: Status, width: int, room: int) -> list[Span]:
    """`FAIL critical: refund-window`; or what keeps a verdict from being given.

    Args:
        width: cells of the whole line.
        room: cells that it may take; the word itself is never left out.
    """
    gate = bench.review.gate
    missing = why_none(bench, status)
    if bench.is_alone:
        return []
    if gate is None or missing:
        style = "error" if "reviews" in status.notices and not bench.running else "dim"
        return [(" ", ""), (missing or "judging …", style)]
    spans: list[Span] = [(f" {WORDS[gate.verdict]} ", STYLES[gate.verdict])]
    room = min(room, len(spans[0][0]) + max(width // HEADLINE, 12))
    mark = " · exploratory" if gate.exploratory else ""
    headline = shown_line(gate.headline)
    if not headline:
        return [*spans, (mark.replace(" ·", ""), "dim")]
    left = room - len(spans[0][0]) - 1
    if left - len(mark) < 12:
        mark = ""
    if left >= 8:
        spans += [(f" {cut(headline, left - len(mark))}", "bold"), (mark, "dim")]
    return spans


def why_none(bench: BenchState, status: Status) -> str:
    """Why there is no verdict, in words; empty where there is one, or will be in a moment."""
    if bench.comparison is None:
        return "no verdict: nothing was evaluated yet"
    if bench.is_alone:
        return "no verdict: this version stands by itself; save a change, and it is held against this one"
    if bench.running:
        left = bench.totals.pending
        return f"no verdict: {fmt.count(left)} to come" if left else "no verdict yet"
    if "reviews" in status.notices:
        return "no verdict: reviews.yaml has a mistake"
    return ""


def interval(bench: BenchState) -> str:
    """` (−3.0 to +12.1)` behind the delta of the pass rate, where the answers are noisy.

    Nothing where the gate counts other rows than the screen does: accepted changes, known failures.
    """
    gate, rate = bench.review.gate, bench.totals.pass_rate
    rule = _pass_rate(gate)
    if bench.running or rate is None or rule is None or rule.by_fact or rule.evidence is None:
        return ""
    found = rule.evidence
    if abs(found.baseline - rate[0]) > 1e-9 or abs(found.candidate - rate[1]) > 1e-9:
        return ""
    low, high = (fmt.points(v).removesuffix(" pts") for v in (found.low, found.high))
    return f" ({low} to {high})"


def _pass_rate(gate: GateResult | None) -> RuleResult | None:
    return next((r for r in gate.rules if r.rule == "pass_rate"), None) if gate is not None else None


def work(working: Working) -> list[tuple[int, list[Span]]]:
    """`━━━━──── Gate: v1 and v2 │ 12/40 · $0.02 │ C cancels`: parts of the line with their ranks."""
    bar = 12
    full = round(bar * min(working.done / working.total, 1.0)) if working.total else 0
    figures = [f"{fmt.count(working.done)}/{fmt.count(working.total)}"] if working.total else []
    if working.calls:
        figures.append(fmt.plural(working.calls, "request"))
    figures.append(fmt.money(working.cost_usd))
    return [
        (0, [(" ", ""), ("━" * full, "accent"), ("━" * (bar - full), "rule"), (" ", ""), *_what(working)]),
        (1, [(" · ".join(figures), "")]),
        (2, [("C", "key"), (" cancels", "dim")]),
    ]


def _what(working: Working) -> list[Span]:
    return [(cut(shown_line(working.what), 48), "bold")]


def outcome_words(outcome: GateOutcome, judged: GateResult | None) -> str:
    """What a gate learnt and what that took: `PASS after 120 requests, $0.02, in 3 looks`.

    Args:
        judged: the verdict that was on screen before, whose reasons need not be told again.
    """
    result = outcome.result
    head = f"{WORDS[result.verdict]}{f' {result.headline}' if result.headline else ''}"
    took = f"{fmt.plural(result.provider_calls, 'request')}, {fmt.money(outcome.cost_usd)}"
    if len(result.looks) > 1:
        took += f", in {fmt.plural(len(result.looks), 'look')}"
    said = [f"{head}: {'cut short after ' if outcome.cancelled else ''}{took}"]
    if outcome.over_budget:
        said.append("it had cost what it may")
    if outcome.failures:
        said.append(f"some answers could not be had: {outcome.failures[0]}")
    said += outcome.adapted
    # Why an adjudication ended as it did is said last.
    if result.verdict == "inconclusive" and result.reasons and judged is not None:
        said += [r for r in result.reasons[-1:] if r not in judged.reasons]
    return ". ".join(text.rstrip(".") for text in said) + "."


def to_review(bench: BenchState) -> str:
    """`to review: 4`; `all reviewed` where there was something; empty where there is nothing."""
    left = len(bench.review.open)
    if left:
        return f"to review: {fmt.count(left)}"
    return "all reviewed" if any(bench.review.decided(bench.pairs).values()) else ""


def done_words(bench: BenchState) -> str:
    """What can be done now that nothing is left to review; empty while something is."""
    review, candidate = bench.review, bench.candidate
    if review.open or bench.running or bench.is_alone or candidate is None or review.gate is None:
        return ""
    decided = review.decided(bench.pairs)
    words = [f"{fmt.count(n)} {choice}" for choice, n in decided.items() if n]
    if not words:
        return ""
    head = f"✓ All is reviewed: {', '.join(words)}."
    if candidate.is_baseline:
        return f"{head} E writes the report; or go on editing."
    if decided["rejected"]:
        return f"{head} What is rejected keeps the gate failing: go on editing (p), or E writes the report."
    if review.gate.exit_code:
        return f"{head} V says why the gate does not pass; E writes the report; or go on editing."
    return f"{head} P promotes {candidate.name}, E writes the report; or go on editing."
