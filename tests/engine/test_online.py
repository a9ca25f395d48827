"""Online evals: which live requests are judged, by whom, and what becomes of their scores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fake_openai import FakeOpenAI
from judge_bench import judge
from small_workspace import write_workspace

from llmops_tui.domain import messages as m
from llmops_tui.domain import semconv as a
from llmops_tui.domain.call import Failure
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.live.arrival import Arrived, Batch, Signal
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.sampling import is_sampled
from llmops_tui.domain.live.settings import Sampling
from llmops_tui.domain.live.tally import sum_of
from llmops_tui.domain.model import Usage
from llmops_tui.domain.trace import Span
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.online import ABREAST, OnlineEvals, _live_scores
from llmops_tui.engine.worker_host import Aside
from llmops_tui.store.live import LiveStore

NOW = 1_800_000_000.0
SHORT = ScorerUse("max_words", {"value": 3}, label="max_words")
ALL = LiveFilter(0, 1e12)


def trace(
    number: int, answer: str = "thirty days", *, feature: str = "refunds", failed: bool = False
) -> Batch:
    id_ = f"{number:032x}"
    root = Span(
        *(f"{number:016x}", "", "answer", "request", NOW, NOW + 1, "error" if failed else "ok"),
        attributes={a.FEATURE: feature, a.INPUT: "how long?", a.OUTPUT: answer},
    )
    documents = [
        {"id": "refunds.md", "source": "refunds.md", "position": 0, "score": 1.0, "content": "30 days"}
    ]
    found = Span(
        f"{number + 1:016x}", root.id, "find", "retrieval", NOW, NOW, attributes={a.DOCUMENTS: documents}
    )
    return Batch(spans=[Arrived(id_, root), Arrived(id_, found)])


class Desk:
    """A workspace, its live database, and the task."""

    def __init__(self, root: Path, sampling: Sampling, **parts: Any) -> None:
        self.engine = Engine.open(write_workspace(root, **parts))
        self.engine.load()
        self.live = LiveStore.open(root / ".llmops/live.db")
        self.said: list[str] = []
        self.now = NOW + 60
        self.task = OnlineEvals(self.engine, self.live, sampling, self.said.append, clock=lambda: self.now)

    def send(self, *batches: Batch) -> None:
        self.live.ingest(list(batches), NOW + 2)

    async def settle(self) -> None:
        while await self.task.step():
            pass

    @property
    def tally(self) -> Any:
        return sum_of(t for _b, _s, t in self.live.tallies(ALL, 3600))

    def close(self) -> None:
        self.engine.close()
        self.live.close()


@pytest.fixture
async def desks(tmp_path: Path) -> AsyncIterator[Any]:
    made: list[Desk] = []

    def make(sampling: Sampling, **parts: Any) -> Desk:
        made.append(Desk(tmp_path / "ws", sampling, **parts))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


async def test_a_sampled_request_is_judged_by_the_scorers_of_the_workspace(desks: Any) -> None:
    desk = desks(Sampling(1.0, scorers=(SHORT,)))
    desk.send(trace(16), trace(32, "a very long answer indeed"))
    await desk.settle()
    sums = desk.tally.scores["max_words"]
    assert (sums.decided, sums.passed, desk.tally.judged, desk.tally.passed) == (2, 1, 2, 1)
    (low,) = desk.live.requests.listed(LiveFilter(only="low"))
    (score,) = desk.live.requests.scores(low.id)
    assert score.source == "online"
    assert "5 " in score.reason


async def test_nothing_is_judged_before_it_has_come_to_rest(desks: Any) -> None:
    desk = desks(Sampling(1.0, scorers=(SHORT,)))
    desk.send(trace(16))
    desk.now = NOW + 5
    await desk.settle()
    assert desk.tally.judged == 0
    desk.now = NOW + 60
    await desk.settle()
    assert desk.tally.judged == 1


async def test_what_went_wrong_is_always_judged_and_is_no_part_of_the_rate(desks: Any) -> None:
    desk = desks(Sampling(0.0, scorers=(SHORT,)))
    desk.send(trace(16), trace(32, failed=True))
    await desk.settle()
    found = desk.live.requests.listed(LiveFilter(only="scored"))
    assert [x.request.failed for x in found] == [True]
    assert desk.tally.judged == 0
    assert desk.live.requests.scores(found[0].id)[0].source == "worth"


async def test_what_went_wrong_is_left_alone_where_only_a_sample_is_wanted(desks: Any) -> None:
    desk = desks(Sampling(0.0, always=False, scorers=(SHORT,)))
    desk.send(trace(16), trace(32, failed=True))
    await desk.settle()
    assert not desk.live.requests.listed(LiveFilter(only="scored"))


async def test_what_failed_without_an_answer_is_an_error_and_is_not_judged(desks: Any) -> None:
    desk = desks(Sampling(1.0, scorers=(SHORT,)))
    desk.send(trace(16), trace(32, "", failed=True))
    await desk.settle()
    assert (desk.tally.requests, desk.tally.failed, desk.tally.judged, desk.tally.passed) == (2, 1, 1, 1)


@pytest.mark.parametrize(("stage", "action", "judged"), [("input", "block", 0), ("context", "block", 1)])
async def test_what_a_guardrail_said_in_place_of_an_answer_is_not_judged(
    desks: Any, stage: str, action: str, judged: int
) -> None:
    desk = desks(Sampling(1.0, scorers=(SHORT,)))
    batch = trace(1)
    look = Span(
        *(f"{9:016x}", batch.spans[0].span.id, "injection", "guardrail", NOW, NOW),
        attributes={
            a.GUARDRAIL: "injection",
            a.TRIGGERED: True,
            a.GUARDRAIL_STAGE: stage,
            a.ACTION: action,
        },
    )
    desk.send(batch, Batch(spans=[Arrived(f"{1:032x}", look)]))
    await desk.settle()
    assert desk.tally.judged == judged


async def test_a_bad_signal_has_a_request_judged_that_was_passed_over(desks: Any) -> None:
    desk = desks(Sampling(0.0, scorers=(SHORT,)))
    desk.send(trace(16), trace(32))
    await desk.settle()
    assert not desk.live.requests.listed(LiveFilter(only="scored"))
    desk.send(Batch(signals=[Signal("s", "thumb", 0.0, NOW, f"{16:032x}")]))
    desk.now += 60
    await desk.settle()
    assert [x.request.trace_id for x in desk.live.requests.listed(LiveFilter(only="scored"))] == [
        f"{16:032x}"
    ]


async def test_each_feature_has_its_own_rate_and_the_choice_is_of_the_trace_alone(desks: Any) -> None:
    sampling = Sampling(0.0, {"refunds": 0.5}, scorers=(SHORT,))
    desk = desks(sampling)
    desk.send(*(trace(n * 16) for n in range(1, 101)), *(trace(n * 16, feature="x") for n in range(101, 120)))
    desk.task._sampling = Sampling(0.0, {"refunds": 0.5}, scorers=(SHORT,), per_minute=1000)
    await desk.settle()
    judged = {x.request.trace_id for x in desk.live.requests.listed(LiveFilter(only="scored"))}
    every = desk.live.requests.listed(ALL)
    assert judged == {x.request.trace_id for x in every if is_sampled(x.request, sampling)}
    assert 25 < len(judged) < 75
    assert all(x.request.feature == "refunds" for x in every if x.request.trace_id in judged)


async def test_no_more_than_so_many_a_minute(desks: Any) -> None:
    desk = desks(Sampling(1.0, scorers=(SHORT,), per_minute=3))
    desk.send(*(trace(n * 16) for n in range(1, 11)))
    await desk.settle()
    assert desk.tally.judged == 3
    desk.now += 61
    await desk.settle()
    assert desk.tally.judged == 6


def judged(desks: Any, server_url: str, **gateway: Any) -> tuple[Desk, ScorerUse]:
    """A desk whose scorer asks a judge of the fake server."""
    cases = [{"id": "c0", "vars": {"question": "x"}, "scorers": [judge("pass")]}]
    settings = {"providers": {"gateway": {"base_url": server_url, "retries": 0, **gateway}}}
    desk = desks(Sampling(1.0), settings=settings, cases=cases)
    assert not desk.engine.workspace.errors
    (use,) = desk.engine.configuration("bench").cases[0].scorers
    return desk, use


async def test_a_judge_is_asked_and_keeps_to_the_money_of_a_day(desks: Any) -> None:
    async with FakeOpenAI() as server:
        desk, use = judged(desks, server.url, price={"judge-pass": {"input": 1000, "output": 1000}})
        desk.task._sampling = Sampling(1.0, scorers=(use,), per_day_usd=0.0001)
        desk.send(*(trace(n * 16, f"answer {n}") for n in range(1, 101)))
        await desk.settle()
        asked = server.count
    assert 0 < asked <= ABREAST
    assert desk.tally.judged == desk.tally.passed == asked
    assert any("used up today's" in text for text in desk.said)
    assert desk.live.watch.spent_since(0) > 0


async def test_that_money_can_not_be_counted_is_told(desks: Any) -> None:
    async with FakeOpenAI() as server:
        desk, use = judged(desks, server.url)
        desk.task._sampling = Sampling(1.0, scorers=(use,), per_day_usd=1.0)
        desk.send(trace(16), trace(32, "another answer"))
        await desk.settle()
    assert [text for text in desk.said if "price of a judge is not known" in text] == desk.said
    assert len(desk.said) == 1


async def test_a_missing_key_is_told_once_and_nothing_is_lost(desks: Any) -> None:
    desk, use = judged(desks, "http://127.0.0.1:9/v1", api_key="${NO_SUCH_KEY}")
    desk.task._sampling = Sampling(1.0, scorers=(use,))
    desk.send(trace(16))
    await desk.task.step()
    await desk.task.step()
    assert len(desk.said) == 1
    assert "NO_SUCH_KEY" in desk.said[0]
    assert desk.live.watch.count_waiting() == 1


async def test_a_judge_that_fails_is_an_error_and_no_score(desks: Any) -> None:
    desk, use = judged(desks, "http://127.0.0.1:9/v1")
    desk.task._sampling = Sampling(1.0, scorers=(use,))
    desk.send(trace(16))
    await desk.settle()
    (request,) = desk.live.requests.listed(ALL)
    (score,) = desk.live.requests.scores(request.id)
    assert score.error
    assert score.value is None
    assert (desk.tally.judged, desk.live.watch.count_waiting()) == (0, 0)


async def test_it_stops_when_it_is_told_to(desks: Any) -> None:
    desk = desks(Sampling(1.0, scorers=(SHORT,)))
    stop = asyncio.Event()
    running = asyncio.create_task(desk.task.run(stop))
    stop.set()
    await asyncio.wait_for(running, 10)


async def test_a_request_whose_answer_takes_long_is_judged_when_it_is_there(desks: Any) -> None:
    """Steps are sent as they end: the root, and with it the answer, comes last."""
    desk = desks(Sampling(1.0, scorers=(SHORT,)))
    root, found = trace(16).spans
    desk.send(Batch(spans=[found]))
    await desk.settle()
    desk.live.ingest([Batch(spans=[root])], desk.now)
    desk.now += 60
    await desk.settle()
    (listed,) = desk.live.requests.listed(LiveFilter(only="scored"))
    assert desk.live.requests.scores(listed.id)[0].reason.startswith("2 ")


async def test_a_request_whose_root_never_comes_is_decided_on_all_the_same(desks: Any) -> None:
    desk = desks(Sampling(1.0, scorers=(SHORT,)))
    _root, found = trace(16).spans
    desk.send(Batch(spans=[found]))
    desk.now = NOW + 3_600
    await desk.settle()
    assert desk.live.watch.undecided(desk.now, 10) == []


async def test_what_went_wrong_is_left_alone_where_nobody_asked_for_it(desks: Any) -> None:
    desk = desks(Sampling(0.0, always=False, scorers=(SHORT,)))
    desk.send(trace(16), trace(32, failed=True))
    await desk.settle()
    desk.send(Batch(signals=[Signal("s", "thumb", 0.0, NOW, f"{16:032x}")]))
    await desk.settle()
    assert not desk.live.requests.listed(LiveFilter(only="scored"))


def test_what_a_judge_cost_before_it_failed_counts_towards_the_money_of_the_day() -> None:
    aside = Aside(lambda _text: None, lambda _said: None)
    aside.spent.append(m.Spent(1, "gateway", "e", Usage(3, 0), 0.25))
    evaluated = m.Evaluated(1, None, failure=Failure("internal", "broken"))
    case = Case(f"{16:032x}", {}, None, (SHORT, SHORT))
    scores = _live_scores(case.id, case, evaluated, aside, NOW, "online")
    assert [score.cost_usd for score in scores] == [0.25, None]
