"""What the Guards screen asks. Figures are read, and reviews written, on the thread of live traffic."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from llmops_tui.domain.errors import LlmopsError, Problem, UsageError
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.guard_events import GuardsView, with_configured
from llmops_tui.engine.session_live import SessionLive

if TYPE_CHECKING:
    from llmops_tui.domain.configuration import Workspace
    from llmops_tui.domain.guardrails.use import GuardrailUse
    from llmops_tui.domain.live.guards import GuardItem, GuardReview, GuardTrial, Queue, ThresholdCurve
    from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
    from llmops_tui.engine.attack_drafts import AttackDraft
    from llmops_tui.engine.tuning import Tuned
    from llmops_tui.store.live import LiveStore

T = TypeVar("T")

_VIEWS = Problem("this app only views the workspace, and writes nothing", "see the line on top")
_GONE = Problem("the live traffic was removed meanwhile", "start `llmops-tui collect`")


class SessionGuards(SessionLive):
    """Part of `session_api.SessionApi`."""

    _reviewer: str | None = None
    #: The workspace as it was read, and phrases of its attacks.
    _known_attacks: tuple[Workspace, Mapping[str, Sequence[str]]] | None = None

    def guards(self, wanted: LiveFilter, now: float) -> Future[GuardsView]:
        uses = self._uses()
        asked = tuple((name, use) for name, use in uses if wanted.config in ("", name))

        def work(store: LiveStore | None) -> GuardsView:
            from llmops_tui.domain.live.listing import LiveFilter
            from llmops_tui.monitoring import guards

            if store is None:
                return GuardsView(with_configured((), asked), uses)
            newest = store.requests.listed(LiveFilter(), limit=1)
            figures = with_configured(guards.figures(store, wanted, now, self._phrases()), asked)
            return GuardsView(figures, uses, newest[0].request.start if newest else None)

        return self._live.ask(work)

    def _uses(self) -> tuple[tuple[str, GuardrailUse], ...]:
        """Guardrails of the files as they were read last."""
        if self._engine is None:
            return ()
        found: list[tuple[str, GuardrailUse]] = []
        with contextlib.suppress(LlmopsError):  # files with mistakes: the line on top says it
            for name, configuration in self._engine.workspace.configurations.items():
                found += ((name, use) for use in configuration.target.guardrails)
        return tuple(found)

    def _phrases(self) -> Mapping[str, Sequence[str]]:
        """Of attacks that the workspace knows: read anew where its files were. On the reading thread."""
        from llmops_tui.engine.guard_phrases import phrases_of

        workspace = self._engine.workspace if self._engine is not None else None
        if workspace is None:
            return {}
        if self._known_attacks is None or self._known_attacks[0] is not workspace:
            self._known_attacks = workspace, phrases_of(self.root, workspace)
        return self._known_attacks[1]

    def guard_trials(self) -> Future[tuple[GuardTrial, ...]]:
        def work(engine: Engine) -> tuple[GuardTrial, ...]:
            from llmops_tui.engine.guard_trials import trials

            return trials(engine.store)

        return self._ask(work)

    def guard_items(
        self, guardrail: str, queue: Queue, wanted: LiveFilter, limit: int = 200
    ) -> Future[tuple[GuardItem, ...]]:
        def work(store: LiveStore | None) -> tuple[GuardItem, ...]:
            from llmops_tui.monitoring import guards

            return (
                () if store is None else guards.items(store, guardrail, queue, wanted, limit, self._phrases())
            )

        return self._live.ask(work)

    def guard_curve(self, guardrail: str, wanted: LiveFilter) -> Future[ThresholdCurve]:
        asked = [use for name, use in self._uses() if use.name == guardrail and wanted.config in ("", name)]

        def work(store: LiveStore | None) -> ThresholdCurve:
            from llmops_tui.domain.live.guards import ThresholdCurve
            from llmops_tui.monitoring import guards

            if store is None:
                return ThresholdCurve(guardrail, None, problem="no live traffic has come in yet")
            return guards.curve(store, guardrail, wanted, uses=asked)

        return self._live.ask(work)

    def guard_request(self, trace_id: str) -> Future[LiveRequest | None]:
        def work(store: LiveStore | None) -> LiveRequest | None:
            return None if store is None else store.requests.find(trace_id)

        return self._live.ask(work)

    # -- writing

    def review_guard(
        self, guardrail: str, trace_id: str, right: bool, wanted: LiveFilter
    ) -> Future[GuardReview]:
        def work(store: LiveStore) -> GuardReview:
            from llmops_tui.monitoring import guards

            at, by = time.time(), self._reviewed_by()
            return guards.review(store, guardrail, (trace_id,), right, at, by=by, wanted=wanted)[0]

        return self._write(work)

    def take_back_guard(self, guardrail: str, trace_id: str) -> Future[None]:
        def work(store: LiveStore) -> None:
            from llmops_tui.monitoring import guards

            guards.take_back(store, guardrail, (trace_id,))

        return self._write(work)

    def _write(self, function: Callable[[LiveStore], T]) -> Future[T]:
        """Write on a connection of its own: the one that is kept open only reads."""

        def work(reading: LiveStore | None) -> T:
            from llmops_tui.store.live import LIVE_DATABASE, LiveStore

            if self._viewing:
                raise UsageError(_VIEWS)
            if reading is None:
                raise UsageError(_GONE)
            with LiveStore.open(self.root / LIVE_DATABASE) as store:
                return function(store)

        return self._live.ask(work)

    def _reviewed_by(self) -> str:
        if self._reviewer is None:
            from llmops_tui.workspace import git

            self._reviewer = clean_line(git.user_name(self.root))
        return self._reviewer

    # -- from a miss to an attack

    def guard_attack(self, guardrail: str, trace_id: str) -> Future[AttackDraft]:
        def work(store: LiveStore | None) -> AttackDraft:
            from llmops_tui.engine.attack_drafts import draft_attack

            if store is None:
                raise UsageError(_GONE)
            return draft_attack(store, trace_id, guardrail)

        return self._live.ask(work)

    def keep_guard_attack(self, draft: AttackDraft) -> Future[tuple[str, str]]:
        def work(engine: Engine) -> tuple[str, str]:
            from llmops_tui.engine.attack_keeping import keep

            if self._viewing:
                raise UsageError(_VIEWS)
            return keep(engine.root, draft, None)

        return self._ask(work)

    # -- the threshold

    def tune_guard(self, guardrail: str, value: float, config: str | None = None) -> Future[Tuned]:
        def work(engine: Engine) -> Tuned:
            from llmops_tui.engine.tuning import set_threshold

            if self._viewing:
                raise UsageError(_VIEWS)
            return set_threshold(engine.root, engine.workspace, guardrail, value, config)

        return self._ask(work)
