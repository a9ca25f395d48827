"""The ladder for a terminal: the rung, what to do next, then every item with its evidence."""

from __future__ import annotations

import textwrap

from llmops_tui.domain import format as fmt
from llmops_tui.domain.ladder.ladder import RUNG_WORDS, RUNGS, Item, Ladder, Status, Step
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report.text import EMPTY, Line

MARKS: dict[Status, str] = {"met": "✓", "partly": "◐", "unmet": "✗", "unknown": "?"}
STYLES: dict[Status, str] = {
    "met": "improved",
    "partly": "regressed",
    "unmet": "regressed",
    "unknown": "error",
}
#: Cells of mark and status before the title.
_INDENT = 12


def ladder_lines(ladder: Ladder, *, width: int = 80) -> list[Line]:
    """The ladder in full: next steps first."""
    lines = [*head_lines(ladder, width=width), *next_lines(ladder, width=width)]
    for rung in RUNGS[1:]:
        items = ladder.of(rung)
        met = sum(item.status == "met" for item in items)
        lines += [EMPTY, ((RUNG_WORDS[rung], "bold"), (f"  {met} of {len(items)} met", "dim"))]
        for item in items:
            lines += item_lines(item, width=width)
    return lines


def head_lines(ladder: Ladder, *, width: int = 80) -> list[Line]:
    """The rung, and what was looked at."""
    reached = RUNG_WORDS[ladder.rung]
    about = clean_line(", ".join(ladder.configs))
    lines: list[Line] = [((reached, "bold"), (f"  {about}", "bold"))]
    lines += wrapped(summary(ladder), width, "")
    if ladder.left_out:
        names = clean_line(", ".join(ladder.left_out))
        lines += wrapped(f"not looked at: {names} (--config NAME)", width, "dim")
    return lines


def summary(ladder: Ladder) -> str:
    """Where it stands, in a sentence."""
    above = ladder.above
    if above is None:
        return "Every item of the ladder is met."
    lacking = fmt.plural(len(ladder.next), "item")
    return f"{lacking} lacking for {RUNG_WORDS[above]}."


def next_lines(ladder: Ladder, *, width: int = 80) -> list[Line]:
    """What to do for the next rung; nothing at the top."""
    if ladder.above is None:
        return []
    lines: list[Line] = [EMPTY, ((f"Next, for {RUNG_WORDS[ladder.above]}", "bold"),)]
    # One thing to do may mend several items.
    by_remedy: dict[str, list[str]] = {}
    for item in ladder.next:
        by_remedy.setdefault(item.remedy or item.title, []).append(item.title)
    for number, (remedy, titles) in enumerate(by_remedy.items(), 1):
        lead = f"{number:>2}. "
        lines += wrapped(remedy, width, "", lead)
        for title in titles:
            lines += wrapped(title, width, "dim", " " * len(lead))
    return lines


def item_lines(item: Item, *, width: int = 80, remedy: bool = True) -> list[Line]:
    """One item: how it stands, and why."""
    head = f"  {MARKS[item.status]} {item.status:<8}"
    rows = textwrap.wrap(item.title, max(width - _INDENT, 20))
    lines: list[Line] = [((head, STYLES[item.status]), (rows[0], ""))]
    lines += [((" " * _INDENT + row, ""),) for row in rows[1:]]
    lines += wrapped(item.evidence, width, "dim", " " * _INDENT)
    if remedy and item.remedy:
        lines += wrapped(item.remedy, width, "", " " * (_INDENT - 2) + "→ ")
    return lines


def step_lines(step: Step, *, width: int = 80) -> list[Line]:
    """An item that stands otherwise than before: from what to what, and why."""
    before = step.before.status if step.before is not None else "unknown"
    after = step.after
    head = f"  {MARKS[after.status]} {after.title}"
    lines: list[Line] = [((head, STYLES[after.status]), (f"  {before} → {after.status}", "dim"))]
    return [*lines, *wrapped(after.evidence, width, "dim", "    ")]


def wrapped(text: str, width: int, style: str, lead: str = "") -> list[Line]:
    """A text from elsewhere, broken between words; rows stand below each other behind `lead`."""
    rows = textwrap.wrap(clean_line(text), max(width - len(lead), 20), break_on_hyphens=False)
    return [((lead if at == 0 else " " * len(lead), "dim"), (row, style)) for at, row in enumerate(rows)]
