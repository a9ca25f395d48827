"""The formats that can be read, one importer each, and how one is told by a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import msgspec

from llmops_tui.domain.errors import LlmopsError, Problem, did_you_mean
from llmops_tui.tracing.importers.portion import Portion

Made = TypeVar("Made", bound="type[Importer]")


class CannotImport(LlmopsError):
    """Nothing of a file can be read, or it does not say what it is."""


class Options(msgspec.Struct, frozen=True):
    """How to read.

    Attributes:
        mapping: of plain records: word → path of the field, `input` → `question.text`.
        file_time: Unix seconds of the file: the time of records that tell none.
    """

    mapping: Mapping[str, str] = {}
    file_time: float = 0.0


class Importer:
    """Reads records of one format, and keeps what it has to from record to record and from file to file.

    Attributes:
        name: as `--format` has it.
        title: as people call it.
        reads_bytes: it takes whole files that are no text.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    reads_bytes: ClassVar[bool] = False

    def __init__(self, options: Options) -> None:
        self.options = options

    @classmethod
    def recognised(cls, record: Mapping[str, Any]) -> str:
        """What a record is told by, a clause (`it has a run_type`); empty where it is none of this format."""
        raise NotImplementedError

    def read(self, record: dict[str, Any], into: Portion) -> None:
        """Take one record.

        Raises:
            BadSpan: it can't be taken; a sentence.
        """
        raise NotImplementedError

    def finish(self, into: Portion) -> None:
        """All files are read: what waited for another record goes as it is."""


#: In the order in which they are asked whether a record is theirs.
FORMATS: dict[str, type[Importer]] = {}


def importer(name: str, title: str) -> Callable[[Made], Made]:
    """Makes a class known under a name."""

    def add(made: Made) -> Made:
        made.name, made.title = name, title
        FORMATS[name] = made
        return made

    return add


def named(name: str) -> type[Importer]:
    """Raises CannotImport: there is no such format."""
    found = FORMATS.get(name)
    if found is None:
        raise CannotImport(Problem(f"there is no format '{name}'", did_you_mean(name, list(FORMATS))))
    return found


def detected(record: Mapping[str, Any]) -> tuple[type[Importer], str] | None:
    """The format of a record, and a sentence that says what it was told by."""
    for each in FORMATS.values():
        if why := each.recognised(record):
            return each, f"read as {each.title}: {why}"
    return None
