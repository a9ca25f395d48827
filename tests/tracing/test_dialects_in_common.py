"""What is read alike whoever wrote a span: refusals, errors, who asked and where."""

from __future__ import annotations

import json
from typing import Any

import pytest
from otlp_requests import BEGAN, one, read

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.request import begin, fold

ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "Yes."}], "finish_reason": "stop"}]


def feature(spans: list[dict[str, Any]]) -> str:
    """Of the request that these are folded into."""
    return fold(begin("1" * 32), [arrived.span for arrived in read(spans).spans]).feature


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

    def test_a_service_that_nobody_named_is_none(self) -> None:
        (arrived,) = read([{}], {"service.name": "unknown_service:python"}).spans
        assert arrived.span.attributes == {}

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

    @pytest.mark.parametrize("order", [1, -1])
    def test_a_request_is_of_its_service_where_no_span_says_what_feature(self, order: int) -> None:
        root = {"name": "GET /answer", "id": "aa" * 8}
        call = {"id": "bb" * 8, "parent": "aa" * 8, "attributes": {"gen_ai.operation.name": "chat"}}
        assert feature([root, call][::order]) == "helpdesk"
        call["attributes"] = {"ai.operationId": "ai.generateText", "ai.telemetry.functionId": "support"}
        assert feature([root, call][::order]) == "support"

    def test_ids_of_users_may_be_numbers(self) -> None:
        assert one({"user.id": 7, "session.id": 8}).attributes[a.USER] == "7"

    def test_an_attribute_called_events_does_not_hide_events(self) -> None:
        has = one({"events": "mine"}, events=[{"name": "halfway"}]).attributes
        assert has[a.EVENTS][0] == {"name": "halfway", "time": BEGAN + 0.5, "attributes": {}}
        assert has["attribute.events"] == "mine"
