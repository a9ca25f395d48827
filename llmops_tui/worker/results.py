"""What a function, a command or a tool of a team may give back, checked and brought into one form."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import msgspec

from llmops_tui.domain.errors import did_you_mean
from llmops_tui.domain.model import Usage
from llmops_tui.domain.output import Chunk
from llmops_tui.domain.safe_text import whole_text

#: Largest result, as JSON in UTF-8, in bytes.
RESULT_LIMIT = 10_000_000
_DEPTH = 200
_KEYS = ("output", "context", "tool_calls", "usage", "cost_usd", "finish_reason")
_TOKENS = {
    "input_tokens": "input_tokens",
    "prompt_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "completion_tokens": "output_tokens",
    "cached_tokens": "cached_tokens",
    "reasoning_tokens": "reasoning_tokens",
}


class BadResult(ValueError):
    """What came back can't be used; a clause about it: `gave bytes at output[3]; …`."""


class StepResult(msgspec.Struct, frozen=True):
    """What a function or command gave.

    Attributes:
        value: the answer as JSON: what later steps see.
        text: the answer as a text: `value` itself, or its JSON.
        chunks: what it says that it retrieved, best first.
        tool_calls: in the provider's form.
        usage: tokens of calls that we did not make for it, where it tells.
        cost_usd: the same in USD.
    """

    value: Any
    text: str
    chunks: tuple[Chunk, ...] = ()
    tool_calls: tuple[dict[str, Any], ...] = ()
    usage: Usage | None = None
    cost_usd: float | None = None
    finish_reason: str | None = None


def step_result(returned: Any) -> StepResult:
    """A text, a JSON value, or a mapping with `output` (and `context`, `tool_calls`, `usage`, …).

    Raises:
        BadResult: it is none of these.
    """
    value = json_value(returned)
    if value is None:
        raise BadResult("gave None; return a text, a JSON value, or a mapping with 'output'")
    if not isinstance(value, dict) or "output" not in value:
        return StepResult(value, text_of(value))
    for key in value:
        if key not in _KEYS:
            raise BadResult(
                f"gave '{key}' beside 'output'; {did_you_mean(key, _KEYS)} "
                "(what else there is can be put inside 'output')"
            )
    output = value["output"]
    if output is None:
        raise BadResult("gave None as 'output'; give a text or a JSON value")
    cost, reason = value.get("cost_usd"), value.get("finish_reason")
    if cost is not None and (not _is_number(cost) or cost < 0):
        raise BadResult(f"gave {shown(cost)} as 'cost_usd'; give a number of USD")
    if reason is not None and not isinstance(reason, str):
        raise BadResult(f"gave {shown(reason)} as 'finish_reason'; give a text, as 'stop'")
    return StepResult(
        output,
        text_of(output),
        _chunks(value.get("context")),
        _tool_calls(value.get("tool_calls")),
        _usage(value.get("usage")),
        None if cost is None else float(cost),
        reason,
    )


def json_value(value: Any, convert: Callable[[Any], Any] | None = None) -> Any:
    """The value as plain JSON (`dict`, `list`, `str`, numbers, `bool`, None); tuples become lists.

    Args:
        convert: makes JSON of an object; raises TypeError for what it does not know.

    Raises:
        BadResult: there is something in it that JSON does not have, or it is too large.
    """
    plain = _plain(value, "", _DEPTH, convert)
    size = len(plain) if isinstance(plain, str) else len(_json(plain))
    if size > RESULT_LIMIT:
        raise BadResult(
            f"gave {size / 1e6:,.1f} MB; at most {RESULT_LIMIT / 1e6:,.0f} MB are kept: give a part of it"
        )
    return plain


def text_of(value: Any) -> str:
    """A JSON value as a text: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else _json(value)


def shown(value: Any) -> str:
    """A value for a sentence: short, on one line."""
    text = _json(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any, place: str, depth: int, convert: Callable[[Any], Any] | None) -> Any:
    if value is None or value is True or value is False:
        return value
    if depth == 0:
        raise BadResult(f"gave something nested more than {_DEPTH} deep (or that holds itself)")
    if isinstance(value, str):
        return whole_text(str.__str__(value))
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadResult(f"gave {float(value)}{_at(place)}; JSON has no such number: give None or a text")
        return float(value)
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise BadResult(f"gave a mapping with the key {key!r:.60}{_at(place)}; keys must be texts")
        return {
            whole_text(str.__str__(k)): _plain(v, f"{place}.{k}" if place else k, depth - 1, convert)
            for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(v, f"{place}[{i}]", depth - 1, convert) for i, v in enumerate(value)]
    if convert is not None and not isinstance(value, bytes | bytearray | memoryview):
        try:
            return _plain(convert(value), place, depth - 1, None)
        except (TypeError, ValueError) as error:
            if isinstance(error, BadResult):
                raise
    raise BadResult(f"gave {_kind(value)}{_at(place)}, which JSON does not have; {_instead(value)}")


def _at(place: str) -> str:
    return f" at {place}" if place else ""


def _kind(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(value)} bytes of binary data"
    kind = type(value)
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    return f"a value of the type {module}{kind.__qualname__}"


def _instead(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return "decode it to a text"
    if isinstance(value, set | frozenset):
        return "give a sorted list"
    if hasattr(value, "model_dump"):
        return "give its model_dump(mode='json')"
    return "give a text, a number, a list or a mapping"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _chunks(context: Any) -> tuple[Chunk, ...]:
    if context is None:
        return ()
    if not isinstance(context, list):
        raise BadResult(
            f"gave {shown(context)} as 'context'; give a list of texts or of {{text, source, score}}"
        )
    return tuple(_chunk(place, each) for place, each in enumerate(context))


def _chunk(place: int, each: Any) -> Chunk:
    if isinstance(each, str):
        return Chunk("", each, 0.0, place)
    if not isinstance(each, dict) or not isinstance(each.get("text"), str):
        raise BadResult(f"gave {shown(each)} as context[{place}]; give a text, or {{text, source, score}}")
    score, source, position = each.get("score"), each.get("source"), each.get("position")
    if score is not None and not _is_number(score):
        raise BadResult(f"gave {shown(score)} as context[{place}].score; give a number")
    return Chunk(
        "" if source is None else text_of(source),
        each["text"],
        0.0 if score is None else float(score),
        position if isinstance(position, int) and not isinstance(position, bool) else place,
    )


def _tool_calls(calls: Any) -> tuple[dict[str, Any], ...]:
    if calls is None:
        return ()
    if not isinstance(calls, list):
        raise BadResult(f"gave {shown(calls)} as 'tool_calls'; give a list of {{name, arguments}}")
    return tuple(_tool_call(place, each) for place, each in enumerate(calls))


def _tool_call(place: int, each: Any) -> dict[str, Any]:
    function = each.get("function", each) if isinstance(each, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(each, dict) or not isinstance(function, dict) or not isinstance(name, str):
        raise BadResult(f"gave {shown(each)} as tool_calls[{place}]; give {{name, arguments}}")
    arguments = text_of(function.get("arguments", {}))
    call_id = each.get("id")
    return {
        "id": call_id if isinstance(call_id, str) else f"call_{place}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _usage(usage: Any) -> Usage | None:
    if usage is None:
        return None
    if not isinstance(usage, dict):
        raise BadResult(f"gave {shown(usage)} as 'usage'; give {{input_tokens, output_tokens}}")
    found: dict[str, int] = {}
    for key, value in usage.items():
        name = _TOKENS.get(key)
        if name is None or value is None:
            continue  # what a client's own usage has beside these
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise BadResult(f"gave {shown(value)} as usage.{key}; give a number of tokens")
        found[name] = value
    return Usage(**found)
