"""The receiver: OTLP over HTTP and signals, durable before they are acknowledged."""

from llmops_tui.monitoring.collector.collector import Collector
from llmops_tui.monitoring.collector.listening import ListenError
from llmops_tui.monitoring.collector.ports import Decode, Ingested, Intake, OpenWriter, Task, Writer
from llmops_tui.monitoring.collector.settings import PORT, CollectorSettings
from llmops_tui.monitoring.collector.signals import SignalError, read_signals, signal_of

__all__ = [
    "PORT",
    "Collector",
    "CollectorSettings",
    "Decode",
    "Ingested",
    "Intake",
    "ListenError",
    "OpenWriter",
    "SignalError",
    "Task",
    "Writer",
    "read_signals",
    "signal_of",
]
