"""litellm: what its callbacks log, and the rows of its proxy's spend logs.

Source: BerriAI/litellm, `StandardLoggingPayload` (litellm/types/utils.py) and `LiteLLM_SpendLogs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.importers import answers, ids
from llmops_tui.tracing.importers.answers import first
from llmops_tui.tracing.importers.formats import Importer, importer
from llmops_tui.tracing.importers.portion import Portion, raw_span
from llmops_tui.tracing.incoming.problems import BadSpan
from llmops_tui.tracing.incoming.reading import count, mapping, number, texts, word
from llmops_tui.tracing.incoming.safe import decoded


@importer("litellm", "logs of litellm")
class LitellmLogs(Importer):
    @classmethod
    def recognised(cls, record: Mapping[str, Any]) -> str:
        if isinstance(record.get("standard_logging_object"), dict):
            return "it has a standard_logging_object"
        if "call_type" in record and "startTime" in record:
            return "it has a call_type and a startTime"
        return ""

    def read(self, record: dict[str, Any], into: Portion) -> None:
        held = record.get("standard_logging_object")
        call = held if isinstance(held, dict) else record
        own = word(first(call, "litellm_call_id", "id", "request_id"))
        start = ids.moment(call.get("startTime"))
        if not own or start is None:
            raise BadSpan(f"the call has no {'startTime' if own else 'id'}")
        trace = word(call.get("trace_id")) or own
        attributes = _attributes(call, start)
        raw = raw_span(
            trace,
            own,
            "",
            f"{call.get('call_type') or 'completion'} {attributes.get(a.MODEL) or ''}".strip(),
            start,
            ids.moment(call.get("endTime")),
            attributes,
            error=_error(call, attributes),
        )
        into.span(raw)
        for n, check in enumerate(_checks(call)):
            self._guardrail(check, trace, own, n, start, into)

    def _guardrail(self, check: Any, trace: str, own: str, n: int, start: float, into: Portion) -> None:
        if not isinstance(check, dict):
            return
        name = word(check.get("guardrail_name")) or "guardrail"
        begun = ids.moment(check.get("start_time")) or start
        fired = str(check.get("guardrail_status")) in ("guardrail_intervened", "blocked")
        attributes = {
            a.KIND: "guardrail",
            a.DIALECT: "litellm",
            a.GUARDRAIL: name,
            a.TRIGGERED: fired,
            a.ACTION: "block" if fired else None,
            a.OUTPUT: check.get("guardrail_response"),
        }
        end = ids.moment(check.get("end_time"))
        into.span(raw_span(trace, f"{own} guardrail {n}", own, name, begun, end, attributes))


def _checks(call: dict[str, Any]) -> list[Any]:
    held = call.get("guardrail_information")
    return held if isinstance(held, list) else [held] if held else []


def _attributes(call: dict[str, Any], start: float) -> dict[str, Any]:
    about = mapping(call.get("metadata")) or {}
    more = mapping(first(about, "requester_metadata", "spend_logs_metadata")) or {}
    is_embedding = "embedding" in str(call.get("call_type"))
    begun = ids.moment(call.get("completionStartTime"))
    found: dict[str, Any] = {
        a.KIND: "embedding" if is_embedding else "model",
        a.OPERATION: "embeddings" if is_embedding else "chat",
        a.DIALECT: "litellm",
        "gen_ai.system": word(call.get("custom_llm_provider")),
        **answers.request({**(mapping(call.get("model_parameters")) or {}), "model": call.get("model")}),
        a.INPUT_TOKENS: count(call.get("prompt_tokens")),
        a.OUTPUT_TOKENS: count(call.get("completion_tokens")),
        a.COST: number(first(call, "response_cost", "spend")),
        a.USER: word(
            first(call, "end_user", "metadata.user_api_key_end_user_id", "metadata.user_api_key_user_id")
        ),
        a.SESSION: word(first(call, "session_id") or more.get("session_id")),
        a.FEATURE: word(more.get("feature") or first(call, "metadata.user_api_key_alias")),
        a.VERSION: word(more.get("version")),
        a.TAGS: texts(call.get("request_tags")),
        a.METADATA: more or None,
        a.CACHED: True if call.get("cache_hit") in (True, "True", "true") else None,
    }
    if call.get("stream") and begun is not None and begun >= start:
        found[a.TIME_TO_FIRST_CHUNK] = begun - start
    asked, said = (
        decoded(first(call, "messages", "proxy_server_request.messages")),
        decoded(call.get("response")),
    )
    told = answers.answer(said)
    if is_embedding:
        found[a.INPUT] = asked
    else:
        found[a.INPUT_MESSAGES] = answers.chat(asked, "user")
        found |= {name: value for name, value in told.items() if value and not found.get(name)}
    return found


def _error(call: dict[str, Any], attributes: dict[str, Any]) -> str | None:
    if str(call.get("status", "success")) not in ("failure", "error"):
        return None
    told = mapping(call.get("error_information")) or mapping(first(call, "metadata.error_information")) or {}
    attributes[a.ERROR_TYPE] = word(first(told, "error_class", "error_code"))
    return word(first(told, "error_message")) or word(call.get("error_str")) or "it failed"
