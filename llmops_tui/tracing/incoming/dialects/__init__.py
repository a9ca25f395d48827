"""Whose conventions a span was written by, and what it says by ours.

A dialect is a module with `HEADS`, first words of the names that it is told by, and `read`, which takes what
it understands. Several may be on one span: they are asked in the order below, the most trusted first, and
what was said stays said, so nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span
from llmops_tui.tracing.incoming.dialects import (
    flattened_gen_ai,
    gen_ai,
    langfuse,
    logfire,
    openinference,
    own,
    traceloop,
    vercel,
)
from llmops_tui.tracing.incoming.finish import finished
from llmops_tui.tracing.incoming.raw import Raw
from llmops_tui.tracing.incoming.reading import Reading


class Dialect(msgspec.Struct, frozen=True):
    """Somebody's way to write spans.

    Attributes:
        name: as `llmops.dialect` has it.
        heads: first words, before the first dot, of names that only it has.
        scopes: beginnings of names of scopes that write it.
        read: takes what it understands; True where the span is to be left out.
    """

    name: str
    heads: frozenset[str]
    read: Callable[[Reading], bool | None]
    scopes: tuple[str, ...] = ()


#: The most trusted first: who wrote the span by hand, then who wrapped the call, then who describes it again.
DIALECTS = (
    Dialect("llmops", own.HEADS, own.read, own.SCOPES),
    Dialect("langfuse", langfuse.HEADS, langfuse.read),
    Dialect("logfire", logfire.HEADS, logfire.read, logfire.SCOPES),
    Dialect("vercel", vercel.HEADS, vercel.read),
    Dialect("traceloop", traceloop.HEADS, traceloop.read),
    Dialect("gen_ai", gen_ai.HEADS, gen_ai.read),
    Dialect("openinference", openinference.HEADS, openinference.read),
    Dialect("gen_ai.flattened", flattened_gen_ai.HEADS, flattened_gen_ai.read),
)
#: What everybody writes beside their own: says little of who it was.
_SHARED = ("gen_ai", "gen_ai.flattened")


def translate(raw: Raw) -> Span | None:
    """A span by our names, or None where it is to be left out."""
    reading = Reading(raw, dict(raw.attributes), {}, start=raw.start, name=raw.name)
    heads = {name.partition(".")[0] for name in raw.attributes}
    spoken: list[str] = []
    for dialect in DIALECTS:
        if dialect.heads.isdisjoint(heads) and not (dialect.scopes and raw.scope.startswith(dialect.scopes)):
            continue
        before = len(reading.left), reading.kind
        if dialect.read(reading):
            return None
        if before != (len(reading.left), reading.kind):
            spoken.append(dialect.name)
    if raw.events:
        gen_ai.read_events(reading)
    return finished(reading, _named(spoken, raw.attributes))


def _named(spoken: list[str], attributes: dict[str, Any]) -> str:
    """Who wrote it: the first whose names are nobody else's."""
    told = attributes.get(a.DIALECT)
    if isinstance(told, str) and told:
        return told
    return next((name for name in spoken if name not in _SHARED), spoken[0] if spoken else "")
