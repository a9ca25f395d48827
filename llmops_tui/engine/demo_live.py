"""A day of live traffic in the demo: a version that should not have been deployed, a slow provider, and
somebody who tries to give the model other orders.

Answers are the embedded model's, asked beforehand; the clock is sped up. All else is what `collect` does:
requests arrive over OTLP, are judged, watched and alerted on. Nothing here knows what will be found.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.live.arrival import Batch
from llmops_tui.domain.run import VersionInfo
from llmops_tui.engine import demo
from llmops_tui.engine.demo_answers import Answered, ask
from llmops_tui.engine.demo_questions import QUESTIONS
from llmops_tui.engine.demo_traffic import DAY_S, Deployment, Sent, Slowdown, day, spread
from llmops_tui.engine.demo_wave import ATTEMPTS, GUARDRAIL, HARMLESS, Wave, after_the_wave
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import AskFirst, GateRequest
from llmops_tui.engine.gating import Gate, GateOutcome

if TYPE_CHECKING:
    from llmops_tui.domain.live.alert_event import AlertEvent
    from llmops_tui.domain.live.rollout_view import RolloutView
    from llmops_tui.engine.live_cases import Kept
    from llmops_tui.monitoring.collector import Collector
    from llmops_tui.monitoring.queue import Queued
    from llmops_tui.store.live import Ingested, LiveStore

#: What is planted, in hours of the day: a deployment at noon that is taken back, and a slow provider.
DEPLOYED, TAKEN_BACK = 12.0, 14.5
SLOW = Slowdown(18.0, 19.5, 3.0)
#: Attempts: many in the evening, and a few at any time, as there always are; and what only looks like one.
WAVE_SINCE, WAVE_UNTIL, WAVE_ATTEMPTS = 20.5, 22.5, 150
STRAY_ATTEMPTS, LOOK_ALIKES = 8, 40
#: The deployment's edit of the prompt: somebody tidied up, and the documents are gone.
BAD_EDIT = ("Context:\n{{ context }}\n\n", "")
SETTINGS = """
# Live traffic: judged by words of what was retrieved, so that nothing is asked for it.
live:
  sample: {rate: 1.0, scorers: [{faithfulness: {method: words}}]}

alerts:
  - {name: answers, metric: pass_rate, window: 1h, decrease: 15%, severity: critical}
  - {name: slow, metric: latency_p95, window: 15m, increase: 50%}
  - {name: errors, metric: error_rate, window: 30m, above: 5%}
  - {name: refusals, metric: refusal_rate, window: 1h, above: 10%}
  - {name: cost, metric: cost_per_request, window: 1h, increase: 50%}
  - {name: guardrails, metric: guardrail_rate, window: 1h, increase: 100%}
"""
#: Requests that become cases.
CASES = 3
MINUTE_S = 60.0
REGRESSIONS_EVERY = 10

Say = Callable[[str], None]


class LiveDay(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        good, bad: the versions.
        midnight: when the day began, Unix seconds.
        events: what fired and was over, in order.
        rollout: the bad version against the good one, as it stood before it was taken back.
        queued: requests most worth a look.
        cases: written from the first of them.
        outcome: of the gate on the bad version, with these cases.
        wave: what came of the attempts of the evening.
    """

    good: VersionInfo
    bad: VersionInfo
    midnight: float
    requests: int
    spans: int
    signals: int
    events: tuple[AlertEvent, ...]
    rollout: RolloutView
    queued: tuple[Queued, ...]
    cases: tuple[Kept, ...]
    outcome: GateOutcome
    wave: Wave

    @property
    def planted(self) -> tuple[str, ...]:
        """What is wrong with the day, as sentences."""
        return (
            f"from {_clock(DEPLOYED)} to {_clock(TAKEN_BACK)} {self.bad.name} answers: {self.good.name} "
            "without the documents in its prompt",
            f"from {_clock(SLOW.since_hour)} to {_clock(SLOW.until_hour)} the provider takes "
            f"{SLOW.factor:g} times as long",
            f"from {_clock(WAVE_SINCE)} to {_clock(WAVE_UNTIL)} somebody tries {WAVE_ATTEMPTS} times to give "
            "the model other orders",
        )


def _clock(hour: float) -> str:
    return f"{int(hour):02}:{round(hour % 1 * 60):02}"


class Clock:
    """The sped-up clock."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def yesterday(now: float) -> float:
    """When yesterday began here, Unix seconds."""
    day = time.localtime(now)
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday - 1, 0, 0, 0, 0, 0, -1))


def make(source: Path, target: Path) -> None:
    """The demo's workspace anew in `target`, with settings for live traffic; known answers come along.

    Raises:
        UsageError: it can't be made, or the folder holds something else.
    """
    from llmops_tui.engine.demo_verdicts import copy
    from llmops_tui.workspace import trust

    if target.exists() and any(target.iterdir()):
        if not (target / "configs" / f"{demo.CONFIG}.yaml").is_file():
            raise UsageError(Problem(f"{target} holds something else", "name another folder"))
        shutil.rmtree(target)
    copy(source, target)
    trust.trust(target)
    file = target / "llmops.yaml"
    file.write_text(file.read_text("utf-8") + SETTINGS, "utf-8")
    config = target / "configs" / f"{demo.CONFIG}.yaml"
    config.write_text(config.read_text("utf-8") + GUARDRAIL, "utf-8")


async def live_day(engine: Engine, say: Say, emit: Any, *, requests: int = 2_400) -> LiveDay:
    """Send the day, and do what a team would do about it.

    Args:
        engine: on a folder that `make` made.
        say: told how it goes, a line at a time.
        emit: hears of runs.

    Raises:
        LlmopsError: the model can't be had.
    """
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore

    say("The baseline, on its eval set …")
    await demo.evaluate(engine, emit)
    good = engine.store.versions.set_baseline(engine.version(engine.configuration(demo.CONFIG)).id)
    prompt = engine.root / demo.PROMPT
    written = prompt.read_text("utf-8")
    assert BAD_EDIT[0] in written
    prompt.write_text(written.replace(*BAD_EDIT), "utf-8")
    engine.load()
    bad = engine.version(engine.configuration(demo.CONFIG))
    say(f"{bad.name} is {good.name} without the documents in its prompt; nobody runs the gate on it.")
    say(f"What {len(QUESTIONS)} customers' questions are answered by either, on the embedded model …")
    answers = [tuple(await ask(engine, version, QUESTIONS)) for version in (good, bad)]
    tried, alike = [await ask(engine, good, questions) for questions in (ATTEMPTS, HARMLESS)]
    midnight = yesterday(time.time())
    deployments = [Deployment(0, answers[0]), Deployment(DEPLOYED, answers[1])]
    deployments.append(Deployment(TAKEN_BACK, answers[0]))
    sent = day(midnight, deployments, [SLOW], requests=requests)
    sent += spread(midnight, tried, WAVE_SINCE, WAVE_UNTIL, WAVE_ATTEMPTS, 1)
    sent += spread(midnight, tried, 0, WAVE_SINCE, STRAY_ATTEMPTS, 2)
    sent += spread(midnight, alike, 0, 24, LOOK_ALIKES, 3)
    sent.sort(key=lambda each: each.at)
    clock = Clock(midnight)
    with _collecting(engine, clock, say) as (collector, live):
        await collector.start()
        stop = asyncio.Event()
        serving = asyncio.create_task(collector.run(stop, []))
        try:
            passing = _Passing(engine, live, collector, clock, say, midnight)
            await passing.send(sent)
        finally:
            stop.set()
            await serving
        queued = passing.queued()
        cases = _cases(engine, live, queued, answers[1])
    say(f"{len(cases)} of the worst become cases; the gate judges {bad.name} again …")
    engine.load()
    outcome = await Gate(engine).gate(GateRequest(demo.CONFIG), emit)
    if isinstance(outcome, AskFirst):
        raise UsageError(outcome.why)
    prompt.write_text(written, "utf-8")
    with LiveStore.open(engine.root / LIVE_DATABASE) as live:
        wave = await after_the_wave(engine, live, midnight + DAY_S, say, emit)
    figures = collector.figures
    assert passing.rollout is not None
    return LiveDay(
        *(good, bad, midnight, len(sent), figures.spans, figures.signals, tuple(passing.events)),
        *(passing.rollout, tuple(queued), tuple(cases), outcome, wave),
    )


class _At:
    """The database, with arrivals at the time of the sped-up clock."""

    def __init__(self, store: LiveStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def ingest(self, batches: Sequence[Batch], _now: float) -> Ingested:
        return self._store.ingest(batches, self._clock())

    def close(self) -> None:
        self._store.close()


@contextmanager
def _collecting(engine: Engine, clock: Clock, say: Say) -> Iterator[tuple[Collector, LiveStore]]:
    from llmops_tui.engine.collecting import collector_of, taking_in
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore

    settings, intake = taking_in(engine.root)
    path = engine.root / LIVE_DATABASE
    collector = collector_of(
        *(engine.root, settings),
        host=None,
        port=0,
        say=say,
        intake=intake,
        writer=lambda: _At(LiveStore.open(path), clock),
    )
    with LiveStore.open(path) as live:
        yield collector, live


class _Passing:
    """The day as it passes: minute by minute, traffic arrives, and what works beside the collector works."""

    def __init__(
        self, engine: Engine, live: LiveStore, collector: Collector, clock: Clock, say: Say, midnight: float
    ) -> None:
        from llmops_tui.engine.online import OnlineEvals
        from llmops_tui.monitoring.alerting import AlertTask
        from llmops_tui.monitoring.regressions import RegressionTask
        from llmops_tui.tracing import Sender

        live_settings = engine.workspace.live
        self._live = live
        self._clock = clock
        self._say = say
        self._midnight = midnight
        self._url = collector.url
        self._sender = Sender(collector.url)
        self._alerts = AlertTask(engine.root, live_settings, clock=clock)
        self._regressions = RegressionTask(engine.root, live_settings, clock=clock)
        self._online = OnlineEvals(engine, live, live_settings.sampling, say, clock=clock)
        self._told: set[tuple[str, str, float]] = set()
        self.events: list[AlertEvent] = []
        self.rollout: RolloutView | None = None

    async def send(self, sent: Sequence[Sent], step_minutes: int = 2) -> None:
        """Let the day pass.

        Args:
            step_minutes: how long the clock stands between two looks; alerts catch up on every minute.
        """
        waiting = list(sent)
        signals = sorted((s for each in sent for s in each.signals), key=lambda s: s.at)
        for minute in range(step_minutes, int(DAY_S / MINUTE_S) + 1, step_minutes):
            self._clock.at = self._midnight + minute * MINUTE_S
            arrived = _taken(waiting, lambda each: each.at < self._clock.at)
            said = _taken(signals, lambda each: each.at < self._clock.at)
            if arrived:
                await asyncio.to_thread(self._sender.send, [each.trace for each in arrived])
            if said:
                await asyncio.to_thread(_post_signals, self._url, said)
            while await self._online.step():
                pass
            await self._alerts.look()
            if minute % REGRESSIONS_EVERY == 0:
                await self._regressions.look()
            self._tell()
            if minute == int(TAKEN_BACK * 60):
                self.rollout = self._rollout()

    def _tell(self) -> None:
        """What has fired or is over since the last time."""
        events = [e for e in self._live.alerts.events(limit=500) if e.what in ("fired", "cleared", "ended")]
        # Rules look some minutes back: what is noticed later may have been earlier.
        for event in sorted(events, key=lambda event: event.at):
            key = (event.rule, event.what, event.at)
            if key in self._told:
                continue
            self._told.add(key)
            hour = (self._clock.at - self._midnight) / 3_600
            self._say(f"{_clock(hour)}  {event.what:<8} {event.rule}: {event.sentence}")
            self.events.append(event)

    def _rollout(self) -> RolloutView:
        from llmops_tui.domain.live.listing import LiveFilter
        from llmops_tui.monitoring.rollout import rollout

        wanted = LiveFilter(since=self._midnight, until=self._clock.at, config=demo.CONFIG)
        return rollout(self._live, wanted, self._clock.at)

    def queued(self) -> list[Queued]:
        from llmops_tui.domain.live.listing import LiveFilter
        from llmops_tui.monitoring.queue import queue

        return queue(self._live, LiveFilter(since=self._midnight), 10)


def _taken(waiting: list[Any], is_due: Callable[[Any], bool]) -> list[Any]:
    """Those at the front that are due, taken away."""
    count = next((n for n, each in enumerate(waiting) if not is_due(each)), len(waiting))
    due, waiting[:] = waiting[:count], waiting[count:]
    return due


def _post_signals(url: str, signals: Sequence[Any]) -> None:
    from urllib.request import Request, urlopen

    body = msgspec.json.encode([msgspec.to_builtins(signal) for signal in signals])
    request = Request(f"{url}/signals", body, {"Content-Type": "application/json"}, method="POST")
    with urlopen(request, timeout=30):
        pass


def _cases(
    engine: Engine, live: LiveStore, queued: Sequence[Queued], answers: Sequence[Answered]
) -> list[Kept]:
    """The worst requests with an answer that somebody knows, each question once, as cases of the eval set."""
    from llmops_tui.engine import live_cases

    known = {each.question.text: each.question for each in answers}
    kept: list[Kept] = []
    for each in queued:
        request = each.listed.request
        trace = live.requests.trace(each.listed.id)
        question = known.pop(request.input, None)
        if trace is None or question is None:
            continue
        new = live_cases.case_of_request(
            *(engine, demo.CONFIG, request, trace), expected=question.expected, id_=f"live-{question.id}"
        )
        new = live_cases.with_scorers(engine, new, live_cases.LIVE_FILE)
        kept.append(live_cases.keep(engine, demo.CONFIG, new, live_cases.LIVE_FILE))
        engine.load()
        if len(kept) == CASES:
            break
    return kept
