"""One step in full: what it was given and what came of it, rendered or raw. Pure; may take a while.

Untrusted throughout: every text goes through `shown`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from llmops_tui.app.chunk_lines import changed_documents, documents, is_chunk, place
from llmops_tui.app.lines import EMPTY, Line, shown, shown_line, wrap
from llmops_tui.app.lines import Span as Words
from llmops_tui.app.output_lines import change_lines
from llmops_tui.app.output_text import MAX_SHOWN
from llmops_tui.app.trace_doc import Facts, Node
from llmops_tui.app.trace_lines import LOOKS, MOST, STATES, glyph
from llmops_tui.app.values import json_text, text_lines, value_text
from llmops_tui.domain import format as fmt
from llmops_tui.domain import semconv as a
from llmops_tui.domain.guardrails.words import outcome, score_words, stage_words, tone
from llmops_tui.domain.prose_diff import Diff, diff
from llmops_tui.domain.trace import Span, text_of

#: Style of what is searched for.
FOUND = "open-word"

#: Attribute → its heading, in the order in which they are read; the last ones are what came of it.
SECTIONS = {
    a.QUERY: "query",
    a.TEMPLATE: "template",
    a.VARIABLES: "variables",
    a.INPUT: "input",
    a.TOOL_ARGUMENTS: "arguments",
    a.INPUT_MESSAGES: "messages sent",
    a.TOOL_DEFINITIONS: "tools it may call",
    a.RESPONSE_FORMAT: "format that is asked for",
    a.DOCUMENTS: "chunks",
    a.OUTPUT_MESSAGES: "answer",
    a.TOOL_RESULT: "result",
    a.OUTPUT: "output",
    a.EXPLANATION: "reason",
    a.GUARDRAIL_REASON: "reason",
    a.GUARDRAIL_WHERE: "where",
    a.RAW_RESPONSE: "raw response",
}
#: Attribute → (words before, how its value is written); on one line, below the heading.
_FIGURES: tuple[tuple[str, str, Any], ...] = (
    (a.PROVIDER, "", str),
    (a.MODEL, "", str),
    (a.RESPONSE_MODEL, "answered by", str),
    (a.INPUT_TOKENS, "tokens in", fmt.count),
    (a.CACHED_TOKENS, "of them cached", fmt.count),
    (a.OUTPUT_TOKENS, "tokens out", fmt.count),
    (a.REASONING_TOKENS, "of them reasoning", fmt.count),
    (a.COST, "cost", fmt.money),
    (a.TIME_TO_FIRST_CHUNK, "first token after", fmt.seconds),
    (
        a.FINISH_REASONS,
        "ended by",
        lambda v: ", ".join(map(str, v)) if isinstance(v, list | tuple) else str(v),
    ),
    (a.ATTEMPTS, "attempts", fmt.count),
    (a.METHOD, "by", str),
    (a.TOP_K, "at most", str),
    (a.TOOL_MODE, "tool is", str),
    (a.GUARDRAIL_KIND, "kind", str),
    (a.GUARDRAIL_STAGE, "looks at", stage_words),
    (a.SCORE, "score", fmt.score),
    (a.SCORE_LABEL, "", str),
)
#: Attributes of a guardrail that its first line tells.
_OF_A_LOOK = frozenset(
    (
        *(a.GUARDRAIL, a.TRIGGERED, a.ACTION, a.GUARDRAIL_SCORE, a.GUARDRAIL_THRESHOLD, a.GUARDRAIL_FAILED),
        a.GUARDRAIL_PIECES,
    )
)
#: Before a line whose text goes on below itself.
_MARKS = frozenset(("+ ", "− ", "~ ", "= ", "✗ "))
_ROLES = {"system": "bold accent", "developer": "bold accent", "user": "bold", "assistant": "bold improved"}


class Change(msgspec.Struct, frozen=True):
    """A value on both sides, compared."""

    title: str
    before: str
    after: str
    compared: Diff


#: Width, wrapped or not, what is searched for: what a layout depends on besides the parts.
Room = tuple[int, bool, re.Pattern[str] | None]

#: Lines as they are written, and changes, which are laid out for a width.
Parts = tuple[Line | Change, ...]


def rendered(node: Node, *, whole: bool = False) -> Parts:
    """What a person reads.

    Args:
        whole: long texts are not cut short.
    """
    out: list[Line | Change] = [*_head(node)]
    if node.fields:
        out += [EMPTY, (("What changed", "bold"),)]
        for field in node.fields:
            out += _changed(field.name, field.before, field.after, field.given)
    out += _span(node.span, node.facts, whole)
    return tuple(out)


def raw(span: Span) -> str:
    """The span as JSON, attributes by their names."""
    value = {
        "id": span.id,
        "parent_id": span.parent_id,
        "name": span.name,
        "kind": span.kind,
        "start": span.start,
        "end": span.end,
        "status": span.status,
        **({"error": span.error} if span.error else {}),
        "attributes": span.attributes,
    }
    return json_text(value)


def raw_parts(span: Span) -> Parts:
    return tuple(text_lines(raw(span), False))


def text(parts: Parts) -> str:
    """The parts as plain text, for copying and searching."""
    out: list[str] = []
    for part in parts:
        if isinstance(part, Change):
            out += [part.title, *(f"- {x}" for x in part.before.split("\n"))]
            out += [f"+ {x}" for x in part.after.split("\n")]
        else:
            out.append("".join(words for words, _ in part).rstrip())
    return "\n".join(out)


def searched(node: Node) -> str:
    """What a search looks through: the step itself, and what stood there before."""
    plain = msgspec.structs.replace(node, fields=(), facts=msgspec.structs.replace(node.facts, answer=""))
    before = (shown(_comparable(field.before)) for field in node.fields)
    return "\n".join((shown_line(node.span.name), text(rendered(plain)), *before))


def lay(parts: Parts, width: int, *, wrapped: bool, wanted: re.Pattern[str] | None = None) -> list[Line]:
    """Lines for a width.

    Args:
        wanted: what is searched for; it is marked.
    """
    out: list[Line] = []
    for part in parts:
        lines: Iterable[Line] = _lay_change(part, width) if isinstance(part, Change) else (part,)
        for line in lines:
            marked = mark(line, wanted) if wanted is not None else line
            out += wrap(marked, width, _indent(marked)) if wrapped else [marked]
    return out


def mark(line: Line, wanted: re.Pattern[str]) -> Line:
    """The line with what is searched for marked, wherever its styles change."""
    text = "".join(words for words, _ in line)
    places = [match.span() for match in wanted.finditer(text) if match[0]]
    if not places:
        return line
    out: list[Words] = []
    start = 0
    for words, style in line:
        end, at = start + len(words), start
        for one, other in places:
            low, high = max(one, start), min(other, end)
            if low >= high:
                continue
            out += [(text[at:low], style), (text[low:high], FOUND)]
            at = high
        out.append((text[at:end], style))
        start = end
    return tuple((words, style) for words, style in out if words)


def _indent(line: Line) -> int:
    """Cells before the rows that a line goes on in: as far as its text stands in."""
    first = line[0][0] if line else ""
    if first in _MARKS:
        return len(first)
    return min(len(first) - len(first.lstrip(" ")), 16)


def _lay_change(change: Change, width: int) -> list[Line]:
    before, after = change.before, change.after
    if "\n" not in before + after and len(before) + len(after) < width - len(change.title) - 6:
        spans: list[Words] = [(change.title, "dim"), ("  ", "")]
        spans += [(before or "nothing", "regressed"), (" → ", "dim"), (after or "nothing", "improved")]
        return wrap(spans, width, 2)
    return change_lines(change.title, before, after, change.compared, width)


# -- the parts


def _head(node: Node) -> Iterator[Line]:
    span, timing = node.span, node.facts.timing
    words = [f"{fmt.seconds(span.length_s)}, from {fmt.seconds(span.start - timing.start)} on"]
    own = timing.own_s.get(span.id, 0.0)
    if own < span.length_s - 0.0005:
        words.append(f"{fmt.seconds(own)} of its own")
    if node.before is not None and abs(node.before.length_s - span.length_s) >= 0.0005:
        words.append(f"{fmt.seconds(node.before.length_s)} before")
    yield (
        (f"{glyph(span.kind)} ", "accent"),
        (shown_line(span.kind), "bold"),
        (f"  {' · '.join(words)}", "dim"),
    )
    said: list[Words] = []
    if node.state is not None:
        symbol, style = STATES[node.state]
        said.append((f"{symbol} {node.state}", style))
    if span.id == timing.slowest:
        said.append((f"{MOST} the slowest step", "bold warning"))
    if span.id == timing.dearest:
        said.append((f"{MOST} the dearest step", "bold warning"))
    if span.id in timing.path:
        said.append(("on the critical path", "dim"))
    if span.attributes.get(a.CACHED):
        said.append(("from the cache; times of when it was made", "dim"))
    if said:
        yield tuple(x for one in said for x in ((" · ", "dim"), one))[1:]
    style = "error"
    if span.kind == "guardrail":
        style = LOOKS[tone(span.attributes)]
        score = score_words(span.attributes)
        yield ((outcome(span.attributes), style), *([(f"  {score}", "")] if score else []))
    if span.error or span.status == "error":
        for n, line in enumerate(shown(span.error or "it failed").split("\n")):
            yield ("  " if n else "✗ ", style), (line, style)
    figures = list(_figures(span))
    if figures:
        yield ((" · ".join(figures), "dim"),)


def _figures(span: Span) -> Iterator[str]:
    for name, words, write in _FIGURES:
        if (value := span.attributes.get(name)) is not None:
            try:
                written = write(value)
            except (TypeError, ValueError):
                written = str(value)
            yield f"{words} {shown_line(str(written))}".strip()
    for name, value in span.attributes.items():
        if name.startswith(a.REQUEST) and name != a.MODEL:
            yield f"{shown_line(name.removeprefix(a.REQUEST))} {shown_line(json_text(value, flat=True))}"


def _span(span: Span, facts: Facts, whole: bool) -> Iterator[Line]:
    known = span.attributes
    for name, title in SECTIONS.items():
        if name not in known or known[name] in (None, "", [], {}):
            continue
        value = known[name]
        if name == a.INPUT_MESSAGES and span.kind == "prompt":
            title = "as sent"
        if name == a.INPUT and span.kind == "guardrail":
            title = "what it fired on"
        yield EMPTY
        yield ((f"── {title} ", "dim"),)
        if name in (a.INPUT_MESSAGES, a.OUTPUT_MESSAGES):
            yield from _messages(value, whole)
        elif name == a.GUARDRAIL_WHERE and isinstance(value, list | tuple):
            yield from (((shown_line(str(each)), ""),) for each in value)
        elif name == a.DOCUMENTS:
            yield from documents(value, facts.answer, whole=whole)
        elif name == a.VARIABLES and isinstance(value, dict):
            for key, one in value.items():
                yield from _named(shown_line(str(key)), value_text(one), whole)
        else:
            yield from text_lines(value_text(value), whole)
    shown_above = {*SECTIONS, *(name for name, _, _ in _FIGURES), a.CACHED}
    if span.kind == "guardrail":
        shown_above |= _OF_A_LOOK
    rest = {n: v for n, v in known.items() if n not in shown_above and not n.startswith(a.REQUEST)}
    if rest:
        yield EMPTY
        yield (("── attributes ", "dim"),)
        for name, value in rest.items():
            yield from _named(shown_line(name), value_text(value), whole)


def _named(name: str, value: str, whole: bool) -> Iterator[Line]:
    lines = list(text_lines(value, whole))
    if len(lines) == 1:
        yield ((f"{name}  ", "dim"), *lines[0])
    else:
        yield ((name, "dim"),)
        yield from ((("  ", ""), *line) for line in lines)


def _messages(value: Any, whole: bool) -> Iterator[Line]:
    if not isinstance(value, list | tuple) or not all(isinstance(m, dict) for m in value):
        yield from text_lines(value_text(value), whole)
        return
    for n, message in enumerate(value):
        if n:
            yield EMPTY
        role = shown_line(str(message.get("role", "")))
        yield ((role or "?", _ROLES.get(role, "bold")),)
        parts = message.get("parts")
        for part in parts if isinstance(parts, list | tuple) else ():
            yield from _part(part, whole)


def _part(part: Any, whole: bool) -> Iterator[Line]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("text", "reasoning"):
        if kind == "reasoning":
            yield (("(reasoning)", "dim"),)
        yield from text_lines(value_text(part.get("content", ""), as_text=True), whole)
    elif kind == "tool_call":
        yield (("→ ", "accent"), (shown_line(str(part.get("name", ""))), "bold"))
        yield from ((("  ", ""), *line) for line in text_lines(value_text(part.get("arguments")), whole))
    elif kind == "tool_call_response":
        yield (("← ", "accent"), ("result", "bold"))
        result = part.get("response", part.get("result"))
        yield from ((("  ", ""), *line) for line in text_lines(value_text(result), whole))
    else:
        yield from text_lines(value_text(part), whole)


# -- what changed


def _changed(name: str, before: Any, after: Any, given: bool) -> Iterator[Line | Change]:
    title = SECTIONS.get(name, name.removeprefix(a.REQUEST)) + (" (given)" if given else "")
    title = shown_line(title)
    if all(isinstance(side, list | tuple) and any(map(is_chunk, side)) for side in (before, after)):
        yield ((title, "bold"),)
        yield from changed_documents(before, after)
        return
    old, new = shown(_comparable(before))[:MAX_SHOWN], shown(_comparable(after))[:MAX_SHOWN]
    yield Change(title, old, new, diff(old, new))


def _comparable(value: Any) -> str:
    if isinstance(value, list | tuple) and value and all(isinstance(m, dict) and "parts" in m for m in value):
        return text_of(value)
    if is_chunk(value):
        return f"{place(value)}\n{value_text(value['content'], as_text=True)}"
    return "" if value is None else value_text(value)
