"""What went into a span and what came out, as texts; and two of them as a diff. Plain text, cleaned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llmops_tui.domain import format as fmt
from llmops_tui.domain import semconv as a
from llmops_tui.domain import trace_facts as f
from llmops_tui.domain.guardrails.words import look_words
from llmops_tui.domain.safe_text import clean, clean_line
from llmops_tui.domain.trace import Span, text_of
from llmops_tui.domain.trace_steps import FieldDiff, Pairing
from llmops_tui.report.diff_lines import WIDTH, output_diff, text_diff

#: Characters of one side that a diff shows, and of a value that still fits beside its name.
SHOWN_CHARACTERS = 40_000
SHORT = 60


def span_fields(span: Span) -> list[tuple[str, str]]:
    """(Name, text) of all that went in and came out, in order."""
    found = [(clean_line(fact.name), field_text(fact.name, fact.told)) for fact in f.facts(span)]
    return [(name, text) for name, text in found if text.strip()]


def field_text(name: str, value: Any) -> str:
    """A value as a person reads it: messages by role, chunks with their source, anything else as JSON."""
    return clean(_text(name, value))


def _text(name: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case list() | tuple() if name in (f.MESSAGES, f.AS_SENT):
            return text_of(value)
        case list() | tuple() if name == f.CHUNKS:
            return "\n\n".join(_chunk(chunk) for chunk in value)
        case list() | tuple() if name == f.TOOL_CALLS:
            return "\n".join(_call(call) for call in value)
        case list() | tuple() if name in (f.FINISH, f.CHUNK_ORDER, f.WHERE):
            return ", ".join(str(each) for each in value)
        case Mapping() if name.startswith("chunk "):
            # Its score is left to the list of all: beside another one it is noise.
            return f"{f.chunk_name(value)}\n{value.get('content', '')}"
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str)


def _chunk(chunk: Any) -> str:
    if not isinstance(chunk, Mapping):
        return str(chunk)
    score = chunk.get("score")
    figure = f"  {score:.3g}" if isinstance(score, int | float) else ""
    return f"{f.chunk_name(chunk)}{figure}\n{chunk.get('content', '')}"


def _call(call: Any) -> str:
    if not isinstance(call, Mapping):
        return str(call)
    arguments = call.get("arguments")
    shown = (
        arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, default=str)
    )
    return f"{call.get('name', '')}({shown})"


def pairing_diff(pairing: Pairing, *, width: int = WIDTH) -> list[str]:
    """What differs in one step, as the lines of a diff; of a step that only one side has, all of it."""
    if pairing.state in ("new", "gone"):
        sign = "+ " if pairing.state == "new" else "- "
        fields = span_fields(pairing.span)
        return [line for name, text in fields for line in _one_sided(sign, name, text, width)]
    lines: list[str] = []
    for field in pairing.fields:
        # What was sent follows from the prompt, and has its own place where it does not.
        if field.name == f.AS_SENT and any(each.name == f.TEMPLATE for each in pairing.fields):
            continue
        lines += [*([""] if lines and _is_long(field) else []), *_field_diff(field, width)]
    return lines


def _one_sided(sign: str, name: str, text: str, width: int) -> list[str]:
    if "\n" not in text and len(text) <= SHORT:
        return [f"{sign}{name}: {text}"]
    cut = text[:SHOWN_CHARACTERS]
    before, after = ("", cut) if sign == "+ " else (cut, "")
    return [f"  {name}:", *text_diff(before, after, width=width), *_cut(text)]


def _field_diff(field: FieldDiff, width: int) -> list[str]:
    before, after = (field_text(field.name, value) for value in (field.before, field.after))
    name = clean_line(field.name)
    if not _is_long(field):
        sides = [("- ", before, field.before), ("+ ", after, field.after)]
        return [f"{sign}{name}: {text}" for sign, text, value in sides if value is not None]
    diff = output_diff if _is_json(field) else text_diff
    lines = diff(before[:SHOWN_CHARACTERS], after[:SHOWN_CHARACTERS], width=width)
    return [f"  {name}:", *lines, *_cut(before, after)]


def _is_long(field: FieldDiff) -> bool:
    texts = [field_text(field.name, value) for value in (field.before, field.after)]
    return any("\n" in text or len(text) > SHORT for text in texts)


def _is_json(field: FieldDiff) -> bool:
    """Structured, and not told as prose."""
    told = field.name in (f.MESSAGES, f.AS_SENT, f.TOOL_CALLS) or field.name.startswith("chunk ")
    values = (field.before, field.after)
    return not told and all(value is None or isinstance(value, Mapping | list | tuple) for value in values)


def _cut(*texts: str) -> list[str]:
    if max(map(len, texts)) <= SHOWN_CHARACTERS:
        return []
    return [f"# only the first {fmt.count(SHOWN_CHARACTERS)} characters are shown"]


def glance(span: Span) -> str:
    """A span in one line: what went in, and what came of it; may be empty. Not yet cut to a width."""
    if span.kind == "guardrail":
        said = look_words(span.attributes)
        return f"✗ {said}: {clean_line(span.error)}" if span.error else said
    if span.error:
        return f"✗ {clean_line(span.error)}"
    given, made = [], []
    for fact in f.facts(span):
        if fact.name == f.CHUNKS:
            names = (
                [f.chunk_name(chunk) for chunk in fact.told] if isinstance(fact.told, list | tuple) else []
            )
            made.append(", ".join(names) or "nothing found")
        elif fact.name.startswith((f.ARGUMENT, f.VARIABLE, f.INPUT_OF)):
            given.append(f"{fact.name.partition(' ')[2]}={_brief(fact.name, fact.told)}")
        elif fact.name in (f.QUERY, f.INPUT):
            given.append(_brief(fact.name, fact.told))
        elif fact.name in (f.ANSWER, f.TOOL_CALLS, f.RESULT, f.SCORE, f.VERDICT) and fact.told not in (
            "",
            [],
        ):
            made.append(_brief(fact.name, fact.told))
    if span.kind == "scorer":
        made.append(str(span.attributes.get(a.EXPLANATION, "")))
    return " → ".join(part for part in (clean_line(", ".join(given)), clean_line(" ".join(made))) if part)


def _brief(name: str, value: Any) -> str:
    if name == f.SCORE and isinstance(value, int | float):
        return fmt.score(value)
    if isinstance(value, str):
        return value[:400]
    if name == f.TOOL_CALLS:
        return _text(name, value)[:400]
    return json.dumps(value, ensure_ascii=False, default=str)[:400]
