"""The Vercel AI SDK, OpenLLMetry's decorators and older versions of Logfire and Pydantic AI."""

from __future__ import annotations

import json
from typing import Any

import pytest
from otlp_requests import one

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span

CALL = {"type": "tool_call", "id": "c1", "name": "order", "arguments": {"id": 7}}


def texts(messages: Any) -> list[tuple[str, str]]:
    return [(m["role"], p["content"]) for m in messages for p in m["parts"] if p["type"] == "text"]


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


class TestLangfuse:
    @pytest.mark.parametrize(
        ("usage", "tokens"),
        [
            # Its server and its callbacks take the cache's and reasoning's out of the whole.
            (
                {"input": 100, "input_cached_tokens": 900, "output": 20, "output_reasoning_tokens": 80},
                (1000, 100),
            ),
            ({"input": 100, "output": 5, "input_cache_read": 900, "input_cache_creation": 7}, (1007, 5)),
            ({"input": 10, "output": 3, "total": 13, "input_cached_tokens": 4}, (10, 3)),
            ({"input": 10, "output": 3}, (10, 3)),
        ],
    )
    def test_tokens_of_the_cache_are_tokens(self, usage: dict[str, int], tokens: tuple[int, int]) -> None:
        told = {"total": sum(usage.values()), **usage} if len(usage) > 2 else usage
        has = {
            "langfuse.observation.type": "generation",
            "langfuse.observation.usage_details": json.dumps(told),
        }
        span = one(has, name="ask")
        assert (span.attributes[a.INPUT_TOKENS], span.attributes[a.OUTPUT_TOKENS]) == tokens

    def test_a_trace_without_a_name_has_its_first_spans(self) -> None:
        has = {"langfuse.observation.type": "span"}
        assert one(has, name="help-desk").attributes[a.FEATURE] == "help-desk"
        assert a.FEATURE not in one(has, name="find", parent="ab" * 8).attributes
        assert one({**has, "langfuse.trace.name": "t"}, name="x").attributes[a.FEATURE] == "t"


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
        assert (has[a.INPUT], has[a.OUTPUT]) == ("Refund?", "Yes.")
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
