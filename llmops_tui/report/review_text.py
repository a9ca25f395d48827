"""What was decided and what is left, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.review import Decision, PairKey
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report import figures
from llmops_tui.report.text import EMPTY, ID_WIDTH, STYLES, Line


def review_lines(
    comparison: Comparison, queue: Sequence[Pair], decided: Mapping[PairKey, Decision]
) -> list[Line]:
    """The queue, then the decisions."""
    old, new = comparison.baseline.version, comparison.candidate.version
    versions = f"{figures.version_words(old)} → {figures.version_words(new)}"
    several = len({p.model for p in comparison.pairs}) > 1
    lines: list[Line] = [((clean_line(f"{new.config}  {versions}"), "bold"),), ((left_words(queue), ""),)]
    lines += [_line(pair, decided.get((pair.case_id, pair.model)), several) for pair in queue]
    pairs = {(p.case_id, p.model): p for p in comparison.pairs}
    chosen = [(pairs[key], d) for key, d in decided.items() if d.choice is not None]
    if chosen:
        lines += [EMPTY, ((f"{fmt.count(len(chosen))} decided", ""),)]
        lines += [_line(pair, decision, several) for pair, decision in chosen]
    return lines


def left_words(queue: Sequence[Pair]) -> str:
    """`2 left to review`."""
    return f"{fmt.count(len(queue))} left to review" if queue else "nothing is left to review"


def change_words(pair: Pair) -> str:
    """A change in a word; other words of the same score have no other name."""
    return "reworded" if pair.change == "same" else pair.change


def decision_words(decision: Decision) -> str:
    """`accepted by Ada, 2026-11-24: the window is 30 days`; empty of an empty decision."""
    by = f" by {decision.by}" if decision.by else ""
    on = f", {decision.at[:10]}" if decision.at else ""
    note = f": {decision.note}" if decision.note else ""
    return clean_line(f"{decision.choice or 'note'}{by}{on}{note}")


def _line(pair: Pair, decision: Decision | None, several: bool) -> Line:
    style = pair.change if pair.change in STYLES else "dim"
    return (
        (f"  {fmt.symbol(pair.change)} {fmt.pad(change_words(pair), 10)}", style),
        (fmt.pad(clean_line(pair.case_id), ID_WIDTH // 2), ""),
        (fmt.pad(fmt.delta(pair.delta), 8, right=True), style),
        (f"   {clean_line(pair.model)}" if several else "", "dim"),
        (f"   {decision_words(decision)}" if decision else "", ""),
    )
