"""Files of other tools → batches, portion by portion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from llmops_tui.domain.errors import Problem
from llmops_tui.domain.live.arrival import Batch
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.tracing.importers.formats import (
    FORMATS,
    CannotImport,
    Importer,
    Options,
    detected,
    named,
)
from llmops_tui.tracing.importers.portion import Portion
from llmops_tui.tracing.importers.records import Record, Source
from llmops_tui.tracing.incoming.problems import BadSpan

#: A portion is handed on when it has so many records, or bytes of them.
PORTION, PORTION_SIZE = 500, 4 << 20
#: Records that may be no record at all before one tells the format.
_UNTOLD = 1000


class Reached(msgspec.Struct, frozen=True):
    """A portion, and how far the reading is.

    Attributes:
        file: that is being read.
        done, size: bytes of it; 0 of a stream.
        records: taken so far, of all files.
    """

    batch: Batch
    file: str
    done: int
    size: int
    records: int


def read_files(
    paths: Iterable[str],
    *,
    format: str = "",
    mapping: Mapping[str, str] | None = None,
    defaults: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda _text: None,
) -> Iterator[Reached]:
    """Read files, one after another; `-` is standard input.

    Args:
        format: of `FORMATS`; empty to find out from the first record of each file.
        mapping: of plain records; with one, that is their format.
        defaults: attributes of roots that don't say.
        say: told what a file was read as, and why.

    Raises:
        CannotImport: a file can't be opened, or its format is not known.
    """
    format = format or ("plain" if mapping else "")
    if format:
        named(format)
    if format == "plain" and not mapping:
        raise CannotImport(
            Problem("plain records need a mapping", "add --map input=FIELD --map output=FIELD")
        )
    importers: dict[str, Importer] = {}
    reading = _Reading(importers, format, Options(mapping or {}), defaults or {}, say)
    for path in paths:
        source = Source(path)
        try:
            yield from reading.file(source)
        finally:
            source.close()
    yield from reading.rest()


class _Reading:
    """Importers live from file to file: halves of a pair may stand in two."""

    def __init__(
        self,
        importers: dict[str, Importer],
        format: str,
        options: Options,
        defaults: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self._importers = importers
        self._format = format
        self._options = options
        self._defaults = defaults
        self._say = say
        self._records = 0

    def file(self, source: Source) -> Iterator[Reached]:
        into = Portion(source.name, self._defaults)
        if self._is_protobuf(source):
            self._whole(source, into)
            yield self._reached(source, into)
            return
        found = self._importer(self._format, source) if self._format else None
        untold: list[Record] = []
        for record in source.records():
            if found is None and record.value is not None:
                found = self._told(record, source)
                if found is None and len(untold) >= _UNTOLD:
                    break
            if found is None:
                untold.append(record)
                continue
            for each in (*untold, record):
                self._take(found, each, into)
            untold = []
            if into.count >= PORTION or into.size >= PORTION_SIZE:
                yield self._reached(source, into)
        if found is None:
            raise _unknown(source, untold)
        yield self._reached(source, into)

    def rest(self) -> Iterator[Reached]:
        for found in self._importers.values():
            into = Portion("the end of all files", self._defaults)
            found.finish(into)
            yield Reached(into.taken(), "", 0, 0, self._records)

    def _importer(self, name: str, source: Source) -> Importer:
        found = self._importers.setdefault(name, FORMATS[name](self._options))
        found.options = msgspec.structs.replace(self._options, file_time=source.time)
        return found

    def _told(self, record: Record, source: Source) -> Importer | None:
        told = detected(record.value or {})
        if told is None:
            return None
        made, sentence = told
        self._say(f"{source.name} is {sentence}")
        return self._importer(made.name, source)

    def _is_protobuf(self, source: Source) -> bool:
        if source.path.lower().removesuffix(".gz").endswith((".pb", ".bin", ".binpb")):
            return self._format in ("", "otlp")
        return self._format == "otlp" and source.peek().lstrip()[:1] not in (b"{", b"[", b"")

    def _whole(self, source: Source, into: Portion) -> None:
        from llmops_tui.tracing.importers.otlp_files import Otlp

        importer = self._importer("otlp", source)
        assert isinstance(importer, Otlp)
        self._say(f"{source.name} is read as OTLP: it is no text")
        into.place = "the file"
        try:
            body = source.whole()
        except OSError as error:
            into.aside(f"the file can't be read further: {error}", b"")
            return
        try:
            importer.take(body, into, is_json=False)
            self._records += 1
        except BadSpan as error:
            into.aside(str(error), body[:200])

    def _take(self, importer: Importer, record: Record, into: Portion) -> None:
        into.place, into.record_size = record.place, record.size
        into.size += record.size
        into.count += 1
        if record.value is None:
            into.aside(record.why, record.text)
            return
        try:
            importer.read(record.value, into)
            self._records += 1
        except (BadSpan, RecursionError) as error:
            into.aside(str(error) or "it is nested too deeply", msgspec.json.encode(record.value))
        except Exception as error:  # a record of a shape that nobody thought of costs no more than itself
            why = f"it has a shape that is not known ({type(error).__name__})"
            into.aside(why, msgspec.json.encode(record.value))

    def _reached(self, source: Source, into: Portion) -> Reached:
        return Reached(into.taken(), source.name, source.done, source.size, self._records)


def _unknown(source: Source, untold: list[Record]) -> CannotImport:
    if not untold:
        return CannotImport(Problem(f"{source.name} has no records", "name a file that has some"))
    record = next((each for each in untold if each.value is not None), untold[0])
    if record.value is None:
        text = f"nothing of {source.name} can be read: {record.place}: {clean_line(record.why)}"
        return CannotImport(Problem(text, "it takes JSON, JSON lines, CSV and OTLP"))
    fields = ", ".join(clean_line(name)[:40] for name in list(record.value)[:8])
    text = f"{source.name} is of no format that is known (its fields: {fields})"
    return CannotImport(
        Problem(
            text, f"name one with --format ({', '.join(FORMATS)}), or say what is what with --map input=FIELD"
        )
    )
