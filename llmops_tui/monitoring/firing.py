"""Alerts that fire, or have fired within a window."""

from __future__ import annotations

from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.overview import FiringAlert
from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.store.live import LiveStore


def firing(_store: LiveStore, _wanted: LiveFilter, _settings: LiveSettings) -> tuple[FiringAlert, ...]:
    """Those that touch what a filter asks for; the newest first."""
    return ()
