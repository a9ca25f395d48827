"""Phoenix, litellm, OpenAI's shapes, OTLP, and records of any shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from imported import all_of, spans_of, text, written
from otlp_requests import read, request_of

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.importers import CannotImport, mapping_of

TRACE, SPAN, INNER = "a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4", "1a2b3c4d5e6f7a8b", "1a2b3c4d5e6f7a8c"
#: A span as Phoenix's API and its pages give it: attributes flattened.
PHOENIX = {
    "id": "U3BhbjoxMg==",
    "name": "ChatCompletion",
    "context": {"trace_id": TRACE, "span_id": SPAN},
    "span_kind": "LLM",
    "parent_id": None,
    "start_time": "2026-03-01T10:00:00+00:00",
    "end_time": "2026-03-01T10:00:01+00:00",
    "status_code": "OK",
    "status_message": "",
    "attributes": {
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 21,
        "llm.token_count.completion": 4,
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Refund?",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "14 days",
        "session.id": "s-1",
        "user.id": "u-1",
        "metadata": '{"plan": "pro"}',
        "annotations.0.annotation.name": "faithful",
        "annotations.0.annotation.score": 0.25,
    },
    "events": [],
}


def _check_phoenix(batch: Any) -> None:
    assert batch.aside == []
    (arrived,) = batch.spans
    has = arrived.span.attributes
    assert (arrived.trace_id, arrived.span.id, arrived.span.kind) == (TRACE, SPAN, "model")
    assert has[a.INPUT_MESSAGES] == [text("user", "Refund?")]
    assert has[a.OUTPUT_MESSAGES] == [text("assistant", "14 days")]
    assert (has[a.MODEL], has[a.INPUT_TOKENS], has[a.OUTPUT_TOKENS]) == ("gpt-4o", 21, 4)
    assert (has[a.SESSION], has[a.USER], has[a.METADATA]) == ("s-1", "u-1", {"plan": "pro"})
    assert arrived.span.length_s == 1.0
    assert [(score.scorer, score.value) for score in batch.scores] == [("faithful", 0.25)]


def test_spans_of_phoenix_as_it_downloads_them(tmp_path: Path) -> None:
    _check_phoenix(all_of(written(tmp_path, "spans.jsonl", [PHOENIX])))
    _check_phoenix(all_of(written(tmp_path, "spans.json", json.dumps([PHOENIX], indent=1))))
    _check_phoenix(
        all_of(written(tmp_path, "page.json", json.dumps({"data": [PHOENIX], "next_cursor": None})))
    )


def _row() -> dict[str, Any]:
    """As a dataframe has it: nested where its store nests, milliseconds for times."""
    nested = {
        "llm.model_name": "gpt-4o",
        "llm.token_count.prompt": 21,
        "llm.token_count.completion": 4.0,
        "llm.input_messages": [{"message.role": "user", "message.content": "Refund?"}],
        "llm.output_messages": [{"message": {"role": "assistant", "content": "14 days"}}],
        "session": {"id": "s-1"},
        "user.id": "u-1",
        "metadata": {"plan": "pro"},
        "annotations": [{"annotation": {"name": "faithful", "score": 0.25}}],
    }
    return {
        "name": "ChatCompletion",
        "span_kind": "LLM",
        "parent_id": None,
        "start_time": 1772359200000,
        "end_time": 1772359201000,
        "status_code": "OK",
        "context.trace_id": TRACE,
        "context.span_id": SPAN,
        **{f"attributes.{name}": value for name, value in nested.items()},
    }


def test_spans_of_a_dataframe_row_by_row_and_column_by_column(tmp_path: Path) -> None:
    _check_phoenix(all_of(written(tmp_path, "rows.jsonl", [_row()])))
    columns = {name: {SPAN: value} for name, value in _row().items() if name != "context.span_id"}
    _check_phoenix(all_of(written(tmp_path, "columns.json", json.dumps(columns))))


LITELLM = {
    "id": "chatcmpl-1",
    "litellm_call_id": "0c1f4fd7-1111-4222-8333-444455556666",
    "trace_id": "7d1f4fd7-1111-4222-8333-444455556666",
    "session_id": "s-1",
    "call_type": "acompletion",
    "stream": True,
    "response_cost": 0.0003,
    "status": "success",
    "custom_llm_provider": "openai",
    "prompt_tokens": 21,
    "completion_tokens": 4,
    "startTime": 1772359200.0,
    "endTime": 1772359201.0,
    "completionStartTime": 1772359200.25,
    "model": "gpt-4o",
    "metadata": {
        "user_api_key_alias": "helpdesk",
        "requester_metadata": {"feature": "refunds", "plan": "pro"},
    },
    "end_user": "u-1",
    "request_tags": ["eu"],
    "messages": [{"role": "user", "content": "Refund?"}],
    "response": {
        "id": "chatcmpl-1",
        "model": "gpt-4o-2024-08-06",
        "choices": [{"message": {"role": "assistant", "content": "14 days"}, "finish_reason": "stop"}],
    },
    "model_parameters": {"temperature": 0.2},
    "guardrail_information": [
        {"guardrail_name": "pii", "guardrail_status": "guardrail_intervened", "start_time": 1772359200.0}
    ],
}


def test_a_log_of_litellm(tmp_path: Path) -> None:
    batch = all_of(written(tmp_path, "log.jsonl", [LITELLM]))
    assert batch.aside == []
    spans = spans_of(batch)
    call = spans["acompletion gpt-4o"]
    has = call.attributes
    assert has[a.OUTPUT_MESSAGES] == [text("assistant", "14 days")]
    assert (has[a.PROVIDER], has[a.RESPONSE_MODEL]) == ("openai", "gpt-4o-2024-08-06")
    assert (has[a.INPUT_TOKENS], has[a.OUTPUT_TOKENS], has[a.COST]) == (21, 4, 0.0003)
    assert has[a.TIME_TO_FIRST_CHUNK] == 0.25
    assert [has[n] for n in (a.FEATURE, a.USER, a.SESSION, a.TAGS)] == ["refunds", "u-1", "s-1", ["eu"]]
    assert spans["pii"].parent_id == call.id
    assert spans["pii"].attributes[a.TRIGGERED] is True


def test_a_call_of_litellm_that_failed(tmp_path: Path) -> None:
    told = {"error_class": "RateLimitError", "error_message": "slow down"}
    failed = {
        **LITELLM,
        "status": "failure",
        "response": None,
        "error_information": told,
        "guardrail_information": None,
    }
    (arrived,) = all_of(written(tmp_path, "log.json", json.dumps([failed]))).spans
    assert (arrived.span.status, arrived.span.error) == ("error", "slow down")
    assert arrived.span.attributes[a.ERROR_TYPE] == "RateLimitError"


def test_a_conversation_for_fine_tuning(tmp_path: Path) -> None:
    said = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a"},
    ]
    batch = all_of(written(tmp_path, "ft.jsonl", [{"messages": said}, {"messages": said[:2]}]))
    (arrived,) = batch.spans
    assert arrived.span.attributes[a.INPUT_MESSAGES] == [text("system", "s"), text("user", "q")]
    assert arrived.span.attributes[a.OUTPUT_MESSAGES] == [text("assistant", "a")]
    assert arrived.span.start > 0  # the file's date: the record tells none
    assert [aside.place for aside in batch.aside] == ["line 2"]


BODY = {
    "id": "chatcmpl-9",
    "object": "chat.completion",
    "created": 1772359200,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 24, "completion_tokens": 8, "total_tokens": 32},
}


def test_a_batch_has_its_requests_and_answers_in_two_files(tmp_path: Path) -> None:
    asked = [
        {
            "custom_id": f"r{n}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"q{n}"}]},
        }
        for n in range(3)
    ]
    answered = [
        {"id": "b1", "custom_id": "r1", "response": {"status_code": 200, "body": BODY}, "error": None},
        {
            "id": "b0",
            "custom_id": "r0",
            "response": None,
            "error": {"code": "batch_expired", "message": "too late"},
        },
    ]
    one, two = written(tmp_path, "in.jsonl", asked), written(tmp_path, "out.jsonl", answered)
    batch = all_of(one, two)
    assert spans_of(all_of(two, one)).keys() == spans_of(batch).keys()
    good, bad = (arrived.span for arrived in batch.spans)
    assert good.attributes[a.INPUT_MESSAGES] == [text("user", "q1")]
    assert good.attributes[a.OUTPUT_MESSAGES] == [text("assistant", "4")]
    assert (good.attributes[a.MODEL], good.attributes[a.INPUT_TOKENS]) == ("gpt-4o-mini", 24)
    assert good.start == 1772359200
    assert (bad.status, bad.error) == ("error", "too late")
    assert ["both files" in aside.why for aside in batch.aside] == [True]  # r2 has no answer


def test_a_stored_completion_and_a_response(tmp_path: Path) -> None:
    stored = {**BODY, "messages": [{"role": "user", "content": "2+2?"}], "metadata": {"user_id": "u-1"}}
    response = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1772359200,
        "model": "gpt-4o",
        "input": "2+2?",
        "output": [
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "4"}]}
        ],
        "usage": {"input_tokens": 3, "output_tokens": 1},
    }
    page = {"object": "list", "data": [stored, response], "has_more": False}
    paged = all_of(written(tmp_path, "page.json", json.dumps(page)))
    batch = all_of(written(tmp_path, "stored.jsonl", [stored, response]))
    assert batch.aside == []
    assert paged.spans == batch.spans
    for arrived in batch.spans:
        assert arrived.span.attributes[a.INPUT_MESSAGES] == [text("user", "2+2?")]
        assert arrived.span.attributes[a.OUTPUT_MESSAGES] == [text("assistant", "4")]
    assert batch.spans[0].span.attributes[a.USER] == "u-1"


def test_otlp_in_each_of_its_files(tmp_path: Path) -> None:
    spans = [{"name": "chat", "attributes": {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}}]
    request, expected = request_of(spans), read(spans).spans
    as_json = json.dumps(MessageToDict(request))
    for name, body in (
        ("one.json", as_json),
        ("lines.jsonl", f"{as_json}\n{as_json}\n"),
        ("pretty.json", json.dumps(json.loads(as_json), indent=2)),
        ("whole.pb", request.SerializeToString()),
    ):
        batch = all_of(written(tmp_path, name, body))
        assert batch.aside == []
        assert batch.spans[:1] == expected


def test_plain_records_with_a_mapping(tmp_path: Path) -> None:
    record = {
        "q": {"text": "Refund?"},
        "replies": [{"text": "14 days"}],
        "who": 7,
        "when": "2026-03-01T10:00:00",
        "took": 1500,
        "up": False,
        "note": "wrong",
        "llm": "gpt-4o",
        "in": 21,
    }
    entries = ["input=q.text", "output=replies.0.text", "user=who", "time=when", "latency_ms=took"]
    mapping = mapping_of([*entries, "thumb=up", "comment=note", "model=llm", "input_tokens=in"])
    batch = all_of(written(tmp_path, "mine.jsonl", [record, {"other": 1}]), mapping=mapping)
    (arrived,) = batch.spans
    has = arrived.span.attributes
    assert (has[a.INPUT_MESSAGES], has[a.OUTPUT_MESSAGES]) == (
        [text("user", "Refund?")],
        [text("assistant", "14 days")],
    )
    assert (has[a.USER], has[a.MODEL], has[a.INPUT_TOKENS]) == ("7", "gpt-4o", 21)
    assert (arrived.span.start, arrived.span.length_s) == (1772359200, 1.5)
    (signal,) = batch.signals
    assert (signal.kind, signal.value, signal.comment) == ("thumb", 0.0, "wrong")
    assert [aside.why for aside in batch.aside] == ["the record has no 'q.text' and no 'replies.0.text'"]


@pytest.mark.parametrize(
    ("word", "said", "value"),
    [("thumb", "down", 0.0), ("thumb", "up", 1.0), ("thumb", 1, 1.0), ("rating", 1, 1.0)],
)
def test_what_the_user_said_is_a_signal_of_the_kind_that_the_mapping_names(
    tmp_path: Path, word: str, said: Any, value: float
) -> None:
    path = written(tmp_path, "mine.jsonl", [{"q": "x", "said": said}])
    batch = all_of(path, mapping={"input": "q", word: "said"})
    assert [(s.kind, s.value) for s in batch.signals] == [(word, value)]
    assert not batch.scores


@pytest.mark.parametrize("entry", ["input", "input=", "=x", "imput=q"])
def test_a_mapping_that_is_none_is_a_sentence(entry: str) -> None:
    with pytest.raises(CannotImport, match="--map"):
        mapping_of([entry])


def test_requests_that_say_nothing_are_given_what_was_said_for_them(tmp_path: Path) -> None:
    given = {a.FEATURE: "helpdesk", a.VERSION: "v1"}
    path = written(tmp_path, "mine.jsonl", [{"q": "x", "v": "v9"}])
    (arrived,) = all_of(path, mapping={"input": "q", "version": "v"}, defaults=given).spans
    assert (arrived.span.attributes[a.FEATURE], arrived.span.attributes[a.VERSION]) == ("helpdesk", "v9")
