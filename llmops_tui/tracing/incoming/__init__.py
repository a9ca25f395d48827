"""Traces of live systems: OTLP in, whatever conventions it was written by, made one."""

from llmops_tui.tracing.incoming.logs import read_otlp_logs
from llmops_tui.tracing.incoming.otlp import read_otlp
from llmops_tui.tracing.incoming.problems import IncomingError

__all__ = ["IncomingError", "read_otlp", "read_otlp_logs"]
