"""A collector for the log of this process, which begins each test with nothing on its mind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from log_collector import LogCollector, log_collector

from llmops_tui import log
from llmops_tui.log.faults import PROBLEMS, Problems
from llmops_tui.log.settings import SETTINGS


@pytest.fixture
def collector() -> Iterator[LogCollector]:
    with log_collector() as collector:
        log.setup(endpoint=collector.url)
        fresh = Problems()
        for name in Problems.__slots__:
            setattr(PROBLEMS, name, getattr(fresh, name))
        yield collector
        log.on()
        log.flush()
        SETTINGS.token, SETTINGS.resource = "", {}
