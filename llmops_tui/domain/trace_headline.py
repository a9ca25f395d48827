"""Where two traces part, said in a clause: `another tool argument: order 1001 → 1002`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llmops_tui.domain import format as fmt
from llmops_tui.domain import semconv as a
from llmops_tui.domain import trace_facts as f
from llmops_tui.domain.safe_text import clean, clean_line
from llmops_tui.domain.trace import Span, text_of
from llmops_tui.domain.trace_steps import FieldDiff, Pairing

SAME = "both came about the same way"

#: Cells of a value in a headline, and of a line of a prompt.
VALUE, LINE = 40, 72

_KINDS = {
    "request": "request",
    "turn": "turn",
    "step": "step",
    "retrieval": "retrieval",
    "prompt": "prompt",
    "model": "model call",
    "embedding": "embedding",
    "tool": "tool call",
    "function": "function",
    "command": "command",
    "guardrail": "guardrail",
    "scorer": "scorer",
}
#: Where a kind's own name stands; the conventions put a word before it (`chat smollm2`).
NAMED = {
    "step": a.STEP,
    "retrieval": a.DATA_SOURCE,
    "model": a.MODEL,
    "embedding": a.MODEL,
    "tool": a.TOOL_NAME,
    "function": a.FUNCTION,
    "guardrail": a.GUARDRAIL,
    "scorer": a.EVALUATION,
}


def step_words(span: Span) -> str:
    """A step as people call it: `tool call lookup_order`, `model call smollm2`, `step find`."""
    name = span.attributes.get(NAMED.get(span.kind, ""), "")
    if not name and span.kind not in ("prompt", "request"):
        name = span.name
    return clean_line(f"{_KINDS.get(span.kind, 'step')} {fmt.truncate(str(name), VALUE)}")


def value_words(value: Any, width: int = VALUE) -> str:
    """A JSON value on one line; `nothing` for what is not there."""
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return fmt.truncate(clean_line(text[: 8 * width]), width) or "nothing"


def headline(pairings: Sequence[Pairing], first: int, parted: int) -> str:
    """Where they part.

    Args:
        first: the step that is marked.
        parted: the step that differs: `first`, or the model call that wanted the tool call that is marked.
    """
    pairing = pairings[parted]
    if first != parted:
        return _other_call(pairing)
    if pairing.state != "changed":
        return f"a new step: {step_words(pairing.span)}" if pairing.state == "new" else _gone(pairing)
    field = _telling(pairing)
    return clean_line(_guarded(pairings, parted, field) or _words(pairing, field))


def _guarded(pairings: Sequence[Pairing], parted: int, field: FieldDiff) -> str:
    """That a guardrail made the difference in what a retrieval gave; empty where none did."""
    retrieval = pairings[parted]
    if retrieval.span.kind != "retrieval" or field.given or field.name == f.CHUNK_ORDER:
        return ""
    chunk = f.chunk_name(field.before if field.before is not None else field.after)
    for each in pairings[parted + 1 :]:
        if each.depth < retrieval.depth or each.span.kind == "retrieval":
            break
        if each.span.kind != "guardrail":
            continue
        for side, more in ((each.after, ""), (each.before, " no longer")):
            if side is not None and _acted_on(side, chunk):
                done = "redacted" if side.attributes.get(a.ACTION) == "redact" else "blocked"
                name = value_words(str(side.attributes.get(a.GUARDRAIL, side.name)))
                return f"a chunk is{more} {done} by {name}: {value_words(chunk, LINE)}"
    return ""


def _acted_on(guardrail: Span, chunk: str) -> bool:
    where = guardrail.attributes.get(a.GUARDRAIL_WHERE)
    changed = guardrail.attributes.get(a.ACTION) in ("block", "redact")
    return changed and isinstance(where, list | tuple) and chunk in where


def _gone(pairing: Pairing) -> str:
    return f"a step is gone: {step_words(pairing.span)}"


def _telling(pairing: Pairing) -> FieldDiff:
    """What went in goes before what came out, and an error before any other result."""
    fields = pairing.fields
    if not fields[0].given:
        return next((each for each in fields if each.name == f.ERROR), fields[0])
    return fields[0]


def _words(pairing: Pairing, field: FieldDiff) -> str:
    if field.given:
        return _given(pairing, field)
    where = step_words(pairing.span)
    if field.name == f.ERROR:
        if field.after is None:
            return f"no error any more: {where} (was: {value_words(field.before, LINE)})"
        another = "an error" if field.before is None else "another error"
        return f"{another}: {where}: {value_words(field.after, LINE)}"
    if field.name == f.AS_SENT:
        return "another text as sent" + _line(text_of(field.before), text_of(field.after))
    match pairing.span.kind:
        case "retrieval":
            return _retrieved(pairing, field)
        case "model":
            if any(each.name == f.TOOL_CALLS for each in pairing.fields):
                return _other_call(pairing)
            another = {f.FINISH: "finish reason"}.get(field.name, field.name)
            return f"same request, another {another}"
        case "tool":
            return f"same tool call, another result: {where.removeprefix('tool call ')} {_change(field)}"
        case "scorer":
            figures = (field.before, field.after)
            if all(isinstance(figure, int | float) for figure in figures):
                change = " → ".join(fmt.score(figure) for figure in figures)
            else:
                change = _change(field)
            return f"same answer, another {field.name}: {where.removeprefix('scorer ')} {change}"
        case "guardrail":
            return f"another look of a guardrail: {where.removeprefix('guardrail ')} {_change(field)}"
        case "request" | "turn":
            return "same steps, another answer"
        case _:
            return f"same input, another result: {where}"


def _given(pairing: Pairing, field: FieldDiff) -> str:
    name, kind = field.name, pairing.span.kind
    others = [each for each in pairing.fields if each.given and each is not field]
    more = f" (and {fmt.count(len(others))} more)" if others else ""
    if name == f.TEMPLATE:
        return _prompt_line(str(field.before or ""), str(field.after or ""))
    if name == f.MESSAGES:
        return "other messages sent" + _line(text_of(field.before), text_of(field.after))
    if name == f.TOOLS:
        return f"other tools{_tools(field)}{more}"
    if name.startswith(f.ARGUMENT):
        return f"another tool argument: {name.removeprefix(f.ARGUMENT)} {_change(field)}{more}"
    if name.startswith(f.INPUT_OF):
        where = "" if kind == "request" else f" of {step_words(pairing.span)}"
        return f"another input{where}: {name.removeprefix(f.INPUT_OF)} {_change(field)}{more}"
    if name.startswith(f.VARIABLE):
        return f"another variable: {name.removeprefix(f.VARIABLE)} {_change(field)}{more}"
    if name in (f.QUERY, f.MODEL, f.INPUT, "source", "provider", "method", "function", "command"):
        where = f" of {step_words(pairing.span)}" if name == f.INPUT and kind != "request" else ""
        return f"another {name}{where}: {_change(field)}{more}"
    return f"{name} {_change(field)}{more}"


def _change(field: FieldDiff) -> str:
    return f"{value_words(field.before)} → {value_words(field.after)}"


def _tools(field: FieldDiff) -> str:
    """`: +lookup −search`, or which of them reads otherwise."""
    old, new = (
        {_tool_name(tool): tool for tool in (side if isinstance(side, list | tuple) else ())}
        for side in (field.before, field.after)
    )
    words = [f"+{name}" for name in new if name not in old]
    words += [f"{fmt.MINUS}{name}" for name in old if name not in new]
    words += [f"{name} is described otherwise" for name in new if name in old and new[name] != old[name]]
    return f": {value_words(', '.join(words), LINE)}" if words else ""


def _tool_name(tool: Any) -> str:
    if not isinstance(tool, Mapping):
        return str(tool)
    function = tool.get("function")
    return str((function if isinstance(function, Mapping) else tool).get("name", ""))


# -- chunks


def _retrieved(pairing: Pairing, field: FieldDiff) -> str:
    if field.name == f.CHUNK_ORDER:
        return f"the same chunks in another order: {_names(field.before)} → {_names(field.after)}"
    others = [each for each in pairing.fields if not each.given and each is not field]
    more = f" (and {fmt.count(len(others))} more)" if others else ""
    if field.after is None:
        return f"a chunk is not retrieved any more: {_chunk(field.before)}{more}"
    if field.before is None:
        return f"one more chunk retrieved: {_chunk(field.after)}{more}"
    if f.chunk_name(field.before) == f.chunk_name(field.after):
        return f"another text in a chunk: {_chunk(field.after)}{more}"
    return f"another chunk retrieved: {_chunk(field.before)} → {_chunk(field.after)}{more}"


def _chunk(chunk: Any) -> str:
    return value_words(f.chunk_name(chunk), LINE)


def _names(names: Any) -> str:
    return value_words(", ".join(str(name) for name in names))


# -- lines


def _prompt_line(before: str, after: str) -> str:
    old, new = _first_lines(before, after)
    if old and new:
        return f"another prompt line: {_quoted(old)} → {_quoted(new)}"
    if new:
        return f"a new prompt line: {_quoted(new)}"
    return f"a prompt line is gone: {_quoted(old)}" if old else "the prompt is laid out differently"


def _line(before: str, after: str) -> str:
    old, new = _first_lines(before, after)
    if old and new:
        return f": {_quoted(old)} → {_quoted(new)}"
    return f": {_quoted(new)} is new" if new else f": {_quoted(old)} is gone" if old else ""


def _first_lines(before: str, after: str) -> tuple[str, str]:
    """The first changed line that says something, on both sides; empty where a side has none there."""
    from llmops_tui.domain.prose_diff import diff_words

    for line in diff_words(clean(before), clean(after)).lines:
        old, new = ("".join(s.text for s in side or ()).strip() for side in (line.left, line.right))
        if old != new:
            return _from_difference(old, new)
    return "", ""


def _from_difference(old: str, new: str) -> tuple[str, str]:
    """Long lines from a little before where they differ, so that it can be seen."""
    if not old or not new or max(len(old), len(new)) <= LINE:
        return old, new
    shared = next(
        (n for n, (x, y) in enumerate(zip(old, new, strict=False)) if x != y), min(len(old), len(new))
    )
    start = old.rfind(" ", 0, max(shared - LINE // 3, 0)) + 1
    if not start:
        return old, new
    return fmt.ELLIPSIS + old[start:], fmt.ELLIPSIS + new[start:]


def _quoted(line: str) -> str:
    return f"“{value_words(line, LINE)}”"


# -- tool calls


def _other_call(asked: Pairing) -> str:
    """The same request, and another tool call in the answer."""
    old, new = f.first_other_call(asked)
    if old is None and new is None:
        return "same request, another answer"
    if old is None:
        return f"same request, one more tool call: {_call(new)}"
    if new is None:
        return f"same request, a tool call less: {_call(old)}"
    if old.get("name") != new.get("name"):
        return f"another tool: {_call(old)} → {_call(new)}"
    one, two = old.get("arguments"), new.get("arguments")
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        names = [name for name in dict.fromkeys((*one, *two)) if one.get(name) != two.get(name)]
        if names:
            field = FieldDiff(names[0], one.get(names[0]), two.get(names[0]))
            more = f" (and {fmt.count(len(names) - 1)} more)" if names[1:] else ""
            return clean_line(f"another tool argument: {names[0]} {_change(field)}{more}")
    return f"another tool argument: {value_words(one)} → {value_words(two)}"


def _call(call: Mapping[str, Any] | None) -> str:
    if call is None:
        return "none"
    arguments = call.get("arguments")
    if isinstance(arguments, Mapping):
        shown = ", ".join(f"{name}={value_words(value, 20)}" for name, value in arguments.items())
    else:
        shown = value_words(arguments)
    return value_words(f"{call.get('name', '')}({shown})")
