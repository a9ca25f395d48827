"""How outputs came about: what the worker recorded, put together with what the store holds anyway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain import semconv as a
from llmops_tui.domain.call import Call, Draw
from llmops_tui.domain.canonical import digest
from llmops_tui.domain.errors import Problem, UsageError, did_you_mean
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.domain.prompt import prompt_text
from llmops_tui.domain.run import Item, Row, VersionInfo
from llmops_tui.domain.score import Score
from llmops_tui.domain.trace import CallRef, Span, SpanRecord, Trace
from llmops_tui.engine.trace_attributes import call_attributes, documents, score_attributes
from llmops_tui.store import Store
from llmops_tui.store.bulk import no_collection


class Traces:
    """Traces of one workspace's outputs. Reads the store; asks nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(
        self, version: VersionInfo, case_id: str, model: str | None = None, trial: int | None = None
    ) -> Trace:
        """The trace of one output, or of the attempt that failed.

        Args:
            model: or a part of its name; None: the version's first that answered the case.
            trial: counts from 0; None: the first one.

        Raises:
            UsageError: there is no such output.
        """
        snapshot = self._store.runs.snapshot(version.id)
        rows = snapshot.rows if snapshot is not None else ()
        mine = [r for r in rows if r.case_id == case_id]
        if not mine and (attacked := self._store.runs.snapshot(version.id, attacks=True)) is not None:
            mine = [r for r in attacked.rows if r.case_id == case_id]
            snapshot = attacked if mine else snapshot
        if not mine:
            remedy = (
                did_you_mean(case_id, {r.case_id for r in rows}) if rows else "evaluate it: llmops-tui run"
            )
            raise UsageError(Problem(f"{version.name} was not evaluated on a case '{case_id}'", remedy))
        wanted = model or version.model
        found = [r for r in mine if not wanted or r.model == wanted] or [r for r in mine if wanted in r.model]
        if not found:
            names = " or ".join(r.model for r in mine)
            raise UsageError(Problem(f"{version.name} has no model '{wanted}'", f"name {names}"))
        item = self._item(version, found[0], trial)
        assert snapshot is not None
        return self._trace(version, snapshot.run.id, item)

    def all(self, version: VersionInfo, case_ids: Sequence[str] = ()) -> Iterator[Trace]:
        """Traces of a version's newest run, in the order of the eval set.

        Args:
            case_ids: only of these; empty: of all.
        """
        snapshot = self._store.runs.snapshot(version.id)
        wanted = frozenset(case_ids)
        for row in snapshot.rows if snapshot is not None else ():
            if (wanted and row.case_id not in wanted) or (version.model and row.model != version.model):
                continue
            for item in row.items:
                if item.output_id is not None or item.failure is not None:
                    assert snapshot is not None
                    yield self._trace(version, snapshot.run.id, item)

    def of_evaluated(self, evaluated: m.Evaluated, like: Trace, title: str) -> Trace:
        """The trace of what was run beside all runs.

        Args:
            like: of the output that was run again: what the whole is about is the same.
        """
        about = like.root.attributes
        case_id = str(about.get(a.CASE_ID, ""))
        model, trial = str(about.get(a.EVALUATED_MODEL, "")), int(about.get(a.TRIAL, 0))
        failure = str(evaluated.failure) if evaluated.failure is not None else None
        item = Item(case_id, model, trial, "unscored", failure=failure)
        building = _Building(self._store, item, evaluated.output, evaluated.spans, evaluated.began_at)
        building.root = {name: value for name, value in about.items() if name != a.OUTPUT}
        if evaluated.output is not None:
            building.root[a.OUTPUT] = evaluated.output.text
        return Trace(building.id, title, building.spans(evaluated.scores))

    def of_item(self, version: VersionInfo, run_id: int, item: Item) -> Trace:
        """The trace of an item of a run."""
        return self._trace(version, run_id, item)

    def _item(self, version: VersionInfo, row: Row, trial: int | None) -> Item:
        there = [i for i in row.items if i.output_id is not None or i.failure is not None]
        found = next((i for i in there if trial is None or i.trial == trial), None)
        if found is None:
            if trial is not None and there:
                numbers = ", ".join(str(i.trial + 1) for i in there)
                text = f"'{row.case_id}' has no trial {trial + 1} in {version.name}"
                raise UsageError(Problem(text, f"there are: {numbers}"))
            text = f"'{row.case_id}' has no output in {version.name} yet"
            raise UsageError(Problem(text, "run it: llmops-tui run"))
        return found

    # -- one trace

    @no_collection()
    def _trace(self, version: VersionInfo, run_id: int, item: Item) -> Trace:
        store = self._store
        output = store.outputs.get(item.output_id) if item.output_id is not None else None
        if item.output_id is not None:
            kept = store.traces.of_output(item.output_id)
        else:
            attempt = store.attempts.newest(run_id, item.case_id, item.model, item.trial)
            kept = store.traces.of_attempt(attempt) if attempt is not None else None
        if kept is not None:
            records, began_at = kept.records, kept.began_at
        else:
            records, began_at = self._from_output(output, item), 0.0
        scores = store.runs.item_scores(item) if output is not None else ()
        name = msgspec.structs.replace(version, model="").name
        title = f"{item.case_id} · {name} · {item.model}"
        if item.trial:
            title += f" · trial {item.trial + 1}"
        building = _Building(store, item, output, records, began_at)
        building.root_attributes(version, name)
        spans = building.spans(scores)
        return Trace(building.id, title, spans)

    def _from_output(self, output: Output | None, item: Item) -> tuple[SpanRecord, ...]:
        """Spans of what was made before they were kept: as far as the store can say."""
        if output is None:
            return (SpanRecord(-1, "request", item.case_id, 0.0, 0.0, item.failure or ""),)
        length_s = output.latency_s
        records = [SpanRecord(-1, "request", item.case_id, 0.0, length_s)]
        if output.retrieved:
            chunks = (0, len(output.retrieved))
            records.append(SpanRecord(0, "retrieval", "retrieval", 0.0, 0.0, chunks=chunks))
        start_s = 0.0
        calls = self._store.calls.newest(output.calls, item.trial)
        for key in output.calls:
            call = calls.get(key)
            if call is None:
                continue
            ref = CallRef(key, call.draw.step, call.draw.occurrence, call.draw.generation)
            if start_s == 0.0:
                start_s = max(length_s - call.latency_s, 0.0)
                records.append(SpanRecord(0, "prompt", "assemble prompt", 0.0, start_s, call=ref))
            name = f"chat {call.model_id.partition('/')[2]}"
            records.append(SpanRecord(0, "model", name, start_s, start_s + call.latency_s, call=ref))
            start_s += call.latency_s
        return tuple(records)


class _Building:
    """Records → spans."""

    def __init__(
        self, store: Store, item: Item, output: Output | None, records: Sequence[SpanRecord], began_at: float
    ) -> None:
        self._store = store
        self._item = item
        self._output = output
        self._records = records
        self._calls = self._calls_of(r.call for r in records if r.call is not None)
        sent = [c.sent_at for c in self._calls.values() if c is not None and c.sent_at]
        self._began_at = began_at or min(sent, default=0.0)
        self.id = digest(["trace", item.output_id, item.case_id, item.model, item.trial, self._began_at])[:32]
        self._first = int(self.id[:16], 16)
        self._within: dict[int, list[SpanRecord]] = {}
        for record in records:
            self._within.setdefault(record.parent, []).append(record)
        self.root: dict[str, Any] = {}
        self._results: dict[str, Any] = {}

    def root_attributes(self, version: VersionInfo, name: str) -> None:
        item, output = self._item, self._output
        self.root = {
            a.OPERATION: "invoke_workflow",
            a.WORKFLOW_NAME: version.config,
            a.CONFIG: version.config,
            a.VERSION: name,
            a.VERSION_HASH: version.hash,
            a.CASE_ID: item.case_id,
            a.EVALUATED_MODEL: item.model,
            a.TRIAL: item.trial,
        }
        if output is not None:
            self.root[a.OUTPUT] = output.text

    def spans(self, scores: Sequence[Score]) -> tuple[Span, ...]:
        for record in self._records:
            if record.kind == "step" and a.OUTPUT in record.attributes:
                self._results[str(record.attributes.get(a.STEP, ""))] = record.attributes[a.OUTPUT]
            elif record.kind == "prompt" and a.INPUT not in self.root:
                self.root[a.INPUT] = record.attributes.get(a.VARIABLES, {})
        made = [self._span(n, record) for n, record in enumerate(self._records)]
        end = max((record.end_s for record in self._records), default=0.0)
        return (*_in_tree_order(made), *self._scorers(scores, end))

    def _span(self, n: int, record: SpanRecord) -> Span:
        parent = "" if record.parent < 0 else self._id(record.parent)
        return Span(
            self._id(n),
            parent,
            record.name,
            record.kind,
            self._began_at + record.start_s,
            self._began_at + record.end_s,
            "error" if record.error else "ok",
            record.error,
            self._attributes(n, record),
        )

    def _id(self, n: int) -> str:
        return f"{(self._first + n + 1) % (1 << 64) or 1:016x}"

    def _attributes(self, n: int, record: SpanRecord) -> dict[str, Any]:
        found: dict[str, Any] = dict(self.root) if record.parent < 0 else {}
        found |= record.attributes
        call = self._calls.get(record.call) if record.call is not None else None
        match record.kind:
            case "retrieval":
                found[a.OPERATION] = "retrieval"
                if self._output is not None:  # of an attempt that failed they are not known
                    found[a.DOCUMENTS] = documents(self._chunks(record))
            case "model":
                found[a.OPERATION] = "chat"
                if call is not None:
                    found |= call_attributes(call)
            case "embedding":
                found[a.OPERATION] = "embeddings"
            case "tool":
                found[a.OPERATION] = "execute_tool"
            case "guardrail":
                found[a.OPERATION] = "apply_guardrail"
            case "prompt":
                self._prompt(found, call)
            case "step":
                self._step(n, found)
        return found

    def _chunks(self, record: SpanRecord) -> tuple[Chunk, ...]:
        if self._output is None or record.chunks is None:
            return ()
        first, end = record.chunks
        return self._output.retrieved[first:end]

    def _prompt(self, found: dict[str, Any], call: Call | None) -> None:
        from llmops_tui.domain.trace import messages_of

        hash_ = found.pop(a.PROMPT_HASH, None)
        text = self._store.blobs.get(hash_) if isinstance(hash_, str) else None
        if text is not None:
            found[a.TEMPLATE] = prompt_text(msgspec.json.decode(text))
        steps = found.pop(a.STEPS_READ, [])
        if steps:
            found[a.VARIABLES] = {
                **found.get(a.VARIABLES, {}),
                **{name: self._results[name] for name in steps if name in self._results},
            }
        if call is not None:
            found[a.INPUT_MESSAGES] = messages_of(call.request.messages)

    def _step(self, n: int, found: dict[str, Any]) -> None:
        """A prompt's step gives what its last call answered, a retrieval's the texts of its chunks."""
        if a.OUTPUT in found:
            return
        for record in self._within.get(n, ()):
            call = self._calls.get(record.call) if record.call is not None else None
            if record.kind == "model" and call is not None:
                found[a.OUTPUT] = call.text
            elif record.kind == "retrieval":
                found[a.OUTPUT] = "\n\n".join(chunk.text for chunk in self._chunks(record))
        if a.OUTPUT in found:
            self._results[str(found.get(a.STEP, ""))] = found[a.OUTPUT]

    def _calls_of(self, refs: Iterable[CallRef]) -> dict[CallRef, Call | None]:
        """Calls; None where one was cleaned up."""
        trial = self._item.trial
        draws = {ref: Draw(ref.generation, trial, ref.step, ref.occurrence) for ref in refs}
        calls = self._store.calls
        found = calls.find_many((ref.key, draw) for ref, draw in draws.items())
        return {
            ref: found.get((ref.key, draw)) or calls.find(ref.key, draw, fresh=False)
            for ref, draw in draws.items()
        }

    # -- scorers

    def _scorers(self, scores: Sequence[Score], end_s: float) -> list[Span]:
        """They are no part of the answer: they stand behind it, one after another."""
        found: list[Span] = []
        root, n, at = self._id(0), len(self._records), self._began_at + end_s
        calls = self._calls_of(ref for score in scores for ref in score.calls)
        for score in scores:
            mine = self._id(n)
            n += 1
            end = at + score.elapsed_s
            status = "error" if score.error is not None else "ok"
            name = f"score {score.label}"
            attributes = score_attributes(score)
            found.append(
                Span(mine, root, name, "scorer", at, end, status, score.error or "", attributes)  # type: ignore[arg-type]
            )
            inner = at
            for ref in score.calls:
                call = calls[ref]
                if call is not None:
                    label = f"chat {call.model_id.partition('/')[2]}"
                    stop = inner + call.latency_s
                    found.append(
                        Span(self._id(n), mine, label, "model", inner, stop, attributes=call_attributes(call))
                    )
                    n += 1
                    inner = stop
            at = max(end, inner)
        return found


def _in_tree_order(spans: list[Span]) -> list[Span]:
    """Each parent before its children, siblings by start."""
    children: dict[str, list[Span]] = {}
    for span in spans:
        children.setdefault(span.parent_id, []).append(span)
    ordered: list[Span] = []
    stack = sorted(children.get("", []), key=lambda s: s.start)[::-1]
    while stack:
        span = stack.pop()
        ordered.append(span)
        stack += sorted(children.get(span.id, []), key=lambda s: s.start)[::-1]
    return ordered
