"""One trace, and two held against each other, as lines for a terminal or a pipe."""

from __future__ import annotations

import textwrap

from llmops_tui.domain import format as fmt
from llmops_tui.domain.guardrails.words import Tone, tone
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.domain.trace import Span, Totals, Trace, totals
from llmops_tui.domain.trace_steps import Pairing, TraceDiff
from llmops_tui.report.diff_lines import text_diff
from llmops_tui.report.text import EMPTY, Line
from llmops_tui.report.trace_fields import glance, pairing_diff, span_fields
from llmops_tui.report.trace_tree import (
    FIRST,
    MARKS,
    branches,
    cost_words,
    counts_words,
    name_of,
    times_words,
    tokens_words,
    whole_words,
)

_TIME, _TOKENS, _COST, _TIMES = 11, 16, 11, 20
#: Cells below which a tree has only the time beside its steps, and a diff not even that.
_NARROW = 70

#: Of a guardrail: one that failed itself, or fired, is seen from afar.
_STYLE_OF_LOOK: dict[Tone, str] = {
    "passed": "dim",
    "seen": "warning",
    "stopped": "regressed",
    "failed": "warning",
}
_STYLES = {"same": "dim", "changed": "regressed", "new": "added", "gone": "removed"}


def trace_lines(trace: Trace, *, width: int = 100, full: bool = False) -> list[Line]:
    """The tree with times, tokens and cost, and a line about each step.

    Args:
        width: cells of a line.
        full: all that went in and came out of each step.
    """
    if not trace.spans:
        return [((clean_line(trace.title), "bold"),), (("No step was recorded.", ""),)]
    total = totals(trace)
    walked = list(trace.walk())
    drawn = branches([depth for depth, _ in walked])
    room = max(width - (_TIME if width < _NARROW else _TIME + _TOKENS + _COST), 20)
    lines: list[Line] = [
        ((fmt.truncate(clean_line(trace.title), width), "bold"),),
        ((fmt.truncate(whole_words(trace, total[trace.root.id]), width), "dim"),),
        EMPTY,
        _figures("step", "time", "tokens in → out", "cost", room, width),
    ]
    for (branch, under), (_, span) in zip(drawn, walked, strict=True):
        lines.append(_step(branch, span, total[span.id], room, width))
        lines += _about(span, under + "  ", width, full)
    return lines


def _figures(name: str, time: str, tokens: str, cost: str, room: int, width: int) -> Line:
    text = fmt.pad(name, room) + fmt.pad(time, _TIME, right=True)
    if width >= _NARROW:
        text += fmt.pad(tokens, _TOKENS, right=True) + fmt.pad(cost, _COST, right=True)
    return ((text.rstrip(), "dim"),)


def _step(branch: str, span: Span, total: Totals, room: int, width: int) -> Line:
    name = fmt.pad(name_of(span), max(room - fmt.cell_width(branch), 8))
    style = _STYLE_OF_LOOK[tone(span.attributes)] if span.kind == "guardrail" else "bold"
    if span.status == "error" and span.kind != "guardrail":
        style = "error"
    ((figures, dim),) = _figures(
        "", fmt.seconds(span.length_s), tokens_words(total), cost_words(total), 0, width
    )
    return ((branch, "dim"), (name, style), (figures, dim))


#: Characters of one text that are shown.
SHOWN = 50_000


def _about(span: Span, indent: str, width: int, full: bool) -> list[Line]:
    room = max(width - len(indent), 20)
    if not full:
        text = glance(span)
        return [((indent + fmt.truncate(text, room), "dim"),)] if text else []
    lines: list[Line] = []
    for name, text in span_fields(span):
        if "\n" not in text and len(name) + len(text) + 2 <= room:
            lines.append(((f"{indent}{name}: ", "dim"), (text, "")))
            continue
        lines.append(((f"{indent}{name}:", "dim"),))
        if len(text) > SHOWN:
            left = f"… {len(text) - SHOWN:,} more characters: --json has all of them"
            text = f"{text[:SHOWN]}\n{left}"
        # A text beside itself is shown whole, and wrapped.
        lines += [((indent + line, ""),) for line in text_diff(text, text, width=room)]
    return lines


def trace_diff_lines(diff: TraceDiff, *, width: int = 100, full: bool = False) -> list[Line]:
    """Where they part, all steps with what became of them, and the diff of the step where they part.

    Args:
        width: cells of a line.
        full: the diff of every step that differs.
    """
    lines: list[Line] = [
        ((fmt.truncate(clean_line(f"before  {diff.before.title}"), width), ""),),
        ((fmt.truncate(clean_line(f"after   {diff.after.title}"), width), ""),),
        EMPTY,
        *(((line, "bold"),) for line in textwrap.wrap(_sentence(diff), width)),
        ((fmt.truncate(counts_words(diff.pairings), width), "dim"),),
        EMPTY,
    ]
    drawn = branches([pairing.depth for pairing in diff.pairings])
    for i, ((branch, _), pairing) in enumerate(zip(drawn, diff.pairings, strict=True)):
        lines.append(_paired(branch, pairing, i == diff.first, width))
    for i, pairing in enumerate(diff.pairings):
        if i == diff.first or (full and pairing.state != "same"):
            told = " · the first step where they part" if width >= _NARROW else " · first"
            where = told if i == diff.first else ""
            name = fmt.truncate(name_of(pairing.span), max(width - len(where), 20))
            lines += [EMPTY, ((name, "bold"), (where, "dim"))]
            lines += [_diff_line(line) for line in pairing_diff(pairing, width=max(width - 2, 20))]
    return lines


def _sentence(diff: TraceDiff) -> str:
    text = clean_line(diff.headline)
    return text[:1].upper() + text[1:]


def _paired(branch: str, pairing: Pairing, first: bool, width: int) -> Line:
    marks = f"{FIRST if first else ' '}{MARKS[pairing.state]} "
    names = ", ".join(dict.fromkeys(clean_line(field.name) for field in pairing.fields))
    times = _TIMES if width >= _NARROW else 0
    room = max(width - times - len(marks), 20)
    name = f"{branch}{name_of(pairing.span)}"
    words = f"  {names or pairing.state}" if pairing.state != "same" else ""
    left = fmt.cell_width(name)
    shown = fmt.pad(name + fmt.truncate(words, max(room - left, 0)), room)
    return (
        (marks, _STYLES[pairing.state]),
        (shown, "bold" if first else "dim" if pairing.state == "same" else ""),
        (fmt.pad(times_words(pairing), times, right=True), "dim"),
    )


def _diff_line(line: str) -> Line:
    style = {"-": "removed", "+": "added"}.get(line[:1], "dim")
    return (("  " + line, style),)
