"""Limits of the collector; what a person may say is host, port and token."""

from __future__ import annotations

import msgspec

#: The port that OTLP over HTTP has by its specification.
PORT = 4318

MB = 1 << 20


class CollectorSettings(msgspec.Struct, frozen=True):
    """How the collector listens, and how much it takes.

    Attributes:
        host: None for loopback, both `127.0.0.1` and `::1`; any other takes a token.
        port: 0 for any free one.
        token: asked of every request where it is not empty.
        packed_bytes: of one body as sent; more is a 413.
        unpacked_bytes: of one body as it is read; more is a 413.
        spans, parts: of one body: spans or log records, and all that they consist of; more is a 413. A
            body of two-byte parts would otherwise take several hundred times its size.
        received_bytes: of all bodies that wait to be read; more is a 503.
        waiting_bytes, waiting_spans: read and not yet durable; bytes are those of the objects, roughly.
            Beyond them nothing more is read.
        patience_s: how long a body waits for that before it is a 503: clients give up after 10 s.
        group_spans: spans of one transaction, at most (one request may hold more).
        requests: under way at a time; more are a 429.
        connections: open at a time; one more is a 429, twice as many are closed at once.
        header_s: time for the head of a request, and that a connection may be idle.
        body_s: time for the body of a request.
        drain_s: time that requests under way have at the end.
        retry_s: what `Retry-After` says.
    """

    host: str | None = None
    port: int = PORT
    token: str = ""
    packed_bytes: int = 8 * MB
    unpacked_bytes: int = 16 * MB
    spans: int = 10_000
    parts: int = 250_000
    received_bytes: int = 24 * MB
    waiting_bytes: int = 32 * MB
    waiting_spans: int = 8_192
    patience_s: float = 8.0
    group_spans: int = 4_096
    requests: int = 128
    connections: int = 256
    header_s: float = 30.0
    body_s: float = 30.0
    drain_s: float = 10.0
    retry_s: int = 2
