"""Which spans of two lists of siblings belong to each other, in bounded time.

The longest common subsequence of their keys (kind and name of what runs), and of several such the one whose
pairs are most alike. Exact for some hundred siblings; above that, what is equal is matched first.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from hashlib import blake2b

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span
from llmops_tui.domain.trace_facts import facts

Pair = tuple[int | None, int | None]

#: Pairs of siblings that are weighed one by one, at most: some 20 ms.
MAX_WEIGHED = 40_000
#: Bits of the table that finds the longest common subsequence: 100 MB.
MAX_BITS = 800_000_000

#: What a pair is worth: being one at all goes before anything that is alike.
_PAIR, _EQUAL, _SAME_GIVEN, _SAME_NAME = 1_000_000, 4, 3, 1

#: Parts of names that somebody counted up or drew: ids, hashes, numbers.
_VOLATILE = re.compile(r"\b(?:[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{4,})*|\w*\d\w*)\b")


def key(span: Span) -> Hashable:
    """Spans with one key can be paired. The model, the source and what is asked are no part of it."""
    has = span.attributes
    match span.kind:
        case "tool":
            return span.kind, str(has.get(a.TOOL_NAME, span.name))
        case "step":
            return span.kind, str(has.get(a.STEP, span.name))
        case "scorer":
            return span.kind, str(has.get(a.EVALUATION, span.name))
        case "function":
            return span.kind, str(has.get(a.FUNCTION, span.name))
        case "guardrail" if a.GUARDRAIL_STAGE in has:
            return span.kind, str(has.get(a.GUARDRAIL, span.name)), str(has[a.GUARDRAIL_STAGE])
        case "guardrail" | "other":
            return span.kind, _VOLATILE.sub("#", span.name)
        case _:
            return (span.kind,)


def align(before: Sequence[Span], after: Sequence[Span]) -> list[Pair]:
    """Places of both lists, in the order of the second; what is gone stands where it was."""
    old, new = [key(span) for span in before], [key(span) for span in after]
    if old == new and len(set(old)) == len(old):
        return [(i, i) for i in range(len(old))]
    apart = _by_name(old, new)
    taken, given = set(apart), set(apart.values())
    left = [i for i in range(len(before)) if i not in taken]
    right = [j for j in range(len(after)) if j not in given]
    one, two = _Side([before[i] for i in left]), _Side([after[j] for j in right])
    pairs = {left[i]: right[j] for i, j in _align(one, two, [*range(len(left))], [*range(len(right))])}
    return _merged(pairs | apart, len(before), len(after))


def _by_name(old: Sequence[Hashable], new: Sequence[Hashable]) -> dict[int, int]:
    """Steps and scorers that either side has once: they run side by side, and their order is chance."""
    places = []
    for keys in (old, new):
        found: dict[Hashable, int] = {}
        twice: set[Hashable] = set()
        for i, each in enumerate(keys):
            if isinstance(each, tuple) and each[0] in ("step", "scorer"):
                if each in found:
                    twice.add(each)
                found[each] = i
        places.append({each: i for each, i in found.items() if each not in twice})
    return {i: places[1][each] for each, i in places[0].items() if each in places[1]}


def _merged(pairs: dict[int, int], n: int, m: int) -> list[Pair]:
    """All places of both sides; one that is gone comes right after what it came after."""
    follows: dict[int | None, list[int]] = {}
    last: int | None = None
    for i in range(n):
        if i in pairs:
            last = pairs[i]
        else:
            follows.setdefault(last, []).append(i)
    back = {j: i for i, j in pairs.items()}
    merged: list[Pair] = [(i, None) for i in follows.get(None, ())]
    for j in range(m):
        merged.append((back.get(j), j))
        merged += [(i, None) for i in follows.get(j, ())]
    return merged


class _Side:
    """Siblings with what tells them apart, worked out once."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.keys = [key(span) for span in spans]
        self.names = [span.name for span in spans]
        self.given: list[Hashable] = []
        self.whole: list[Hashable] = []
        for span, own in zip(spans, self.keys, strict=True):
            found = facts(span)
            given = _digest([own, [(f.name, f.value) for f in found if f.given]])
            made = _digest([(f.name, f.value) for f in found if not f.given])
            self.given.append(given)
            self.whole.append(given + made)


def _digest(value: object) -> bytes:
    try:
        content = msgspec.json.encode(value, enc_hook=repr, order="deterministic")
    except (TypeError, ValueError, OverflowError, RecursionError):
        content = repr(value).encode("utf-8", "surrogatepass")
    return blake2b(content, digest_size=16).digest()


def _align(old: _Side, new: _Side, left: list[int], right: list[int]) -> list[tuple[int, int]]:
    """Pairs of places among `left` and `right`, rising on both sides."""
    start: list[tuple[int, int]] = []
    while len(start) < min(len(left), len(right)):
        i, j = left[len(start)], right[len(start)]
        if old.whole[i] != new.whole[j]:
            break
        start.append((i, j))
    left, right = left[len(start) :], right[len(start) :]
    end: list[tuple[int, int]] = []
    while left and right and old.whole[left[-1]] == new.whole[right[-1]]:
        end.append((left.pop(), right.pop()))
    return [*start, *_between(old, new, left, right, 0), *reversed(end)]


def _between(old: _Side, new: _Side, left: list[int], right: list[int], level: int) -> list[tuple[int, int]]:
    if not left or not right:
        return []
    if len(left) * len(right) <= MAX_WEIGHED:
        return _weighed(old, new, left, right)
    if level == 3:
        return []
    one, two = ((side.whole, side.given, side.keys)[level] for side in (old, new))
    found = _common([one[i] for i in left], [two[j] for j in right])
    pairs: list[tuple[int, int]] = []
    x = y = 0
    for i, j in [*found, (len(left), len(right))]:
        pairs += _between(old, new, left[x:i], right[y:j], level + 1)
        if i < len(left):
            pairs.append((left[i], right[j]))
        x, y = i + 1, j + 1
    return pairs


def _weighed(old: _Side, new: _Side, left: list[int], right: list[int]) -> list[tuple[int, int]]:
    """The best pairs of all (Needleman & Wunsch, 1970, without a cost of gaps)."""

    def worth(i: int, j: int) -> int:
        if old.keys[i] != new.keys[j]:
            return 0
        if old.whole[i] == new.whole[j]:
            return _PAIR + _EQUAL
        if old.given[i] == new.given[j]:
            return _PAIR + _SAME_GIVEN
        return _PAIR + (_SAME_NAME if old.names[i] == new.names[j] else 0)

    worths = [[worth(i, j) for j in right] for i in left]
    n, m = len(left), len(right)
    best = [[0] * (m + 1) for _ in range(n + 1)]
    for x in range(n - 1, -1, -1):
        row, below, own = best[x], best[x + 1], worths[x]
        for y in range(m - 1, -1, -1):
            skip = below[y] if below[y] >= row[y + 1] else row[y + 1]
            take = below[y + 1] + own[y] if own[y] else 0
            row[y] = take if take > skip else skip
    pairs: list[tuple[int, int]] = []
    x = y = 0
    while x < n and y < m:
        if worths[x][y] and best[x][y] == best[x + 1][y + 1] + worths[x][y]:
            pairs.append((left[x], right[y]))
            x, y = x + 1, y + 1
        elif best[x][y] == best[x][y + 1]:
            y += 1
        else:
            x += 1
    return pairs


def _common(one: Sequence[Hashable], two: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The longest common subsequence, a row of the table in one number (Hyyrö, 2004: bit-parallel).

    What would take too much room is cut off at the end: nothing is matched there.
    """
    n, m = len(one), len(two)
    n = min(n, max(MAX_BITS // max(m, 1), 1))
    places: dict[Hashable, int] = {}
    for j, each in enumerate(two):
        places[each] = places.get(each, 0) | (1 << j)
    full = (1 << m) - 1
    row = full
    rows = [row]
    for i in range(n):
        matches = row & places.get(one[i], 0)
        row = ((row + matches) | (row - matches)) & full
        rows.append(row)
    # Bit j of row i is 0 where the length grows from j to j + 1.
    pairs: list[tuple[int, int]] = []
    i, j = n, m
    while i and j:
        if rows[i] >> (j - 1) & 1:
            j -= 1
        elif one[i - 1] == two[j - 1]:
            pairs.append((i - 1, j - 1))
            i, j = i - 1, j - 1
        else:
            i -= 1
    return pairs[::-1]
