"""Traces for other tools: as OTLP, in a file or sent. protobuf is imported when something is made."""

from llmops_tui.tracing.otlp import FORMATS, batches, encode, jsonable, request_of
from llmops_tui.tracing.sender import Sender, SendError, Sent, filled, missing

__all__ = [
    "FORMATS",
    "SendError",
    "Sender",
    "Sent",
    "batches",
    "encode",
    "filled",
    "jsonable",
    "missing",
    "request_of",
]
