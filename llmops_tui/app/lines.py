"""Lines of styled text for the widgets that draw themselves: measured, cut and wrapped by cells.

A style is a name (`dim`, `bold regressed`), turned into colours by `paint.Paint` when it is drawn.
Text never goes through markup, so what a model wrote can't do anything but be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size

from llmops_tui.domain.safe_text import clean

Span = tuple[str, str]
Line = tuple[Span, ...]

EMPTY: Line = ()
_TOKEN = re.compile(r"\s+|\S+")


def shown(text: str) -> str:
    """Untrusted text as it may be drawn: cleaned, tabs as spaces."""
    return clean(text).expandtabs(4)


def shown_line(text: str) -> str:
    """Untrusted text on one line; line ends are drawn as `⏎`."""
    return shown(text).replace("\n", "⏎")


def line_width(line: Sequence[Span]) -> int:
    """Cells of a line."""
    return sum(cell_len(text) for text, _ in line)


def cut(text: str, width: int) -> str:
    """The text in at most `width` cells, `…` where something is missing."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text[: max(width, 0)], max(width - 1, 0)).rstrip() + "…" if width > 0 else ""


def left(text: str, width: int) -> str:
    """The text in exactly `width` cells, at the left."""
    text = cut(text, width)
    return text + " " * (width - cell_len(text))


def right(text: str, width: int) -> str:
    """The text in exactly `width` cells, at the right."""
    text = cut(text, width)
    return " " * (width - cell_len(text)) + text


def cut_line(line: Sequence[Span], width: int) -> Line:
    """The line in at most `width` cells."""
    if line_width(line) <= width:
        return tuple(line)
    out: list[Span] = []
    room = width
    for text, style in line:
        if cell_len(text) >= room:
            # One cell more, so that `cut` sees that something is missing.
            out.append((cut(text + " " if cell_len(text) == room else text, room), style))
            break
        out.append((text, style))
        room -= cell_len(text)
    return tuple(out)


def pad_line(line: Sequence[Span], width: int, style: str = "") -> Line:
    """The line in exactly `width` cells."""
    fitted = cut_line(line, width)
    room = width - line_width(fitted)
    return (*fitted, (" " * room, style)) if room else fitted


def ends(start: Sequence[Span], end: Sequence[Span], width: int) -> Line:
    """One part at the left end and one at the right; the left one is cut where they meet."""
    room = width - line_width(end)
    return (*pad_line(start, max(room, 0)), *cut_line(end, width))


def wrap(line: Sequence[Span], width: int, indent: int = 0) -> list[Line]:
    """The line broken between words into rows of at most `width` cells.

    Args:
        indent: cells before every row but the first.
    """
    if width < 4 or line_width(line) <= width:
        return [cut_line(line, max(width, 0))]
    rows = _Rows(width, min(indent, max(width - 16, 0)))
    for atom in _atoms(line):
        rows.add(atom)
    return rows.done()


def _atoms(line: Sequence[Span]) -> Iterable[list[Span]]:
    """Words (which may run over several spans) and the spaces between them."""
    word: list[Span] = []
    for text, style in line:
        for token in _TOKEN.findall(text):
            if token.isspace():
                if word:
                    yield word
                    word = []
                yield [(token, style)]
            else:
                word.append((token, style))
    if word:
        yield word


class _Rows:
    def __init__(self, width: int, indent: int) -> None:
        self._width, self._indent = width, indent
        self._rows: list[Line] = []
        self._row: list[Span] = []
        self._used = 0

    def add(self, atom: list[Span]) -> None:
        size = line_width(atom)
        fresh = self._used == (self._indent if self._rows else 0)
        if atom[0][0].isspace():
            if self._used + size > self._width or (fresh and self._rows):
                return
            self._append(atom, size)
        elif self._used + size <= self._width:
            self._append(atom, size)
        else:
            if not fresh:
                self._break()
            for text, style in atom:
                self._pieces(text, style)

    def _pieces(self, text: str, style: str) -> None:
        """A text that may be longer than a row; broken anywhere."""
        start = 0
        while start < len(text):
            room = self._width - self._used
            # Only as much as can fit is measured (combining marks take no cell), however long the text.
            near = text[start : start + 4 * self._width]
            if start + len(near) == len(text) and cell_len(near) <= room:
                self._append([(near, style)], cell_len(near))
                return
            head = _head(near, room)
            if not head and self._used == (self._indent if self._rows else 0):
                head = near[:1]
            self._append([(head, style)], cell_len(head))
            start += len(head)
            self._break()

    def _append(self, spans: list[Span], size: int) -> None:
        for text, style in spans:
            if self._row and self._row[-1][1] == style:
                self._row[-1] = (self._row[-1][0] + text, style)
            elif text:
                self._row.append((text, style))
        self._used += size

    def _break(self) -> None:
        self._rows.append(tuple(self._row))
        self._row = [(" " * self._indent, "")] if self._indent else []
        self._used = self._indent

    def done(self) -> list[Line]:
        if self._used > (self._indent if self._rows else 0) or not self._rows:
            self._rows.append(tuple(self._row))
        return self._rows


def _head(text: str, room: int) -> str:
    """The longest start of `text` in at most `room` cells."""
    low, high = 0, min(len(text), max(room, 0) * 4)
    while low < high:
        middle = (low + high + 1) // 2
        if cell_len(text[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low]
