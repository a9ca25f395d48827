"""How many parts a body has, counted before it is read.

A span, an attribute or a value takes two bytes in protobuf and some hundred as an object of Python: a body
of 32 MB made of nothing else would take gigabytes. Counting is by protobuf's wire format, down to where
lists of values are.
"""

from __future__ import annotations

from llmops_tui.monitoring.collector.answers import Refusal

#: Smaller bodies can do no harm, most are, and counting takes a third of the time that reading does.
_LIGHT_BYTES = 1 << 20

#: Where to go down: message → field → message. Logs differ from traces in the records only.
_VALUE = "value"
_BELOW: dict[str, dict[int, str]] = {
    "request": {1: "resource"},
    "resource": {1: "described", 2: "scope"},
    "described": {1: "attribute", 3: "entity"},
    "entity": {3: "text", 4: "text"},
    "text": {},
    "scope": {1: "named", 2: "span"},
    "scope of logs": {1: "named", 2: "log record"},
    "named": {3: "attribute"},
    "span": {9: "attribute", 11: "event", 13: "link"},
    "log record": {5: _VALUE, 6: "attribute"},
    "event": {3: "attribute"},
    "link": {4: "attribute"},
    "attribute": {2: _VALUE},
    _VALUE: {5: "array", 6: "mapping"},
    "array": {1: _VALUE},
    "mapping": {1: "attribute"},
}


def check_weight(body: bytes, limit: int, *, is_json: bool, of_logs: bool = False) -> None:
    """Raises a `Refusal` where the body has more parts than `limit`. A damaged one is left to its reader."""
    if len(body) <= _LIGHT_BYTES:
        return
    # In JSON some marks stand within texts: that makes no harm but for the very largest bodies.
    count = sum(body.count(mark) for mark in (b"{", b"[", b",")) if is_json else _parts(body, limit, of_logs)
    if count > limit:
        raise Refusal(413, f"the body has more than {limit} parts: send smaller batches")


def _parts(body: bytes, limit: int, of_logs: bool) -> int:
    """Messages within the body; stops soon after `limit`. Of a damaged one those before the damage."""
    count = 0
    todo = [(0, len(body), "request")]
    while todo:
        at, end, message = todo.pop()
        below = _BELOW[message]
        while at < end:
            tag = body[at]
            at += 1
            if tag > 0x7F:  # a field above 15: nothing of ours
                more, at = _number(body, at, end)
                tag = tag & 0x7F | more << 7
            kind = tag & 7
            if kind == 2:
                length, at = _number(body, at, end)
                inner = below.get(tag >> 3)
                if inner is not None:
                    if of_logs and inner == "scope":
                        inner = "scope of logs"
                    count += 1
                    if count > limit:
                        return count
                    if length:
                        todo.append((at, min(at + length, end), inner))
                at += length
            elif kind == 0:
                _, at = _number(body, at, end)
            elif kind == 1:
                at += 8
            elif kind == 5:
                at += 4
            else:
                break
    return count


def _number(body: bytes, at: int, end: int) -> tuple[int, int]:
    """A varint and the place behind it."""
    value = shift = 0
    while at < end:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > 63:
            return 0, end
    return value, at
