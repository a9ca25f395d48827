"""Conventions and tools whose spans were not recorded: by their documentation and their own tests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from otlp_requests import BEGAN, one, read

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span
from llmops_tui.tracing.incoming.dialects import DIALECTS

ASKED = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Refund?"}]},
]
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "Yes."}], "finish_reason": "stop"}]
CALL = {"type": "tool_call", "id": "c1", "name": "order", "arguments": {"id": 7}}


def texts(messages: Any) -> list[tuple[str, str]]:
    return [(m["role"], p["content"]) for m in messages for p in m["parts"] if p["type"] == "text"]


class TestGenAi:
    @pytest.mark.parametrize("written", [json.dumps, lambda value: value])
    def test_messages_as_json_and_as_structure(self, written: Any) -> None:
        span = one(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "m",
                "gen_ai.input.messages": written(ASKED),
                "gen_ai.output.messages": written(ANSWERED),
            }
        )
        assert span.kind == "model"
        assert span.attributes[a.INPUT_MESSAGES] == ASKED
        assert span.attributes[a.OUTPUT_MESSAGES] == ANSWERED
        assert span.attributes[a.DIALECT] == "gen_ai"

    @pytest.mark.parametrize(
        ("operation", "kind"),
        [
            ("chat", "model"),
            ("text_completion", "model"),
            ("generate_content", "model"),
            ("embeddings", "embedding"),
            ("execute_tool", "tool"),
            ("retrieval", "retrieval"),
            ("apply_guardrail", "guardrail"),
            ("invoke_agent", "step"),
            ("invoke_workflow", "step"),
            ("somebody's own", "step"),
        ],
    )
    def test_kinds(self, operation: str, kind: str) -> None:
        assert one({"gen_ai.operation.name": operation}, parent="ab" * 8).kind == kind

    def test_an_agent_that_repeats_what_its_calls_took_is_no_call(self) -> None:
        has = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "support",
            "gen_ai.request.model": "m",
            "gen_ai.usage.input_tokens": 42,
            "gen_ai.input.messages": json.dumps(ASKED),
            "gen_ai.output.messages": json.dumps(ANSWERED),
        }
        root = one(has)
        assert root.kind == "request"
        assert (root.attributes[a.INPUT], root.attributes[a.OUTPUT]) == ("Refund?", "Yes.")
        assert root.attributes[a.FEATURE] == "support"
        assert one(has, parent="ab" * 8).kind == "step"

    def test_instructions_that_are_kept_apart_are_the_system_message(self) -> None:
        has = one(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}]),
                "gen_ai.input.messages": json.dumps(ASKED[1:]),
            }
        ).attributes
        assert texts(has[a.INPUT_MESSAGES]) == [("system", "Be brief."), ("user", "Refund?")]

    def test_a_span_that_names_no_operation_is_a_call_where_it_has_what_calls_have(self) -> None:
        has = {"gen_ai.system": "openai", "gen_ai.request.model": "m"}
        assert one({**has, "gen_ai.usage.prompt_tokens": 3}).kind == "model"
        assert one(has, parent="ab" * 8).kind == "step"

    def test_older_names_of_counts(self) -> None:
        has = one(
            {
                "gen_ai.request.model": "m",
                "gen_ai.usage.prompt_tokens": "21",
                "gen_ai.usage.completion_tokens": 7.0,
                "gen_ai.usage.cache_read_input_tokens": 5,
            }
        ).attributes
        assert (has[a.INPUT_TOKENS], has[a.OUTPUT_TOKENS], has[a.CACHED_TOKENS]) == (21, 7, 5)

    def test_a_count_that_is_none_stays_as_it_came(self) -> None:
        has = one({"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": "many"}).attributes
        assert has[a.INPUT_TOKENS] == "many"

    @pytest.mark.parametrize(
        ("value", "fired"), [("GUARDRAIL_INTERVENED", True), ("NONE", False), ("6", None)]
    )
    def test_a_guardrail(self, value: str, fired: bool | None) -> None:
        span = one(
            {
                "gen_ai.operation.name": "apply_guardrail",
                "gen_ai.guardrail.component.name": "pii",
                "gen_ai.guardrail.result.value": value,
            }
        )
        assert (span.kind, span.attributes[a.GUARDRAIL]) == ("guardrail", "pii")
        assert span.attributes.get(a.TRIGGERED) is fired

    def test_providers_by_our_names(self) -> None:
        for theirs, ours in [("aws.bedrock", "bedrock"), ("gcp.gemini", "gemini"), ("OpenAI", "openai")]:
            assert one({"gen_ai.provider.name": theirs}).attributes[a.PROVIDER] == ours


class TestFlattened:
    def test_prompts_and_completions(self) -> None:
        span = one(
            {
                "llm.request.type": "chat",
                "gen_ai.system": "OpenAI",
                "gen_ai.request.model": "m",
                "gen_ai.prompt.0.role": "system",
                "gen_ai.prompt.0.content": "Be brief.",
                "gen_ai.prompt.1.role": "user",
                "gen_ai.prompt.1.content": json.dumps([{"type": "text", "text": "Refund?"}]),
                "gen_ai.prompt.2.role": "assistant",
                "gen_ai.prompt.2.tool_calls.0.id": "c1",
                "gen_ai.prompt.2.tool_calls.0.name": "order",
                "gen_ai.prompt.2.tool_calls.0.arguments": '{"id": 7}',
                "gen_ai.prompt.10.role": "tool",
                "gen_ai.prompt.10.tool_call_id": "c1",
                "gen_ai.prompt.10.content": "12 days",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.content": "Yes.",
                "gen_ai.completion.0.finish_reason": "stop",
                "llm.request.functions.0.name": "order",
                "llm.request.functions.0.parameters": '{"type": "object"}',
                "llm.usage.total_tokens": 28,
            }
        )
        has = span.attributes
        assert span.kind == "model"
        asked = has[a.INPUT_MESSAGES]
        assert [m["role"] for m in asked] == ["system", "user", "assistant", "tool"]
        assert texts(asked) == [("system", "Be brief."), ("user", "Refund?")]
        assert asked[2]["parts"] == [CALL]
        assert asked[3]["parts"][0]["response"] == "12 days"
        assert texts(has[a.OUTPUT_MESSAGES]) == [("assistant", "Yes.")]
        assert has[a.FINISH_REASONS] == ["stop"]
        (tool,) = has[a.TOOL_DEFINITIONS]
        assert tool == {"type": "function", "name": "order", "parameters": {"type": "object"}}
        assert not any(name.startswith(("gen_ai.prompt.", "gen_ai.completion.")) for name in has)

    def test_whole_ones(self) -> None:
        chat = json.dumps([{"role": "user", "content": "Refund?"}])
        has = one({"gen_ai.prompt": chat, "gen_ai.completion": "Yes.", "gen_ai.request.model": "m"})
        assert has.kind == "model"
        assert texts(has.attributes[a.INPUT_MESSAGES]) == [("user", "Refund?")]
        assert texts(has.attributes[a.OUTPUT_MESSAGES]) == [("assistant", "Yes.")]


class TestMessageEvents:
    def test_with_their_message_in_attributes(self) -> None:
        events = [
            {
                "name": "gen_ai.system.message",
                "attributes": {"content": "Be brief.", "gen_ai.system": "openai"},
            },
            {"name": "gen_ai.user.message", "attributes": {"gen_ai.event.content": '{"content": "Refund?"}'}},
            {
                "name": "gen_ai.choice",
                "attributes": {"index": 0, "finish_reason": "stop", "message": '{"content": "Yes."}'},
            },
        ]
        has = one({"gen_ai.operation.name": "chat"}, events=events).attributes
        assert texts(has[a.INPUT_MESSAGES]) == [("system", "Be brief."), ("user", "Refund?")]
        assert texts(has[a.OUTPUT_MESSAGES]) == [("assistant", "Yes.")]
        assert has[a.FINISH_REASONS] == ["stop"]
        assert a.EVENTS not in has

    def test_with_tools(self) -> None:
        calls = [{"id": "c1", "type": "function", "function": {"name": "order", "arguments": '{"id": 7}'}}]
        events = [
            {"name": "gen_ai.assistant.message", "attributes": {"tool_calls": json.dumps(calls)}},
            {"name": "gen_ai.tool.message", "attributes": {"id": "c1", "content": "12 days"}},
        ]
        asked = one({"gen_ai.operation.name": "chat"}, events=events).attributes[a.INPUT_MESSAGES]
        assert asked[0]["parts"] == [CALL]
        assert asked[1]["parts"] == [{"type": "tool_call_response", "id": "c1", "response": "12 days"}]

    def test_older_and_newer_ones(self) -> None:
        content = {"gen_ai.prompt": '[{"role": "user", "content": "Refund?"}]'}
        for event in (
            {"name": "gen_ai.content.prompt", "attributes": content},
            {
                "name": "gen_ai.client.inference.operation.details",
                "attributes": {"gen_ai.input.messages": json.dumps(ASKED[1:])},
            },
        ):
            has = one({"gen_ai.operation.name": "chat"}, events=[event]).attributes
            assert texts(has[a.INPUT_MESSAGES]) == [("user", "Refund?")]

    def test_what_the_span_says_itself_counts_for_more(self) -> None:
        events = [{"name": "gen_ai.user.message", "attributes": {"content": "again"}}]
        has = one({"gen_ai.input.messages": json.dumps(ASKED)}, events=events).attributes
        assert has[a.INPUT_MESSAGES] == ASKED


class TestOpenInference:
    @pytest.mark.parametrize(
        ("theirs", "ours"),
        [
            ("LLM", "model"),
            ("CHAIN", "step"),
            ("AGENT", "step"),
            ("RETRIEVER", "retrieval"),
            ("RERANKER", "retrieval"),
            ("TOOL", "tool"),
            ("GUARDRAIL", "guardrail"),
            ("EVALUATOR", "scorer"),
            ("PROMPT", "prompt"),
            ("NEW", "step"),
        ],
    )
    def test_kinds(self, theirs: str, ours: str) -> None:
        assert one({"openinference.span.kind": theirs}, parent="ab" * 8).kind == ours

    def test_documents(self) -> None:
        has = one(
            {
                "openinference.span.kind": "RETRIEVER",
                "input.value": "Refund?",
                "retrieval.documents.0.document.id": "r#2",
                "retrieval.documents.0.document.score": 3.5,
                "retrieval.documents.0.document.content": "Within 30 days.",
                "retrieval.documents.0.document.metadata": '{"source": "refunds.md", "position": 2}',
                "retrieval.documents.1.document.content": "Terms apply.",
            }
        ).attributes
        assert has[a.QUERY] == "Refund?"
        assert has[a.DOCUMENTS][0] == {
            "id": "r#2",
            "source": "refunds.md",
            "position": 2,
            "score": 3.5,
            "content": "Within 30 days.",
        }
        assert has[a.DOCUMENTS][1] == {"content": "Terms apply."}

    def test_parts_of_a_message(self) -> None:
        at = "llm.output_messages.0.message"
        has = one(
            {
                "openinference.span.kind": "LLM",
                f"{at}.role": "assistant",
                f"{at}.contents.0.message_content.type": "reasoning",
                f"{at}.contents.0.message_content.text": "12 is under 30",
                f"{at}.contents.1.message_content.type": "text",
                f"{at}.contents.1.message_content.text": "Yes.",
                f"{at}.contents.2.message_content.type": "image",
                f"{at}.contents.2.message_content.image.image.url": "https://example.com/a.png",
                f"{at}.contents.3.message_content.type": "tool_use",
                f"{at}.contents.3.tool_call.id": "c1",
                f"{at}.contents.3.tool_call.function.name": "order",
                f"{at}.contents.3.tool_call.function.arguments": '{"id": 7}',
            }
        ).attributes
        assert has[a.OUTPUT_MESSAGES][0]["parts"] == [
            {"type": "reasoning", "content": "12 is under 30"},
            {"type": "text", "content": "Yes."},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            CALL,
        ]

    def test_cost_is_the_whole_or_the_sum_of_its_halves(self) -> None:
        kind = {"openinference.span.kind": "LLM"}
        assert one({**kind, "llm.cost.total": 0.5, "llm.cost.prompt": 0.1}).attributes[a.COST] == 0.5
        halves = {"llm.cost.prompt": 0.25, "llm.cost.completion": 0.5}
        assert one({**kind, **halves}).attributes[a.COST] == 0.75

    def test_a_tool(self) -> None:
        has = one(
            {
                "openinference.span.kind": "TOOL",
                "tool.name": "order",
                "input.value": '{"id": 7}',
                "input.mime_type": "application/json",
                "output.value": "12 days",
            }
        ).attributes
        assert (has[a.TOOL_NAME], has[a.TOOL_ARGUMENTS], has[a.TOOL_RESULT]) == (
            "order",
            {"id": 7},
            "12 days",
        )

    def test_a_text_that_looks_like_json_and_is_said_to_be_text(self) -> None:
        kind = {"openinference.span.kind": "CHAIN", "input.value": "[7]"}
        assert one({**kind, "input.mime_type": "text/plain"}).attributes[a.INPUT] == "[7]"
        assert one(kind).attributes[a.INPUT] == [7]


class TestTwoDialectsOnOneSpan:
    def test_nothing_counts_twice(self) -> None:
        span = one(
            {
                "openinference.span.kind": "LLM",
                "llm.token_count.prompt": 21,
                "llm.model_name": "m-2024",
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.content": "Refund?",
                "gen_ai.operation.name": "chat",
                "gen_ai.request.model": "m",
                "gen_ai.usage.input_tokens": 20,
                "gen_ai.input.messages": json.dumps(ASKED),
            }
        )
        has = span.attributes
        assert (span.kind, has[a.DIALECT]) == ("model", "openinference")
        assert (has[a.INPUT_TOKENS], has[a.MODEL]) == (20, "m")
        assert has[a.INPUT_MESSAGES] == ASKED
        assert not any(name.startswith("llm.") for name in has)


def vercel(name: str, **more: Any) -> Span:
    has = {"ai.operationId": name, "operation.name": f"{name} answer", "resource.name": "answer"}
    has |= {"ai.telemetry.functionId": "answer", "ai.model.id": "m", "ai.model.provider": "openai.responses"}
    return one({**has, **more}, name=name, parent="ab" * 8)


class TestVercel:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("ai.generateText", "step"),
            ("ai.generateText.doGenerate", "model"),
            ("ai.streamText.doStream", "model"),
            ("ai.generateObject.doGenerate", "model"),
            ("ai.embed", "step"),
            ("ai.embedMany.doEmbed", "embedding"),
            ("ai.toolCall", "tool"),
        ],
    )
    def test_only_the_inner_span_is_the_call(self, name: str, kind: str) -> None:
        assert vercel(name, **{"gen_ai.usage.input_tokens": 3}).kind == kind

    def test_a_call(self) -> None:
        span = vercel(
            "ai.streamText.doStream",
            **{
                "ai.prompt.messages": json.dumps(
                    [
                        {"role": "system", "content": "Be brief."},
                        {"role": "user", "content": [{"type": "text", "text": "Refund?"}]},
                        {
                            "role": "assistant",
                            "content": [
                                {
                                    "type": "tool-call",
                                    "toolCallId": "c1",
                                    "toolName": "order",
                                    "input": {"id": 7},
                                }
                            ],
                        },
                        {
                            "role": "tool",
                            "content": [
                                {
                                    "type": "tool-result",
                                    "toolCallId": "c1",
                                    "toolName": "order",
                                    "output": {"type": "text", "value": "12 days"},
                                }
                            ],
                        },
                    ]
                ),
                "ai.prompt.tools": [
                    json.dumps({"type": "function", "name": "order", "inputSchema": {"a": 1}})
                ],
                "ai.response.text": "Yes.",
                "ai.response.reasoning": "12 is under 30",
                "ai.response.toolCalls": json.dumps(
                    [{"toolCallId": "c1", "toolName": "order", "input": {"id": 7}}]
                ),
                "ai.response.finishReason": "stop",
                "ai.response.model": "m-2024",
                "ai.response.msToFirstChunk": 250,
                "ai.settings.maxOutputTokens": 50,
                "ai.usage.inputTokens": 21,
                "ai.usage.outputTokens": 7,
                "ai.usage.cachedInputTokens": 5,
                "gen_ai.usage.input_tokens": 21,
                "gen_ai.system": "openai.responses",
                "ai.telemetry.metadata.userId": "u1",
                "ai.telemetry.metadata.sessionId": "s1",
                "ai.telemetry.metadata.tags": ["beta"],
                "ai.telemetry.metadata.plan": "pro",
                "ai.request.headers.authorization": "Bearer secret",
            },
        )
        has = span.attributes
        asked = has[a.INPUT_MESSAGES]
        assert texts(asked) == [("system", "Be brief."), ("user", "Refund?")]
        assert asked[2]["parts"] == [CALL]
        assert asked[3]["parts"][0]["response"] == "12 days"
        (answer,) = has[a.OUTPUT_MESSAGES]
        assert [part["type"] for part in answer["parts"]] == ["reasoning", "text", "tool_call"]
        assert answer["parts"][2] == CALL
        (tool,) = has[a.TOOL_DEFINITIONS]
        assert tool == {"type": "function", "name": "order", "parameters": {"a": 1}}
        assert (has[a.MODEL], has[a.RESPONSE_MODEL], has[a.PROVIDER]) == ("m", "m-2024", "openai")
        assert (has[a.INPUT_TOKENS], has[a.OUTPUT_TOKENS], has[a.CACHED_TOKENS]) == (21, 7, 5)
        assert (has[a.TIME_TO_FIRST_CHUNK], has["gen_ai.request.max_tokens"]) == (0.25, 50)
        assert (has[a.FEATURE], has[a.USER], has[a.SESSION]) == ("answer", "u1", "s1")
        assert (has[a.TAGS], has[a.METADATA]) == (["beta"], {"plan": "pro"})
        assert has[a.DIALECT] == "vercel"
        assert "secret" not in str(has)

    def test_the_whole(self) -> None:
        prompt = json.dumps({"system": "Be brief.", "prompt": "Refund?"})
        has = vercel("ai.generateText", **{"ai.prompt": prompt, "ai.response.text": "Yes."}).attributes
        assert (has[a.INPUT], has[a.OUTPUT]) == ("Refund?", "Yes.")
        assert texts(has[a.INPUT_MESSAGES]) == [("system", "Be brief."), ("user", "Refund?")]

    def test_a_tool(self) -> None:
        has = vercel(
            "ai.toolCall",
            **{
                "ai.toolCall.name": "order",
                "ai.toolCall.args": '{"id":7}',
                "ai.toolCall.result": '"12 days"',
            },
        ).attributes
        assert (has[a.TOOL_NAME], has[a.TOOL_ARGUMENTS], has[a.TOOL_RESULT]) == (
            "order",
            {"id": 7},
            "12 days",
        )

    def test_its_newer_integration_is_the_conventions(self) -> None:
        has = {"gen_ai.operation.name": "chat", "ai.response.providerMetadata": "{}", "ai.schema.name": "s"}
        assert one(has, parent="ab" * 8).kind == "model"


class TestTraceloop:
    def test_a_workflow(self) -> None:
        span = one(
            {
                "traceloop.span.kind": "workflow",
                "traceloop.workflow.name": "support",
                "traceloop.entity.input": '{"args": ["Refund?"], "kwargs": {}}',
                "traceloop.entity.output": '"Yes."',
                "traceloop.association.properties.user_id": "u1",
                "traceloop.association.properties.chat_id": "c1",
                "traceloop.association.properties.plan": "pro",
            }
        )
        has = span.attributes
        assert (span.kind, has[a.FEATURE], has[a.WORKFLOW_NAME]) == ("request", "support", "support")
        assert (has[a.INPUT], has[a.OUTPUT]) == ({"args": ["Refund?"], "kwargs": {}}, "Yes.")
        assert (has[a.USER], has[a.CONVERSATION], has[a.METADATA]) == ("u1", "c1", {"plan": "pro"})
        assert has[a.DIALECT] == "traceloop"

    def test_a_tool(self) -> None:
        span = one(
            {
                "traceloop.span.kind": "tool",
                "traceloop.entity.name": "order",
                "traceloop.entity.input": '{"id": 7}',
            }
        )
        assert (span.kind, span.attributes[a.TOOL_NAME]) == ("tool", "order")
        assert span.attributes[a.TOOL_ARGUMENTS] == {"id": 7}


class TestOlderLogfire:
    def test_requests_and_answers_in_full(self) -> None:
        request = {"model": "m", "messages": [{"role": "user", "content": "Refund?"}], "temperature": 0.2}
        answer = {
            "message": {"role": "assistant", "content": "Yes."},
            "usage": {"prompt_tokens": 21, "completion_tokens": 7},
        }
        span = one(
            {
                "logfire.span_type": "span",
                "request_data": json.dumps(request),
                "response_data": json.dumps(answer),
            },
            scope="logfire.openai",
        )
        has = span.attributes
        assert (span.kind, has[a.MODEL]) == ("model", "m")
        assert (has[a.INPUT_TOKENS], has[a.OUTPUT_TOKENS]) == (21, 7)
        assert texts(has[a.INPUT_MESSAGES]) == [("user", "Refund?")]
        assert texts(has[a.OUTPUT_MESSAGES]) == [("assistant", "Yes.")]
        assert has["gen_ai.request.temperature"] == 0.2

    def test_messages_as_a_list_of_events(self) -> None:
        events = [
            {"event.name": "gen_ai.user.message", "content": "Refund?", "role": "user"},
            {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "Yes."}},
        ]
        call = one({"gen_ai.operation.name": "chat", "events": json.dumps(events)}, scope="pydantic-ai")
        assert texts(call.attributes[a.INPUT_MESSAGES]) == [("user", "Refund?")]
        assert texts(call.attributes[a.OUTPUT_MESSAGES]) == [("assistant", "Yes.")]
        agent = one({"agent_name": "support", "all_messages_events": json.dumps(events)}, scope="pydantic-ai")
        assert (agent.kind, agent.attributes[a.INPUT]) == ("request", "Refund?")


class TestRefusals:
    @pytest.mark.parametrize("reason", ["content_filter", "content-filter", "SAFETY", "refusal"])
    def test_a_reason_to_stop(self, reason: str) -> None:
        has = {"gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": [reason]}
        assert one(has).attributes[a.REFUSED] is True

    def test_a_part_of_the_answer(self) -> None:
        answer = [{"role": "assistant", "content": None, "refusal": "I can't help with that."}]
        has = one({"gen_ai.operation.name": "chat", "gen_ai.output.messages": json.dumps(answer)}).attributes
        assert has[a.REFUSED] is True
        assert has[a.OUTPUT_MESSAGES][0]["parts"] == [
            {"type": "refusal", "content": "I can't help with that."}
        ]

    def test_in_the_answer_that_openinference_keeps_in_full(self) -> None:
        kind = {"openinference.span.kind": "LLM"}
        refused = '{"choices":[{"message":{"refusal":"No."}}]}'
        assert one({**kind, "output.value": refused}).attributes[a.REFUSED] is True
        assert a.REFUSED not in one({**kind, "output.value": refused.replace('"No."', "null")}).attributes

    def test_an_answer_is_none(self) -> None:
        has = {"gen_ai.operation.name": "chat", "gen_ai.output.messages": json.dumps(ANSWERED)}
        assert a.REFUSED not in one(has).attributes


class TestErrors:
    def test_an_exception_says_why(self) -> None:
        exception = {"exception.type": "KeyError", "exception.message": "7"}
        span = one({}, status=2, events=[{"name": "exception", "attributes": exception}])
        assert (span.status, span.error, span.attributes[a.ERROR_TYPE]) == ("error", "7", "KeyError")

    def test_a_status_of_http(self) -> None:
        span = one({"http.response.status_code": 503})
        assert (span.status, span.error, span.attributes[a.ERROR_TYPE]) == ("error", "HTTP 503", "503")
        assert one({"http.response.status_code": 404}).status == "ok"
        assert one({"http.response.status_code": 404}, kind=3).status == "error"

    def test_an_exception_that_was_caught_is_no_error(self) -> None:
        assert one({}, events=[{"name": "exception", "attributes": {}}]).status == "ok"

    def test_an_error_without_a_word(self) -> None:
        assert one({}, status=2).error == "it failed"


class TestWhoAndWhere:
    def test_the_resource_says_service_environment_and_version(self) -> None:
        resource = {
            "service.name": "shop",
            "deployment.environment": "prod",
            "llmops.version": "v12",
            "host.name": "h1",
        }
        batch = read([{"id": "aa" * 8}, {"id": "bb" * 8, "parent": "aa" * 8}], resource)
        root, child = (arrived.span.attributes for arrived in batch.spans)
        for has in (root, child):
            assert (has[a.SERVICE], has[a.ENVIRONMENT], has[a.VERSION]) == ("shop", "prod", "v12")
        assert root["host.name"] == "h1"
        assert "host.name" not in child

    def test_a_span_that_nobody_knows_is_kept_as_it_came(self) -> None:
        span = one({"db.system": "postgresql", "db.statement": "select 1"}, name="SELECT")
        assert (span.kind, span.name) == ("other", "SELECT")
        assert span.attributes == {
            "db.system": "postgresql",
            "db.statement": "select 1",
            a.SERVICE: "helpdesk",
        }

    def test_our_own_names_count_for_more_than_a_tools(self) -> None:
        has = one(
            {"llmops.feature": "support", "gen_ai.agent.name": "a", "langfuse.trace.name": "t"}
        ).attributes
        assert has[a.FEATURE] == "support"

    def test_ids_of_users_may_be_numbers(self) -> None:
        assert one({"user.id": 7, "session.id": 8}).attributes[a.USER] == "7"

    def test_an_attribute_called_events_does_not_hide_events(self) -> None:
        has = one({"events": "mine"}, events=[{"name": "halfway"}]).attributes
        assert has[a.EVENTS][0] == {"name": "halfway", "time": BEGAN + 0.5, "attributes": {}}
        assert has["attribute.events"] == "mine"


def test_every_dialect_has_a_name_of_its_own() -> None:
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
