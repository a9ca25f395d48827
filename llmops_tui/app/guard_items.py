"""Items of a guardrail's queues: as rows, and one in full. Untrusted throughout. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec

from llmops_tui.app.lines import Line, Span, left, right, shown, shown_line, wrap
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.guards import GuardItem, GuardReview, GuardRow, Queue

#: Characters of a text that are looked at: a row shows no more.
_LOOKED_AT = 400
_LABEL = 10
#: Queue → what stands there where nothing waits.
NOTHING: dict[Queue, tuple[str, str]] = {
    "firings": ("No firing waits to be reviewed.", "w widens the window; ] goes to the sample of passes."),
    "sample": ("No pass of the sample waits.", "What is drawn at random comes with the traffic."),
    "suspected": ("Nothing that passed looks like a miss.", "[ and ] go to the other queues."),
    "failures": ("It failed itself in no request that is kept.", "[ and ] go to the other queues."),
}
#: What each queue is for.
ABOUT: dict[Queue, str] = {
    "firings": "a it was right   x a false alarm",
    "sample": "a rightly let pass   x it should have fired",
    "suspected": "a rightly let pass   x a miss",
    "failures": "it failed itself   t its trace",
}


class Columns(msgspec.Struct, frozen=True):
    """Cells of each column; 0: left out."""

    at: int
    version: int
    stage: int
    score: int
    what: int


def columns(width: int, *, dated: bool) -> Columns:
    """What fits into a width.

    Args:
        dated: the times are of several days.
    """
    at = 12 if dated else 9
    version, stage, score = (10 if width >= 90 else 8), (12 if width >= 60 else 0), 6
    return Columns(at, version, stage, score, max(width - at - version - stage - score - 5, 0))


def heading(c: Columns) -> Line:
    text = "   " + left("time", c.at) + left("version", c.version) + left("stage", c.stage)
    return ((text + right("score", c.score) + "  " + "what it fired on, or looked at", "dim"),)


def tabs(queue: Queue, counts: Mapping[str, int]) -> Line:
    """`▸ firings 23   sample 12   suspected 4`, the one that is shown marked."""
    spans: list[Span] = [(" ", "")]
    for name in NOTHING:
        here = name == queue
        count = f" {fmt.count(counts[name])}" if name in counts else ""
        spans += [(f"{'▸' if here else ' '}{name}", "bold accent" if here else ""), (f"{count}  ", "dim")]
    return (*spans, ("[ ]", "key"))


def item_row(item: GuardItem, c: Columns) -> Line:
    row = item.row
    symbol, _, style = review_words(row, item.review)
    form = "%m-%d %H:%M" if c.at > 10 else "%H:%M:%S"
    what = row.reason if row.failed and not row.triggered else row.evidence
    what = what or next(iter(item.texts), "") or row.input
    return (
        (f" {symbol} ", style),
        (left(time.strftime(form, time.localtime(min(max(row.at, 0), 4e9))), c.at), "dim"),
        (left(shown_line(row.series.version), c.version - 1) + " ", "bold"),
        (left(shown_line(row.stage), c.stage), ""),
        (right(fmt.NONE if row.score is None else fmt.score(row.score), c.score), ""),
        ("  ", ""),
        (left(shown_line(what[:_LOOKED_AT]), c.what), "dim" if item.review is not None else ""),
    )


def review_words(row: GuardRow, review: GuardReview | None) -> tuple[str, str, str]:
    """Symbol, words and style of what was said of it."""
    if review is None:
        return " ", "", ""
    if row.triggered:
        return ("✓", "it was right", "improved") if review.right else ("✗", "a false alarm", "regressed")
    return ("✓", "rightly let pass", "improved") if review.right else ("✗", "a miss", "regressed")


def item_lines(item: GuardItem, now: float, width: int) -> list[Line]:
    """One item in full."""
    row = item.row
    lines: list[Line] = []
    symbol, words, style = review_words(row, item.review)
    if item.review is not None:
        by = f" by {shown_line(item.review.by)}" if item.review.by else ""
        when = fmt.ago(item.review.reviewed_at, now)
        said: tuple[Span, ...] = (
            (f" {symbol} {words}", f"bold {style}"),
            (f"{by}, {when} · u takes it back", "dim"),
        )
        lines += wrap(said, width, 3)
    rows: list[tuple[str, str, str]] = [("seen", _seen(row, now), "")]
    rows += [("" if n else "suspected", sentence, "warning") for n, sentence in enumerate(item.why)]
    if row.reason:
        failed = row.failed and not row.triggered
        rows.append(("failed" if failed else "why", row.reason, "regressed" if failed else ""))
    if row.evidence:
        rows.append(("fired on" if row.triggered else "looked at", row.evidence, "bold"))
    rows += [("" if n or row.evidence else "looked at", text, "") for n, text in enumerate(_looked_at(item))]
    if row.stage != "input" or not item.texts:
        rows.append(("asked", row.input or "(the input is not kept)", "" if row.input else "dim"))
    for label, text, style in rows:
        lines += _field(label, text, style, width)
    return lines


def _looked_at(item: GuardItem) -> tuple[str, ...]:
    """Of a firing, what it fired on stands there with the text around it; an input is shown in full."""
    row = item.row
    if row.evidence and row.stage != "input":
        return ()
    return tuple(text for text in item.texts if text != row.evidence)


def _seen(row: GuardRow, now: float) -> str:
    """`at output, score 0.83 of 0.5, block; v12 of helpdesk, refunds, gpt-4o-mini; 4 min ago`."""
    parts = [f"at {row.stage}" if row.stage else ""]
    if row.score is not None:
        from_ = f", fires from {row.threshold:g}" if row.threshold is not None else ""
        parts.append(f"score {fmt.score(row.score)}{from_}")
    if row.triggered or not row.failed:
        parts.append(row.action if row.triggered else "let pass")
    if row.failed:
        done = "what it looked at went on" if row.failed == "open" else "treated as if it had fired"
        parts.append(f"failed itself, {row.failed}: {done}")
    series = row.series
    parts += [f"{series.config} {series.version}".strip(), series.feature, series.model]
    return " · ".join([*(p for p in parts if p), fmt.ago(row.at, now)])


def _field(label: str, text: str, style: str, width: int) -> list[Line]:
    """A name and its text, whose lines stay lines."""
    lines: list[Line] = []
    for n, part in enumerate(shown(text).split("\n")):
        name = label if n == 0 else ""
        lines += wrap(((f" {left(name, _LABEL)} ", "dim"), (part, style)), width, _LABEL + 2)
    return lines
