"""Cases × versions, or cases × models: how each stood in the newest run of each. Pure.

Kept by columns, a byte a cell, so that half a million cells are put together in about a second and
drawn from without another look at the store.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from llmops_tui.domain.comparison import Flip, pair_models
from llmops_tui.domain.run import RunInfo, VersionInfo
from llmops_tui.domain.score import Status

CellStatus = Literal["absent", "passed", "failed", "error", "unscored", "missing"]
#: A cell's byte is the place of its status here.
STATUSES: tuple[CellStatus, ...] = ("absent", "passed", "failed", "error", "unscored", "missing")
CODE: dict[CellStatus, int] = {status: n for n, status in enumerate(STATUSES)}
_ABSENT, _PASSED, _FAILED, _ERROR, _UNSCORED, _MISSING = range(6)
#: Of several trials, the first of these that one has is the row's (`run.make_row`).
_WORST = (_MISSING, _ERROR, _FAILED, _UNSCORED, _PASSED)

Place = tuple[str, str, int, bool]
"""Case, model, trial, and whether the trial is an extra one."""
RowKey = tuple[str, str]
"""Case and model; the model is empty where a row is a case alone."""
Recorded = Sequence[tuple[int, Status, float | None, int | None]]
"""Items of a run in the order of its eval set: number of their place, status, score, and a number that
those judged by the same scorers share (None where nothing judged)."""


class Cell(msgspec.Struct, frozen=True):
    """A case in one column.

    Attributes:
        status: `absent` where it was not evaluated, `missing` where its result is still to come.
        score: mean over planned trials; None where a trial has none.
        passed, trials: planned trials that passed, of those that are judged by passing.
        flip: against the nearest judged version at its left; None among models.
        judged_otherwise: by other scorers, or another reference, than in the newest version.
    """

    status: CellStatus
    score: float | None = None
    passed: int = 0
    trials: int = 0
    flip: Flip | None = None
    judged_otherwise: bool = False

    @property
    def is_there(self) -> bool:
        return self.status not in ("absent", "missing")

    @property
    def is_flaky(self) -> bool:
        """Its trials disagree."""
        return 0 < self.passed < self.trials


class Source(msgspec.Struct, frozen=True):
    """What a version is known to have answered, as the store has it.

    Attributes:
        run: its newest run; None where it never ran.
    """

    version: VersionInfo
    run: RunInfo | None
    items: Recorded = ()


class Column(msgspec.Struct, frozen=True):
    """A version, or one model of it.

    Attributes:
        version: with `model` set where the column is one model of it.
        models: model of a row's key → the model that answered for it in this version.
        states: a byte a row, see `STATUSES`.
        scores: a number a row, NaN without a score.
        shares: row → (trials that passed, trials), for rows of several trials.
        otherwise: rows that other scorers judged than in the newest version.
        pass_rate: over all rows, as `run.tally` counts it.
    """

    version: VersionInfo
    run: RunInfo | None
    models: Mapping[str, str]
    states: bytes
    scores: array[float]
    shares: Mapping[int, tuple[int, int]]
    otherwise: frozenset[int] = frozenset()
    pass_rate: float | None = None

    def share(self, row: int) -> float | None:
        """Share of a row's planned trials that passed; None where it is not judged so."""
        state = self.states[row]
        if state not in (_PASSED, _FAILED):
            return None
        several = self.shares.get(row)
        return several[0] / several[1] if several and several[1] else float(state == _PASSED)

    def rate(self, rows: Sequence[int]) -> float | None:
        """Pass rate over these rows."""
        states = bytes(map(self.states.__getitem__, rows))
        passed, judged = states.count(_PASSED), states.count(_PASSED) + states.count(_FAILED)
        if not judged:
            return None
        # A row of several trials that failed may have passed in some of them.
        chosen = self.shares.keys() & set(rows) if self.shares else ()
        parts = sum(s for n in chosen if self.states[n] == _FAILED and (s := self.share(n)) is not None)
        return (passed + parts) / judged


class Matrix(msgspec.Struct, frozen=True):
    """The whole of it.

    Attributes:
        by: what the columns are.
        rows: keys, in the order of the newest eval set; cases that it no longer has come last.
        columns: oldest first; among models, as the version names them.
        judges: row → what judged it in the newest version that has it.
    """

    by: Literal["versions", "models"]
    rows: tuple[RowKey, ...]
    columns: tuple[Column, ...]
    judges: Mapping[int, int] = {}

    @property
    def has_several_models(self) -> bool:
        """Rows are case and model, and not cases alone."""
        return any(model for _, model in self.rows)

    def cell(self, row: int, column: int) -> Cell:
        """One cell; `row` and `column` count from 0."""
        at = self.columns[column]
        state, score = at.states[row], at.scores[row]
        passed, trials = at.shares.get(row) or (int(state == _PASSED), int(state in (_PASSED, _FAILED)))
        return Cell(
            STATUSES[state],
            None if math.isnan(score) else score,
            passed,
            trials,
            self._flip(row, column) if self.by == "versions" else None,
            row in at.otherwise,
        )

    def _flip(self, row: int, column: int) -> Flip | None:
        now = self.columns[column].states[row]
        if now not in (_PASSED, _FAILED):
            return None
        for k in range(column - 1, -1, -1):
            before = self.columns[k].states[row]
            if before in (_PASSED, _FAILED):
                return None if before == now else "pass→fail" if now == _FAILED else "fail→pass"
        return None

    def model_of(self, row: int, column: int) -> str:
        """The model that answers for a row in a column; empty where the version has none for it."""
        at = self.columns[column]
        return at.version.model or at.models.get(self.rows[row][1], "")


# -- putting it together


def by_versions(sources: Sequence[Source], places: Mapping[int, Place]) -> Matrix:
    """Cases (× models, where a version has several) × versions.

    A model that was replaced by another is one row with its replacement, as in a comparison.

    Args:
        sources: oldest first.
    """
    lanes = _lanes(sources, places)
    several = any(len(set(lane.values())) > 1 for lane in lanes)
    grid = _Grid(places)
    for source, lane in zip(reversed(sources), reversed(lanes), strict=True):
        grid.read(source, lane if several else dict.fromkeys(lane, ""))
    columns = [
        grid.column(source, {name: own for own, name in lane.items()} if several else _only(lane))
        for source, lane in zip(sources, lanes, strict=True)
    ]
    return Matrix("versions", tuple(grid.rows), tuple(columns), grid.judges)


def by_models(source: Source, places: Mapping[int, Place], models: Sequence[str]) -> Matrix:
    """Cases × the models of one version.

    Args:
        models: that it names; those that did not answer come after those that did.
    """
    return _by_models(source, places, tuple(dict.fromkeys((*_models(source, places), *models))))


def _by_models(
    source: Source, places: Mapping[int, Place], models: Sequence[str], rows: Iterable[RowKey] = ()
) -> Matrix:
    grid = _Grid(places, rows)
    parts = []
    for model in models:
        version = msgspec.structs.replace(source.version, model=model)
        items = [item for item in source.items if places[item[0]][1] == model]
        part = msgspec.structs.replace(source, version=version, items=items)
        grid.read(part, {model: ""})
        parts.append(part)
    columns = [grid.column(part, {"": part.version.model}) for part in parts]
    return Matrix("models", tuple(grid.rows), tuple(columns), grid.judges)


def with_source(matrix: Matrix, source: Source, places: Mapping[int, Place]) -> Matrix | None:
    """The matrix with one version read anew; rows stay where they are, new ones come last.

    None where that is not enough: it does not have the version, or the version got other models.
    """
    found = [k for k, c in enumerate(matrix.columns) if c.version.id == source.version.id]
    models = _models(source, places)
    if not found:
        return None
    if matrix.by == "models":
        if not set(models) <= {c.version.model for c in matrix.columns}:
            return None
        names = [c.version.model for c in matrix.columns]
        return _by_models(source, places, names, matrix.rows)
    grid = _Grid(places, matrix.rows, matrix.judges)
    columns = list(matrix.columns)
    old = columns[found[0]]
    lane = {own: name for name, own in old.models.items()}
    if not set(models) <= set(lane):
        return None
    grid.read(source, lane)
    columns[found[0]] = grid.column(source, old.models)
    room = len(grid.rows)
    return Matrix("versions", tuple(grid.rows), tuple(_widened(c, room) for c in columns), grid.judges)


def _only(lane: Mapping[str, str]) -> dict[str, str]:
    """Where every version has one model: the row without a model is that model's."""
    return {"": next(iter(lane))} if lane else {}


def _models(source: Source, places: Mapping[int, Place]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(places[place][1] for place, *_ in source.items))


def _lanes(sources: Sequence[Source], places: Mapping[int, Place]) -> list[dict[str, str]]:
    """Of each version: its model → the name of its row.

    A name that a later version has too is that row; others follow what replaced them in the next version.
    """
    lanes: list[dict[str, str]] = []
    later: dict[str, str] = {}
    all_: set[str] = set()
    for source in reversed(sources):
        models = _models(source, places)
        partner = pair_models(models, tuple(later)) if models else {}
        named = {m: m for m in models if m in all_}
        for model in models:
            if model not in named:
                found = later.get(partner.get(model, ""), "")
                free = found and found not in named.values()
                named[model] = found if free else _free(model, all_ | set(named.values()))
        all_ |= set(named.values())
        later = named or later
        lanes.append({m: named[m] for m in models})
    return lanes[::-1]


def _free(name: str, taken: set[str]) -> str:
    """A name for a row that no other model's has."""
    while name in taken:
        name += "′"
    return name


class _Grid:
    """Rows as they come up, and the columns over them."""

    def __init__(
        self,
        places: Mapping[int, Place],
        rows: Iterable[RowKey] = (),
        judges: Mapping[int, int] | None = None,
    ) -> None:
        self._places = places
        self.judges = dict(judges or {})
        self.rows: dict[RowKey, int] = {key: n for n, key in enumerate(rows)}
        self._at: dict[str, list[int]] = {}
        self._known: dict[tuple[tuple[str, str], ...], dict[int, int]] = {}

    def read(self, source: Source, lane: Mapping[str, str]) -> None:
        """Find the row of every item; new ones come last."""
        known = self._known.setdefault(tuple(sorted(lane.items())), {})
        rows, places, judges = self.rows, self._places, self.judges
        at: list[int] = []
        for place, _, _, judge in source.items:
            row = known.get(place)
            if row is None:
                case, model, _, _ = places[place]
                row = known[place] = rows.setdefault((case, lane.get(model, model)), len(rows))
            at.append(row)
            if judge is not None:
                judges.setdefault(row, judge)
        self._at[_name(source)] = at

    def column(self, source: Source, models: Mapping[str, str]) -> Column:
        """The column of a source that was read."""
        states, scores = bytearray(len(self.rows)), array("d", [math.nan]) * len(self.rows)
        several: dict[int, list[tuple[int, float | None]]] = {}
        extra: dict[int, list[tuple[int, float | None]]] = {}
        otherwise = set()
        for row, (place, status, score, judge) in zip(self._at[_name(source)], source.items, strict=True):
            code = CODE[status]
            if judge is not None and judge != self.judges[row]:
                otherwise.add(row)
            if self._places[place][3]:
                extra.setdefault(row, []).append((code, score))
            elif not states[row]:
                states[row] = code
                scores[row] = math.nan if score is None else score
            else:
                first = states[row], None if math.isnan(scores[row]) else scores[row]
                several.setdefault(row, [first]).append((code, score))
        # A row of which only trials beyond the planned ones are there is judged by them.
        several.update({row: trials for row, trials in extra.items() if not states[row]})
        shares = {}
        for row, trials in several.items():
            states[row], scores[row], shares[row] = _together(trials)
        column = Column(
            *(source.version, source.run, dict(models), bytes(states), scores, shares, frozenset(otherwise))
        )
        return msgspec.structs.replace(column, pass_rate=column.rate(range(len(self.rows))))


def _name(source: Source) -> str:
    return f"{source.version.id} {source.version.model}"


def _together(trials: Sequence[tuple[int, float | None]]) -> tuple[int, float, tuple[int, int]]:
    """Trials as one: state, score, and how many of those judged by passing passed."""
    codes = [code for code, _ in trials]
    state = next(code for code in _WORST if code in codes)
    known = [score for _, score in trials if score is not None]
    score = sum(known) / len(known) if len(known) == len(trials) else math.nan
    passed, failed = codes.count(_PASSED), codes.count(_FAILED)
    return state, score, (passed, passed + failed)


def _widened(column: Column, rows: int) -> Column:
    lacking = rows - len(column.states)
    if not lacking:
        return column
    scores = column.scores + array("d", [math.nan]) * lacking
    return msgspec.structs.replace(column, states=column.states + bytes(lacking), scores=scores)
