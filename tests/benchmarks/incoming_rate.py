"""Spans a second that are decoded and made one, on one core.

`uv run python tests/benchmarks/incoming_rate.py`. A request has 64 spans as instrumentations write them,
about 15 attributes each; half of them are calls of a model.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

from llmops_tui.tracing import jsonable
from llmops_tui.tracing.incoming import read_otlp

SPANS = 64
QUESTION = "May I send back the shoes that I bought three weeks ago, if I have worn them once? " * 2
ANSWER = "Yes: within 30 days, as long as they can be sold again. Print the label from your orders. " * 3
ASKED = [
    {"role": "system", "parts": [{"type": "text", "content": "You answer for a shop. Be brief and kind."}]},
    {"role": "user", "parts": [{"type": "text", "content": QUESTION}]},
]
ANSWERED = [
    {"role": "assistant", "parts": [{"type": "text", "content": ANSWER}], "finish_reason": "stop"},
]
WHO = {"user.id": "u-182", "session.id": "s-1921"}
GEN_AI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.request.temperature": 0.2,
    "gen_ai.request.max_tokens": 400,
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.response.id": "chatcmpl-9J2xxw",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 81,
    "gen_ai.usage.output_tokens": 64,
    "gen_ai.input.messages": json.dumps(ASKED),
    "gen_ai.output.messages": json.dumps(ANSWERED),
    "gen_ai.conversation.id": "conv-1",
    "server.address": "api.openai.com",
    **WHO,
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o-mini-2024-07-18",
    "llm.provider": "openai",
    "llm.invocation_parameters": '{"model": "gpt-4o-mini", "temperature": 0.2}',
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "You answer for a shop. Be brief and kind.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.content": QUESTION,
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": ANSWER,
    "llm.token_count.prompt": 81,
    "llm.token_count.completion": 64,
    "llm.token_count.total": 145,
    **WHO,
}
CHAIN = {
    "openinference.span.kind": "CHAIN",
    "input.value": QUESTION,
    "input.mime_type": "text/plain",
    "output.value": ANSWER,
    "output.mime_type": "text/plain",
    "metadata": '{"plan": "pro"}',
    "tag.tags": ["beta"],
    "llmops.feature": "support",
    "llmops.config": "helpdesk",
    "llmops.version": "v12",
    **{f"app.setting.{n}": n for n in range(4)},
    **WHO,
}
TOOL = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "order",
    "gen_ai.tool.call.id": "call_1",
    "gen_ai.tool.call.arguments": '{"id": 7}',
    "gen_ai.tool.call.result": '{"days": 12}',
    "code.function.name": "shop.orders.order",
    **{f"app.setting.{n}": str(n) for n in range(8)},
    **WHO,
}
MIX = (CHAIN, GEN_AI, TOOL, OPENINFERENCE)


def any_value(value: Any) -> AnyValue:
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(each) for each in value]))
    names = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
    return AnyValue(**{names[type(value)]: value})


def made_request() -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    about = {"service.name": "helpdesk", "deployment.environment.name": "prod", "telemetry.sdk.name": "otel"}
    group.resource.attributes.extend(KeyValue(key=k, value=any_value(v)) for k, v in about.items())
    spans = group.scope_spans.add().spans
    for n in range(SPANS):
        has = MIX[n % len(MIX)]
        span = spans.add(
            name="chat gpt-4o-mini",
            trace_id=(n // 4 + 1).to_bytes(16, "big"),
            span_id=(n + 1).to_bytes(8, "big"),
            parent_span_id=b"" if n % 4 == 0 else (n - n % 4 + 1).to_bytes(8, "big"),
            start_time_unix_nano=1_764_000_000_000_000_000,
            end_time_unix_nano=1_764_000_001_000_000_000,
        )
        span.attributes.extend(KeyValue(key=k, value=any_value(v)) for k, v in has.items())
    return request


def rate(body: bytes, *, is_json: bool, seconds: float) -> float:
    """The best of five: what else runs on the machine only makes it slower."""
    best = 0.0
    for _ in range(5):
        gc.collect()
        done, began = 0, time.process_time()
        while (spent := time.process_time() - began) < seconds / 5:
            batch = read_otlp(body, is_json=is_json)
            assert len(batch.spans) == SPANS
            done += SPANS
        best = max(best, done / spent)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    request = made_request()
    protobuf, as_json = request.SerializeToString(), json.dumps(jsonable(request)).encode()
    for name, body, is_json in (("protobuf", protobuf, False), ("JSON", as_json, True)):
        found = rate(body, is_json=is_json, seconds=seconds)
        print(f"{name:9} {found:8,.0f} spans/s, {len(body) / SPANS:,.0f} bytes a span")


if __name__ == "__main__":
    main()
