"""JSON values of an array, or one after another, out of a stream, without parsing the whole.

Strings are passed over at once, so that only brackets are counted: some hundred MB a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

#: Bytes of one record. Longer ones are passed over.
LONGEST = 32 << 20
_READ = 1 << 20
#: A whole string, a bracket, or the quote of a string whose end is not there yet.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]]|"', re.DOTALL)
_END_OF_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+"', re.DOTALL)


class _Scan:
    """Where a scan is.

    Attributes:
        base: depth at which elements stand: 1 within the outer array, else 0.
        start: of the element at work in the buffer; -1 where there is none.
        dropped: bytes of it that were let go, as it is too long.
    """

    __slots__ = (
        "base",
        "buffer",
        "depth",
        "dropped",
        "in_string",
        "is_first",
        "is_stuck",
        "position",
        "start",
    )

    def __init__(self) -> None:
        self.buffer = b""
        self.position = 0
        self.start = -1
        self.depth = self.base = 0
        self.dropped = 0
        self.in_string = self.is_stuck = False
        self.is_first = True


def elements(read: Callable[[int], bytes]) -> Iterator[tuple[bytes | None, int]]:
    """Objects of the stream: those of its outer array, else those that follow one another.

    Args:
        read: gives up to so many bytes, none at the end.

    Yields:
        The bytes and how many they are; None for the bytes of one that is too long. One that the stream
        breaks off is given as far as it goes.
    """
    at = _Scan()
    while True:
        # A string that goes on and on is looked at again from its start: twice as much is read each time.
        more = read(max(len(at.buffer), _READ) if at.is_stuck else _READ)
        at.buffer += more
        yield from _found(at)
        if not more:
            break
        _forget(at)
    if at.start >= 0 or at.dropped:
        rest = at.buffer[at.start :] if at.start >= 0 and not at.dropped else None
        yield rest, at.dropped + len(rest or b"")


def _found(at: _Scan) -> Iterator[tuple[bytes | None, int]]:
    at.is_stuck = False
    if at.in_string:
        end = _END_OF_STRING.match(at.buffer, at.position)
        if end is None:
            at.is_stuck = True
            return
        at.in_string, at.position = False, end.end()
    for token in _TOKEN.finditer(at.buffer, at.position):
        first = token[0][:1]
        if first == b'"':
            if len(token[0]) == 1:
                at.is_stuck = True
                return
        elif first in b"{[":
            if at.is_first and first == b"[":
                at.base = 1
            elif at.depth == at.base and at.start < 0:
                at.start = token.start()
            at.is_first = False
            at.depth += 1
        else:
            at.depth = max(at.depth - 1, 0)
            if at.depth == at.base and (at.start >= 0 or at.dropped):
                yield _ended(at, token.end())
            elif at.depth < at.base:  # the outer array is over
                at.base = 0
        at.position = token.end()
    at.position = len(at.buffer)


def _ended(at: _Scan, end: int) -> tuple[bytes | None, int]:
    size = at.dropped + end - max(at.start, 0)
    whole = None if at.dropped or size > LONGEST else at.buffer[at.start : end]
    at.start, at.dropped = -1, 0
    return whole, size


def _forget(at: _Scan) -> None:
    """Let go what was looked at."""
    if at.start >= 0 and not at.dropped and len(at.buffer) - at.start <= LONGEST:
        cut = at.start
        at.start = 0
    else:
        if at.start >= 0 or at.dropped:
            before, at.start = max(at.start, 0), -1
            if at.is_stuck:
                # Within the string: its end is looked for from here, but for a backslash on its own.
                at.in_string = True
                at.position = len(at.buffer) - (len(at.buffer) - len(at.buffer.rstrip(b"\\"))) % 2
            at.dropped += at.position - before
        cut = at.position
    at.buffer = at.buffer[cut:]
    at.position -= cut
