"""The conventions, newest and before, and OpenInference, by their documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from otlp_requests import one

from llmops_tui.domain import semconv as a
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


def test_every_dialect_has_a_name_of_its_own() -> None:
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
