"""Scores and signals that come in with traces, and events that come in as logs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from otlp_requests import BEGAN, TRACE, any_value, pairs, read

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.arrival import Batch, LiveScore, Signal
from llmops_tui.tracing.incoming import IncomingError, read_otlp_logs

OTHER = "ab" * 16


def scores(attributes: dict[str, Any], **rest: Any) -> list[LiveScore]:
    batch = read([{"attributes": attributes, **rest}])
    assert batch.aside == []
    return batch.scores


def told(name: str, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "at": 1, "attributes": {k.replace("__", "."): v for k, v in attributes.items()}}


class TestScores:
    def test_an_event(self) -> None:
        event = told(
            "gen_ai.evaluation.result",
            gen_ai__evaluation__name="relevance",
            gen_ai__evaluation__score__value=0.75,
            gen_ai__evaluation__score__label="pass",
            gen_ai__evaluation__explanation="to the point",
        )
        (score,) = scores({}, events=[event])
        assert score == LiveScore(
            TRACE, "relevance", 0.75, True, "to the point", at=BEGAN + 1, source="gen_ai"
        )

    def test_attributes(self) -> None:
        (score,) = scores({a.EVALUATION: "relevance", a.SCORE: 1, a.SCORE_LABEL: "relevant"})
        assert (score.value, score.passed, score.reason) == (1.0, None, "relevant")

    def test_a_score_on_another_scale_is_a_label(self) -> None:
        (score,) = scores({a.EVALUATION: "stars", a.SCORE: 4.0, a.EXPLANATION: "good"})
        assert (score.value, score.reason) == (None, "4: good")

    def test_one_that_failed_has_its_error(self) -> None:
        (score,) = scores({a.EVALUATION: "relevance", a.ERROR_TYPE: "timeout"})
        assert (score.value, score.error) == (None, "timeout")

    def test_one_that_says_nothing_is_none(self) -> None:
        assert scores({a.EVALUATION: "relevance"}) == []

    def test_annotations_of_openinference(self) -> None:
        found = scores(
            {
                "openinference.span.kind": "CHAIN",
                "annotations.0.annotation.name": "correct",
                "annotations.0.annotation.score": 1,
                "evaluations.0.evaluation.name": "hallucination",
                "evaluations.0.evaluation.label": "fail",
                "trace.annotations.0.annotation.name": "tone",
                "trace.annotations.0.annotation.score": 0.5,
                "session.annotations.0.annotation.name": "coherent",
                "session.annotations.0.annotation.score": 0.5,
            }
        )
        assert [(s.scorer, s.value, s.passed) for s in found] == [
            ("correct", 1.0, None),
            ("hallucination", None, False),
            ("tone", 0.5, None),
        ]
        assert {s.source for s in found} == {"openinference"}

    def test_what_is_told_afterwards_is_of_the_trace_that_it_links_to(self) -> None:
        has = {
            "openinference.span.kind": "EVALUATOR",
            "evaluations.0.evaluation.name": "x",
            "evaluations.0.evaluation.score": 1,
        }
        (score,) = scores(has, links=[OTHER])
        assert score.trace_id == OTHER


class TestSignals:
    def one(self, event: dict[str, Any], **attributes: Any) -> Signal:
        batch = read([{"attributes": attributes, "events": [event]}])
        assert batch.aside == []
        (signal,) = batch.signals
        return signal

    def test_an_event_within_a_span(self) -> None:
        event = told("llmops.signal", kind="thumb", value=0, comment="wrong city")
        signal = self.one(event, **{"user.id": "u1", "session.id": "s1", "llmops.feature": "support"})
        assert (signal.kind, signal.value, signal.is_bad) == ("thumb", 0.0, True)
        assert (signal.trace_id, signal.at, signal.comment) == (TRACE, BEGAN + 1, "wrong city")
        assert (signal.user, signal.session, signal.feature) == ("u1", "s1", "support")

    def test_has_the_same_id_when_it_is_sent_twice(self) -> None:
        event = told("llmops.signal", kind="retry")
        assert self.one(event).id == self.one(event).id
        assert self.one(event).id != self.one(told("llmops.signal", kind="copy")).id
        assert self.one(told("llmops.signal", kind="copy", id="mine")).id == "mine"

    @pytest.mark.parametrize(
        ("said", "value"),
        [("up", 1.0), (True, 1.0), (1, 1.0), (1.0, 1.0), ("down", 0.0), (-1, 0.0), (0, 0.0)],
    )
    def test_thumbs(self, said: Any, value: float) -> None:
        assert self.one(told("llmops.signal", kind="thumb", value=said)).value == value

    def test_ratings_on_a_scale(self) -> None:
        assert self.one(told("llmops.signal", kind="rating", value=4, max=5)).value == 0.8
        assert self.one(told("llmops.signal", kind="rating", value=0.4)).value == 0.4

    def test_an_edit(self) -> None:
        signal = self.one(told("llmops.signal", kind="edit", value=0.35, edited="Yes, within 30 days."))
        assert (signal.value, signal.edited) == (0.35, "Yes, within 30 days.")

    def test_feedback_by_the_names_that_tools_write(self) -> None:
        assert self.one(told("gen_ai.user_feedback", value="thumbs_up")).kind == "thumb"
        signal = self.one(told("user_feedback", gen_ai__user_feedback__score=0.5))
        assert (signal.kind, signal.value) == ("rating", 0.5)

    @pytest.mark.parametrize(
        ("event", "why"),
        [
            (told("llmops.signal", kind="wink"), "the kind of a signal has to be one of"),
            (told("llmops.signal", kind="thumb", value=3), "the value of a thumb"),
            (told("llmops.signal", kind="rating", value=4), "the value of a rating"),
            (told("llmops.signal", kind="rating", value="nan"), "the value of a rating"),
            (told("llmops.signal", kind="edit"), "the value of an edit"),
        ],
    )
    def test_one_that_says_nothing_known_is_set_aside_and_its_span_kept(
        self, event: dict[str, Any], why: str
    ) -> None:
        batch = read([{"name": "fine", "events": [event]}])
        assert (len(batch.spans), batch.signals) == (1, [])
        assert batch.aside[0].why.startswith(why)

    def test_a_span_of_this_name_is_one_and_no_span(self) -> None:
        batch = read([{"name": "llmops.signal", "attributes": {"kind": "copy"}, "links": [OTHER]}])
        assert batch.spans == []
        assert (batch.signals[0].kind, batch.signals[0].trace_id) == ("copy", OTHER)


def logs(*records: dict[str, Any]) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    scoped = request.resource_logs.add().scope_logs.add()
    for record in records:
        made = scoped.log_records.add(
            time_unix_nano=(BEGAN + 1) * 1_000_000_000,
            event_name=record.get("event_name", ""),
            trace_id=bytes.fromhex(record.get("trace", TRACE)),
            span_id=bytes.fromhex(record.get("span", "cd" * 8)),
            attributes=pairs(record.get("attributes", {})),
        )
        made.body.CopyFrom(any_value(record.get("body")))
    return request


def read_logs(*records: dict[str, Any]) -> Batch:
    return read_otlp_logs(logs(*records).SerializeToString(), is_json=False)


ASKS = {
    "attributes": {"event.name": "gen_ai.user.message", "gen_ai.system": "openai"},
    "body": {"content": "Refund?"},
}
CHOICE = {
    "event_name": "gen_ai.choice",
    "body": {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}},
}


class TestLogs:
    def test_messages_of_a_span_are_a_span_below_it(self) -> None:
        (arrived,) = read_logs(ASKS, CHOICE).spans
        span, has = arrived.span, arrived.span.attributes
        assert (arrived.trace_id, span.parent_id, span.kind) == (TRACE, "cd" * 8, "other")
        assert has[a.INPUT_MESSAGES][0]["parts"] == [{"type": "text", "content": "Refund?"}]
        assert has[a.OUTPUT_MESSAGES][0]["parts"] == [{"type": "text", "content": "Yes."}]
        assert (has[a.FINISH_REASONS], has[a.DIALECT]) == (["stop"], "gen_ai.logs")

    def test_what_is_sent_twice_is_the_same_span(self) -> None:
        (one,), (two,), (other,) = (read_logs(r).spans for r in (ASKS, ASKS, CHOICE))
        assert one == two
        assert other.span.id != one.span.id

    def test_details_of_a_call(self) -> None:
        said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Refund?"}]}])
        record = {
            "event_name": "gen_ai.client.inference.operation.details",
            "attributes": {
                "gen_ai.operation.name": "chat",
                "gen_ai.input.messages": said,
                "gen_ai.usage.input_tokens": 3,
            },
        }
        (arrived,) = read_logs(record).spans
        assert arrived.span.kind == "other"  # the span above is the call
        assert arrived.span.attributes[a.INPUT_MESSAGES] == json.loads(said)

    def test_scores_and_signals(self) -> None:
        batch = read_logs(
            {
                "event_name": "gen_ai.evaluation.result",
                "attributes": {a.EVALUATION: "relevance", a.SCORE: 0.5},
            },
            {"event_name": "llmops.signal", "body": {"kind": "thumb", "value": 1}},
            {
                "event_name": "llmops.signal",
                "trace": "",
                "span": "",
                "attributes": {"kind": "retry", "session.id": "s1"},
            },
        )
        assert (batch.scores[0].scorer, batch.scores[0].trace_id) == ("relevance", TRACE)
        assert [(s.kind, s.trace_id, s.session) for s in batch.signals] == [
            ("thumb", TRACE, ""),
            ("retry", "", "s1"),
        ]

    def test_other_records_are_passed_over(self) -> None:
        batch = read_logs({"body": "started"}, {"event_name": "app.started"})
        assert batch == Batch([], [], [], [])

    def test_a_message_of_no_span_is_set_aside(self) -> None:
        batch = read_logs({**ASKS, "span": ""}, CHOICE)
        assert len(batch.spans) == 1
        assert batch.aside[0].why == "a message has to name its trace and span"

    def test_json_says_the_same(self) -> None:
        record = {
            "timeUnixNano": str((BEGAN + 1) * 1_000_000_000),
            "eventName": "gen_ai.choice",
            "traceId": TRACE,
            "spanId": "cd" * 8,
            "body": {
                "kvlistValue": {
                    "values": [
                        {"key": "index", "value": {"intValue": "0"}},
                        {"key": "finish_reason", "value": {"stringValue": "stop"}},
                        {
                            "key": "message",
                            "value": {
                                "kvlistValue": {
                                    "values": [
                                        {"key": "role", "value": {"stringValue": "assistant"}},
                                        {"key": "content", "value": {"stringValue": "Yes."}},
                                    ]
                                }
                            },
                        },
                    ]
                }
            },
        }
        body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
        assert read_otlp_logs(body, is_json=True) == read_logs(CHOICE)

    @pytest.mark.parametrize(
        ("body", "is_json"), [(b"\xff", False), (b"{", True), (b'{"resourceSpans":[]}', True)]
    )
    def test_a_body_that_is_none(self, body: bytes, is_json: bool) -> None:
        with pytest.raises(IncomingError):
            read_otlp_logs(body, is_json=is_json)
