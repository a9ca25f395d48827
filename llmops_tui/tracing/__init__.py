"""Traces for other tools: as OTLP, in a file or sent. protobuf is imported when something is made."""

from llmops_tui.tracing.otlp import FORMATS, SERVICE, batches, encode, jsonable, request_of
from llmops_tui.tracing.sender import Sender, SendError, Sent, counted

__all__ = [
    "FORMATS",
    "SERVICE",
    "SendError",
    "Sender",
    "Sent",
    "batches",
    "counted",
    "encode",
    "jsonable",
    "request_of",
]
