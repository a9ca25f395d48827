"""A span is kept up to a size: beyond it its longest texts are cut, and say so."""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.domain.trace import Span

#: Of one span, as JSON.
MOST_BYTES = 1_000_000
_SHORTEST = 200
_encode = msgspec.json.Encoder().encode


def bounded(span: Span) -> Span:
    """The span, its attributes `MOST_BYTES` at most."""
    name, error = span.name[:1_000], span.error[:20_000]
    if len(name) != len(span.name) or len(error) != len(span.error):
        span = msgspec.structs.replace(span, name=name, error=error)
    if _size(span.attributes) <= MOST_BYTES:
        return span
    shortest = _cut(span.attributes, _SHORTEST)
    if _size(shortest) > MOST_BYTES:
        return msgspec.structs.replace(span, attributes=_fitting(shortest))
    lengths = sorted(_lengths(span.attributes))
    limit, attributes = MOST_BYTES, shortest
    while limit > _SHORTEST:
        limit = _limit(lengths, limit // 2)
        attributes = _cut(span.attributes, limit)
        if _size(attributes) <= MOST_BYTES:
            break
    return msgspec.structs.replace(span, attributes=attributes)


def _size(value: Any) -> int:
    try:
        return len(_encode(value))
    except (ValueError, OverflowError, TypeError, RecursionError):
        return 4 * sum(_lengths(value))


def _limit(lengths: list[int], most: int) -> int:
    """The longest that texts may be so that all of them fit, and no more than `most`."""
    left, texts = MOST_BYTES * 0.9, len(lengths)
    for length in lengths:
        if length * texts >= left:
            return max(min(int(left / texts), most), _SHORTEST)
        left -= length
        texts -= 1
    return max(most, _SHORTEST)


def _lengths(value: Any, depth: int = 0) -> list[int]:
    if isinstance(value, str):
        return [len(value)]
    if depth > 100:
        return [1]
    if isinstance(value, dict):
        return [n for name, each in value.items() for n in (len(str(name)), *_lengths(each, depth + 1))]
    if isinstance(value, list | tuple):
        return [n for each in value for n in _lengths(each, depth + 1)]
    return [8]


def _cut(value: Any, limit: int, depth: int = 0) -> Any:
    if isinstance(value, str):
        return value if len(value) <= limit else f"{value[:limit]}… [cut: {len(value) - limit:,} characters]"
    if depth > 100:
        return "[cut: nested too deeply]"
    if isinstance(value, dict):
        return {str(name)[:1_000]: _cut(each, limit, depth + 1) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(each, limit, depth + 1) for each in value]
    return value


def _fitting(attributes: dict[str, Any]) -> dict[str, Any]:
    """Where it is not the texts: the attributes that fit, the smallest first."""
    kept: dict[str, Any] = {}
    left = MOST_BYTES - 1_000
    for name, size in sorted(((n, _size(v) + len(n) + 4) for n, v in attributes.items()), key=lambda x: x[1]):
        if size <= left:
            kept[name] = attributes[name]
            left -= size
    kept["llmops.cut"] = f"[cut: {len(attributes) - len(kept):,} attributes]"
    return kept
