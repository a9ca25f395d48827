"""What a bundle carries, out of one database and into another. Row ids stay at home; contents travel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from llmops_tui.domain.call import Call, Draw
from llmops_tui.domain.manifest import Manifest
from llmops_tui.domain.output import Output
from llmops_tui.domain.run import Item, Reason, RunState
from llmops_tui.domain.score import Score
from llmops_tui.domain.trace import SpanRecord
from llmops_tui.store.blobs import chunks, marks
from llmops_tui.store.calls import Calls
from llmops_tui.store.connection import Database
from llmops_tui.store.outputs import Outputs
from llmops_tui.store.runs import Runs
from llmops_tui.store.scores import Scores
from llmops_tui.store.traces import Traces
from llmops_tui.store.versions import Versions


class VersionLine(msgspec.Struct, frozen=True):
    """A version, with every text that its manifest names. It has no number: each database gives its own."""

    config: str
    manifest: Manifest
    texts: dict[str, str]
    created_at: float
    git_commit: str | None = None
    git_dirty: bool | None = None


class CallLine(msgspec.Struct, frozen=True):
    """An answered request; `pin` is the hash of the model's part in the version that asked."""

    call: Call
    pin: str


class OutputLine(msgspec.Struct, frozen=True):
    key: str
    trial: int
    generation: int
    at: float
    output: Output
    scores: tuple[Score, ...]
    spans: tuple[SpanRecord, ...] = ()
    began_at: float = 0.0


class ItemLine(msgspec.Struct, frozen=True):
    """`output` counts the bundle's outputs from 0; the item's own row id is empty."""

    position: int
    item: Item
    output: int | None
    score_keys: tuple[str, ...]


class RunLine(msgspec.Struct, frozen=True):
    """The newest run of a version, which is named by its hash."""

    config: str
    version: str
    reason: Reason
    state: RunState
    started_at: float
    total: int
    asked_total: int
    generation: int
    provider_calls: int
    cached_outputs: int
    elapsed_s: float | None
    cost_usd: float | None
    eval_hash: str
    items: tuple[ItemLine, ...]


class Rows(msgspec.Struct, frozen=True):
    """All of a bundle, in an order that its content alone decides."""

    versions: tuple[VersionLine, ...]
    calls: tuple[CallLine, ...]
    outputs: tuple[OutputLine, ...]
    runs: tuple[RunLine, ...]


class Taken(msgspec.Struct, frozen=True):
    """How many rows were new to this database."""

    versions: int = 0
    calls: int = 0
    outputs: int = 0
    runs: int = 0


class BundleRows:
    """Gives rows to a bundle, and takes them from one."""

    def __init__(
        self,
        db: Database,
        versions: Versions,
        calls: Calls,
        outputs: Outputs,
        scores: Scores,
        runs: Runs,
        traces: Traces,
    ) -> None:
        self._db = db
        self._versions = versions
        self._calls = calls
        self._outputs = outputs
        self._scores = scores
        self._runs = runs
        self._traces = traces

    # -- out

    def give(self, version_ids: Iterable[int]) -> Rows:
        """These versions, the newest run of each, and the outputs, calls and scores that it shows."""
        with self._db.read():
            infos = sorted(
                (self._versions.by_id(i) for i in dict.fromkeys(version_ids)),
                key=lambda v: (v.config, v.hash),
            )
            found = [(v, self._runs.newest(v.id, rescored=True)) for v in infos]
            run_ids = [run_id for _, run_id in found if run_id is not None]
            ids, outputs = self._give_outputs(run_ids)
            return Rows(
                tuple(
                    VersionLine(
                        *(v.config, self._versions.manifest(v.id), self._versions.texts(v.id)),
                        *(v.created_at, v.git_commit, v.git_dirty),
                    )
                    for v in infos
                ),
                self._give_calls(
                    {k for line in outputs for k in (*line.output.calls, *line.output.guard_calls)}
                ),
                outputs,
                tuple(self._give_run(v.config, v.hash, id_, ids) for v, id_ in found if id_ is not None),
            )

    def _give_outputs(self, run_ids: Sequence[int]) -> tuple[dict[int, int], tuple[OutputLine, ...]]:
        rows = self._db.rows(
            "SELECT id, key, trial, generation, at FROM outputs WHERE id IN (SELECT output_id FROM items "
            f"WHERE run_id IN ({marks(run_ids)})) ORDER BY key, trial, generation",
            run_ids,
        )
        lines = tuple(
            OutputLine(
                *(key.hex(), trial, generation, at, self._outputs.get(id_)),
                tuple(sorted(self._scores.for_output(id_), key=lambda s: s.key)),
                *self._give_trace(id_),
            )
            for id_, key, trial, generation, at in rows
        )
        return {row[0]: n for n, row in enumerate(rows)}, lines

    def _give_trace(self, output_id: int) -> tuple[tuple[SpanRecord, ...], float]:
        kept = self._traces.of_output(output_id)
        return (kept.records, kept.began_at) if kept is not None else ((), 0.0)

    def _give_calls(self, keys: set[str]) -> tuple[CallLine, ...]:
        lines = []
        for chunk in chunks(sorted(keys)):
            rows = self._db.rows(
                "SELECT key, generation, trial, step, occurrence, pin FROM calls "
                f"WHERE key IN ({marks(chunk)}) ORDER BY 1, 2, 3, 4, 5",
                [bytes.fromhex(k) for k in chunk],
            )
            for key, generation, trial, step, occurrence, pin in rows:
                call = self._calls.find(key.hex(), Draw(generation, trial, step, occurrence), fresh=True)
                if call is not None:
                    lines.append(CallLine(call, pin))
        return tuple(lines)

    def _give_run(self, config: str, version: str, run_id: int, ids: dict[int, int]) -> RunLine:
        run = self._runs.get(run_id)
        sets = self._db.rows(
            "SELECT i.position, s.keys FROM items i LEFT JOIN score_sets s ON s.id = i.score_set_id "
            "WHERE i.run_id = ? ORDER BY i.position",
            (run_id,),
        )
        items = tuple(
            ItemLine(
                position,
                msgspec.structs.replace(item, output_id=None),
                ids[item.output_id] if item.output_id is not None else None,
                _keys(raw),
            )
            for (position, raw), item in zip(sets, self._runs.items(run_id), strict=True)
        )
        state: RunState = "interrupted" if run.state == "running" else run.state
        return RunLine(
            *(config, version, run.reason, state, run.started_at, run.total, run.asked_total),
            *(run.generation, run.provider_calls, run.cached_outputs, run.elapsed_s, run.cost_usd),
            *(self._runs.eval_hash(run_id), items),
        )

    # -- in

    def take(self, rows: Rows) -> Taken:
        """Keep what is new, all of it or nothing. What is there already stays as it is.

        An output is left out where this database has one of the same content and trial: the first answer
        stands. A run is left out where the version has one here.
        """
        with self._db.write() as connection:
            versions = sum(self._take_version(line) for line in rows.versions)
            calls = sum(self._calls.insert(connection, line.call, line.pin) for line in rows.calls)
            taken = [self._take_output(line) for line in rows.outputs]
            runs = sum(self._take_run(line, rows.outputs, [id_ for id_, _ in taken]) for line in rows.runs)
            newest = max([line.generation for line in rows.outputs], default=0)
            connection.execute(
                "INSERT INTO counters VALUES ('generation', ?) "
                "ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
                (newest,),
            )
        return Taken(versions, calls, sum(new for _, new in taken), runs)

    def _take_version(self, line: VersionLine) -> bool:
        known = self._versions.find(line.config, line.manifest.hash)
        there = known is not None and not known.is_hidden
        had_texts = known is not None and bool(self._versions.texts(known.id))
        # A version that is there only gets the texts that it lacks: it does not become the latest.
        taken, _ = self._versions.ensure(
            *(line.config, line.manifest, line.texts),
            git_commit=line.git_commit,
            git_dirty=line.git_dirty,
            at=line.created_at,
            hidden=there,
        )
        if line.manifest.part("code") is not None and not had_texts:
            self._versions.mark_bundled(taken.id)
        return not there

    def _take_output(self, line: OutputLine) -> tuple[int | None, bool]:
        """Row of the output that these items may show, None where another text stands; whether it is new."""
        from llmops_tui.domain.canonical import text_digest

        there = self._outputs.find_many([(line.key, line.trial)]).get((line.key, line.trial))
        if there is not None and there.text_hash != text_digest(line.output.text):
            return None, False
        id_ = (
            there.output_id
            if there is not None
            else self._outputs.add(line.key, line.generation, line.trial, line.output, line.at)
        )
        self._scores.add_many(id_, line.scores)
        if line.spans:
            with self._db.write() as connection:
                self._traces.insert(connection, line.spans, line.began_at, output_id=id_)
        return id_, there is None

    def _take_run(self, line: RunLine, outputs: Sequence[OutputLine], ids: Sequence[int | None]) -> bool:
        version = self._versions.find(line.config, line.version)
        if version is None:
            raise ValueError("a run of a version that is not in the bundle")
        if self._runs.newest(version.id, rescored=True) is not None:
            return False
        run = self._runs.start(
            *(version.id, line.reason),
            total=line.total,
            asked_total=line.asked_total,
            generation=line.generation,
            eval_hash=line.eval_hash,
            at=line.started_at,
        )
        items = []
        for one in line.items:
            item = msgspec.structs.replace(one.item, output_id=None)
            if one.output is not None:
                if not 0 <= one.output < len(outputs):
                    raise ValueError("an item of an output that is not in the bundle")
                item = msgspec.structs.replace(item, output_id=ids[one.output])
                if item.output_id is None:
                    item = msgspec.structs.replace(item, status="missing", score=None)
            items.append((one.position, item, one.score_keys))
        self._runs.add_items(run.id, items)
        self._runs.finish(
            run.id,
            state="interrupted" if line.state == "running" else line.state,
            provider_calls=line.provider_calls,
            cached_outputs=line.cached_outputs,
            elapsed_s=line.elapsed_s,
            cost_usd=line.cost_usd,
        )
        return True


def _keys(raw: bytes | None) -> tuple[str, ...]:
    keys = raw.hex() if raw else ""
    return tuple(keys[i : i + 64] for i in range(0, len(keys), 64))
