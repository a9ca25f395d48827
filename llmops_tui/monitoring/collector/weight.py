"""How many parts a body has, counted before it is read.

A span, an attribute or a value takes two bytes in protobuf and some hundred as an object of Python: a body
of 32 MB made of nothing else would take gigabytes. Counting is by protobuf's wire format, down to where
lists of values are; JSON within texts is counted by its brackets.
"""

from __future__ import annotations

from llmops_tui.monitoring.collector.answers import Refusal

#: In smaller bodies what attributes and events consist of can do no harm; counting it would take as long as
#: reading it.
_LIGHT_BYTES = 1 << 20
_SMALL = frozenset({"attribute", "event", "link", "entity", "value"})

#: Parts of JSON within texts, of a body.
_MOST_WITHIN = 250_000
#: Where to go down: message → field → message. Logs differ from traces in the records only.
#: An object of Python with its place in a dictionary.
_PART_BYTES = 256
_VALUE, _RECORD = "value", "span or log record"
_BELOW: dict[str, dict[int, str]] = {
    "request": {1: "resource"},
    "resource": {1: "described", 2: "scope"},
    "described": {1: "attribute", 3: "entity"},
    "entity": {3: "text", 4: "text"},
    "text": {},
    "scope": {1: "named", 2: _RECORD},
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


def check_weight(
    body: bytes, most_spans: int, most_parts: int, *, is_json: bool, of_logs: bool = False
) -> int:
    """What the body will take as objects, in bytes, roughly. A damaged one is left to its reader, who gets no
    further.

    Raises:
        Refusal: it has more spans, or more parts at all.
    """
    if is_json:
        # Some stand within texts: that makes no harm but for the very largest bodies.
        parts, spans = body.count(b"{"), body.count(b'"spanId"')
        if len(body) > _LIGHT_BYTES:
            parts += body.count(b"[") + body.count(b",")
    else:
        spans, parts = _counted(body, most_spans, most_parts, of_logs, len(body) > _LIGHT_BYTES)
    within = _within_texts(body)
    if spans > most_spans:
        what = "log records" if of_logs else "spans"
        raise Refusal(413, f"the body has more than {most_spans} {what}: send smaller batches")
    if parts > most_parts or within > _MOST_WITHIN:
        raise Refusal(413, f"the body has more than {most_parts} parts: send smaller batches")
    return len(body) + parts * _PART_BYTES


def _within_texts(body: bytes) -> int:
    """Parts of what texts hold as JSON, which is read too (messages, arguments of tools): lists and mappings,
    and what they hold by its commas. Prose has commas as well, so four count as one."""
    return body.count(b"[") + body.count(b"{") + body.count(b",") // 4


def _counted(body: bytes, most_spans: int, most_parts: int, of_logs: bool, deeply: bool) -> tuple[int, int]:
    """Spans (or log records) and all parts of a body; stops soon after the limits. Of a damaged body those
    before the damage.

    Args:
        deeply: what attributes and events consist of is counted too.
    """
    spans = parts = 0
    record = "log record" if of_logs else "span"
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
                # Most are short: without a call for them it takes half the time.
                length = body[at] if at < end else 0
                at += 1
                if length > 0x7F:
                    length, at = _number(body, at - 1, end)
                inner = below.get(tag >> 3)
                if inner is not None:
                    parts += 1
                    if inner == _RECORD:
                        inner = record
                        spans += 1
                    if spans > most_spans or parts > most_parts:
                        return spans, parts
                    if length and (deeply or inner not in _SMALL):
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
    return spans, parts


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
