"""A batch of results, committed as one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from llmops_tui.domain.call import Call, Failure
from llmops_tui.domain.output import Output
from llmops_tui.domain.run import Item
from llmops_tui.domain.score import Score, combine
from llmops_tui.domain.trace import SpanRecord
from llmops_tui.store.attempts import Attempt, Attempts
from llmops_tui.store.bulk import no_collection
from llmops_tui.store.calls import Calls
from llmops_tui.store.connection import Database
from llmops_tui.store.outputs import OutputRow, Outputs
from llmops_tui.store.runs import ItemRow, Runs
from llmops_tui.store.scores import Scores
from llmops_tui.store.traces import Traces


class Result(msgspec.Struct, frozen=True):
    """What came of one place of a run.

    Attributes:
        position: in the order of the eval set; one item for each.
        output_id: the output's row, where it was there already.
        output: the output, where it is new.
        scores: those that are new.
        failure: kept as an attempt.
        item: as it is to be shown; its output is filled in.
        spans, began_at: how the output, or the failure, came about.
        score_keys: of all scorers of the case, in order, so that the reasons shown later are those
            the status came from. Empty: not told.
        instead_of: row of an output on which a guardrail failed itself, whose place `output` takes.
    """

    position: int
    content_key: str
    generation: int
    output_id: int | None
    output: Output | None
    scores: tuple[Score, ...]
    failure: Failure | None
    item: Item
    score_keys: tuple[str, ...] = ()
    spans: tuple[SpanRecord, ...] = ()
    began_at: float = 0.0
    instead_of: int | None = None


class Recorder:
    """Writes what a run gives, in one transaction a batch."""

    def __init__(
        self,
        db: Database,
        calls: Calls,
        outputs: Outputs,
        scores: Scores,
        runs: Runs,
        attempts: Attempts,
        traces: Traces,
    ) -> None:
        self._db = db
        self._calls = calls
        self._outputs = outputs
        self._scores = scores
        self._runs = runs
        self._attempts = attempts
        self._traces = traces
        self._pins: dict[int, dict[str, str]] = {}

    @no_collection()
    def record(
        self, run_id: int, *, calls: Sequence[Call], results: Sequence[Result], at: float
    ) -> list[Item]:
        """Commit calls and results. When it returns, they survive whatever happens to the process.

        Returns:
            The items as they are kept, in the order given.
        """
        if not calls and not results:
            return []
        with self._db.write() as connection:
            if calls:
                self._calls.add_many(calls, self._pins_of(run_id))
            there = self._outputs.rows(
                r.output_id for r in results if r.output_id is not None and not r.item.text_hash
            )
            items = [self._item(connection, run_id, r, there, at) for r in results]
            rows: list[ItemRow] = [
                (r.position, item, r.score_keys) for r, item in zip(results, items, strict=True)
            ]
            self._runs.insert_items(connection, run_id, rows)
        return items

    def _pins_of(self, run_id: int) -> dict[str, str]:
        if run_id not in self._pins:
            self._pins = {run_id: self._runs.models(run_id)}
        return self._pins[run_id]

    def _item(
        self,
        connection: sqlite3.Connection,
        run_id: int,
        result: Result,
        there: dict[int, OutputRow],
        at: float,
    ) -> Item:
        item = result.item
        if result.failure is not None:
            failed = Attempt(
                run_id, item.case_id, item.model, item.trial, result.content_key, result.failure, at
            )
            attempt_id = self._attempts.insert(connection, failed)
            if result.spans:
                self._traces.insert(connection, result.spans, result.began_at, attempt_id=attempt_id)
        if result.output is not None:
            return self._new_output(connection, result, result.output, at)
        if result.output_id is None:
            return item
        if result.scores:
            self._scores.insert(connection, result.output_id, result.scores)
        row = there.get(result.output_id)
        if row is None:
            return item
        return msgspec.structs.replace(
            item,
            output_id=row.output_id,
            text_hash=row.text_hash,
            latency_s=row.latency_s,
            cost_usd=row.cost_usd,
        )

    def _new_output(self, connection: sqlite3.Connection, result: Result, output: Output, at: float) -> Item:
        item = result.item
        if result.instead_of is not None:
            self._outputs.set_aside(connection, result.instead_of, output)
        id_, text_hash, new = self._outputs.insert(
            connection, result.content_key, result.generation, item.trial, output, at
        )
        if not new:
            return self._met(connection, result, id_, text_hash, output)
        self._scores.insert(connection, id_, result.scores)
        if result.spans:
            self._traces.insert(connection, result.spans, result.began_at, output_id=id_)
        return msgspec.structs.replace(item, output_id=id_, text_hash=text_hash)

    def _met(
        self, connection: sqlite3.Connection, result: Result, id_: int, text_hash: str, output: Output
    ) -> Item:
        """The output is there already: another process, or a case with the same inputs, was first.

        Its own text stands. Where the texts differ, the new scores are about a text that is not
        kept: those of the kept text count, or the item is missing until the next run.
        """
        from llmops_tui.domain.canonical import text_digest

        row = self._outputs.rows([id_])[id_]
        item = msgspec.structs.replace(
            result.item, output_id=id_, text_hash=text_hash, latency_s=row.latency_s, cost_usd=row.cost_usd
        )
        if text_digest(output.text) == text_hash:
            self._scores.insert(connection, id_, result.scores)
            return item
        keys = [s.key for s in result.scores]
        kept = self._scores.for_output(id_, keys)
        if len(kept) < len(keys):
            return msgspec.structs.replace(item, status="missing", score=None)
        verdict = combine(kept)
        return msgspec.structs.replace(item, status=verdict.status, score=verdict.score)
