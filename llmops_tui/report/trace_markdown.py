"""One trace, and two held against each other, as GitHub's markdown."""

from __future__ import annotations

from llmops_tui.domain import format as fmt
from llmops_tui.domain.trace import Trace, totals
from llmops_tui.domain.trace_steps import TraceDiff
from llmops_tui.report.markdown_text import code, details, fence, html, inline, table
from llmops_tui.report.trace_fields import glance, pairing_diff, span_fields
from llmops_tui.report.trace_tree import (
    FIRST,
    MARKS,
    cost_words,
    counts_words,
    name_of,
    times_words,
    tokens_words,
    whole_words,
)

#: Rows of a table, and cells of what is said about a step.
MOST, ABOUT = 500, 100


def trace_markdown(trace: Trace, *, full: bool = False) -> str:
    """A table of the steps; with `full`, all that went in and came out of each, folded."""
    blocks = [f"# Trace: {inline(trace.title)}"]
    if not trace.spans:
        return "\n\n".join([*blocks, "No step was recorded."]) + "\n"
    total = totals(trace)
    walked = list(trace.walk())
    rows = [
        [
            _indented(depth, name_of(span)),
            fmt.seconds(span.length_s),
            tokens_words(total[span.id]),
            cost_words(total[span.id]),
            code(fmt.truncate(glance(span), ABOUT)),
        ]
        for depth, span in walked[:MOST]
    ]
    blocks.append(inline(whole_words(trace, total[trace.root.id])))
    blocks.append(table(["step", "time", "tokens in → out", "cost", ""], rows, right=(1, 2, 3)))
    blocks += _left_out(len(walked))
    for _, span in walked[:MOST] if full else ():
        fields = span_fields(span)
        if fields:
            texts = [f"**{inline(name)}**\n\n{fence(text.split(chr(10)))}" for name, text in fields]
            blocks.append(details(html(name_of(span)), "\n\n".join(texts)))
    return "\n\n".join(blocks) + "\n"


def trace_diff_markdown(diff: TraceDiff, *, full: bool = False) -> str:
    """Where they part with the diff of that step, and a table of all steps; with `full`, every diff."""
    blocks = [
        f"# Trace: {inline(diff.before.title)} → {inline(diff.after.title)}",
        f"**{inline(diff.headline[:1].upper() + diff.headline[1:])}.**",
    ]
    parting = diff.parting
    if parting is not None:
        blocks.append(f"## The first step where they part: {inline(name_of(parting.span))}")
        blocks.append(fence(pairing_diff(parting), "diff"))
    rows = [
        [
            f"{FIRST if i == diff.first else ''}{MARKS[pairing.state]}",
            _indented(pairing.depth, name_of(pairing.span)),
            inline(", ".join(field.name for field in pairing.fields) or pairing.state),
            times_words(pairing),
        ]
        for i, pairing in enumerate(diff.pairings[:MOST])
    ]
    blocks += ["## All steps", inline(counts_words(diff.pairings))]
    blocks += [table(["", "step", "differs in", "time"], rows, right=(3,)), *_left_out(len(diff.pairings))]
    for i, pairing in enumerate(diff.pairings[:MOST]):
        if full and pairing.state != "same" and i != diff.first:
            title = f"{MARKS[pairing.state]} {html(name_of(pairing.span))}"
            blocks.append(details(title, fence(pairing_diff(pairing), "diff")))
    return "\n\n".join(blocks) + "\n"


def _indented(depth: int, name: str) -> str:
    return "&emsp;" * min(depth, 12) + inline(name)


def _left_out(n: int) -> list[str]:
    return [f"And {fmt.plural(n - MOST, 'more step')}, not listed here."] if n > MOST else []
