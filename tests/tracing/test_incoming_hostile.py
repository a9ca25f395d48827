"""Whatever comes in is taken, set aside or refused: never an error of ours."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from otlp_requests import request_of

from llmops_tui.domain import semconv as a
from llmops_tui.tracing import jsonable
from llmops_tui.tracing.incoming import IncomingError, read_otlp

CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "inner": {"a": {"b": [1, "x"]}}}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats()
    | st.text(max_size=12)
    | st.binary(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        *(value for name, value in vars(a).items() if name.isupper() and isinstance(value, str)),
        "openinference.span.kind",
        "llm.input_messages.0.message.role",
        "llm.input_messages.0.message.content",
        "llm.input_messages.0.message.tool_calls.0.tool_call.function.name",
        "llm.input_messages.0.message.contents.0.message_content.type",
        "llm.input_messages.99999999999.message.role",
        "llm.invocation_parameters",
        "retrieval.documents.0.document.metadata",
        "embedding.embeddings.0.embedding.vector",
        "gen_ai.prompt.0.content",
        "gen_ai.prompt.0.tool_calls.0.arguments",
        "gen_ai.completion.0.finish_reason",
        "gen_ai.prompt",
        "gen_ai.system_instructions",
        "llm.request.type",
        "llm.request.functions.0.name",
        "ai.operationId",
        "operation.name",
        "ai.prompt.messages",
        "ai.prompt.tools",
        "ai.response.toolCalls",
        "ai.telemetry.metadata.userId",
        "ai.telemetry.metadata.tags",
        "langfuse.observation.type",
        "langfuse.observation.input",
        "langfuse.observation.output",
        "langfuse.observation.usage_details",
        "langfuse.observation.cost_details",
        "langfuse.observation.model.parameters",
        "langfuse.observation.completion_start_time",
        "langfuse.trace.metadata",
        "logfire.span_type",
        "logfire.feedback.name",
        "request_data",
        "response_data",
        "events",
        "all_messages_events",
        "traceloop.span.kind",
        "traceloop.association.properties.user_id",
        "annotations.0.annotation.name",
        "annotations.0.annotation.score",
        "kind",
        "value",
        "http.response.status_code",
    ]
)
STRUCTURES = st.sampled_from(
    [
        '[{"role": "user", "content": "hi"}]',
        '[{"role": 7, "parts": [null, 7, {"type": {}}, {"type": "tool_call"}]}]',
        '{"messages": [[], {}, "x", null], "tools": [1, {"input_schema": 2}]}',
        '[{"event.name": "gen_ai.choice", "message": {"content": []}}]',
        '{"input": -1, "output": 1e400, "total": "x"}',
        "[" * 60 + "]" * 60,
        "[" * 5_000,
        '{"a": ' * 500,
        '"\\ud800"',
        '["\\ud800", NaN]',
        "[" + "9" * 5_000 + "]",
        "chat",
        "LLM",
        "generation",
        "ai.streamText.doStream",
    ]
)
VALUES = JSON | STRUCTURES
EVENT_NAMES = [
    "gen_ai.user.message",
    "gen_ai.choice",
    "gen_ai.evaluation.result",
    "gen_ai.client.inference.operation.details",
    "llmops.signal",
    "exception",
    "x",
]
FIELDS = [
    "resourceSpans",
    "scopeSpans",
    "spans",
    "attributes",
    "key",
    "value",
    "stringValue",
    "kvlistValue",
    "values",
    "traceId",
    "spanId",
    "events",
    "links",
    "status",
    "scope",
    "resource",
]


class TestAnySpan:
    """Attributes may be anybody's: whatever they are, the span is taken and can be kept."""

    @given(
        st.dictionaries(NAMES | st.text(max_size=8), VALUES, max_size=8),
        st.lists(
            st.tuples(
                st.sampled_from(EVENT_NAMES),
                st.dictionaries(NAMES | st.sampled_from(["message", "content", "role"]), VALUES, max_size=4),
            ),
            max_size=3,
        ),
        st.sampled_from(["", "llmops-tui", "logfire.openai", "pydantic-ai", "langfuse-sdk"]),
    )
    def test_is_taken(self, has: dict[str, Any], events: list[tuple[str, Any]], scope: str) -> None:
        told = [{"name": name, "attributes": attributes} for name, attributes in events]
        span = {"attributes": has, "events": told, "scope": scope, "status": 2}
        request = request_of([span])
        batch = read_otlp(request.SerializeToString(), is_json=False)
        pending = has.get("logfire.span_type") == "pending_span"
        assert len(batch.spans) == (0 if pending else 1)
        json.loads(msgspec.json.encode(batch))  # what can't be kept raises here
        assert all(score.value is None or 0 <= score.value <= 1 for score in batch.scores)
        assert all(0 <= signal.value <= 1 for signal in batch.signals)

    @given(st.dictionaries(st.text(max_size=6), JSON, max_size=5))
    def test_both_forms_say_the_same(self, has: dict[str, Any]) -> None:
        request = request_of([{"attributes": has}])
        from_json = read_otlp(json.dumps(jsonable(request)).encode(), is_json=True)
        assert from_json == read_otlp(request.SerializeToString(), is_json=False)


class TestAnyBody:
    @given(st.binary(max_size=60))
    def test_is_read_or_refused(self, body: bytes) -> None:
        for is_json in (True, False):
            with contextlib.suppress(IncomingError):
                read_otlp(body, is_json=is_json)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(FIELDS),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=20,
        )
    )
    def test_any_json_is_read_or_refused(self, value: Any) -> None:
        spans = {"resourceSpans": [{"scopeSpans": [{"spans": [value]}]}]}
        for body in (value, spans, {"resourceSpans": value}):
            with contextlib.suppress(IncomingError):
                read_otlp(json.dumps(body).encode(), is_json=True)

    @given(st.data())
    def test_a_request_that_was_damaged_is_read_or_refused(self, data: st.DataObject) -> None:
        body = bytearray(request_of([{"attributes": CALL}]).SerializeToString())
        for _ in range(data.draw(st.integers(1, 4))):
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(IncomingError):
            read_otlp(bytes(body), is_json=False)


def read(*attributes: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes of spans, as they are kept."""
    body = request_of([{"attributes": {**CALL, **each}} for each in attributes]).SerializeToString()
    return [each.span.attributes for each in read_otlp(body, is_json=False).spans]


class TestAJsonTextOfManyParts:
    """Two or three bytes of it take some hundred as objects."""

    @pytest.mark.parametrize("part", ["{},", "[],", "0,", '{"a":0},'])
    def test_is_kept_as_a_text(self, part: str) -> None:
        text = "[" + part * 200_000 + "0]"
        (found,) = read({a.INPUT_MESSAGES: text})
        (message,) = found[a.INPUT_MESSAGES]
        assert message["parts"] == [{"type": "text", "content": text}]

    def test_may_be_many_texts(self) -> None:
        text = "[" + "0," * 15_000 + "0]"
        tool = {a.OPERATION: "execute_tool", a.TOOL_RESULT: text}
        found = read(*[tool] * 20)
        assert isinstance(found[0][a.TOOL_RESULT], list)
        assert found[-1][a.TOOL_RESULT].startswith("[0,")
        # The next request has a limit of its own.
        assert isinstance(read(tool)[0][a.TOOL_RESULT], list)

    def test_is_read_where_they_are_in_what_it_quotes(self) -> None:
        said = '{[,\\"' * 200_000
        (found,) = read({a.INPUT_MESSAGES: json.dumps([{"role": "user", "content": said}])})
        (message,) = found[a.INPUT_MESSAGES]
        assert message["parts"] == [{"type": "text", "content": said}]

    def test_is_read_where_it_is_a_long_conversation(self) -> None:
        text = json.dumps([{"role": "user", "content": "a question, and so on " * 5}] * 9_000)
        (found,) = read({a.INPUT_MESSAGES: text})
        assert len(found[a.INPUT_MESSAGES]) == 9_000
