"""What figures are split by, bounded: a program that makes up a new feature for every request does not fill
the database."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from llmops_tui.domain.live.request import Series
from llmops_tui.store.connection import Database

#: Different values of a dimension; what comes beyond them is counted under `OTHER`.
AT_MOST = {
    "config": 100,
    "version": 1000,
    "feature": 100,
    "model": 100,
    "provider": 50,
    "step": 60,
    "error": 100,
    "guardrail": 60,
    "scorer": 60,
    "trait": 60,
    "language": 60,
    "terms": 300,
}
OTHER = "(other)"
#: Combinations that are told apart; those beyond are counted as `OTHER` in all of their parts.
MOST_SERIES = 2_000
#: The part that holds all of all series.
WHOLE = "*"
#: Parts that hold all series that agree in these dimensions: what is mostly asked for is read from few rows.
MARGINS: dict[str, tuple[str, ...]] = {
    WHOLE: (),
    "by version": ("config", "version"),
    "by feature": ("feature",),
    "by model": ("model", "provider"),
    "by version and feature": ("config", "version", "feature"),
    "by version and model": ("config", "version", "model", "provider"),
}


def margin_for(dimensions: Iterable[str]) -> str:
    """The part with the fewest rows that still tells these dimensions apart; empty: the series themselves."""
    wanted = set(dimensions)
    return next((part for part, told in MARGINS.items() if wanted <= set(told)), "")


class Labels:
    """Admits values, once for ever: what was counted under a name stays under it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[str, set[str]] = {}
        self._series: dict[tuple[Series, str], int] = {}
        self._as_sent: dict[tuple[Series, str], int] = {}
        self._margins: dict[Series, tuple[int, ...]] = {}
        db.caches += [self._known, self._series, self._as_sent, self._margins]

    def label(self, dimension: str, value: str) -> str:
        """The value itself, or `OTHER`. Within a write."""
        if not value:
            return value
        if not self._known:
            for kind, known in self._db.rows("SELECT dimension, value FROM labels"):
                self._known.setdefault(kind, set()).add(known)
        known_values = self._known.setdefault(dimension, set())
        if value in known_values:
            return value
        if len(known_values) >= AT_MOST[dimension]:
            return OTHER
        self._db.connection.execute("INSERT OR IGNORE INTO labels VALUES (?, ?)", (dimension, value))
        known_values.add(value)
        return value

    def series_id(self, series: Series, part: str = "") -> int:
        """The number of a series, its labels bounded. Within a write.

        Args:
            part: what of it: `only` of a filter, empty for all, or one of `MARGINS`.
        """
        if (known := self._as_sent.get((series, part))) is not None:
            return known
        bounded = Series(
            self.label("config", series.config),
            self.label("version", series.version),
            self.label("feature", series.feature),
            self.label("model", series.model),
            self.label("provider", series.provider),
        )
        found = self._there(bounded, part)
        if found is None:
            # Parts by `only` are of series that are there; margins have combinations of their own.
            kind = part if part in MARGINS else ""
            (there,) = self._db.one("SELECT count(*) FROM series WHERE part = ?", (kind,))
            if there >= MOST_SERIES and self._there(bounded, kind) is None:
                bounded = Series(*(OTHER if label else "" for label in msgspec.structs.astuple(bounded)))
            self._db.connection.execute(
                "INSERT OR IGNORE INTO series (config, version, feature, model, provider, part)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (*msgspec.structs.astuple(bounded), part),
            )
            found = self._there(bounded, part)
            assert found is not None
        if len(self._as_sent) >= 4 * MOST_SERIES:
            self._as_sent.clear()
        self._as_sent[series, part] = found
        return found

    def margins(self, series: Series) -> tuple[int, ...]:
        """Numbers of the sums that a request of this series is part of beside its own. Within a write."""
        if (known := self._margins.get(series)) is not None:
            return known
        found = tuple(
            self.series_id(Series(**{name: getattr(series, name) for name in told}), part)
            for part, told in MARGINS.items()
        )
        if len(self._margins) >= 4 * MOST_SERIES:
            self._margins.clear()
        self._margins[series] = found
        return found

    def _there(self, bounded: Series, part: str) -> int | None:
        """The number of a series that has one: once for ever, whoever gave it."""
        found = self._series.get((bounded, part))
        if found is None:
            row = self._db.one(
                "SELECT id FROM series WHERE config = ? AND version = ? AND feature = ? AND model = ?"
                " AND provider = ? AND part = ?",
                (*msgspec.structs.astuple(bounded), part),
            )
            if row is None:
                return None
            found = self._series[bounded, part] = int(row[0])
        return found

    def series(self, part: str = "") -> dict[int, Series]:
        """All there are, by number."""
        rows = self._db.rows(
            "SELECT id, config, version, feature, model, provider FROM series WHERE part = ?", (part,)
        )
        return {row[0]: Series(*row[1:]) for row in rows}
