"""What is compared of a span: what went into it and what came out, by its kind.

Times, tokens, cost, attempts, ids and whether it came from the cache are no part of it. Attributes are those
of `semconv`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.guardrails.words import outcome
from llmops_tui.domain.trace import Span
from llmops_tui.domain.trace_steps import FieldDiff, Pairing

ANSWER, REASONING, TOOL_CALLS, FINISH = "answer", "reasoning", "tool calls", "finish reason"
MESSAGES, TOOLS, MODEL = "messages", "tools", "model"
CODE = "code"
TEMPLATE, AS_SENT = "prompt", "text as sent"
RESULT, ERROR, INPUT = "result", "error", "input"
CHUNKS, CHUNK_ORDER, QUERY = "chunks", "order of chunks", "query"
SCORE, VERDICT = "score", "verdict"
OUTCOME, REASON, WHERE = "outcome", "reason", "where"
#: Starts of names that are followed by a name of the person's own.
ARGUMENT, VARIABLE, INPUT_OF = "argument ", "variable ", "input "


class Fact(msgspec.Struct, frozen=True):
    """One thing that is compared.

    Attributes:
        told: the value as it is shown.
        value: the same without what varies by itself (ids of tool calls).
        known: a side without it does not know it, and is not held to differ; else it is nothing there.
    """

    name: str
    told: Any
    value: Any
    given: bool
    known: bool = True


def facts(span: Span) -> list[Fact]:
    """What went in first, each in the order in which a person wants to know."""
    found = list(_given(span))
    found += _made(span)
    if span.status == "error" or span.error:
        error = span.error or "failed"
        found.append(Fact(ERROR, error, error, given=False, known=False))
    return found


def differences(before: Span, after: Span) -> tuple[FieldDiff, ...]:
    """What differs between two spans of one kind."""
    old, new = ({fact.name: fact for fact in facts(span)} for span in (before, after))
    found: list[FieldDiff] = []
    for name in dict.fromkeys((*old, *new)):
        one, two = old.get(name), new.get(name)
        fact = one or two
        assert fact is not None
        if (one is None or two is None) and (fact.known or not _could_tell(before, after, fact)):
            continue
        if one is not None and two is not None and one.value == two.value:
            continue
        if name == CHUNKS and one is not None and two is not None:
            found += _chunks(one.value, two.value)
        else:
            found.append(FieldDiff(name, one and one.told, two and two.told, fact.given))
    if all(field.name == CODE for field in found):
        return ()  # other code that does the same to the same is no parting
    return tuple(sorted(found, key=lambda field: not field.given))


def _could_tell(before: Span, after: Span, fact: Fact) -> bool:
    """Both sides hold what the fact is a part of, so that nothing there means nothing."""
    if not fact.given:
        return True
    whole = (
        a.INPUT_MESSAGES if before.kind == "model" else a.VARIABLES if fact.name.startswith(VARIABLE) else ""
    )
    if fact.name.startswith(ARGUMENT):
        whole = a.TOOL_ARGUMENTS
    # A call of a model that was never answered says nothing of its settings.
    return not whole or (whole in before.attributes and whole in after.attributes)


def chunk_name(chunk: Any) -> str:
    """`refunds.md#0`."""
    if not isinstance(chunk, Mapping):
        return str(chunk)
    source, position = chunk.get("source"), chunk.get("position")
    if source is None:
        return str(chunk.get("id", ""))
    return str(source) if position is None else f"{source}#{position}"


# -- what went in


def _given(span: Span) -> Iterator[Fact]:
    has = span.attributes
    for name, attribute in _GIVEN.get(span.kind, ((INPUT, a.INPUT),)):
        value = has.get(attribute)
        if name == INPUT and isinstance(value, Mapping):
            # By name: of a request it is what its prompt reads, and another prompt may read more of it.
            yield from (Fact(f"{INPUT_OF}{each}", told, told, given=True) for each, told in value.items())
        elif attribute in has:
            yield Fact(name, value, value, given=True)
    if span.kind in ("model", "other"):
        yield from _request(has)
    if span.kind in ("prompt", "other"):
        yield from _each(VARIABLE, has.get(a.VARIABLES))
    if span.kind in ("tool", "other"):
        arguments = has.get(a.TOOL_ARGUMENTS)
        if isinstance(arguments, Mapping):
            yield from _each(ARGUMENT, arguments)
        elif arguments is not None:
            yield Fact("arguments", arguments, arguments, given=True, known=False)


_GIVEN = {
    "retrieval": (
        ("source", a.DATA_SOURCE),
        (QUERY, a.QUERY),
        ("method", a.METHOD),
        ("top_k", a.TOP_K),
    ),
    "prompt": ((TEMPLATE, a.TEMPLATE),),
    "model": (("provider", a.PROVIDER), (MODEL, a.MODEL)),
    "embedding": (("provider", a.PROVIDER), (MODEL, a.MODEL), (INPUT, a.INPUT)),
    "tool": (("mode", a.TOOL_MODE), (CODE, a.CODE)),
    "function": (("function", a.FUNCTION), (CODE, a.CODE), (INPUT, a.INPUT)),
    "command": (("command", a.COMMAND), (INPUT, a.INPUT)),
    "guardrail": (("stage", a.GUARDRAIL_STAGE), ("threshold", a.GUARDRAIL_THRESHOLD)),
    "scorer": (),
}


#: Start of the names of parameters that the conventions have no name for.
_OTHER_PARAM = "llmops.request."


def _request(has: Mapping[str, Any]) -> Iterator[Fact]:
    """Parameters, format and tools (not there: not set), and the messages."""
    for name in sorted(has):
        start = next((each for each in (a.REQUEST, _OTHER_PARAM) if name.startswith(each)), None)
        if start is not None and name not in (a.MODEL, a.RESPONSE_FORMAT):
            yield Fact(name.removeprefix(start), has[name], has[name], given=True, known=False)
    for told, attribute in (
        ("response format", a.RESPONSE_FORMAT),
        ("output type", a.OUTPUT_TYPE),
        (TOOLS, a.TOOL_DEFINITIONS),
    ):
        if has.get(attribute):
            yield Fact(told, has[attribute], has[attribute], given=True, known=False)
    if a.INPUT_MESSAGES in has:
        messages = has[a.INPUT_MESSAGES]
        yield Fact(MESSAGES, messages, _without_ids(messages), given=True)


def _each(start: str, mapping: Any) -> Iterator[Fact]:
    if isinstance(mapping, Mapping):
        for name, value in mapping.items():
            yield Fact(f"{start}{name}", value, value, given=True, known=False)


# -- what came out


def _made(span: Span) -> Iterator[Fact]:
    has = span.attributes
    kind = span.kind
    if kind in ("model", "other") and a.OUTPUT_MESSAGES in has:
        yield from _answer(has)
    if kind == "prompt" and a.INPUT_MESSAGES in has:
        yield Fact(AS_SENT, has[a.INPUT_MESSAGES], _without_ids(has[a.INPUT_MESSAGES]), given=False)
    if kind in ("retrieval", "other") and a.DOCUMENTS in has:
        chunks = has[a.DOCUMENTS]
        yield Fact(CHUNKS, chunks, _Chunks(chunks), given=False)
    if kind in ("tool", "other") and a.TOOL_RESULT in has:
        yield Fact(RESULT, has[a.TOOL_RESULT], has[a.TOOL_RESULT], given=False)
    if kind == "scorer":
        for name, attribute in ((SCORE, a.SCORE), (VERDICT, a.SCORE_LABEL)):
            if has.get(attribute) is not None:
                yield Fact(name, has[attribute], has[attribute], given=False)
    elif kind == "guardrail":
        yield from _look(has)
    elif a.OUTPUT in has and kind not in ("model", "retrieval", "prompt", "tool", "embedding"):
        name = ANSWER if kind in ("request", "turn") else RESULT
        yield Fact(name, has[a.OUTPUT], has[a.OUTPUT], given=False)


def _look(has: Mapping[str, Any]) -> Iterator[Fact]:
    """What a guardrail did, and why; what it fired on follows from where it looked."""
    done = outcome(has)
    yield Fact(OUTCOME, done, done, given=False)
    for name, attribute in (
        (SCORE, a.GUARDRAIL_SCORE),
        (REASON, a.GUARDRAIL_REASON),
        (WHERE, a.GUARDRAIL_WHERE),
    ):
        if has.get(attribute) is not None:
            yield Fact(name, has[attribute], has[attribute], given=False)


def _answer(has: Mapping[str, Any]) -> Iterator[Fact]:
    parts = [part for part in _parts(has[a.OUTPUT_MESSAGES]) if isinstance(part, Mapping)]
    for name, type_ in ((ANSWER, "text"), (REASONING, "reasoning")):
        text = "".join(str(part.get("content", "")) for part in parts if part.get("type") == type_)
        if text or name == ANSWER:
            yield Fact(name, text, text, given=False)
    calls = tool_calls(has)
    yield Fact(TOOL_CALLS, calls, _without_ids(calls), given=False)
    if has.get(a.FINISH_REASONS) is not None:
        yield Fact(FINISH, has[a.FINISH_REASONS], has[a.FINISH_REASONS], given=False)


def tool_calls(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tool calls that a model answered with, as parts of messages."""
    parts = _parts(attributes.get(a.OUTPUT_MESSAGES))
    return [dict(part) for part in parts if isinstance(part, Mapping) and part.get("type") == "tool_call"]


def _parts(messages: Any) -> Iterator[Any]:
    for message in messages if isinstance(messages, list | tuple) else ():
        parts = message.get("parts") if isinstance(message, Mapping) else None
        yield from parts if isinstance(parts, list | tuple) else ()


def _without_ids(messages: Any) -> Any:
    """Messages, or parts of them, without the ids of tool calls, which differ each time."""
    if not isinstance(messages, list | tuple):
        return messages
    return [_without_id(each) for each in messages]


def _without_id(each: Any) -> Any:
    if not isinstance(each, Mapping):
        return each
    if isinstance(each.get("parts"), list | tuple):
        return {**each, "parts": [_without_id(part) for part in each["parts"]]}
    if each.get("type") in ("tool_call", "tool_call_response") and "id" in each:
        return {name: value for name, value in each.items() if name != "id"}
    return each


# -- chunks


class _Chunks:
    """Chunks as they are compared: which, with what text, in what order; their scores are noise."""

    __slots__ = ("chunks", "keys")

    def __init__(self, chunks: Any) -> None:
        self.chunks = list(chunks) if isinstance(chunks, list | tuple) else []
        self.keys = [_chunk_key(chunk) for chunk in self.chunks]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Chunks) and self.keys == other.keys

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.keys)


def _chunk_key(chunk: Any) -> str:
    if not isinstance(chunk, Mapping):
        return repr(chunk)
    return repr((chunk_name(chunk), chunk.get("content")))


def _chunks(before: _Chunks, after: _Chunks) -> list[FieldDiff]:
    """Chunks that came and went, beside each other by rank; those of the same place first."""
    gone = _left(before, after)
    new = _left(after, before)
    found: list[tuple[int, FieldDiff]] = []
    by_name = {chunk_name(chunk): rank for rank, chunk in reversed(list(gone.items()))}
    for rank in list(new):
        was = by_name.pop(chunk_name(new[rank]), None)
        if was is not None:
            found.append((rank, FieldDiff(f"chunk {rank + 1}", gone.pop(was), new.pop(rank))))
    olds, news = sorted(gone), sorted(new)
    for n in range(max(len(olds), len(news))):
        one, two = (gone[olds[n]] if n < len(olds) else None), (new[news[n]] if n < len(news) else None)
        place = news[n] if n < len(news) else olds[n]
        found.append((place, FieldDiff(f"chunk {place + 1}", one, two)))
    if not found:
        one, two = ([chunk_name(chunk) for chunk in side.chunks] for side in (before, after))
        return [FieldDiff(CHUNK_ORDER, one, two)]
    return [field for _, field in sorted(found, key=lambda each: each[0])]


def _left(side: _Chunks, other: _Chunks) -> dict[int, Any]:
    """Rank → chunk, of those that the other side has not."""
    there = Counter(other.keys)
    left: dict[int, Any] = {}
    for rank, key in enumerate(side.keys):
        if there[key]:
            there[key] -= 1
        else:
            left[rank] = side.chunks[rank]
    return left


# -- tool calls


def first_other_call(asked: Pairing) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The first tool call of an answer that differs, on both sides; None where a side has none there."""
    if asked.before is None or asked.after is None:
        return None, None
    old, new = (tool_calls(span.attributes) for span in (asked.before, asked.after))
    for n in range(max(len(old), len(new))):
        one, two = (calls[n] if n < len(calls) else None for calls in (old, new))
        if one is None or two is None or _without_id(one) != _without_id(two):
            return one, two
    return None, None


def same_call(span: Span, call: Mapping[str, Any]) -> bool:
    """This span of a tool is that call."""
    id_ = span.attributes.get(a.TOOL_CALL_ID)
    if id_ and call.get("id"):
        return bool(id_ == call["id"])
    same_name = span.attributes.get(a.TOOL_NAME) == call.get("name")
    return same_name and span.attributes.get(a.TOOL_ARGUMENTS) == call.get("arguments")
