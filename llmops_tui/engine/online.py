"""Online evals: the scorers of the workspace on a share of live traffic, inside a budget.

Requests come to rest, some of them are chosen, and the worker judges these: all beside the receiver, which
never waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain.case import Case
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import LlmopsError
from llmops_tui.domain.live.arrival import Batch, LiveScore
from llmops_tui.domain.live.judged import case_of, output_of
from llmops_tui.domain.live.listing import LiveRequest
from llmops_tui.domain.live.sampling import is_chosen, is_sampled
from llmops_tui.domain.live.settings import Sampling
from llmops_tui.domain.manifest import make_manifest
from llmops_tui.domain.program import Program, PromptStep, Step
from llmops_tui.engine import estimate as prices
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.worker_host import Aside
from llmops_tui.monitoring.pausing import pause
from llmops_tui.store.live import LiveStore
from llmops_tui.store.live.watch import JUDGED, PASSED_OVER, WAITS

#: A request has come to rest when nothing of it has come for so long.
REST_S = 10.0
#: Looked at in one go.
AT_ONCE = 500
#: Judged side by side.
ABREAST = 8
PAUSE_S = 2.0
#: Those that were passed over are judged after all where a bad signal comes within.
RECALL_S = 86_400.0
RECALL_EVERY_S = 30.0
#: Those that wait longer are let go: there is more than can be judged.
GIVE_UP_S = 2 * 86_400.0


class OnlineEvals:
    """Judges a sample of what comes in.

    Args:
        engine: with its workspace loaded; its worker judges.
        live: a connection of its own.
        say: told of faults, once each.
        clock: Unix seconds.
    """

    def __init__(
        self,
        engine: Engine,
        live: LiveStore,
        sampling: Sampling,
        say: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._live = live
        self._sampling = sampling
        self._say = say
        self._clock = clock
        self._said: set[str] = set()
        self._recent: list[float] = []
        self._recalled_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until it is told to stop."""
        while not stop.is_set():
            did = await self.step() if self._sampling.scorers else 0
            if not did:
                await pause(PAUSE_S, stop)

    async def step(self) -> int:
        """Choose among what has come to rest, judge some of what waits; gives how many were dealt with."""
        now = self._clock()
        chosen = self.choose(now)
        if not 0 <= now - self._recalled_at < RECALL_EVERY_S:
            if self._sampling.always:
                self._live.watch.recall(now - RECALL_S)
            self._live.watch.give_up(now - GIVE_UP_S)
            self._recalled_at = now
        return chosen + await self._judge_waiting(now)

    def choose(self, now: float) -> int:
        """Decide on requests that nobody has looked at; gives how many."""
        found = self._live.watch.undecided(now - REST_S, AT_ONCE)
        taken = [x.id for x in found if x.request.is_request and is_chosen(x.request, self._sampling)]
        self._live.watch.decide({x.id: PASSED_OVER for x in found} | dict.fromkeys(taken, WAITS))
        return len(found)

    async def _judge_waiting(self, now: float) -> int:
        room = self._room(now)
        waiting = self._live.watch.waiting(min(room, ABREAST)) if room > 0 else []
        results = await asyncio.gather(*(self._judge(each) for each in waiting))
        done = {each.id: result for each, result in zip(waiting, results, strict=True) if result is not None}
        if done:
            with self._live.transaction():
                self._live.ingest(
                    [Batch(scores=[s for result in done.values() for s in result])], self._clock()
                )
                self._live.watch.decide(dict.fromkeys(done, JUDGED))
        self._recent += [now] * len(done)
        # Where the worker can't, after a pause.
        return len(done) if len(done) == len(waiting) else 0

    def _room(self, now: float) -> int:
        """How many may be judged now: by the minute, and by the day's money."""
        limit = self._sampling.per_day_usd
        if limit is not None and self._live.watch.spent_since(prices.midnight(now)) >= limit:
            today = str(prices.midnight(now))
            self._tell(f"Online evals have used up today's {limit:g} USD; they go on at midnight.", today)
            return 0
        self._recent = [at for at in self._recent if now - 60 < at <= now]
        return self._sampling.per_minute - len(self._recent)

    async def _judge(self, live: LiveRequest) -> list[LiveScore] | None:
        """Scores of one request; None where the worker can't be had now."""
        trace = self._live.requests.trace(live.id)
        if trace is None or not trace.spans:
            return []
        case = case_of(live.request, trace, self._sampling.scorers)
        output = output_of(live.request, trace)
        if live.request.failed and not output.text and not output.tool_calls:
            return []  # no answer: an error, and neither good nor bad
        if any(guarded.ended for guarded in live.request.guarded.values()):
            return []  # what a guardrail says is no answer of the model's
        aside = Aside(lambda _text: None, lambda _said: None)

        def job(number: int) -> m.ScoreOnly:
            return m.ScoreOnly(number, output, case)

        try:
            configuration = self._base(case)
            self._engine.check_trust(configuration)
            evaluated = await self._engine.host.ask_aside(self._engine.workspace, configuration, job, aside)
        except LlmopsError as error:
            self._tell(f"Online evals wait: {error}")
            return None
        finally:
            self._engine.host.drop(aside)
        if self._sampling.per_day_usd is not None and None in aside.costs:
            self._tell(
                "Online evals: the price of a judge is not known, so it counts for nothing in per_day_usd."
            )
        source = "online" if is_sampled(live.request, self._sampling) else "worth"
        return _live_scores(live.request.trace_id, case, evaluated, aside, self._clock(), source)

    def _base(self, case: Case) -> Configuration:
        """Something for the worker to be set up for: nothing is asked but judges."""
        program = Program((Step("", PromptStep("", {})),))
        return Configuration("online", "", "", make_manifest([]), program, {}, (), (case,))

    def _tell(self, text: str, key: str = "") -> None:
        if (text + key) not in self._said:
            self._said.add(text + key)
            self._say(text)


def _live_scores(
    trace_id: str, case: Case, evaluated: m.Evaluated, aside: Aside, now: float, source: str
) -> list[LiveScore]:
    """Cost of the judges' calls goes to the first score: they are asked for the request, paid for once."""
    costs = [cost for cost in aside.costs if cost is not None]
    made = [
        LiveScore(trace_id, s.label, s.value, s.passed, s.reason, s.error or "", now, source)
        for s in evaluated.scores
    ]
    if evaluated.failure is not None:
        why = str(evaluated.failure)
        made = [LiveScore(trace_id, use.label, None, None, "", why, now, source) for use in case.scorers]
    if made and costs:
        made[0] = msgspec.structs.replace(made[0], cost_usd=sum(costs))
    return made
