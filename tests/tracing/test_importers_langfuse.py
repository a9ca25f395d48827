"""Exports of Langfuse, in each of the forms that it writes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from imported import all_of, spans_of, text, written

from llmops_tui.domain import semconv as a

OBSERVATION = {
    "id": "obs-1",
    "traceId": "trace-1",
    "projectId": "p",
    "type": "GENERATION",
    "name": "answer",
    "environment": "production",
    "startTime": "2026-03-01T10:00:00.500Z",
    "endTime": "2026-03-01T10:00:02.000Z",
    "completionStartTime": "2026-03-01T10:00:01.000Z",
    "parentObservationId": None,
    "level": "DEFAULT",
    "statusMessage": None,
    "version": "v7",
    "model": "gpt-4o-2024-08-06",
    "modelParameters": {"temperature": 0.2},
    "input": [{"role": "user", "content": "Refund?"}],
    "output": {"role": "assistant", "content": "14 days"},
    "metadata": {"attributes": '{"plan": "pro"}', "note": '"quoted"'},
    "usageDetails": {"input": 21, "output": 4, "total": 25},
    "costDetails": {"input": 0.0001, "output": 0.0002, "total": 0.0003},
    "promptName": "refunds",
}
TRACE = {
    "id": "trace-1",
    "timestamp": "2026-03-01T10:00:00.000Z",
    "name": "refunds",
    "userId": "u-1",
    "sessionId": "s-1",
    "release": None,
    "version": "v7",
    "environment": "production",
    "tags": ["eu"],
    "metadata": '{"plan": "\\"pro\\""}',
    "input": "Refund?",
    "output": "14 days",
}
SCORES = [
    {"id": "s1", "traceId": "trace-1", "name": "faithful", "dataType": "NUMERIC", "value": 0.25,
     "timestamp": "2026-03-01T11:00:00Z", "source": "EVAL", "comment": "no source"},
    {"id": "s2", "traceId": "trace-1", "name": "user-feedback", "dataType": "BOOLEAN", "value": 0,
     "timestamp": "2026-03-01T11:00:00Z", "source": "API", "stringValue": "False"},
    {"id": "s3", "traceId": "trace-1", "name": "tone", "dataType": "CATEGORICAL", "value": 2,
     "stringValue": "curt", "timestamp": "2026-03-01T11:00:00Z", "source": "ANNOTATION"},
    {"id": "s4", "traceId": "trace-1", "name": "stars", "dataType": "NUMERIC", "value": 4,
     "timestamp": "2026-03-01T11:00:00Z", "source": "EVAL"},
]  # fmt: skip


def _check_call(span: Any) -> None:
    has = span.attributes
    assert span.kind == "model"
    assert has[a.INPUT_MESSAGES] == [text("user", "Refund?")]
    assert has[a.OUTPUT_MESSAGES] == [text("assistant", "14 days")]
    assert (has[a.INPUT_TOKENS], has[a.OUTPUT_TOKENS], has[a.COST]) == (21, 4, 0.0003)
    assert (has[a.MODEL], has["gen_ai.request.temperature"]) == ("gpt-4o-2024-08-06", 0.2)
    assert has[a.TIME_TO_FIRST_CHUNK] == 0.5
    assert span.length_s == 1.5


def test_a_trace_of_the_api_with_its_observations_and_scores(tmp_path: Path) -> None:
    page = {"data": [{**TRACE, "observations": [OBSERVATION], "scores": SCORES, "latency": 2.5}]}
    batch = all_of(written(tmp_path, "page.json", json.dumps(page, indent=2)))
    assert batch.aside == []
    spans = spans_of(batch)
    root, call = spans["refunds"], spans["answer"]
    assert (root.kind, root.parent_id, call.parent_id) == ("request", "", root.id)
    has = root.attributes
    assert [has[n] for n in (a.USER, a.SESSION, a.VERSION, a.TAGS)] == ["u-1", "s-1", "v7", ["eu"]]
    assert (has[a.INPUT], has[a.OUTPUT]) == ("Refund?", "14 days")
    assert has[a.METADATA] == {"plan": "pro"}
    assert call.attributes[a.METADATA] == {"attributes": {"plan": "pro"}, "note": "quoted"}
    _check_call(call)
    scores = {score.scorer: (score.value, score.reason) for score in batch.scores}
    assert scores == {"faithful": (0.25, "no source"), "tone": (None, "curt"), "stars": (None, "4")}
    (signal,) = batch.signals
    assert (signal.kind, signal.value, signal.is_bad) == ("thumb", 0.0, True)


def test_a_download_has_observations_and_no_trace(tmp_path: Path) -> None:
    observation = {**OBSERVATION, "userId": "u-1", "sessionId": "s-1", "traceName": "refunds", "tags": ["eu"]}
    made = {"observations": [observation], "scores": SCORES[:1]}
    batch = all_of(written(tmp_path, "trace.json", json.dumps(made, indent=2)))
    (arrived,) = batch.spans
    _check_call(arrived.span)
    assert arrived.span.parent_id == ""
    assert arrived.span.attributes[a.USER] == "u-1"
    assert arrived.span.attributes[a.FEATURE] == "refunds"
    assert [score.trace_id for score in batch.scores] == [arrived.trace_id]


def test_the_blob_storage_writes_the_same_with_other_names(tmp_path: Path) -> None:
    def snake(record: dict[str, Any]) -> dict[str, Any]:
        return {"".join(f"_{c.lower()}" if c.isupper() else c for c in k): v for k, v in record.items()}

    moved = {
        **OBSERVATION,
        "startTime": "2026-03-01 10:00:00.500000",
        "endTime": "2026-03-01 10:00:02.000000",
    }
    blob = all_of(written(tmp_path, "blob.jsonl", [snake(moved), snake(SCORES[0])]))
    plain = all_of(written(tmp_path, "plain.jsonl", [OBSERVATION, SCORES[0]]))
    assert blob.aside == []
    assert blob == plain


def test_a_table_as_csv_has_json_in_its_cells_and_a_column_for_each_score(tmp_path: Path) -> None:
    out = io.StringIO()
    row = {**TRACE, "faithful": [0.25], "user-feedback": [1], "tone": ["curt"], "comments": []}
    row = {
        name: cell if isinstance(cell, str) else json.dumps(cell)
        for name, cell in row.items()
        if cell is not None
    }
    writer = csv.DictWriter(out, list(row), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerow(row)
    batch = all_of(written(tmp_path, "traces.csv", out.getvalue()))
    assert batch.aside == []
    (arrived,) = batch.spans
    assert arrived.span.attributes[a.SESSION] == "s-1"
    assert arrived.span.attributes[a.TAGS] == ["eu"]
    assert {s.scorer: (s.value, s.reason) for s in batch.scores} == {
        "faithful": (0.25, ""),
        "tone": (None, "curt"),
    }
    assert [s.value for s in batch.signals] == [1.0]


def test_an_observation_that_failed_fails_its_trace(tmp_path: Path) -> None:
    failed = {**OBSERVATION, "level": "ERROR", "statusMessage": "429: slow down"}
    batch = all_of(written(tmp_path, "t.jsonl", [{**TRACE, "observations": [failed]}]))
    assert {span.status for span in spans_of(batch).values()} == {"error"}
    assert spans_of(batch)["answer"].error == "429: slow down"
