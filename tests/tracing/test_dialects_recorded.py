"""What real SDKs wrote when they were tried (tests/tracing/recorded), made one.

openinference-instrumentation-openai, langfuse 5.0.4, logfire 5.4.0, pydantic-ai 2 and
opentelemetry-instrumentation-openai (OpenLLMetry), against a server that answers as OpenAI's does: a call
that asks for a tool, one that gives its result, one that streams, one that fails and an embedding.
"""

from __future__ import annotations

from typing import Any

import pytest
from otlp_requests import BEGAN, read, recorded

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span, Trace, text_of, totals

MODEL = "gpt-4o-mini"
SERVED = "gpt-4o-mini-2024-07-18"
CALLED = {"type": "tool_call", "id": "call_1", "name": "order", "arguments": {"id": 7}}
ASKED = [("system", "Be brief."), ("user", "Refund?")]


def said(messages: Any) -> list[tuple[str, Any]]:
    return [(m["role"], p.get("content")) for m in messages for p in m["parts"] if p["type"] == "text"]


def calls(spans: list[Span]) -> list[Span]:
    return [span for span in spans if span.kind == "model"]


CLIENTS = ["openinference_openai", "langfuse_sdk", "logfire_openai", "openllmetry_openai"]


@pytest.mark.parametrize("name", CLIENTS)
class TestCallsOfAProvider:
    """The same calls, as each of them wrote it."""

    def made(self, name: str) -> list[Span]:
        return [s for s in calls(recorded(name)) if s.name != "gen"]  # which Langfuse's example made by hand

    def test_are_four(self, name: str) -> None:
        assert len(self.made(name)) == 4

    def test_have_model_and_tokens(self, name: str) -> None:
        for span in self.made(name)[:3]:
            has = span.attributes
            assert (has[a.INPUT_TOKENS], has[a.OUTPUT_TOKENS], has[a.CACHED_TOKENS]) == (21, 7, 5)
            assert SERVED in (has.get(a.RESPONSE_MODEL), has[a.MODEL])

    def test_have_messages(self, name: str) -> None:
        asks, gives, streams, fails = self.made(name)
        for span in (asks, streams, fails):
            assert said(span.attributes[a.INPUT_MESSAGES]) == ASKED
        assert asks.attributes[a.OUTPUT_MESSAGES][0]["parts"] == [CALLED]
        for span in (gives, streams):
            assert said(span.attributes[a.OUTPUT_MESSAGES]) == [("assistant", "Yes, within 30 days.")]
        history = gives.attributes[a.INPUT_MESSAGES]
        assert [m["role"] for m in history] == ["system", "user", "assistant", "tool"]
        assert history[2]["parts"] == [CALLED]
        (answer,) = history[3]["parts"]
        assert (answer["type"], answer["id"]) == ("tool_call_response", "call_1")
        assert answer["response"] in ({"days": 12}, '{"days": 12}')

    def test_have_tools_and_parameters(self, name: str) -> None:
        has = self.made(name)[0].attributes
        (tool,) = has[a.TOOL_DEFINITIONS]
        assert tool.get("function", tool)["name"] == "order"
        assert has["gen_ai.request.temperature"] == 0.2

    def test_that_failed_say_why(self, name: str) -> None:
        failed = self.made(name)[3]
        assert failed.status == "error"
        assert "Error code: 429 - slow down" in failed.error
        assert failed.attributes[a.MODEL] == "bad"

    def test_of_an_embedding_are_no_calls_of_a_model(self, name: str) -> None:
        (span,) = [s for s in recorded(name) if s.kind == "embedding"]
        assert span.attributes[a.MODEL] == "text-embedding-3-small"
        assert span.attributes[a.INPUT_TOKENS] == 4
        assert not any("0.1" in str(value) for value in span.attributes.values())  # its vector

    def test_show_as_text(self, name: str) -> None:
        assert text_of(self.made(name)[1].attributes[a.OUTPUT_MESSAGES]) == "assistant:\nYes, within 30 days."


class TestOpenInference:
    def test_says_who_asked_and_with_which_prompt(self) -> None:
        for span in recorded("openinference_openai"):
            has = span.attributes
            assert (has[a.USER], has[a.SESSION]) == ("u1", "s1")
            assert has[a.TAGS] == ["beta", "eu"]
            assert has[a.METADATA] == {"plan": "pro"}
            assert (has[a.TEMPLATE], has[a.VARIABLES]) == ("Q: {q}", {"q": "Refund?"})
            assert has[a.VERSION] == "v3"
            assert has[a.DIALECT] == "openinference"

    def test_names_the_model_that_was_asked_and_the_one_that_answered(self) -> None:
        has = recorded("openinference_openai")[0].attributes
        assert (has[a.MODEL], has[a.RESPONSE_MODEL]) == (MODEL, SERVED)
        assert has[a.PROVIDER] == "openai"
        assert has[a.FINISH_REASONS] == ["tool_calls"]

    def test_knows_when_the_first_token_came(self) -> None:
        assert recorded("openinference_openai")[2].attributes[a.TIME_TO_FIRST_CHUNK] == 0.5

    def test_says_nothing_twice(self) -> None:
        for span in recorded("openinference_openai"):
            left = [name for name in span.attributes if name.startswith(("llm.", "input.", "output."))]
            assert set(left) <= {a.TEMPLATE, a.VARIABLES, a.INPUT}


class TestLangfuse:
    def test_says_who_asked(self) -> None:
        for span in recorded("langfuse_sdk"):
            has = span.attributes
            assert (has[a.USER], has[a.SESSION], has[a.FEATURE]) == ("u1", "s1", "support-answer")
            assert (has[a.ENVIRONMENT], has[a.VERSION]) == ("staging", "v3")
            assert has[a.TAGS] == ["beta"]
            assert has[a.METADATA]["plan"] == "pro"
            assert has[a.DIALECT] == "langfuse"
            assert has["langfuse.release"] == "r1"

    def test_kinds(self) -> None:
        found = {span.name: span.kind for span in recorded("langfuse_sdk")}
        assert found == {
            "search": "retrieval",
            "pii": "guardrail",
            "order": "tool",
            "gen": "model",
            "OpenAI-generation": "model",
            "OpenAI-embedding": "embedding",
            "answer": "request",
        }

    def test_a_generation_by_hand(self) -> None:
        (span,) = [s for s in recorded("langfuse_sdk") if s.name == "gen"]
        has = span.attributes
        assert (has[a.MODEL], has[a.INPUT_TOKENS], has[a.OUTPUT_TOKENS]) == ("m1", 10, 3)
        assert (has[a.COST], has[a.CACHED_TOKENS]) == (0.3, 4)
        assert said(has[a.OUTPUT_MESSAGES]) == [("assistant", "Yes.")]

    def test_the_zero_cost_of_a_call_that_failed_is_none(self) -> None:
        assert a.COST not in calls(recorded("langfuse_sdk"))[-1].attributes

    def test_steps(self) -> None:
        by = {span.name: span for span in recorded("langfuse_sdk")}
        assert by["search"].attributes[a.DOCUMENTS] == [{"id": "a", "content": "30 days"}]
        assert by["pii"].attributes[a.GUARDRAIL] == "pii"
        assert by["pii"].attributes[a.TRIGGERED] is True
        assert by["order"].attributes[a.TOOL_ARGUMENTS] == {"id": 7}
        assert by["order"].attributes[a.TOOL_RESULT] == {"days": 12}
        assert (by["order"].status, by["order"].error) == ("error", "it broke")
        assert (by["answer"].attributes[a.INPUT], by["answer"].attributes[a.OUTPUT]) == ("Refund?", "Yes.")


class TestLogfire:
    def test_a_call_that_streams_counts_once(self) -> None:
        spans = recorded("logfire_openai")
        began, answered = spans[2], spans[3]
        assert (began.kind, answered.kind) == ("step", "model")
        assert a.INPUT_TOKENS not in began.attributes
        # Its log is written when the stream ends, and says how long that took.
        assert answered.end == BEGAN + 2
        assert answered.length_s == pytest.approx(0.0058857, abs=1e-6)

    def test_has_the_price_that_logfire_knows(self) -> None:
        assert calls(recorded("logfire_openai"))[0].attributes[a.COST] == 6.975e-06

    def test_names_calls_as_the_conventions_do(self) -> None:
        assert calls(recorded("logfire_openai"))[0].name == f"chat {MODEL}"

    def test_a_span_that_is_about_no_model_is_nothing_in_particular(self) -> None:
        root = recorded("logfire_openai")[-1]
        assert (root.kind, root.attributes[a.TAGS]) == ("other", ["beta"])
        assert root.attributes["q"] == "Refund?"

    def test_feedback_is_a_score(self) -> None:
        import json

        from otlp_requests import RECORDED

        batch = read(json.loads((RECORDED / "logfire_feedback.json").read_text(encoding="utf-8")))
        (score,) = batch.scores
        assert (score.scorer, score.value, score.passed) == ("helpful", 1.0, True)
        assert (score.reason, score.source) == ("nice", "logfire")
        assert [arrived.span.kind for arrived in batch.spans] == ["other", "scorer"]

    def test_a_span_that_only_says_that_another_began_is_left_out(self) -> None:
        batch = read(
            [{"attributes": {"logfire.span_type": "pending_span"}}, {"name": "real", "id": "cd" * 8}]
        )
        assert [arrived.span.name for arrived in batch.spans] == ["real"]
        assert batch.aside == []


@pytest.mark.parametrize("name", ["pydantic_ai", "pydantic_ai_v2"])
class TestPydanticAi:
    def test_kinds(self, name: str) -> None:
        assert [span.kind for span in recorded(name)] == ["model", "tool", "model", "request"]

    def test_what_the_agent_sums_up_is_not_counted_again(self, name: str) -> None:
        spans = recorded(name)
        root = spans[-1]
        trace = Trace("1" * 32, "", (root, *spans[:-1]))
        whole = totals(trace)[root.id]
        assert (whole.input_tokens, whole.output_tokens, whole.calls) == (42, 14, 2)
        assert whole.cost_usd == pytest.approx(2 * 6.975e-06)

    def test_the_agent(self, name: str) -> None:
        has = recorded(name)[-1].attributes
        assert (has[a.FEATURE], has[a.INPUT]) == ("support", "Refund?")
        assert has[a.OUTPUT] == "Yes, within 30 days."
        assert has[a.CONVERSATION]

    def test_the_tool(self, name: str) -> None:
        has = recorded(name)[1].attributes
        assert (has[a.TOOL_NAME], has[a.TOOL_ARGUMENTS], has[a.TOOL_RESULT]) == (
            "order",
            {"id": 7},
            "12 days",
        )


class TestOpenLLMetry:
    def test_newest(self) -> None:
        spans = recorded("openllmetry_openai")
        has = spans[0].attributes
        assert (has[a.FINGERPRINT], has[a.REASONING_TOKENS]) == ("fp_1", 2)
        assert spans[2].attributes[a.TIME_TO_FIRST_CHUNK] == 0.5
        assert a.EVENTS not in spans[2].attributes  # one for every piece of the stream
        assert spans[3].attributes[a.ERROR_TYPE] == "RateLimitError"
