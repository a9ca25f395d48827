"""Cases as last built, by the hash of all that they were built from.

Eval sets are large and change seldom; a save of a prompt must not read them anew. They are kept
in memory and in `.llmops/cache/`, scorers and tags by number, since many cases share them.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.attack import Attack
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.workspace.places import write_atomically

FOLDER = ".llmops/cache"


class _Shared(msgspec.Struct, frozen=True, array_like=True):
    scorers: tuple[ScorerUse, ...]
    tags: tuple[str, ...]
    group: str | None
    trials: int | None
    file: str


class _Row(msgspec.Struct, array_like=True, gc=False):
    """What is a case's own. `rest`: what few cases have."""

    id: str
    vars: dict[str, Any]
    expected: Any
    shared: int
    line: int | None
    rest: _Rest | None


class _Rest(msgspec.Struct, array_like=True):
    known_failing: str
    turns: tuple[dict[str, Any], ...]
    tools: dict[str, Any]
    expected_sources: tuple[str, ...]
    planted: tuple[str, ...]
    attack: Attack | None


#: Of a case without any of them.
_NOTHING = _Rest("", (), {}, (), (), None)


class _Kept(msgspec.Struct, array_like=True):
    shared: list[_Shared]
    rows: list[_Row]


class CaseMemo:
    """The cases of one workspace. A folder that can't be written just means none on disk.

    Attributes:
        used: keys that were asked for since the last `forget_others`.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER
        self._known: dict[str, tuple[Case, ...]] = {}
        self.used: set[str] = set()

    def get(self, key: str) -> tuple[Case, ...] | None:
        self.used.add(key)
        if key not in self._known:
            try:
                kept = msgspec.msgpack.decode(self._file(key).read_bytes(), type=_Kept)
                self._known[key] = _cases(kept)
            except (OSError, msgspec.DecodeError, IndexError):
                return None
        return self._known[key]

    def put(self, key: str, cases: tuple[Case, ...]) -> None:
        self.used.add(key)
        self._known[key] = cases
        with contextlib.suppress(OSError, OverflowError):  # a number of more than 64 bits: read anew
            write_atomically(self._file(key), msgspec.msgpack.encode(_kept(cases)))

    def forget_others(self) -> None:
        """Drop what was not asked for, in memory and on disk."""
        self._known = {key: cases for key, cases in self._known.items() if key in self.used}
        wanted = {self._file(key) for key in self.used}
        with contextlib.suppress(OSError):
            for file in self._folder.glob("cases-*.msgpack"):
                if file not in wanted:
                    file.unlink()
        self.used = set()

    def _file(self, key: str) -> Path:
        return self._folder / f"cases-{key[:32]}.msgpack"


def _kept(cases: tuple[Case, ...]) -> _Kept:
    numbers: dict[tuple[Any, ...], int] = {}
    shared: list[_Shared] = []
    rows = []
    for case in cases:
        # Cases of one reading share the tuple of their scorers itself.
        mark = (id(case.scorers), case.tags, case.group, case.trials, case.file)
        number = numbers.get(mark)
        if number is None:
            number = numbers[mark] = len(shared)
            shared.append(_Shared(case.scorers, case.tags, case.group, case.trials, case.file))
        rest = _Rest(
            *(case.known_failing, case.turns, case.tools, case.expected_sources, case.planted, case.attack)
        )
        kept = None if rest == _NOTHING else rest
        rows.append(_Row(case.id, case.vars, case.expected, number, case.line, kept))
    return _Kept(shared, rows)


def _cases(kept: _Kept) -> tuple[Case, ...]:
    shared = kept.shared
    return tuple(
        Case(
            *(row.id, row.vars, row.expected, s.scorers, s.tags, s.group, s.trials, s.file, row.line),
            *(rest.known_failing, rest.turns, rest.tools, rest.expected_sources, rest.planted, rest.attack),
        )
        for row in kept.rows
        for s in (shared[row.shared],)
        for rest in (row.rest or _NOTHING,)
    )
