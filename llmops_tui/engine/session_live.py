"""What the Live screen asks."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.live.settings import LiveSettings
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.live_drafts import draft_of, keep_draft
from llmops_tui.engine.live_reader import LiveReader
from llmops_tui.engine.live_traces import view_of_live
from llmops_tui.engine.session_queries import SessionQueries
from llmops_tui.engine.trace_events import TraceView

if TYPE_CHECKING:
    from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
    from llmops_tui.domain.live.overview import Dimension, Overview, Plot
    from llmops_tui.domain.live.rollout_view import RolloutView
    from llmops_tui.domain.playground import NewCase
    from llmops_tui.engine.live_events import LiveDraft
    from llmops_tui.store.live import LiveStore

_VIEWS = Problem("this app only views the workspace, and writes nothing", "see the line on top")

_NOTHING = Problem("no live traffic has come in yet", "start `llmops-tui collect`")


class SessionLive(SessionQueries):
    """Part of `session_api.SessionApi`."""

    def __init__(self, root: Path, config: str | None) -> None:
        super().__init__(root, config)
        self._live = LiveReader(root)
        # It reads many requests: what the screen follows does not wait for it.
        self._rollouts = LiveReader(root)

    def live_overview(self, wanted: LiveFilter, now: float) -> Future[Overview | None]:
        settings = self._engine.workspace.live if self._engine is not None else LiveSettings()

        def work(store: LiveStore | None) -> Overview | None:
            from llmops_tui.monitoring.overview import overview

            return None if store is None else overview(store, wanted, settings, now)

        return self._live.ask(work)

    def live_plot(
        self, wanted: LiveFilter, metric: str, by: Dimension | None, now: float
    ) -> Future[Plot | None]:
        def work(store: LiveStore | None) -> Plot | None:
            from llmops_tui.monitoring.overview import plot

            return None if store is None else plot(store, wanted, metric, by, now)

        return self._live.ask(work)

    def live_choices(self, wanted: LiveFilter, dimension: Dimension) -> Future[list[tuple[str, int]]]:
        def work(store: LiveStore | None) -> list[tuple[str, int]]:
            from llmops_tui.monitoring.overview import choices

            return [] if store is None else choices(store, wanted, dimension)

        return self._live.ask(work)

    def live_requests(
        self, wanted: LiveFilter, order: str = "newest", limit: int = 200
    ) -> Future[tuple[LiveRequest, ...]]:
        def work(store: LiveStore | None) -> tuple[LiveRequest, ...]:
            return () if store is None else tuple(store.requests.listed(wanted, order=order, limit=limit))

        return self._live.ask(work)

    def live_trace(self, id_: int) -> Future[TraceView]:
        def work(store: LiveStore | None) -> TraceView:
            if store is None:
                return TraceView()
            requests = store.requests
            return view_of_live(requests.trace(id_), requests.scores(id_), requests.signals(id_))

        return self._live.ask(work)

    def live_rollout(self, wanted: LiveFilter, now: float) -> Future[RolloutView]:
        def work(store: LiveStore | None) -> RolloutView:
            from llmops_tui.monitoring.rollout import rollout

            if store is None:
                raise UsageError(_NOTHING)
            return rollout(store, wanted, now)

        return self._rollouts.ask(work)

    def close_live(self) -> None:
        """End what reads."""
        self._live.close()
        self._rollouts.close()

    def live_case(self, id_: int) -> Future[LiveDraft]:
        return self._ask(lambda engine: draft_of(engine, self._config, id_))

    def keep_live_case(self, config: str, new: NewCase, file: str) -> Future[tuple[str, str]]:
        def work(engine: Engine) -> tuple[str, str]:
            if self._viewing:
                raise UsageError(_VIEWS)
            return keep_draft(engine, config, new, file)

        return self._ask(work)

    def live_changed(self) -> Future[bool]:
        return self._live.ask(lambda store: store is not None and store.changed())
