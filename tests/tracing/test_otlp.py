"""What is exported, read back with the protocol's own classes."""

from __future__ import annotations

import base64
import json
import math
from typing import Any, get_args

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from sample_traces import ANSWERED, ASKED, BEGAN, SEARCHED, TRACE_ID, plain_trace, whole_trace

from llmops_tui import __version__
from llmops_tui.domain import semconv
from llmops_tui.domain.trace import Kind, Span, Trace
from llmops_tui.tracing import batches, encode, jsonable, request_of


def decoded(traces: list[Trace]) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(encode(request_of(traces)))


def plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(each) for each in value.array_value.values]
    return getattr(value, kind) if kind else None


def attributes(holder: Any) -> dict[str, Any]:
    found = {each.key: plain(each.value) for each in holder.attributes}
    assert len(found) == len(holder.attributes), "a name is there twice"
    return found


def spans(traces: list[Trace]) -> dict[str, ProtoSpan]:
    (resource,) = decoded(traces).resource_spans
    (scope,) = resource.scope_spans
    return {span.name: span for span in scope.spans}


def whole() -> dict[str, dict[str, Any]]:
    return {name: attributes(span) for name, span in spans([whole_trace()]).items()}


class TestTheTree:
    def test_says_who_made_it(self) -> None:
        (resource,) = decoded([whole_trace()]).resource_spans
        assert attributes(resource.resource) == {
            "service.name": "llmops-tui",
            "service.version": __version__,
            "openinference.project.name": "llmops-tui",
        }
        assert (resource.scope_spans[0].scope.name, resource.scope_spans[0].scope.version) == (
            "llmops-tui",
            __version__,
        )

    def test_keeps_ids_and_parents(self) -> None:
        found = spans([whole_trace()])
        assert {span.trace_id.hex() for span in found.values()} == {TRACE_ID}
        root = found["refund-window"]
        assert root.parent_span_id == b""
        assert root.span_id.hex() == "0000000000000001"
        assert all(s.parent_span_id == root.span_id for s in found.values() if s is not root)

    def test_keeps_times_in_nanoseconds(self) -> None:
        model = spans([whole_trace()])["chat small"]
        assert model.start_time_unix_nano == 1_764_000_000_500_000_000
        assert model.end_time_unix_nano == 1_764_000_002_500_000_000

    def test_an_end_is_never_before_its_start(self) -> None:
        trace = Trace("1" * 32, "", (Span("2" * 16, "", "odd", "request", BEGAN, BEGAN - 1),))
        assert spans([trace])["odd"].end_time_unix_nano == spans([trace])["odd"].start_time_unix_nano

    def test_a_model_is_asked_from_outside_and_all_else_happens_within(self) -> None:
        kinds = {name: span.kind for name, span in spans([whole_trace()]).items()}
        assert kinds.pop("chat small") == ProtoSpan.SPAN_KIND_CLIENT
        assert set(kinds.values()) == {ProtoSpan.SPAN_KIND_INTERNAL}

    def test_an_error_has_its_message_and_an_event(self) -> None:
        failed = spans([whole_trace()])["execute_tool order"]
        assert (failed.status.code, failed.status.message) == (Status.STATUS_CODE_ERROR, "KeyError: 7")
        (event,) = failed.events
        assert event.name == "exception"
        assert event.time_unix_nano == failed.end_time_unix_nano
        assert attributes(event) == {"exception.type": "KeyError", "exception.message": "KeyError: 7"}
        fine = spans([whole_trace()])["chat small"]
        assert (fine.status.code, fine.status.message, len(fine.events)) == (Status.STATUS_CODE_OK, "", 0)

    def test_an_error_of_no_known_kind_has_the_conventions_word_for_it(self) -> None:
        trace = Trace("1" * 32, "", (Span("2" * 16, "", "odd", "request", 1, 2, "error", "gone"),))
        assert attributes(spans([trace])["odd"])["error.type"] == "_OTHER"


class TestOpenTelemetryNames:
    def test_a_model_call(self) -> None:
        model = whole()["chat small"]
        assert model["gen_ai.operation.name"] == "chat"
        assert model["gen_ai.provider.name"] == "mistral_ai"
        assert model["gen_ai.request.model"] == "small"
        assert model["gen_ai.request.temperature"] == 0.0
        assert isinstance(model["gen_ai.request.temperature"], float)
        assert model["gen_ai.request.stop_sequences"] == ["END"]
        assert model["gen_ai.response.finish_reasons"] == ["stop"]
        assert model["gen_ai.usage.input_tokens"] == 120
        assert model["gen_ai.usage.output_tokens"] == 9
        assert model["gen_ai.usage.cache_read.input_tokens"] == 100
        assert model["gen_ai.usage.reasoning.output_tokens"] == 4
        assert json.loads(model["gen_ai.input.messages"]) == ASKED
        assert json.loads(model["gen_ai.output.messages"]) == ANSWERED
        assert json.loads(model["llmops.response.raw"]) == {"id": "cmpl-1", "choices": []}

    def test_tools_are_defined_as_the_conventions_have_it(self) -> None:
        assert json.loads(whole()["chat small"]["gen_ai.tool.definitions"]) == [
            {
                "type": "function",
                "name": "order",
                "description": "An order.",
                "parameters": {"type": "object"},
            }
        ]

    def test_documents(self) -> None:
        assert json.loads(whole()["retrieval"]["gen_ai.retrieval.documents"]) == SEARCHED

    def test_a_tool_call(self) -> None:
        tool = whole()["execute_tool order"]
        assert tool["gen_ai.tool.name"] == "order"
        assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"id": 7}

    def test_variables_of_a_prompt_one_by_one(self) -> None:
        prompt = whole()["assemble prompt"]
        assert prompt["gen_ai.prompt.variable.question"] == "Refund?"
        assert prompt["gen_ai.prompt.variable.lines"] == "3"

    def test_the_whole_names_no_model_as_if_it_were_a_call(self) -> None:
        root = whole()["refund-window"]
        assert "gen_ai.request.model" not in root
        assert root["llmops.model"] == "mistral/small"
        assert not any(name.startswith("gen_ai.usage") for name in root)
        assert root["gen_ai.workflow.name"] == "helpdesk"


class TestOpenInferenceNames:
    def test_kinds(self) -> None:
        assert {name: has["openinference.span.kind"] for name, has in whole().items()} == {
            "refund-window": "CHAIN",
            "retrieval": "RETRIEVER",
            "assemble prompt": "PROMPT",
            "chat small": "LLM",
            "execute_tool order": "TOOL",
            "score contains": "EVALUATOR",
        }

    def test_a_model_call(self) -> None:
        model = whole()["chat small"]
        assert model["llm.model_name"] == "small-2506"
        assert (model["llm.provider"], model["llm.system"]) == ("mistral", "mistralai")
        assert model["llm.token_count.prompt"] == 120
        assert model["llm.token_count.completion"] == 9
        assert model["llm.token_count.total"] == 129
        assert model["llm.token_count.prompt_details.cache_read"] == 100
        assert model["llm.cost.total"] == 0.0002
        assert json.loads(model["llm.invocation_parameters"]) == {
            "temperature": 0,
            "stop_sequences": ["END"],
            "logprobs": True,
        }
        tool = json.loads(model["llm.tools.0.tool.json_schema"])
        assert tool["function"]["name"] == "order"

    def test_messages(self) -> None:
        model = whole()["chat small"]
        at = "llm.input_messages"
        assert [model[f"{at}.{n}.message.role"] for n in range(4)] == ["system", "user", "assistant", "tool"]
        assert model[f"{at}.1.message.content"] == "Refund?"
        assert f"{at}.2.message.content" not in model
        call = f"{at}.2.message.tool_calls.0.tool_call"
        assert (model[f"{call}.id"], model[f"{call}.function.name"]) == ("call_1", "order")
        assert json.loads(model[f"{call}.function.arguments"]) == {"id": 7}
        assert model[f"{at}.3.message.tool_call_id"] == "call_1"
        assert json.loads(model[f"{at}.3.message.content"]) == {"days": 12}

    def test_an_answer_with_reasoning_is_in_parts(self) -> None:
        model = whole()["chat small"]
        at = "llm.output_messages.0.message"
        assert model[f"{at}.contents.0.message_content.type"] == "reasoning"
        assert model[f"{at}.contents.1.message_content.text"] == "Yes, within 30 days."
        assert model[f"{at}.tool_calls.0.tool_call.function.arguments"] == "not json"

    def test_documents(self) -> None:
        found = whole()["retrieval"]
        assert found["input.value"] == "Refund?"
        at = "retrieval.documents.0.document"
        assert found[f"{at}.id"] == "refunds.md#2"
        assert found[f"{at}.content"] == "Within 30 days."
        assert found[f"{at}.score"] == 3.25
        assert json.loads(found[f"{at}.metadata"]) == {"source": "refunds.md", "position": 2}
        assert isinstance(found["retrieval.documents.1.document.score"], float)

    def test_what_went_in_and_came_out(self) -> None:
        root = whole()["refund-window"]
        assert json.loads(root["input.value"]) == {"question": "Refund?"}
        assert root["input.mime_type"] == "application/json"
        assert (root["output.value"], root["output.mime_type"]) == ("Yes, within 30 days.", "text/plain")

    def test_the_whole_was_given_what_its_first_prompt_was(self) -> None:
        trace = whole_trace()
        root = msgspec.structs.replace(trace.root, attributes={})
        bare = msgspec.structs.replace(trace, spans=(root, *trace.spans[1:]))
        found = attributes(spans([bare])["refund-window"])
        assert json.loads(found["input.value"]) == {"question": "Refund?", "lines": 3}

    def test_scores_are_on_what_was_judged(self) -> None:
        root = whole()["refund-window"]
        at = "evaluations.0.evaluation"
        assert root[f"{at}.name"] == "contains"
        assert (root[f"{at}.score"], root[f"{at}.label"]) == (1, "pass")


class TestSingleTools:
    def test_version_and_session_are_on_every_span(self) -> None:
        for has in whole().values():
            assert has["session.id"] == "helpdesk v12"
            assert has["langfuse.version"] == "v12"

    def test_langfuse_is_told_what_a_call_cost(self) -> None:
        model = whole()["chat small"]
        assert json.loads(model["langfuse.observation.cost_details"]) == {"total": 0.0002}
        assert model["langfuse.observation.completion_start_time"] == "2025-11-24T16:00:01+00:00"

    def test_langsmith_kinds(self) -> None:
        kinds = {name: has["langsmith.span.kind"] for name, has in whole().items()}
        assert kinds["chat small"] == "llm"
        assert kinds["retrieval"] == "retriever"
        assert kinds["score contains"] == "chain"


def own(kind: str, status: str = "ok", **attributes_: Any) -> ProtoSpan:
    """A span of somebody's own program, below a root."""
    attributes_ = {name.replace("__", "."): value for name, value in attributes_.items()}
    error = "it broke" if status == "error" else ""
    made = Span("3" * 16, "2" * 16, "own", kind, 1, 2, status, error, attributes_)  # type: ignore[arg-type]
    root = Span("2" * 16, "", "root", "request", 0, 3)
    return spans([Trace("1" * 32, "", (root, made))])["own"]


class TestSomebodysOwnSpans:
    def test_structures_that_are_json_already_stay_so(self) -> None:
        has = attributes(own("model", gen_ai__input__messages=json.dumps(ASKED[:2])))
        assert json.loads(has["gen_ai.input.messages"]) == ASKED[:2]
        assert has["llm.input_messages.1.message.content"] == "Refund?"

    def test_lists_that_they_flattened_are_not_mixed_with_ours(self) -> None:
        theirs = {"llm.input_messages.0.message.role": "user", "gen_ai.input.messages": ASKED}
        has = attributes(own("model", **theirs))
        names = [name for name in has if name.startswith("llm.input_messages.")]
        assert names == ["llm.input_messages.0.message.role"]

    def test_a_span_around_a_call_is_not_counted_as_one(self) -> None:
        has = attributes(
            own(
                "other",
                gen_ai__operation__name="chat",
                gen_ai__request__model="m",
                gen_ai__usage__input_tokens=7,
                llm__token_count__prompt=7,
                gen_ai__conversation__id="c",
            )
        )
        assert has["llmops.around.gen_ai.usage.input_tokens"] == 7
        assert has["gen_ai.conversation.id"] == "c"
        assert has["openinference.span.kind"] == "CHAIN"
        counted = ("gen_ai.operation", "gen_ai.request", "gen_ai.usage", "llm.")
        assert [name for name in has if name.startswith(counted)] == []

    def test_what_they_told_of_are_events(self) -> None:
        told = [
            {"name": "exception", "time": 1.5, "attributes": {"exception.message": "it broke"}},
            {"name": "halfway", "time": 1.25, "attributes": {"at": 3}},
        ]
        made = own("function", "error", events=told)
        assert [(e.name, e.time_unix_nano) for e in made.events] == [
            ("exception", 1_500_000_000),
            ("halfway", 1_250_000_000),
        ]
        assert attributes(made.events[1]) == {"at": 3}
        assert "events" not in attributes(made)


class TestJson:
    def test_is_the_protobuf_form(self) -> None:
        """Read by protobuf's own JSON, with ids in base64 as it has them, both are one message."""
        from google.protobuf.json_format import ParseDict

        request = request_of([whole_trace(), plain_trace(9, big=1 << 62, part=0.5)])
        made = json.loads(json.dumps(jsonable(request)))
        for span in made["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            assert isinstance(span["startTimeUnixNano"], str)
            assert isinstance(span["kind"], int)
            for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
                span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
        assert ParseDict(made, ExportTraceServiceRequest()) == request

    def test_has_ids_in_hexadecimal_and_whole_numbers_as_texts(self) -> None:
        made = jsonable(request_of([plain_trace(9, big=1 << 62)]))
        (span,) = made["resourceSpans"][0]["scopeSpans"][0]["spans"]
        assert span["traceId"] == f"{9:032x}"
        assert {"key": "big", "value": {"intValue": str(1 << 62)}} in span["attributes"]


class TestBatches:
    def test_are_no_larger_than_asked_and_leave_nothing_out(self) -> None:
        traces = [plain_trace(n, filling="x" * 400) for n in range(1, 40)]
        made = list(batches(traces, limit=4_000))
        assert all(request.ByteSize() < 4_500 for request in made)
        names = [s.name for r in made for s in r.resource_spans[0].scope_spans[0].spans]
        assert names == [f"case {n}" for n in range(1, 40)]

    def test_a_span_that_is_too_large_is_one_on_its_own(self) -> None:
        sizes = [10, 9_000, 10]
        made = batches([plain_trace(n + 1, filling="x" * size) for n, size in enumerate(sizes)], limit=4_000)
        assert [len(r.resource_spans[0].scope_spans[0].spans) for r in made] == [1, 1, 1]

    def test_nothing_makes_no_request(self) -> None:
        assert list(batches([])) == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def read_back(value: Any) -> Any:
    return attributes(next(iter(spans([plain_trace(1, given=value)]).values()))).get("given")


NAMES = [v for k, v in vars(semconv).items() if k.isupper() and isinstance(v, str)]
PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "tool_call", "tool_call_response", "image_url"])}
)
MESSAGES = st.lists(st.dictionaries(st.sampled_from(["role", "parts", "function"]), JSON | st.lists(PARTS)))


class TestAnySpan:
    """Attributes may be anybody's: whatever they are, the span is exported."""

    @given(
        st.sampled_from(get_args(Kind)),
        st.dictionaries(st.sampled_from([*NAMES, "events"]), JSON | MESSAGES, max_size=6),
        st.sampled_from([0.0, 1.7e9, -5.0]),
    )
    def test_can_be_exported(self, kind: str, has: dict[str, Any], start: float) -> None:
        span = Span("2" * 16, "", "own", kind, start, start + 1, "error", "\ud800", has)
        request = request_of([Trace("1" * 32, "", (span,))])
        assert ExportTraceServiceRequest.FromString(encode(request)) == request
        json.dumps(jsonable(request), allow_nan=False)


class TestAnyValue:
    @given(JSON)
    def test_can_be_exported_and_its_json_form_is_the_same(self, value: Any) -> None:
        from google.protobuf.json_format import MessageToJson, Parse

        request = request_of([plain_trace(1, given=value)])
        again = ExportTraceServiceRequest.FromString(encode(request))
        assert again == request
        assert Parse(MessageToJson(request), ExportTraceServiceRequest()) == request
        json.dumps(jsonable(request), allow_nan=False)

    @given(
        st.booleans()
        | st.integers(-(1 << 63), (1 << 63) - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
    )
    def test_scalars_come_back_as_they_were(self, value: Any) -> None:
        found = read_back(value)
        assert found == value
        assert type(found) is type(value)

    @given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=5) | st.lists(st.booleans(), max_size=5))
    def test_lists_of_one_kind_are_lists(self, value: list[Any]) -> None:
        assert read_back(value) == value

    @given(
        st.dictionaries(
            st.text("abc", max_size=3), st.integers(-9, 9) | st.text("xyz ", max_size=4), max_size=3
        )
    )
    def test_a_structure_is_json(self, value: dict[str, Any]) -> None:
        assert json.loads(read_back(value)) == value

    def test_what_otlp_has_no_number_for_is_a_text(self) -> None:
        assert read_back(1 << 63) == str(1 << 63)
        assert read_back(math.inf) == "inf"
        assert json.loads(read_back({"a": math.nan})) == {"a": "nan"}

    def test_numbers_of_both_kinds_become_floats(self) -> None:
        assert read_back([1, 2.5]) == [1.0, 2.5]

    def test_lists_of_several_kinds_are_json(self) -> None:
        assert json.loads(read_back([1, "a", None])) == [1, "a", None]

    def test_halves_of_characters_and_nul_never_reach_a_collector(self) -> None:
        assert read_back("a\ud800b\0c") == "a\ufffdb\ufffdc"
        assert json.loads(read_back({"k\0": "a\0"})) == {"k\ufffd": "a\ufffd"}


def test_every_name_is_in_the_table_of_the_docs() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs/traces-export.md").read_text(encoding="utf-8")
    resolved_before = {semconv.PROMPT_HASH, semconv.STEPS_READ}
    no_attribute = {semconv.EVENTS}  # events of the protocol's own
    named = set(NAMES) - resolved_before - no_attribute
    assert [name for name in sorted(named) if name not in text] == []
