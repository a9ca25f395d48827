"""How every case of many versions stood, read in bulk: a few small values an item and no text."""

from __future__ import annotations

from collections.abc import Iterable

from llmops_tui.domain.run import Item, RunInfo
from llmops_tui.domain.score import Status
from llmops_tui.store.blobs import chunks, marks
from llmops_tui.store.bulk import no_collection
from llmops_tui.store.connection import Database
from llmops_tui.store.runs import RUN_COLUMNS, STATUSES, WHOLE, make_item

Place = tuple[str, str, int, bool]
"""Case, model, trial, and whether the trial is an extra one."""


class Cells:
    """Items by run, light."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def newest_runs(self, version_ids: Iterable[int]) -> dict[int, RunInfo]:
        """Version → its newest run that says how it does."""
        found: dict[int, RunInfo] = {}
        for chunk in chunks(version_ids):
            rows = self._db.rows(
                f"SELECT {RUN_COLUMNS} FROM runs WHERE id IN (SELECT max(id) FROM runs "
                f"WHERE version_id IN ({marks(chunk)}) AND {WHOLE} GROUP BY version_id)",
                chunk,
            )
            found.update((run.version_id, run) for run in (RunInfo(*row) for row in rows))
        return found

    @no_collection()
    def of_run(self, run_id: int) -> list[tuple[int, Status, float | None, int | None]]:
        """Place, status, score and set of scores of every item of a run, in the order of its eval set."""
        rows = self._db.rows(
            "SELECT place_id, status, score, score_set_id FROM items WHERE run_id = ? ORDER BY position",
            (run_id,),
        )
        return [(place, STATUSES[status], score, judge) for place, status, score, judge in rows]

    @no_collection()
    def places(self) -> dict[int, Place]:
        """Number of a place → what it is."""
        rows = self._db.rows("SELECT id, case_id, model, trial, extra FROM places")
        return {id_: (case, model, trial, extra == 1) for id_, case, model, trial, extra in rows}

    def of_case(self, run_id: int, case_id: str, model: str) -> list[Item]:
        """One case on one model in a run, by trial."""
        rows = self._db.rows(
            "SELECT p.case_id, p.model, p.trial, i.status, i.score, i.output_id, o.text_hash, i.failure, "
            "o.latency_s, o.cost_usd, p.extra FROM items i JOIN places p ON p.id = i.place_id "
            "LEFT JOIN outputs o ON o.id = i.output_id "
            "WHERE i.run_id = ? AND p.case_id = ? AND p.model = ? ORDER BY p.extra, p.trial",
            (run_id, case_id, model),
        )
        return [make_item(row) for row in rows]
