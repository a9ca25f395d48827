"""What the database of live traffic tells the ladder: what came in, was judged, watched and reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmops_tui.domain.errors import Problem, StoreError
from llmops_tui.domain.ladder.facts import Channel, Guards, Traffic, Watching
from llmops_tui.domain.ladder.thresholds import Thresholds
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.metrics import metric_of
from llmops_tui.domain.program import PromptStep, RetrievalStep, ToolStep

if TYPE_CHECKING:
    from llmops_tui.domain.configuration import Configuration, Workspace
    from llmops_tui.domain.live.listing import LiveRequest
    from llmops_tui.domain.live.settings import AlertRule
    from llmops_tui.domain.live.tally import Tally
    from llmops_tui.store.live import LiveStore

#: Requests whose steps are looked at, and events of alerts in which what became of notifications is found.
MOST_REQUESTS = 500
MOST_EVENTS = 2_000


class LiveFacts:
    """Opened when it is first asked; every question raises `StoreError` where it can't be.

    Args:
        chosen: the configurations that it is about.
        now: Unix seconds.
    """

    def __init__(
        self,
        root: Path,
        workspace: Workspace,
        chosen: Sequence[Configuration],
        now: float,
        limits: Thresholds,
    ) -> None:
        self._root = root
        self._workspace = workspace
        self._chosen = chosen
        self._now = now
        self._limits = limits
        self._opened: LiveStore | None = None

    @property
    def _live(self) -> LiveStore:
        from llmops_tui.store.live import LIVE_DATABASE, LiveStore

        if self._opened is None:
            path = self._root / LIVE_DATABASE
            if not path.exists():
                message = "no live traffic was collected on this machine: there is no database of it"
                raise StoreError(Problem(message, "start `llmops-tui collect`, or `llmops-tui trace import`"))
            self._opened = LiveStore.open(path, read_only=True)
        return self._opened

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # -- traffic

    def _concerns(self, config: str) -> bool:
        """Whether a request is about what is looked at: one that names no configuration may be."""
        return not config or any(config == each.name for each in self._chosen)

    def _listed(self, since: float, most: int) -> list[LiveRequest]:
        """The newest requests, at most so many of each configuration."""
        every = LiveFilter(since, self._now + 1.0)
        filters = [every, *(msgspec.structs.replace(every, config=each.name) for each in self._chosen)]
        found = {
            each.id: each
            for wanted in filters
            for each in self._live.requests.listed(wanted, limit=most)
            if self._concerns(each.request.config)
        }
        return sorted(found.values(), key=lambda each: -each.request.start)[:most]

    def versions(self) -> dict[tuple[str, str], int]:
        """(configuration, version) → requests of the last days; empty where there is no such database."""
        found: dict[tuple[str, str], int] = {}
        try:
            sums = self._tallies(("config", "version"))
        except StoreError:
            return found
        for (config, version), tally in sums.items():
            if config and version and tally.requests:
                found[config, version] = tally.requests
        return found

    def _tallies(self, by: tuple[str, ...]) -> dict[tuple[str, ...], Tally]:
        from llmops_tui.domain.live.tally import Tally
        from llmops_tui.store.live.rollups import HOUR

        found: dict[tuple[str, ...], Tally] = {}
        since = self._now - self._limits.live_within_s
        for _at, series, tally in self._live.tallies(LiveFilter(since, self._now + 1.0), HOUR, by):
            if self._concerns(series.config):
                key = tuple(str(getattr(series, name)) for name in by)
                found.setdefault(key, Tally()).merge(tally)
        return found

    def traffic(self) -> Traffic:
        """Of the last days, in whole hours."""
        from llmops_tui.domain.live.tally import sum_of

        sums = self._tallies(("config", "version"))
        whole = sum_of(sums.values())
        newest = self._listed(0.0, 1)
        looked_at, complete, lacking = self._steps()
        scored = max((score.n for score in whole.scores.values()), default=0)
        return Traffic(
            requests=whole.requests,
            newest_at=max((each.request.start for each in newest), default=None),
            looked_at=looked_at,
            whole=complete,
            lacking=lacking,
            named=sum(tally.requests for key, tally in sums.items() if all(key)),
            calls=whole.calls,
            priced=whole.priced,
            judged=min(max(whole.judged, scored), whole.requests),
        )

    def _steps(self) -> tuple[int, int, tuple[str, ...]]:
        """(newest requests that were looked at, those with every step they should have, what others lack)."""
        wanted = {each.name: kinds_of(each) for each in self._chosen}
        listed = self._listed(self._now - self._limits.live_within_s, MOST_REQUESTS)
        kinds = self._live.requests.kinds([each.id for each in listed])
        complete, lacking = 0, dict[str, None]()
        for each in listed:
            there = kinds.get(each.id, frozenset())
            missing = wanted.get(each.request.config, frozenset({"model"})) - there
            if each.request.flagged:
                # A guardrail may have ended it before a later step.
                missing = frozenset()
            complete += not missing
            lacking.update(dict.fromkeys(sorted(missing)))
        return len(listed), complete, tuple(lacking)

    # -- watching

    def watching(self) -> Watching:
        """Alert rules as they are written, and what became of them."""
        live = self._live
        settings = self._workspace.live
        quality = [rule for rule in settings.rules if _is_quality(rule)]
        used = {name for rule in settings.rules for name in rule.to}
        states = live.alerts.states()
        looked = [states[rule.name].looked_until for rule in settings.rules if rule.name in states]
        canary = next(iter(live.canaries.newest(self._config, 1)), None)
        return Watching(
            rules=tuple(rule.name for rule in settings.rules),
            quality=tuple(rule.name for rule in quality),
            told=tuple(rule.name for rule in quality if rule.to),
            drift=tuple(rule.name for rule in settings.rules if rule.is_drift),
            channels=tuple(self._channel(each.name) for each in settings.channels if each.name in used),
            looked_at=max(looked, default=None),
            canary_every_s=settings.canary.every_s if settings.canary is not None else 0.0,
            canary_at=canary.run.at if canary is not None else None,
            canary=canary.sentence if canary is not None else "",
        )

    @property
    def _config(self) -> str:
        """The configuration that it is about; empty where it is about several, or there is no other."""
        alone = len(self._chosen) == 1 and len(self._workspace.configurations) > 1
        return self._chosen[0].name if alone else ""

    def _channel(self, name: str) -> Channel:
        """What became of the last notification."""
        events = self._live.alerts.events(until=self._now + 1.0, limit=MOST_EVENTS)
        last = next((e for e in events if e.channel == name and e.what in ("sent", "failed")), None)
        if last is None:
            return Channel(name)
        return Channel(name, last.at, last.sentence if last.what == "failed" else "")

    # -- guardrails

    def guards(self) -> Guards:
        """Guardrails in the files, and what they did in live traffic of the last days."""
        from llmops_tui.engine.doctor_guards import guards_in_traffic

        names = dict.fromkeys(use.name for each in self._chosen for use in each.target.guardrails)
        if not names and self._opened is None:
            try:
                _ = self._live
            except StoreError:
                # There is none to be seen in live traffic either.
                return Guards()
        since = self._now - self._limits.reviewed_within_s
        seen, reviewed_at = guards_in_traffic(self._live, since, self._now, self._config)
        return Guards(tuple(names), seen, reviewed_at)


def kinds_of(configuration: Configuration) -> frozenset[str]:
    """Kinds of steps that every request of a configuration has."""
    kinds = {"model"}
    for step in configuration.target.steps:
        does = step.does
        if isinstance(does, RetrievalStep) or (isinstance(does, PromptStep) and does.retrieval is not None):
            kinds.add("retrieval")
        elif isinstance(does, ToolStep):
            kinds.add("tool")
    return frozenset(kinds)


def _is_quality(rule: AlertRule) -> bool:
    """It is about how good answers are: by scorers, or by what users say."""
    metric = metric_of(rule.metric)
    return metric is not None and metric.group in ("quality", "signals")
