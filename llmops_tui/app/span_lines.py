"""One step in full: what it was given and what came of it, rendered or raw. Pure; may take a while.

Untrusted throughout: every text goes through `shown`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from llmops_tui.app.lines import EMPTY, Line, shown, shown_line, wrap
from llmops_tui.app.lines import Span as Words
from llmops_tui.app.output_lines import change_lines
from llmops_tui.app.output_text import MAX_SHOWN
from llmops_tui.app.trace_doc import Facts, Node
from llmops_tui.app.trace_lines import MOST, STATES, glyph
from llmops_tui.domain import format as fmt
from llmops_tui.domain import semconv as a
from llmops_tui.domain.prose_diff import Diff, diff
from llmops_tui.domain.reached import Reached, reached
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
    (a.SCORE, "score", fmt.score),
    (a.SCORE_LABEL, "", str),
)
_ROLES = {"system": "bold accent", "developer": "bold accent", "user": "bold", "assistant": "bold improved"}


class Change(msgspec.Struct, frozen=True):
    """A value on both sides, compared."""

    title: str
    before: str
    after: str
    compared: Diff


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
            out += _changed(field.name, field.before, field.after, field.given, node)
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
    return _json(value)


def raw_parts(span: Span) -> Parts:
    return tuple(_text(raw(span), False))


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
    first = line[0][0] if line else ""
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
    if span.error or span.status == "error":
        for n, line in enumerate(shown(span.error or "it failed").split("\n")):
            yield ((f"{'  ' if n else '✗ '}{line}", "error"),)
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
            yield f"{shown_line(name.removeprefix(a.REQUEST))} {shown_line(_json(value, flat=True))}"


def _span(span: Span, facts: Facts, whole: bool) -> Iterator[Line]:
    known = span.attributes
    for name, title in SECTIONS.items():
        if name not in known or known[name] in (None, "", [], {}):
            continue
        value = known[name]
        if name == a.INPUT_MESSAGES and span.kind == "prompt":
            title = "as sent"
        yield EMPTY
        yield ((f"── {title} ", "dim"),)
        if name in (a.INPUT_MESSAGES, a.OUTPUT_MESSAGES):
            yield from _messages(value, whole)
        elif name == a.DOCUMENTS:
            yield from _documents(value, facts.answer, whole)
        elif name == a.VARIABLES and isinstance(value, dict):
            for key, one in value.items():
                yield from _named(shown_line(str(key)), _value(one), whole)
        else:
            yield from _text(_value(value), whole)
    shown_above = {*SECTIONS, *(name for name, _, _ in _FIGURES), a.CACHED}
    rest = {n: v for n, v in known.items() if n not in shown_above and not n.startswith(a.REQUEST)}
    if rest:
        yield EMPTY
        yield (("── attributes ", "dim"),)
        for name, value in rest.items():
            yield from _named(shown_line(name), _value(value), whole)


def _named(name: str, value: str, whole: bool) -> Iterator[Line]:
    lines = list(_text(value, whole))
    if len(lines) == 1:
        yield ((f"{name}  ", "dim"), *lines[0])
    else:
        yield ((name, "dim"),)
        yield from ((("  ", ""), *line) for line in lines)


def _text(value: str, whole: bool) -> Iterator[Line]:
    cleaned = shown(value)
    more = 0
    if not whole and len(cleaned) > MAX_SHOWN:
        more, cleaned = len(cleaned) - MAX_SHOWN, cleaned[:MAX_SHOWN]
    if not cleaned:
        yield (("(empty)", "dim"),)
        return
    for line in cleaned.split("\n"):
        yield ((line, ""),)
    if more:
        yield ((f"… {fmt.count(more)} more characters; y copies all", "dim"),)


def _messages(value: Any, whole: bool) -> Iterator[Line]:
    if not isinstance(value, list | tuple) or not all(isinstance(m, dict) for m in value):
        yield from _text(_value(value), whole)
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
        yield from _text(_value(part.get("content", ""), as_text=True), whole)
    elif kind == "tool_call":
        yield (("→ ", "accent"), (shown_line(str(part.get("name", ""))), "bold"))
        yield from ((("  ", ""), *line) for line in _text(_value(part.get("arguments")), whole))
    elif kind == "tool_call_response":
        yield (("← ", "accent"), ("result", "bold"))
        result = part.get("response", part.get("result"))
        yield from ((("  ", ""), *line) for line in _text(_value(result), whole))
    else:
        yield from _text(_value(part), whole)


def _documents(value: Any, answer: str, whole: bool) -> Iterator[Line]:
    if not isinstance(value, list | tuple) or not all(isinstance(d, dict) for d in value):
        yield from _text(_value(value), whole)
        return
    for n, document in enumerate(value, 1):
        if n > 1:
            yield EMPTY
        content = shown(_value(document.get("content", ""), as_text=True))
        head: list[Words] = [(f"{n} ", "dim"), (_place(document), "bold")]
        if (score := document.get("score")) is not None:
            head.append((f"  score {_score(score)}", ""))
        found = reached(content, answer) if answer and content else None
        if found is not None and found.share is not None:
            head.append((f"  {_share(found)}", "improved" if found.found else "dim"))
        yield tuple(head)
        yield from _marked(content, found, whole)


def _place(document: dict[str, Any]) -> str:
    """`docs/refunds.md#2`."""
    source = shown_line(str(document.get("source", document.get("id", ""))))
    position = document.get("position")
    return source if position is None else f"{source}#{shown_line(str(position))}"


def _score(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, int | float) else shown_line(str(value))


def _share(found: Reached) -> str:
    if not found.found:
        return "none of its words reached the answer"
    assert found.share is not None
    text = f"{found.found} of {fmt.plural(found.total, 'word')} ({found.share:.0%}) reached the answer"
    return text + (f", {found.longest} in a row" if found.longest else "")


def _marked(content: str, found: Reached | None, whole: bool) -> Iterator[Line]:
    """The text of a chunk; what reached the answer is marked, runs more strongly than single words."""
    if found is None or not found.marks or (len(content) > MAX_SHOWN and not whole):
        yield from _text(content, whole)
        return
    styles = {"run": "pass-word", "word": "underline"}
    line: list[Words] = []
    at = 0
    places = [(m.start, m.end, styles[m.kind]) for m in found.marks]
    for start, end, style in (*places, (len(content), len(content), "")):
        for piece, look in ((content[at:start], ""), (content[start:end], style)):
            for n, words in enumerate(piece.split("\n")):
                if n:
                    yield tuple(line)
                    line = []
                if words:
                    line.append((words, look))
        at = end
    yield tuple(line)


# -- what changed


def _changed(name: str, before: Any, after: Any, given: bool, node: Node) -> Iterator[Line | Change]:
    title = SECTIONS.get(name, name.removeprefix(a.REQUEST)) + (" (given)" if given else "")
    title = shown_line(title)
    if name == a.DOCUMENTS and isinstance(before, list | tuple) and isinstance(after, list | tuple):
        yield ((title, "bold"),)
        yield from _changed_documents(before, after)
        return
    old, new = shown(_comparable(before))[:MAX_SHOWN], shown(_comparable(after))[:MAX_SHOWN]
    yield Change(title, old, new, diff(old, new))


def _changed_documents(before: Iterable[Any], after: Iterable[Any]) -> Iterator[Line]:
    old = {_identity(d): n for n, d in enumerate(before, 1)}
    new = {_identity(d): n for n, d in enumerate(after, 1)}
    for identity, n in new.items():
        if identity not in old:
            yield (("+ ", "bold improved"), (f"{n} {identity[0]}  ", "improved"), (identity[1], ""))
        elif old[identity] == n:
            yield (("= ", "dim"), (f"{n} {identity[0]}", "dim"))
        else:
            yield (("~ ", "bold warning"), (f"{n} {identity[0]}  was {old[identity]}", ""))
    for identity, n in old.items():
        if identity not in new:
            yield (("− ", "bold regressed"), (f"{n} {identity[0]}  ", "regressed"), (identity[1], ""))


def _identity(document: Any) -> tuple[str, str]:
    """Source with position, and the text on one line: what makes it the same chunk."""
    if not isinstance(document, dict):
        return "", shown_line(_json(document, flat=True))
    return _place(document), shown_line(_value(document.get("content", ""), as_text=True))[:2_000]


def _comparable(value: Any) -> str:
    if isinstance(value, list | tuple) and value and all(isinstance(m, dict) and "parts" in m for m in value):
        return text_of(value)
    return "" if value is None else _value(value)


# -- values


def _value(value: Any, *, as_text: bool = False) -> str:
    """A value as a person reads it: JSON laid out, also where it came as a text."""
    if not isinstance(value, str):
        return _json(value)
    if not as_text and value.lstrip()[:1] in ("{", "["):
        try:
            return _json(json.loads(value))
        except (ValueError, RecursionError):
            return value
    return value


def _json(value: Any, *, flat: bool = False) -> str:
    if flat and isinstance(value, str):
        return value
    try:
        return json.dumps(value, indent=None if flat else 2, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return str(value)
