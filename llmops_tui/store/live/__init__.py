"""Live traffic: a database of its own, `live.db`."""

from llmops_tui.store.live.ingest import Ingested
from llmops_tui.store.live.live import LIVE_DATABASE, LiveStore

__all__ = ["LIVE_DATABASE", "Ingested", "LiveStore"]
