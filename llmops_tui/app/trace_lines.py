"""Rows of a trace: marks, kind, name, a bar on the time scale, what it took. Pure."""

from __future__ import annotations

import msgspec

from llmops_tui.app.lines import Line, Span, ends, left, pad_line, right, shown_line
from llmops_tui.app.trace_doc import Node, TraceDoc
from llmops_tui.domain import format as fmt
from llmops_tui.domain.guardrails.words import Tone, outcome, tone
from llmops_tui.domain.trace import Span as TraceSpan
from llmops_tui.domain.trace_headline import NAMED

GLYPHS = {
    "request": "■",
    "turn": "↻",
    "step": "▪",
    "retrieval": "≡",
    "prompt": "¶",
    "model": "◆",
    "embedding": "◇",
    "tool": "→",
    "function": "λ",
    "command": "$",
    "guardrail": "◈",
    "scorer": "◎",
    "other": "·",
}
STATES = {
    "same": ("=", "dim"),
    "changed": ("~", "bold warning"),
    "new": ("+", "bold improved"),
    "gone": ("−", "bold regressed"),
}
#: Style of what a guardrail did; one that failed itself is no error of the request.
LOOKS: dict[Tone, str] = {
    "passed": "dim",
    "seen": "bold warning",
    "stopped": "bold regressed",
    "failed": "bold warning",
}
FIRST = "▶"
#: Beside the time of the slowest step, and the cost of the dearest one.
MOST = "◂"
ON_PATH, OFF_PATH = "█", "░"

#: Of the cost: a space, up to `$0.000043`, and the mark.
_TIME, _TOKENS, _COST = 8, 7, 11
_LEAST_BAR = 8


class Columns(msgspec.Struct, frozen=True):
    """Cells of each column; 0: left out."""

    marks: int
    name: int
    bar: int
    tokens: int
    cost: int


def columns(width: int, *, both: bool) -> Columns:
    """What fits into a width: tokens go first, then the cost, then the bar."""
    marks = 3 if both else 1
    tokens, cost = (_TOKENS if width >= 76 else 0), (_COST if width >= 56 else 0)
    room = max(width - marks - _TIME - tokens - cost, 4)
    bar = room - max(room * 5 // 9, 20) - 1
    if bar < _LEAST_BAR:
        return Columns(marks, room, 0, tokens, cost)
    return Columns(marks, room - bar - 1, bar, tokens, cost)


def heading_line(doc: TraceDoc, width: int) -> Line:
    """What the columns hold; above the bars the scale."""
    at = columns(width, both=doc.shown == "both")
    text = " " * at.marks + left("  step", at.name)
    if at.bar:
        end = fmt.seconds(doc.length_s)
        text += " " + left("0", max(at.bar - len(end), 0)) + right(end, min(len(end), at.bar))
    text += right("time", _TIME - 1) + " "
    if at.tokens:
        text += right("tokens", at.tokens)
    if at.cost:
        text += right("cost", at.cost - 1) + " "
    return ((text, "dim"),)


def row_line(doc: TraceDoc, row: int, width: int, *, folded: bool, found: bool) -> Line:
    """One step.

    Args:
        found: what is searched for is in it.
    """
    node = doc.nodes[row]
    span, timing = node.span, node.facts.timing
    at = columns(width, both=doc.shown == "both")
    spans: list[Span] = []
    if node.state is not None:
        spans += [(FIRST if row == doc.first else " ", "bold warning"), STATES[node.state], (" ", "")]
    else:
        spans.append((" ", ""))
    spans += _name(doc, row, at.name, folded=folded, found=found)
    if at.bar:
        spans += [(" ", ""), *_bar(node, doc.length_s, at.bar)]
    slowest, dearest = span.id == timing.slowest, span.id == timing.dearest
    spans.append((right(fmt.seconds(span.length_s), _TIME - 1), "bold warning" if slowest else ""))
    spans.append((MOST if slowest else " ", "bold warning"))
    took = node.facts.totals.get(span.id)
    if at.tokens:
        known = took is not None and (took.input_tokens is not None or took.output_tokens is not None)
        tokens = (took.input_tokens or 0) + (took.output_tokens or 0) if took is not None else 0
        spans.append((right(fmt.count(tokens) if known else "", at.tokens), "dim"))
    if at.cost:
        cost = took.cost_usd if took is not None else None
        text = fmt.money(cost) if cost is not None else ""
        spans.append((" " + right(text, at.cost - 2), "bold warning" if dearest else "dim"))
        spans.append((MOST if dearest else " ", "bold warning"))
    return tuple(spans)


def kind_and_name(span: TraceSpan) -> tuple[str, str]:
    """The word for the kind, and the name; the word is left out where the name says it."""
    kind, own = span.kind, span.attributes.get(NAMED.get(span.kind, ""), "")
    if kind == "prompt":
        return "", "prompt"
    name = shown_line(own if isinstance(own, str) and own else span.name)
    if not name or name.casefold().startswith(kind.casefold()):
        return "", name or kind
    return shown_line(kind), name


def glyph(kind: str) -> str:
    return GLYPHS.get(kind, GLYPHS["other"])


def _name(doc: TraceDoc, row: int, width: int, *, folded: bool, found: bool) -> Line:
    node = doc.nodes[row]
    span = node.span
    indent = min(2 * node.depth, max(width // 3, 0))
    fold = ("▸" if folded else "▾") if doc.is_parent(row) else " "
    mark = ("✗", "bold error") if span.status == "error" else (glyph(span.kind), "accent")
    kind, name = kind_and_name(span)
    style = "error" if span.status == "error" else "open-word" if found else ""
    done: list[Span] = []
    if span.kind == "guardrail":
        look = LOOKS[tone(span.attributes)]
        mark = ("✗" if span.status == "error" else glyph(span.kind), look)
        style = "open-word" if found else ""
        done = [("  " + outcome(span.attributes), look)]
    spans: list[Span] = [(" " * indent, ""), (fold + " ", "dim"), mark, (" ", "")]
    if kind:
        spans.append((kind + " ", "dim"))
    spans += [(name, style), *done]
    if not folded:
        return pad_line(spans, width)
    return ends(spans, ((f" +{node.last - row}", "dim"),), width)


def _bar(node: Node, length_s: float, width: int) -> list[Span]:
    """Where the step lies on the scale; at least one cell."""
    timing, span = node.facts.timing, node.span
    if length_s <= 0:
        start, size = 0, width
    else:
        start = min(int((span.start - timing.start) / length_s * width), width - 1)
        end = round((span.end - timing.start) / length_s * width)
        size = min(max(end - start, 1), width - start)
    start = max(start, 0)
    on = span.id in timing.path
    style = "error" if span.status == "error" else "accent" if on else "dim"
    return [
        (" " * start, ""),
        ((ON_PATH if on else OFF_PATH) * size, style),
        (" " * (width - start - size), ""),
    ]
