"""Records of a file, one after another: JSON a line, JSON arrays of any length, single documents, CSV; plain
or gzip, UTF-8 or UTF-16. A file is never held as a whole, and what is broken costs no more than itself."""

from __future__ import annotations

import codecs
import csv
import io
import json
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from llmops_tui.domain.errors import Problem
from llmops_tui.tracing.importers.formats import CannotImport
from llmops_tui.tracing.importers.scan import LONGEST, elements
from llmops_tui.tracing.incoming.problems import BadSpan
from llmops_tui.tracing.incoming.safe import decoded, safe

#: How deep a record may be nested: runs within runs.
DEPTH = 120
_PEEK = 64 << 10
_BOMS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Record(NamedTuple):
    """One record: a mapping, or why there is none (`why`, and its beginning in `text`)."""

    place: str
    value: dict[str, Any] | None
    why: str = ""
    text: bytes = b""
    size: int = 0


class Source:
    """An open file.

    Attributes:
        name: as it is shown.
        size: of the file in bytes; 0 of a stream.
        time: when it was written, Unix seconds; of a stream, now.

    Raises:
        CannotImport: it can't be opened.
    """

    def __init__(self, path: str) -> None:
        self.name = "standard input" if path == "-" else Path(path).name
        self.path = path
        try:
            self._file: IO[bytes] = sys.stdin.buffer if path == "-" else Path(path).open("rb")  # noqa: SIM115
            about = None if path == "-" else Path(path).stat()
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise CannotImport(
                Problem(f"{path} can't be read: {why}", "name a file that is there")
            ) from error
        self.size = about.st_size if about else 0
        self.time = about.st_mtime if about else time.time()
        self._stream = self._unpacked()

    @property
    def done(self) -> int:
        """Bytes of the file that are read; 0 of a stream."""
        return self._file.tell() if self.size else 0

    def close(self) -> None:
        if self.path != "-":
            self._file.close()

    def _unpacked(self) -> Any:
        first: Any = io.BufferedReader(self._file, 1 << 20)
        head = first.peek(4)[:4]
        if head[:2] == b"\x1f\x8b":
            first = io.BufferedReader(_Unpacked(first), 1 << 20)
            try:
                head = first.peek(4)[:4]
            except OSError as error:
                raise CannotImport(f"{self.name} can't be unpacked: {error}") from error
        for bom, encoding in _BOMS:
            if head.startswith(bom):
                recoded = _Recoded(first, encoding)
                return io.BufferedReader(recoded, 1 << 20)
        if head.startswith(codecs.BOM_UTF8):
            first.read(3)
        return first

    def peek(self) -> bytes:
        """Its beginning."""
        return bytes(self._stream.peek(_PEEK)[:_PEEK])

    def whole(self) -> bytes:
        """All of it, of a file that is one message."""
        return bytes(self._stream.read())

    def records(self) -> Iterator[Record]:
        """Record for record.

        Raises:
            CannotImport: it stops being readable: a damaged archive, a disk.
        """
        head = self.peek().lstrip()
        try:
            if self.path.lower().endswith((".csv", ".tsv", ".csv.gz")):
                yield from self._rows("\t" if ".tsv" in self.path.lower() else ",")
            elif head[:1] == b"[" or _is_document(head):
                yield from self._elements()
            else:
                yield from self._lines()
        except OSError as error:
            yield Record("the rest", None, f"the file can't be read further: {error}")

    def _lines(self) -> Iterator[Record]:
        n = 0
        while line := self._stream.readline(LONGEST + 1):
            n += 1
            place = f"line {n}"
            if len(line) > LONGEST:
                shown, size = line[:2000], len(line)
                while not line.endswith(b"\n") and (line := self._stream.readline(1 << 20)):
                    size += len(line)
                yield Record(place, None, _too_long(size), shown, size)
            elif stripped := line.strip():
                yield parsed(place, stripped)

    def _elements(self) -> Iterator[Record]:
        for n, (found, size) in enumerate(elements(self._stream.read1), start=1):
            place = f"record {n}"
            if found is None:
                yield Record(place, None, _too_long(size), b"", size)
            else:
                yield parsed(place, found)

    def _rows(self, delimiter: str) -> Iterator[Record]:
        csv.field_size_limit(LONGEST)
        text = io.TextIOWrapper(self._stream, encoding="utf-8", errors="replace", newline="")
        rows = csv.DictReader(text, delimiter=delimiter)
        n = 0
        while True:
            n += 1
            try:
                row = next(rows, None)
                if row is None:
                    text.detach()  # else it would close the file
                    return
                value = {str(key): decoded(cell) for key, cell in row.items() if key is not None}
                yield Record(f"row {n}", safe(value, DEPTH), size=sum(map(_length, row.values())))
            except (csv.Error, BadSpan, RecursionError) as error:
                yield Record(f"row {n}", None, f"the row can't be read: {error}")


class _Unpacked(io.RawIOBase):
    """A gzip file. Of a damaged one, all that comes before the damage is given first: the library's own
    reader gives nothing of that portion."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._member = zlib.decompressobj(wbits=31)
        self._packed = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises OSError: it is damaged, or ends in the middle."""
        while True:
            if self._member.eof:
                self._packed = self._member.unused_data + self._packed
                self._member = zlib.decompressobj(wbits=31)
                if not self._packed and not (more := self._stream.read1(1 << 16)):
                    return 0
                self._packed = self._packed or more
            if not self._packed:
                self._packed = self._stream.read1(1 << 16)
            is_over = not self._packed
            try:
                found = self._member.decompress(self._packed, len(buffer))
            except zlib.error as error:
                raise OSError(f"the archive is damaged ({error})") from error
            self._packed = self._member.unconsumed_tail
            if found:
                buffer[: len(found)] = found
                return len(found)
            if is_over and not self._member.eof:
                raise OSError("the archive ends in the middle")


class _Recoded(io.RawIOBase):
    """UTF-16 as UTF-8."""

    def __init__(self, stream: Any, encoding: str) -> None:
        self._stream = stream
        self._stream.read(2)
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            piece = self._stream.read(1 << 16)
            self._ready = self._decoder.decode(piece, not piece).encode("utf-8", "replace")
            if not piece:
                break
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def _length(cell: Any) -> int:
    return len(cell) if isinstance(cell, str) else 0


def _is_document(head: bytes) -> bool:
    """One JSON document over several lines, and not one a line."""
    line, newline, _rest = head.partition(b"\n")
    return line[:1] == b"{" and bool(newline) and not line.rstrip().endswith(b"}")


def _too_long(size: int) -> str:
    return f"it has {size / (1 << 20):,.0f} MiB, and a record may have {LONGEST >> 20}"


def parsed(place: str, text: bytes) -> Record:
    """A record from JSON."""
    size = len(text)
    try:
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError):
            # Python's own reader takes NaN and halves of characters, which others write.
            value = json.loads(text.decode("utf-8"))
        if not isinstance(value, dict):
            return Record(place, None, "it is JSON, but no object", text[:2000], size)
        return Record(place, safe(value, DEPTH), size=size)
    except UnicodeDecodeError:
        return Record(place, None, "it is not UTF-8", text[:2000], size)
    except (BadSpan, RecursionError):
        return Record(place, None, f"it is nested deeper than {DEPTH}", text[:2000], size)
    except ValueError as error:
        return Record(place, None, f"it is no JSON: {error}", text[:2000], size)
