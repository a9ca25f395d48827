"""Spans that the workspace's code makes with OpenTelemetry."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Mapping
from typing import Any

from llmops_tui.domain import semconv as a
from llmops_tui.worker.instrument.scope import Scope, Seen, current

_OPERATIONS = {
    "chat": "model",
    "text_completion": "model",
    "generate_content": "model",
    "embeddings": "embedding",
    "execute_tool": "tool",
    "retrieval": "retrieval",
}
#: OpenInference, for those who write that.
_SPAN_KINDS = {
    "LLM": "model",
    "EMBEDDING": "embedding",
    "TOOL": "tool",
    "RETRIEVER": "retrieval",
    "GUARDRAIL": "guardrail",
}


class Processor:
    """A span processor: what ends is told to the scope in which it began."""

    def __init__(self) -> None:
        self._scopes: dict[int, Scope] = {}

    def on_start(self, span: Any, parent_context: Any = None) -> None:  # noqa: ARG002
        scope = current.get()
        if scope is not None:
            with contextlib.suppress(Exception):
                self._scopes[span.context.span_id] = scope

    def _on_ending(self, span: Any) -> None:
        pass

    def on_end(self, span: Any) -> None:
        with contextlib.suppress(Exception):  # tracing must not hurt what is traced
            scope = self._scopes.pop(span.context.span_id, None)
            if scope is not None:
                scope.add(_seen(span))

    def shutdown(self) -> None:
        pass

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002
        return True


def active() -> str:
    """Key of the OpenTelemetry span that is current; empty where there is none."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return ""
    with contextlib.suppress(Exception):
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            return _key(context.span_id)
    return ""


def install(sdk: Any) -> bool:
    """Every tracer provider of the SDK gets our processor, those that are there and those to come.

    Where the workspace's code has set none, one is set, and gives way to one that is set later.
    """
    trace = sys.modules.get("opentelemetry.trace")
    provider = getattr(sdk, "TracerProvider", None)
    if trace is None or provider is None:
        return False
    made = provider.__init__
    processor = Processor()

    def init(self: Any, *args: Any, **options: Any) -> None:
        made(self, *args, **options)
        with contextlib.suppress(Exception):
            self.add_span_processor(processor)

    provider.__init__ = init
    there = trace.get_tracer_provider()
    if isinstance(there, provider):
        there.add_span_processor(processor)
    return True


def is_used() -> bool:
    """OpenTelemetry's API is loaded, and its SDK is to be had (it is loaded then)."""
    if "opentelemetry.trace" not in sys.modules:
        return False
    try:
        importlib.import_module("opentelemetry.sdk.trace")
    except Exception:  # not installed, or not whole
        return False
    return True


def provide() -> None:
    """Set a tracer provider where the SDK is loaded and nobody set one, so that spans are made at all."""
    trace, sdk = sys.modules.get("opentelemetry.trace"), sys.modules.get("opentelemetry.sdk.trace")
    if trace is None or sdk is None:
        return
    with contextlib.suppress(Exception):
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            _set_for_now(trace, sdk.TracerProvider())


def _set_for_now(trace: Any, ours: Any) -> None:
    setter = trace.set_tracer_provider
    setter(ours)

    def set_tracer_provider(provider: Any) -> None:
        with contextlib.suppress(Exception):
            if trace._TRACER_PROVIDER is ours:
                trace._TRACER_PROVIDER = None
                trace._TRACER_PROVIDER_SET_ONCE = type(trace._TRACER_PROVIDER_SET_ONCE)()
        setter(provider)

    trace.set_tracer_provider = set_tracer_provider


def _seen(span: Any) -> Seen:
    attributes = {str(k): _plain(v) for k, v in (span.attributes or {}).items()}
    events = [
        {
            "name": e.name,
            "time": e.timestamp / 1e9,
            "attributes": {k: _plain(v) for k, v in (e.attributes or {}).items()},
        }
        for e in span.events or ()
    ]
    if events:
        attributes["events"] = events
    error = ""
    if span.status is not None and span.status.status_code.name == "ERROR":
        error = span.status.description or _exception(events) or "error"
    return Seen(
        _key(span.context.span_id),
        _key(span.parent.span_id) if span.parent is not None else "",
        _kind(attributes),
        span.name,
        (span.start_time or 0) / 1e9,
        (span.end_time or span.start_time or 0) / 1e9,
        attributes,
        error,
        False,
    )


def _kind(attributes: Mapping[str, Any]) -> str:
    kind = _OPERATIONS.get(str(attributes.get(a.OPERATION)))
    return kind or _SPAN_KINDS.get(str(attributes.get("openinference.span.kind")).upper(), "other")


def _exception(events: list[dict[str, Any]]) -> str:
    for event in events:
        if event["name"] == "exception":
            return str(event["attributes"].get("exception.message", ""))
    return ""


def _plain(value: Any) -> Any:
    if isinstance(value, str | bool | int | float) or value is None:
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value)


def _key(span_id: int) -> str:
    return f"{span_id:016x}"
