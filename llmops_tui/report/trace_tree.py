"""A tree of steps as rows: branches, names and figures, the same for a terminal and for markdown."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.guardrails.words import outcome, tone
from llmops_tui.domain.trace import Span, Totals, Trace
from llmops_tui.domain.trace_headline import step_words
from llmops_tui.domain.trace_steps import Pairing, PairState

#: Levels that are drawn; what is deeper says how deep it is.
MOST_LEVELS = 12

MARKS: dict[PairState, str] = {"same": "=", "changed": "~", "new": "+", "gone": fmt.MINUS}
FIRST = "▶"


def branches(depths: Sequence[int]) -> list[tuple[str, str]]:
    """For each row what stands before its name, and before further lines of it.

    Args:
        depths: of the rows, as a tree is read.
    """
    found: list[tuple[str, str]] = []
    open_: set[int] = set()  # levels at which a sibling follows
    for depth in reversed(depths):
        open_ = {level for level in open_ if level <= depth}
        more = depth in open_
        open_.add(depth)
        trunk = "".join("│  " if level in open_ else "   " for level in range(1, min(depth, MOST_LEVELS)))
        if depth > MOST_LEVELS:
            found.append((f"{trunk}└─ ({depth} deep) ", trunk + "   "))
        elif depth:
            found.append((trunk + ("├─ " if more else "└─ "), trunk + ("│  " if more else "   ")))
        else:
            found.append(("", ""))
    return found[::-1]


def name_of(span: Span) -> str:
    """A step as people call it; whether it failed is told in words, and what a guardrail did."""
    if span.kind == "guardrail":
        done = outcome(span.attributes)
        mark = "✗ " if tone(span.attributes) == "failed" else ""
        return f"{step_words(span)} {mark}{done}"
    failed = " ✗ failed" if span.status == "error" else ""
    return step_words(span) + failed


def tokens_words(total: Totals) -> str:
    """`210 → 12`: in and out; empty where no model was called."""
    if total.input_tokens is None and total.output_tokens is None:
        return ""
    return f"{fmt.count(total.input_tokens)} → {fmt.count(total.output_tokens)}"


def cost_words(total: Totals) -> str:
    return "" if total.cost_usd is None else fmt.money(total.cost_usd)


def whole_words(trace: Trace, total: Totals) -> str:
    """`1.3 s · 2 model calls · 210 → 12 tokens · $0.0012`."""
    words = [fmt.seconds(trace.root.length_s), fmt.plural(total.calls, "model call")]
    tokens = tokens_words(total)
    return " · ".join([*words, *([f"{tokens} tokens"] if tokens else []), cost_words(total)]).removesuffix(
        " · "
    )


def times_words(pairing: Pairing) -> str:
    """`1.2 s → 1.3 s`, or the one time of a step that only one side has."""
    sides = [span.length_s for span in (pairing.before, pairing.after) if span is not None]
    return " → ".join(fmt.seconds(each) for each in sides)


def counts_words(pairings: Sequence[Pairing]) -> str:
    """`3 steps the same, 2 changed, 1 new`."""
    counts = {state: sum(p.state == state for p in pairings) for state in MARKS}
    words = [f"{fmt.count(n)} {'the same' if state == 'same' else state}" for state, n in counts.items() if n]
    return f"{fmt.plural(len(pairings), 'step')}: {', '.join(words)}"
