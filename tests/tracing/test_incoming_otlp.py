"""OTLP that comes in: both forms, what is set aside, and what can't be read at all."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from otlp_requests import BEGAN, TRACE, any_value, one, pairs, read, request_of

from llmops_tui.domain import semconv as a
from llmops_tui.tracing import jsonable
from llmops_tui.tracing.incoming import IncomingError, read_otlp
from llmops_tui.tracing.incoming.safe import LEFT_OUT, LONGEST, MOST

CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "m",
    "gen_ai.usage.input_tokens": 1 << 40,
    "list": [1, 2],
    "part": 0.5,
    "is": True,
    "inner": {"a": {"b": [1, "x"]}},
}


def span_json(**more: Any) -> dict[str, Any]:
    return {
        "traceId": TRACE,
        "spanId": "00000000000000aa",
        "name": "chat m",
        "kind": 3,
        "startTimeUnixNano": str(BEGAN * 1_000_000_000),
        "endTimeUnixNano": str((BEGAN + 2) * 1_000_000_000),
        **more,
    }


def read_json(*spans: Any) -> Any:
    scoped = {"scope": {"name": "s"}, "spans": list(spans)}
    body = {"resourceSpans": [{"resource": {}, "scopeSpans": [scoped]}]}
    return read_otlp(json.dumps(body).encode(), is_json=True)


class TestBothForms:
    def test_say_the_same(self) -> None:
        events = [{"name": "halfway", "attributes": {"n": 1}}]
        request = request_of([{"name": "chat m", "attributes": CALL, "events": events, "parent": "ab" * 8}])
        from_protobuf = read_otlp(request.SerializeToString(), is_json=False)
        from_json = read_otlp(json.dumps(jsonable(request)).encode(), is_json=True)
        assert from_json == from_protobuf
        (arrived,) = from_protobuf.spans
        assert arrived.trace_id == TRACE
        assert (arrived.span.id, arrived.span.parent_id) == ("0000000000000001", "ab" * 8)
        assert (arrived.span.start, arrived.span.end) == (BEGAN, BEGAN + 2)
        has = arrived.span.attributes
        assert has[a.INPUT_TOKENS] == 1 << 40
        assert (has["list"], has["part"], has["is"]) == ([1, 2], 0.5, True)
        assert has["inner"] == {"a": {"b": [1, "x"]}}
        assert has[a.EVENTS] == [{"name": "halfway", "time": BEGAN + 0.5, "attributes": {"n": 1}}]

    def test_ids_and_numbers_as_exporters_write_them_against_the_rules(self) -> None:
        snake = {
            "trace_id": base64.b64encode(bytes.fromhex(TRACE)).decode(),
            "span_id": base64.b64encode(b"\0" * 7 + b"\xaa").decode(),
            "parent_span_id": "",
            "name": "chat m",
            "kind": "SPAN_KIND_CLIENT",
            "start_time_unix_nano": BEGAN * 1_000_000_000,
            "end_time_unix_nano": (BEGAN + 2) * 1_000_000_000,
            "attributes": [{"key": "n", "value": {"int_value": 7}}],
            "status": {"code": "STATUS_CODE_ERROR", "message": "gone"},
        }
        body = {"resource_spans": [{"scope_spans": [{"spans": [snake]}]}]}
        (mixed,) = read_otlp(json.dumps(body).encode(), is_json=True).spans
        attributes = [{"key": "n", "value": {"intValue": "7"}}]
        (ruled,) = read_json(span_json(attributes=attributes, status={"code": 2, "message": "gone"})).spans
        assert mixed == ruled
        assert (ruled.span.status, ruled.span.error) == ("error", "gone")

    def test_a_request_without_spans_is_an_empty_one(self) -> None:
        assert read_otlp(b"", is_json=False).spans == []
        assert read_otlp(b"{}", is_json=True).spans == []

    def test_an_end_is_never_before_its_start(self) -> None:
        (arrived,) = read_json(span_json(endTimeUnixNano="5")).spans
        assert arrived.span.length_s == 0


class TestSetAside:
    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"id": ""}, "the span id has to be 8 bytes, and is nothing"),
            ({"id": "00" * 8}, "the span id is all zeros"),
            ({"id": "ab" * 7}, "the span id has to be 8 bytes, and is 7 bytes"),
            ({"trace": ""}, "the trace id has to be 16 bytes, and is nothing"),
            ({"trace": "00" * 16}, "the trace id is all zeros"),
            ({"parent": "ab" * 3}, "the parent's span id has to be 8 bytes, and is 3 bytes"),
        ],
    )
    def test_one_bad_span_costs_no_other(self, wrong: dict[str, Any], sentence: str) -> None:
        batch = read([{"name": "fine"}, {"name": "bad", **wrong}, {"name": "fine too", "id": "cd" * 8}])
        assert [arrived.span.name for arrived in batch.spans] == ["fine", "fine too"]
        (aside,) = batch.aside
        assert (aside.source, aside.place, aside.why, aside.text) == ("collect", "span 2", sentence, "bad")

    @pytest.mark.parametrize("wrong", ["xyz", "g" * 32, "00" * 16, 7, "", None])
    def test_an_id_in_json_that_is_none(self, wrong: Any) -> None:
        batch = read_json(span_json(traceId=wrong), span_json())
        assert (len(batch.spans), len(batch.aside)) == (1, 1)

    @pytest.mark.parametrize("wrong", [7, "x", None, [], {"spanId": 1}])
    def test_what_is_no_span_at_all(self, wrong: Any) -> None:
        batch = read_json(wrong, span_json())
        assert (len(batch.spans), len(batch.aside)) == (1, 1)

    def test_a_time_that_is_none(self) -> None:
        assert "nanoseconds" in read_json(span_json(startTimeUnixNano="soon")).aside[0].why

    def test_a_parent_of_zeros_is_none(self) -> None:
        (arrived,) = read([{"parent": "00" * 8}]).spans
        assert arrived.span.parent_id == ""

    def test_values_nested_too_deep(self) -> None:
        deep: Any = "x"
        for _ in range(40):
            deep = [deep]
        batch = read([{"attributes": {"deep": deep}}, {"name": "fine", "id": "cd" * 8}])
        assert [arrived.span.name for arrived in batch.spans] == ["fine"]
        assert "nested deeper than 32" in batch.aside[0].why

    def test_values_nested_too_deep_in_json(self) -> None:
        deep: Any = {"stringValue": "x"}
        for _ in range(40):
            deep = {"kvlistValue": {"values": [{"key": "k", "value": deep}]}}
        batch = read_json(span_json(attributes=[{"key": "deep", "value": deep}]), span_json())
        assert len(batch.spans) == 1
        assert "nested deeper than 32" in batch.aside[0].why


class TestNothingToRead:
    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            (b"{", "no JSON"),
            (b"[]", "no OTLP/JSON"),
            (b"7", "no OTLP/JSON"),
            (b'{"resourceSpans": 7}', "has to be a list"),
            (b'{"resourceLogs": []}', "has no `resourceSpans`"),
            (b'{"resourceSpans": "\xff"}', "no UTF-8"),
            (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
            (b'{"a":' * 100_000, "nested too deep"),
        ],
    )
    def test_json_that_is_none(self, body: bytes, sentence: str) -> None:
        with pytest.raises(IncomingError, match=sentence):
            read_otlp(body, is_json=True)

    @pytest.mark.parametrize("body", [b"\xff\xff\xff", b'{"resourceSpans": []}', b"\x0a\xff\xff\xff\xff\x0f"])
    def test_protobuf_that_is_none(self, body: bytes) -> None:
        with pytest.raises(IncomingError, match="no OTLP protobuf"):
            read_otlp(body, is_json=False)

    def test_protobuf_with_a_text_that_is_no_utf_8(self) -> None:
        body = request_of([{"name": "XXXX"}]).SerializeToString().replace(b"XXXX", b"\xff\xfe\xff\xfe")
        with pytest.raises(IncomingError, match="UTF-8"):
            read_otlp(body, is_json=False)

    def test_protobuf_nested_without_end(self) -> None:
        value = b""
        for _ in range(10_000):  # an array value that holds an array value …
            inner = b"\x0a" + varint(len(value)) + value
            value = b"\x2a" + varint(len(inner)) + inner
        body = value
        for field in (2, 9, 2, 2, 1):  # … of an attribute of a span of a scope of a resource
            body = bytes([field << 3 | 2]) + varint(len(body)) + body
        with pytest.raises(IncomingError):
            read_otlp(body, is_json=False)


def varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


class TestUnsafeValues:
    def test_are_made_safe(self) -> None:
        has = one({"nan": float("nan"), "inf": float("inf"), "nul": "a\0b", "bytes": b"\xff" * 9}).attributes
        assert has["nan"] == "nan"
        assert has["inf"] == "inf"
        assert has["nul"] == "a\ufffdb"
        assert has["bytes"] == "(9 bytes)"

    def test_are_made_safe_from_json(self) -> None:
        body = (
            b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%s","spanId":"00000000000000aa",'
            b'"name":"half \\ud800","attributes":['
            b'{"key":"half","value":{"stringValue":"\\udc00 a\\u0000"}},'
            b'{"key":"nan","value":{"doubleValue":NaN}},{"key":"inf","value":{"doubleValue":"-Infinity"}},'
            b'{"key":"big","value":{"intValue":"%s"}},{"key":"bigger","value":{"intValue":%s}}]}]}]}]}'
        ) % (TRACE.encode(), b"9" * 30, b"9" * 30)
        (arrived,) = read_otlp(body, is_json=True).spans
        has = arrived.span.attributes
        assert arrived.span.name == "half \ufffd"
        assert has["half"] == "\ufffd a\ufffd"
        assert (has["nan"], has["inf"]) == ("nan", "-inf")
        assert has["big"] == has["bigger"] == "9" * 30

    def test_a_long_value_that_nobody_understands_is_cut_with_a_note(self) -> None:
        has = one({"long": "x" * 70_000, "list": ["y" * 40_000] * 2}).attributes
        assert has["long"] == "x" * LONGEST + " … (cut; 70,000 characters came in)"
        assert len(has["list"]) < LONGEST + 60

    @pytest.mark.parametrize("deep", ['{"a":' * 40 + "1" + "}" * 40, "[" * 40 + "]" * 40, "[" * 5_000])
    def test_a_json_text_that_is_nested_too_deep_stays_a_text(self, deep: str) -> None:
        has = one(
            {"gen_ai.operation.name": "chat", "gen_ai.input.messages": deep, "metadata": deep}
        ).attributes
        assert has[a.INPUT_MESSAGES] == [{"role": "user", "parts": [{"type": "text", "content": deep}]}]
        assert has["metadata"] == deep

    def test_what_is_understood_is_not_cut(self) -> None:
        said = json.dumps([{"role": "user", "content": "x" * 70_000}])
        has = one({"gen_ai.operation.name": "chat", "gen_ai.input.messages": said}).attributes
        assert len(has[a.INPUT_MESSAGES][0]["parts"][0]["content"]) == 70_000

    def test_no_more_attributes_are_kept_than_can_be(self) -> None:
        has = one({"gen_ai.operation.name": "chat", **{f"n{n}": n for n in range(300)}}).attributes
        assert sum(name.startswith("n") for name in has) == MOST
        assert has[LEFT_OUT] == 300 - MOST
        assert has[a.OPERATION] == "chat"


def test_any_value_builds_what_it_is_given() -> None:
    assert any_value({"a": [1]}).kvlist_value.values[0].value.array_value.values[0].int_value == 1
    assert pairs({"a": None})[0].value.WhichOneof("value") is None
