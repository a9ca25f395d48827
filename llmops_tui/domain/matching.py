"""Which elements of two sequences belong to each other, in bounded time.

`difflib` alone takes seconds for 20,000 lines with scattered changes: for each run that it finds it
looks through everything again. So first come anchors, as in patience diff (Cohen, 2003): runs of elements
that are there once on either side, in the longest order that both share. `difflib` fills the gaps.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import accumulate

Block = tuple[str, int, int, int, int]
"""As `SequenceMatcher.get_opcodes` has them: `equal`, `replace`, `delete` or `insert`, and both spans."""

#: Pairs of equal elements that are looked at in all; four millions take some 0.3 s.
MAX_STEPS = 4_000_000


def opcodes(a: Sequence[str], b: Sequence[str], *, gram: int) -> tuple[list[Block], bool]:
    """What to do to `a` to get `b`, and whether the search was cut short.

    A search that is cut short leaves equal elements unmatched; what it says is still true. Blank
    elements are matched beside others only: nothing is told by two empty lines.

    Args:
        gram: elements of an anchor: 1 for lines, more for words, of which few are there once.

    Returns:
        Blocks in order, covering both sides, no two neighbours `equal`; and True where `MAX_STEPS` ended it.
    """
    gaps = _Gaps(a, b)
    pairs = list(gaps.fill(_anchors(a, b, gram)))
    blocks: list[Block] = []
    i = j = 0
    for x, y in [*pairs, (len(a), len(b))]:
        if x > i or y > j:
            tag = "replace" if x > i and y > j else "delete" if x > i else "insert"
            blocks.append((tag, i, x, j, y))
        if x == len(a) and y == len(b):
            break
        if blocks and blocks[-1][0] == "equal":
            blocks[-1] = ("equal", blocks[-1][1], x + 1, blocks[-1][3], y + 1)
        else:
            blocks.append(("equal", x, x + 1, y, y + 1))
        i, j = x + 1, y + 1
    return blocks, gaps.cut_short


def _anchors(a: Sequence[str], b: Sequence[str], gram: int) -> list[tuple[int, int]]:
    """Pairs of places, rising on both sides, at which both have the same run that neither repeats."""
    there = _once(b, gram)
    candidates = [(i, there[key]) for key, i in _once(a, gram).items() if key in there]
    pairs: list[tuple[int, int]] = []
    for i, j in _rising(candidates):
        for x, y in ((i + k, j + k) for k in range(gram)):
            if not pairs or (x > pairs[-1][0] and y > pairs[-1][1]):
                pairs.append((x, y))
    return pairs


def _once(elements: Sequence[str], gram: int) -> dict[Hashable, int]:
    """Runs of `gram` elements that are there once → where they begin, in order."""
    runs: list[Hashable] = [tuple(elements[i : i + gram]) for i in range(len(elements) - gram + 1)]
    counts = Counter(runs)
    return {run: i for i, run in enumerate(runs) if counts[run] == 1}


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of the pairs in which the second rises too (patience sorting)."""
    tops: list[int] = []  # smallest last j of a rising part of each length
    ends: list[int] = []  # index of the pair that is that end
    before: list[int] = []
    for n, (_, j) in enumerate(pairs):
        pile = bisect_left(tops, j)
        tops[pile : pile + 1] = [j]
        ends[pile : pile + 1] = [n]
        before.append(ends[pile - 1] if pile else -1)
    out: list[tuple[int, int]] = []
    n = ends[-1] if ends else -1
    while n >= 0:
        out.append(pairs[n])
        n = before[n]
    return out[::-1]


class _Gaps:
    """Fills the gaps between anchors with the longest runs that are equal, as far as the budget goes."""

    def __init__(self, a: Sequence[str], b: Sequence[str]) -> None:
        self._a = a
        self._b = b
        self._budget = MAX_STEPS
        self.cut_short = False

    def fill(self, anchors: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """The anchors, and the pairs found between them, in order."""
        i = j = 0
        for x, y in [*anchors, (len(self._a), len(self._b))]:
            if x > i and y > j:
                yield from ((i + k, j + m) for k, m in self._between(self._a[i:x], self._b[j:y]))
            if x < len(self._a) and y < len(self._b):
                yield x, y
            i, j = x + 1, y + 1

    def _between(self, a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
        """As `SequenceMatcher.get_matching_blocks`, but counting what each look costs.

        Where runs tie, `difflib` cuts off the first and looks through the rest again: some thousand
        common words would take a quarter of a minute.
        """
        from difflib import SequenceMatcher

        matcher = SequenceMatcher(lambda element: not element.strip(), a, b, autojunk=False)
        counts = Counter(b)
        costs = [0, *accumulate(counts[element] if element.strip() else 1 for element in a)]
        todo = [(0, len(a), 0, len(b))]
        pairs: list[tuple[int, int]] = []
        while todo:
            i1, i2, j1, j2 = todo.pop()
            self._budget -= (costs[i2] - costs[i1]) * j2 // len(b)
            if self._budget < 0:
                self.cut_short = True
                break
            i, j, size = matcher.find_longest_match(i1, i2, j1, j2)
            if size:
                pairs += [(i + k, j + k) for k in range(size)]
                todo += [
                    gap
                    for gap in ((i1, i, j1, j), (i + size, i2, j + size, j2))
                    if gap[0] < gap[1] and gap[2] < gap[3]
                ]
        return sorted(pairs)
