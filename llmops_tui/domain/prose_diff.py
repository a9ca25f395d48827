"""Two texts side by side, for prose: lines first, then words inside changed lines.

Pure and bounded: what is too long for words is compared by lines, and what is too long for lines
by its start and end; `Diff.note` says so. Still some tenths of a second at the caps: call it off the
UI thread.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Literal

import msgspec

from llmops_tui.domain.matching import Block, opcodes
from llmops_tui.domain.words import CJK

Kind = Literal["same", "added", "removed"]

#: Words in the changed lines of one side, beyond which only lines are compared.
MAX_WORDS = 5_000
#: Lines of one side, beyond which only the common start and end are found.
MAX_LINES = 20_000
#: Characters of one side, beyond which JSON is compared as text.
MAX_JSON_CHARS = 1_000_000


class Segment(msgspec.Struct, frozen=True):
    """A run of text within a line. Never begins or ends inside a word."""

    text: str
    kind: Kind


class DiffLine(msgspec.Struct, frozen=True):
    """One row: a line of the left text, of the right text, or one of each.

    Attributes:
        segments: both sides in one, in reading order, removed before added: the inline view.
        left_number, right_number: 1-based line of each text; None where that side has no line here.
    """

    segments: tuple[Segment, ...]
    left_number: int | None
    right_number: int | None

    @property
    def left(self) -> tuple[Segment, ...] | None:
        """The left line (`same` and `removed`); None where there is none."""
        return None if self.left_number is None else tuple(s for s in self.segments if s.kind != "added")

    @property
    def right(self) -> tuple[Segment, ...] | None:
        """The right line (`same` and `added`); None where there is none."""
        return None if self.right_number is None else tuple(s for s in self.segments if s.kind != "removed")

    @property
    def change(self) -> Literal["same", "changed", "added", "removed"]:
        if self.left_number is None:
            return "added"
        if self.right_number is None:
            return "removed"
        return "same" if all(s.kind == "same" for s in self.segments) else "changed"


class Diff(msgspec.Struct, frozen=True):
    """Two texts compared.

    Attributes:
        mode: `json` where both are JSON objects or arrays: then the lines are those of both
            pretty-printed with sorted keys, and not of the texts.
        identical: the texts are equal, character for character (but for CR LF).
        note: what the reader must know ("too long to compare word by word"); mostly empty.
    """

    lines: tuple[DiffLine, ...]
    identical: bool
    mode: Literal["text", "json"] = "text"
    note: str = ""

    @property
    def hunks(self) -> tuple[int, ...]:
        """Index of the first line of each run of changed lines."""
        changed = [line.change != "same" for line in self.lines]
        return tuple(i for i, c in enumerate(changed) if c and (i == 0 or not changed[i - 1]))


def diff(a: str, b: str) -> Diff:
    """Compare as JSON where both are JSON objects or arrays, else as prose."""
    if a != b and len(a) <= MAX_JSON_CHARS and len(b) <= MAX_JSON_CHARS:
        left, right = _pretty(a), _pretty(b)
        if left is not None and right is not None:
            compared = diff_words(left, right)
            note = compared.note
            if compared.identical:
                note = "the same JSON, laid out differently"
            return Diff(compared.lines, False, "json", note)
    return diff_words(a, b)


def diff_words(a: str, b: str) -> Diff:
    """Compare as prose. The lines joined by LF are the texts again, on either side.

    An empty text has no lines beside one that is not empty.
    """
    left, right = _split(a), _split(b)
    if not a or not b:
        left, right = (left if a else []), (right if b else [])
    if left == right:
        lines = [DiffLine(_whole(line, "same"), i, i) for i, line in enumerate(left, 1)]
        return Diff(tuple(lines), True)
    blocks, note = _blocks(left, right)
    by_words = not note
    if by_words:
        changed = [block for block in blocks if block[0] != "equal"]
        most = max(
            _changed_words(left, ((i1, i2) for _, i1, i2, _, _ in changed)),
            _changed_words(right, ((j1, j2) for _, _, _, j1, j2 in changed)),
        )
        if most > MAX_WORDS:
            note = f"some {most:,} words in changed lines: compared by lines"
            by_words = False
    out: list[DiffLine] = []
    for tag, i1, i2, j1, j2 in blocks:
        if tag == "equal":
            pairs = zip(range(i1, i2), range(j1, j2), strict=True)
            out += [DiffLine(_whole(left[i], "same"), i + 1, j + 1) for i, j in pairs]
        else:
            out += _changed(left, right, (i1, i2, j1, j2), by_words)
    return Diff(tuple(out), False, "text", note)


# -- lines


def _split(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _count(line: str) -> int:
    return len(line.split())


def _changed_words(lines: Sequence[str], spans: Iterator[tuple[int, int]]) -> int:
    """Words in the changed lines of one side; text without spaces counts by its length."""
    return sum(max(_count(line), len(line) // 12) for i, j in spans for line in lines[i:j])


def _blocks(left: Sequence[str], right: Sequence[str]) -> tuple[list[Block], str]:
    """Runs of equal and of changed lines, and a note where they were too many to match."""
    top = 0
    while top < min(len(left), len(right)) and left[top] == right[top]:
        top += 1
    end = 0
    while end < min(len(left), len(right)) - top and left[-1 - end] == right[-1 - end]:
        end += 1
    n, m = len(left) - end, len(right) - end
    blocks: list[Block] = [("equal", 0, top, 0, top)] if top else []
    most = max(n, m) - top
    note = ""
    if most > MAX_LINES:
        note = f"{most:,} lines between the common start and end: too many to compare one by one"
        blocks.append(("replace", top, n, top, m))
    elif most:
        found, cut_short = opcodes(left[top:n], right[top:m], gram=1)
        blocks += [(t, i1 + top, i2 + top, j1 + top, j2 + top) for t, i1, i2, j1, j2 in found]
        if cut_short:
            note = f"{most:,} lines, many of them alike: some that did not change are shown as changed"
    if end:
        blocks.append(("equal", n, len(left), m, len(right)))
    return blocks, note


def _changed(
    left: Sequence[str], right: Sequence[str], span: tuple[int, int, int, int], by_words: bool
) -> Iterator[DiffLine]:
    """The rows of a block of changed lines."""
    i1, i2, j1, j2 = span
    for i, j in _align(left[i1:i2], right[j1:j2], by_words):
        if i is None and j is not None:
            yield DiffLine(_whole(right[j1 + j], "added"), None, j1 + j + 1)
        elif j is None and i is not None:
            yield DiffLine(_whole(left[i1 + i], "removed"), i1 + i + 1, None)
        elif i is not None and j is not None:
            a, b = left[i1 + i], right[j1 + j]
            if a == b:
                segments = _whole(a, "same")
            else:
                segments = _segments(a, b) if by_words else _whole(a, "removed") + _whole(b, "added")
            yield DiffLine(segments, i1 + i + 1, j1 + j + 1)


def _align(
    left: Sequence[str], right: Sequence[str], by_words: bool
) -> Iterator[tuple[int | None, int | None]]:
    """Which lines of a changed block stand beside each other: those that share most words."""
    n, m = len(left), len(right)
    if not by_words or n * m > 2_500 or min(n, m) == 0 or n == m == 1:
        for k in range(max(n, m)):
            yield (k if k < n else None), (k if k < m else None)
        return
    bags_a = [Counter(line.split()) for line in left]
    bags_b = [Counter(line.split()) for line in right]
    # best[i][j]: the most that lines from i and j on can share. A pair is always worth something, so
    # that many lines have a partner; squares, as one line found again tells more than two half alike.
    best = [[0.0] * (m + 1) for _ in range(n + 1)]
    worth = [[0.1 + _shared(a, b) ** 2 for b in bags_b] for a in bags_a]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + worth[i][j])
    i = j = 0
    while i < n or j < m:
        if i < n and j < m and best[i][j] == best[i + 1][j + 1] + worth[i][j]:
            yield i, j
            i, j = i + 1, j + 1
        elif j == m or (i < n and best[i][j] == best[i + 1][j]):
            yield i, None
            i += 1
        else:
            yield None, j
            j += 1


#: Empty lines are alike, but tell little.
_TWO_BLANKS = 0.2


def _shared(a: Counter[str], b: Counter[str]) -> float:
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else _TWO_BLANKS


# -- words

# A word starts and ends with a letter or digit and may have anything but a space or a dash between
# (`don't`, `1,000.50`, `name@host`); marks of its last letter belong to it. Ideographs stand alone.
# What is no word is one character with what modifies it (emoji with skin tone, flags, joined emoji).
_MARKS = r"(?:(?![\u0589\u05be\u060c\u061b\u061f\u06d4\u0964\u0965])[\u0300-\u1cff](?<!\w))*"


@cache
def _token() -> re.Pattern[str]:
    # Compiled when first used: it takes longer than the rest of the module.
    return re.compile(
        rf"(?:[{CJK}]"
        rf"|[^\W{CJK}][^\s—–/{CJK}]*[^\W{CJK}]{_MARKS}|[^\W{CJK}]{_MARKS}"
        r"|[\U0001f1e6-\U0001f1ff]{2}"
        r"|[^\s\w](?:[\u0300-\u036f\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff]|\u200d[^\s\w])*"
        r"|(?=\s))(\s*)"
    )


class _Unit:
    """A word and the white space after it: matched by the word, shown with both."""

    __slots__ = ("space", "word")

    def __init__(self, word: str, space: str) -> None:
        self.word = word
        self.space = space


def _units(line: str) -> list[_Unit]:
    return [
        _Unit(match[0][: len(match[0]) - len(match[1])], match[1])
        for match in _token().finditer(line)
        if match[0]
    ]


def _segments(a: str, b: str) -> tuple[Segment, ...]:
    """The words of two lines that were put beside each other."""
    left, right = _units(a), _units(b)
    words_a, words_b = [u.word for u in left], [u.word for u in right]
    found, _cut_short = opcodes(words_a, words_b, gram=3)
    runs = _Runs()
    for tag, i1, i2, j1, j2 in found:
        if tag == "equal":
            for x, y in zip(left[i1:i2], right[j1:j2], strict=True):
                runs.same(x.word)
                if x.space == y.space:
                    runs.same(x.space)
                else:
                    runs.changed(x.space, y.space)
        else:
            runs.changed(
                "".join(u.word + u.space for u in left[i1:i2]),
                "".join(u.word + u.space for u in right[j1:j2]),
            )
    return runs.segments()


_TRAILING_SPACE = re.compile(r"(?<=\S)\s+\Z")


class _Runs:
    """Collects equal and changed text, and joins what reads better as one change."""

    def __init__(self) -> None:
        self._runs: list[tuple[str, str, bool]] = []  # left, right, same

    def same(self, text: str) -> None:
        if text:
            self._add(text, text, True)

    def changed(self, removed: str, added: str) -> None:
        # The space after the last word is not marked where both sides have it.
        space = _TRAILING_SPACE.search(removed)
        tail = space[0] if space and space[0] == added[len(added.rstrip()) :] else ""
        removed, added = removed.removesuffix(tail), added.removesuffix(tail)
        if removed or added:
            self._add(removed, added, False)
        self.same(tail)

    def _add(self, left: str, right: str, same: bool) -> None:
        if self._runs and self._runs[-1][2] == same:
            last = self._runs.pop()
            left, right = last[0] + left, last[1] + right
        self._runs.append((left, right, same))

    def segments(self) -> tuple[Segment, ...]:
        joined = _Runs()
        for k, (left, right, same) in enumerate(self._runs):
            joined._add(left, right, same and not self._is_island(k))
        out: list[Segment] = []
        for left, right, same in joined._runs:
            if same:
                out.append(Segment(left, "same"))
            else:
                out += _whole(left, "removed") + _whole(right, "added")
        return tuple(out)

    def _is_island(self, k: int) -> bool:
        """A word or two between two longer changes: marking around it makes the line unreadable."""
        if not 0 < k < len(self._runs) - 1:
            return False
        around = [
            max(_count(left), _count(right)) for left, right, _ in (self._runs[k - 1], self._runs[k + 1])
        ]
        return 2 * _count(self._runs[k][0]) < min(around)


def _whole(line: str, kind: Kind) -> tuple[Segment, ...]:
    return (Segment(line, kind),) if line else ()


# -- JSON


def _pretty(text: str) -> str | None:
    """JSON objects and arrays, one member a line and keys sorted; None for anything else."""
    if not text.strip().startswith(("{", "[")):
        return None
    try:
        value = json.loads(text, parse_constant=_no_constant)
        return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
