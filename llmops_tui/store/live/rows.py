"""What comes in as rows of the database. Nothing that somebody's program sent can't be written."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from llmops_tui.domain.live.amounts import number
from llmops_tui.domain.live.arrival import LiveScore, Signal
from llmops_tui.domain.live.clock import is_plausible, timed
from llmops_tui.domain.safe_text import whole_text
from llmops_tui.domain.trace import Span

_encode = msgspec.json.Encoder().encode
_facts = msgspec.msgpack.Encoder()
#: Levels of lists and mappings that are kept; what is deeper is kept as text.
_DEEPEST = 100
_WIDEST_INTEGER = 2**63


def id_bytes(text: str, size: int) -> bytes:
    """An id as it is kept: its hexadecimal digits, or the digest of what is none. Empty stays empty."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b"?"
    if not text or len(found) == size:
        return found
    return blake2b(text.encode(errors="replace"), digest_size=size).digest()


def short_id(trace_id: bytes) -> bytes:
    """What is remembered of a trace that was dropped."""
    return blake2b(trace_id, digest_size=8).digest()


def settled(span: Span, now: float) -> tuple[Span, bytes]:
    """A span that can be written, and its attributes as JSON."""
    if len(span.id) != 16 or span.parent_id == span.id or not _is_hex(span.id):
        span = msgspec.structs.replace(span, id=id_bytes(span.id or "?", 8).hex())
        if span.parent_id and id_bytes(span.parent_id, 8).hex() == span.id:
            span = msgspec.structs.replace(span, parent_id="")
    span = timed(span, now)
    try:
        if not (span.name.isascii() and span.error.isascii()):
            span.name.encode()
            span.error.encode()
        return span, _encode(span.attributes)
    except (ValueError, OverflowError, TypeError, RecursionError):
        attributes = writable(span.attributes)
        span = msgspec.structs.replace(
            span, name=whole_text(span.name), error=whole_text(span.error), attributes=attributes
        )
        return span, _encode(attributes)


def _is_hex(text: str) -> bool:
    """Digits as they are read back: small letters."""
    try:
        return bytes.fromhex(text).hex() == text
    except ValueError:
        return False


def writable(value: Any, depth: int = 0) -> Any:
    """A JSON value with nothing in it that JSON, UTF-8 or 64 bits can't hold."""
    if isinstance(value, str):
        return whole_text(value)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -_WIDEST_INTEGER <= value < _WIDEST_INTEGER else str(value)[:400]
    if depth > _DEEPEST:
        return "(nested too deeply)"
    if isinstance(value, Mapping):
        return {whole_text(str(key)): writable(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [writable(each, depth + 1) for each in value]
    return whole_text(str(value))


def span_row(request_id: int, span: Span, attributes: bytes) -> tuple[Any, ...]:
    error = (span.error or "") if span.status == "error" else None
    return (
        *(request_id, bytes.fromhex(span.id), id_bytes(span.parent_id, 8), span.name, span.kind),
        *(span.start, span.end, error, attributes),
    )


def facts_of(request: Any) -> bytes:
    return _facts.encode(request)


def signal_settled(signal: Signal, now: float) -> Signal:
    """A signal that can be written and counted."""
    at = signal.at if is_plausible(signal.at, now) else now
    value = number(signal.value)
    session, user, feature = (
        whole_text(text)[:200] for text in (signal.session, signal.user, signal.feature)
    )
    return Signal(
        *(whole_text(signal.id), signal.kind, 0.0 if value is None else min(max(value, 0.0), 1.0), at),
        *(id_bytes(signal.trace_id, 16).hex(), session, user, feature),
        *(whole_text(signal.comment), whole_text(signal.edited)),
    )


def score_settled(score: LiveScore, now: float) -> LiveScore:
    """A score that can be written."""
    value, cost = (None if x is None else number(x) for x in (score.value, score.cost_usd))
    return LiveScore(
        id_bytes(score.trace_id, 16).hex(),
        whole_text(score.scorer)[:120],
        None if value is None else min(max(value, 0.0), 1.0),
        None if score.passed is None else bool(score.passed),
        whole_text(score.reason),
        whole_text(score.error),
        score.at if is_plausible(score.at, now) else now,
        whole_text(score.source)[:60],
        cost,
    )
