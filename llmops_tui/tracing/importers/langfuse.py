"""Langfuse: downloads of a trace, batch exports (JSON, JSONL, CSV), its blob storage, pages of its API.

Source: langfuse/langfuse, what `buildTraceExport.ts`, the batch export's streams and the blob storage export
write, and `APITrace`, `APIObservation` of its public API. What went in and came out sits in the observations;
metadata is often a text, and so are its values. What they say is made of the attributes that its SDK writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.importers import ids
from llmops_tui.tracing.importers.answers import first
from llmops_tui.tracing.importers.formats import Importer, importer
from llmops_tui.tracing.importers.portion import Portion, raw_span
from llmops_tui.tracing.incoming.problems import BadSpan
from llmops_tui.tracing.incoming.reading import mapping, number, quoted, texts, word
from llmops_tui.tracing.incoming.safe import decoded

_TYPES = frozenset(
    (
        *("GENERATION", "SPAN", "EVENT", "AGENT", "TOOL", "CHAIN"),
        *("RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL"),
    )
)
_SNAKE = re.compile(r"_([a-z])")
_O = "langfuse.observation."
#: Columns of its tables; a column of any other name that holds a list is a score.
_COLUMNS = frozenset(
    (
        *("id", "timestamp", "name", "userId", "sessionId", "release", "version", "environment", "tags"),
        *("bookmarked", "public", "input", "output", "metadata", "comments", "observations", "scores"),
        *("latency", "totalCost", "htmlPath", "externalId", "toolCallNames", "toolCalls", "traceTags"),
        *("usageDetails", "costDetails", "providedUsageDetails", "providedCostDetails"),
        *("toolDefinitions", "level", "type"),
    )
)


@importer("langfuse", "an export of Langfuse")
class Langfuse(Importer):
    @classmethod
    def recognised(cls, record: Mapping[str, Any]) -> str:
        if isinstance(record.get("observations"), list):
            return "it has observations"
        if str(record.get("type")) in _TYPES and ("startTime" in record or "start_time" in record):
            return "it has an observation's type and start"
        if _is_score(record):
            return "it is a score, with a dataType"
        if "timestamp" in record and ("sessionId" in record or "session_id" in record) and "id" in record:
            return "it has a trace's timestamp and sessionId"
        data = record.get("data")
        return (
            cls.recognised(data[0]) if isinstance(data, list) and data and isinstance(data[0], dict) else ""
        )

    def read(self, record: dict[str, Any], into: Portion) -> None:
        record = _camel(record)
        if isinstance(record.get("data"), list) and "id" not in record:
            for each in record["data"]:
                if isinstance(each, dict):
                    self.read(each, into)
        elif isinstance(record.get("observations"), list):
            self._trace(record, record["observations"], into)
        elif _is_score(record):
            self._score(record, "", into)
        elif str(record.get("type")) in _TYPES:
            self._observation(record, "", {}, into)
        else:
            self._trace(record, [], into)

    def _trace(self, record: dict[str, Any], held: list[Any], into: Portion) -> None:
        """A trace with its observations, or (a download has no trace of its own) these alone."""
        told = record.get("trace")
        trace = _camel(told) if isinstance(told, dict) else record
        observations = [_camel(each) for each in held if isinstance(each, dict)]
        own = word(trace.get("id")) if "timestamp" in trace or not observations else None
        root = ""
        if own:
            root = f"langfuse trace {own}"
            self._root(trace, own, root, observations, into)
        for each in observations:
            try:
                self._observation(each, root, trace if own else {}, into)
            except BadSpan as error:
                into.aside(str(error), str(each))
        for each in record.get("scores") or () if isinstance(record.get("scores"), list) else ():
            if isinstance(each, dict):
                self._score(_camel(each), own or "", into)

    def _root(
        self, trace: dict[str, Any], own: str, root: str, inner: list[dict[str, Any]], into: Portion
    ) -> None:
        starts = [at for each in inner if (at := ids.moment(each.get("startTime"))) is not None]
        ends = [at for each in inner if (at := ids.moment(each.get("endTime"))) is not None]
        start = ids.moment(trace.get("timestamp")) or min(starts, default=None)
        if start is None:
            raise BadSpan("the trace has no timestamp")
        end = max([start + (ids.seconds(trace.get("latency")) or 0), *ends])
        top = [each for each in inner if not each.get("parentObservationId")]
        failed = next((each for each in top if each.get("level") == "ERROR"), None)
        attributes = {
            f"{_O}type": "span",
            "langfuse.trace.input": trace.get("input"),
            "langfuse.trace.output": trace.get("output"),
            **_who(trace, trace.get("name")),
        }
        if not inner and "totalCost" in trace:
            attributes[a.COST] = trace["totalCost"]
        error = word(failed.get("statusMessage")) or "it failed" if failed else None
        name = word(trace.get("name")) or "trace"
        into.span(raw_span(own, root, "", name, start, end, attributes, error=error))
        self._columns(trace, own, start, into)

    def _observation(self, record: dict[str, Any], root: str, trace: dict[str, Any], into: Portion) -> None:
        own = word(record.get("id"))
        trace_id = word(record.get("traceId") or trace.get("id"))
        start = ids.moment(record.get("startTime"))
        if not own or not trace_id or start is None:
            missing = "id" if not own else "traceId" if not trace_id else "startTime"
            raise BadSpan(f"the observation has no {missing}")
        parent = word(record.get("parentObservationId")) or root
        raw = raw_span(
            trace_id,
            own,
            parent,
            word(record.get("name")) or str(record.get("type", "")).lower(),
            start,
            ids.moment(record.get("endTime")),
            {**_observed(record), **({} if parent else _who(record, record.get("traceName")))},
            error=(word(record.get("statusMessage")) or "it failed")
            if record.get("level") == "ERROR"
            else None,
        )
        into.span(raw)
        if not parent:
            self._columns(record, trace_id, start, into)

    def _columns(self, record: dict[str, Any], trace_id: str, at: float, into: Portion) -> None:
        """Scores of a table, by their names: in a mapping, or a column each."""
        held = record.get("scores")
        columns = held if isinstance(held, dict) else record
        for name, values in columns.items():
            if name in _COLUMNS or not isinstance(values, list):
                continue
            for value in values[:1]:
                self._judge(trace_id, name, value, at, into)

    def _judge(self, trace_id: str, name: str, value: Any, at: float, into: Portion) -> None:
        is_label = isinstance(value, str)
        into.verdict(
            ids.trace_id(trace_id),
            name,
            None if is_label else value,
            at,
            source="langfuse",
            id=ids.digest("langfuse", trace_id, name)[:32],
            label=value if is_label else "",
        )

    def _score(self, record: dict[str, Any], trace_id: str, into: Portion) -> None:
        trace_id = word(record.get("traceId")) or trace_id
        name = word(record.get("name"))
        if not trace_id or not name:
            raise BadSpan(f"the score has no {'name' if trace_id else 'traceId'}")
        kind = record.get("dataType")
        value = None if kind in ("CATEGORICAL", "TEXT", "CORRECTION") else _number(record.get("value"))
        if kind == "BOOLEAN" and value in (0, 1):
            value = bool(value)
        into.verdict(
            ids.trace_id(trace_id),
            name,
            value,
            ids.moment(first(record, "timestamp", "createdAt")) or self.options.file_time,
            source="langfuse",
            id=word(record.get("id")) or "",
            label="" if value is not None else word(record.get("stringValue")) or "",
            comment=word(record.get("comment")) or "",
        )


def _is_score(record: Mapping[str, Any]) -> bool:
    return ("dataType" in record or "data_type" in record) and "name" in record


def _camel(record: dict[str, Any]) -> dict[str, Any]:
    """The blob storage's `start_time` as everywhere else's `startTime`."""
    if not any(name in record for name in ("trace_id", "project_id", "start_time", "session_id")):
        return record
    return {_SNAKE.sub(lambda found: found[1].upper(), name): value for name, value in record.items()}


def _number(value: Any) -> Any:
    """A number, also written as a text."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return value


def _who(record: dict[str, Any], name: Any) -> dict[str, Any]:
    """What is known of a whole trace."""
    return {
        "langfuse.trace.name": word(name),
        "langfuse.user.id": word(record.get("userId")),
        "langfuse.session.id": word(record.get("sessionId")),
        "langfuse.trace.tags": texts(first(record, "tags", "traceTags")),
        "langfuse.environment": word(record.get("environment")),
        "langfuse.version": word(first(record, "version", "release")),
        "langfuse.trace.metadata": _unquoted(record.get("metadata")),
    }


def _unquoted(metadata: Any) -> Any:
    """A text of JSON, whose values may be texts of JSON again."""
    held = decoded(metadata)
    return {name: quoted(value) for name, value in held.items()} if isinstance(held, dict) else held


def _observed(record: dict[str, Any]) -> dict[str, Any]:
    usage = mapping(first(record, "usageDetails", "usage")) or {}
    if not usage:
        usage = {"input": record.get("promptTokens"), "output": record.get("completionTokens")}
    costs = mapping(record.get("costDetails"))
    total = first(record, "totalCost", "calculatedTotalCost")
    if not costs and total is not None:
        costs = {"total": total}
    return {
        f"{_O}type": str(record.get("type", "")).lower(),
        f"{_O}input": record.get("input"),
        f"{_O}output": record.get("output"),
        f"{_O}metadata": _unquoted(record.get("metadata")),
        f"{_O}level": record.get("level"),
        f"{_O}model.name": word(first(record, "model", "providedModelName", "internalModel")),
        f"{_O}model.parameters": mapping(record.get("modelParameters")),
        f"{_O}usage_details": {name: value for name, value in usage.items() if value is not None},
        a.COST: _cost(costs),
        f"{_O}completion_start_time": _iso(record.get("completionStartTime")),
        f"{_O}prompt.name": word(record.get("promptName")),
        "langfuse.version": word(first(record, "version", "release")),
        a.DIALECT: "langfuse",
    }


def _cost(costs: dict[str, Any] | None) -> Any:
    if not costs:
        return None
    if (total := number(costs.get("total"))) is not None:
        return total
    return sum(part for value in costs.values() if (part := number(value)) is not None)


def _iso(value: Any) -> str | None:
    at = ids.moment(value)
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
