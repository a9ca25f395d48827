"""The demo's day: what is planted is found, and nothing else. Answers are made up here; the rest is real."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from llmops_tui.domain import semconv as a
from llmops_tui.domain.live.alert_event import AlertEvent
from llmops_tui.domain.output import Output
from llmops_tui.domain.run import VersionInfo
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.engine import demo_live
from llmops_tui.engine.demo_answers import Answered
from llmops_tui.engine.demo_live import Clock, _collecting, _Passing
from llmops_tui.engine.demo_questions import QUESTIONS
from llmops_tui.engine.demo_traffic import Deployment, Sent, day, spread
from llmops_tui.engine.engine import Engine

MIDNIGHT = 1_790_000_000.0 // 86_400 * 86_400


def answers(number: int, wrong: int) -> tuple[Answered, ...]:
    """So many of them say something that is in no document."""
    made = []
    for n, question in enumerate(QUESTIONS):
        right = n % 10 >= wrong
        true = f"The shop says about {question.feature} that it is {question.expected}."
        text = true if right else "Forty-two purple elephants dance on Tuesday evenings."
        documents = [
            {
                "id": "d",
                "source": "d.md",
                "position": 0,
                "score": 1.0,
                "content": true,
            }
        ]
        about = {a.CONFIG: "helpdesk", a.VERSION: f"v{number}", a.INPUT: question.text, a.OUTPUT: text}
        messages = [{"role": "user", "parts": [{"type": "text", "content": question.text}]}]
        said = [{"role": "assistant", "parts": [{"type": "text", "content": text}]}]
        call = {
            a.MODEL: "m",
            a.PROVIDER: "p",
            a.COST: 0.001,
            a.INPUT_MESSAGES: messages,
            a.OUTPUT_MESSAGES: said,
        }
        took = 1.0 + n % 7 / 10
        spans = (
            Span("1" * 16, "", "request", "request", 10.0, 10.1 + took, attributes=about),
            Span("2" * 16, "1" * 16, "find", "retrieval", 10.0, 10.1, attributes={a.DOCUMENTS: documents}),
            Span("3" * 16, "1" * 16, "chat", "model", 10.1, 10.1 + took, attributes=call),
        )
        version = VersionInfo(number, "helpdesk", number, f"h{number}", 0.0)
        made.append(Answered(question, version, Output(text), Trace("a" * 32, "", spans), right))
    return tuple(made)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    demo_live.make(tmp_path / "no-demo", tmp_path / "ws")
    engine = Engine.open(tmp_path / "ws")
    engine.load()
    assert not engine.workspace.errors
    return engine


async def passed(
    engine: Engine, deployments: list[Deployment], slow: bool, more: list[Sent] | None = None
) -> _Passing:
    clock = Clock(MIDNIGHT)
    sent = day(MIDNIGHT, deployments, [demo_live.SLOW] if slow else [], requests=2_400)
    sent = sorted([*sent, *(more or [])], key=lambda each: each.at)
    with _collecting(engine, clock, lambda _text: None) as (collector, live):
        await collector.start()
        stop = asyncio.Event()
        serving = asyncio.create_task(collector.run(stop, []))
        passing = _Passing(engine, live, collector, clock, lambda _text: None, MIDNIGHT)
        await passing.send(sent, step_minutes=10)
        stop.set()
        await serving
        assert live.counts()["requests"] == len(sent)
        assert collector.figures.spans == sum(len(each.trace.spans) for each in sent)
    engine.close()
    return passing


def hours(passing: _Passing, what: str) -> dict[str, float]:
    return {e.rule: round((e.at - MIDNIGHT) / 3_600, 2) for e in passing.events if e.what == what}


async def test_the_bad_deployment_and_the_slow_hour_are_found_and_nothing_else(engine: Engine) -> None:
    good, bad = answers(1, 1), answers(2, 7)
    deployments = [Deployment(0, good), Deployment(12, bad), Deployment(14.5, good)]
    passing = await passed(engine, deployments, slow=True)
    fired = hours(passing, "fired")
    assert set(fired) == {"answers", "slow", "regression helpdesk v2"}
    assert 12 < fired["answers"] < 14.5
    assert 12 < fired["regression helpdesk v2"] < 14.5
    assert 18 < fired["slow"] < 19.5
    assert set(hours(passing, "cleared")) | set(hours(passing, "ended")) == set(fired)
    assert passing.rollout is not None
    assert (passing.rollout.old, passing.rollout.new, passing.rollout.verdict) == ("v1", "v2", "fail")


async def test_a_day_on_which_nothing_happens_is_quiet(engine: Engine) -> None:
    passing = await passed(engine, [Deployment(0, answers(1, 1)), Deployment(12, answers(2, 1))], slow=False)
    assert passing.events == []


async def test_a_wave_of_attempts_is_found_and_is_over_afterwards(engine: Engine) -> None:
    good, look = answers(1, 1), {a.GUARDRAIL: "injection", a.GUARDRAIL_STAGE: "input"}
    tried = []
    for n, each in enumerate(good[:10]):
        attributes = {**look, a.TRIGGERED: n < 5}
        span = Span("4" * 16, "1" * 16, "injection", "guardrail", 10.0, 10.0, attributes=attributes)
        tried.append(
            structs.replace(each, trace=structs.replace(each.trace, spans=(*each.trace.spans, span)))
        )
    more = spread(MIDNIGHT, tried, demo_live.WAVE_SINCE, demo_live.WAVE_UNTIL, demo_live.WAVE_ATTEMPTS, 1)
    deployments = [Deployment(0, good), Deployment(12, answers(2, 1))]
    passing = await passed(engine, deployments, slow=False, more=more)
    fired = hours(passing, "fired")
    assert set(fired) == {"guardrails"}
    assert demo_live.WAVE_SINCE < fired["guardrails"] < demo_live.WAVE_UNTIL
    assert set(hours(passing, "cleared")) == {"guardrails"}


async def test_what_is_noticed_later_and_was_earlier_is_told_once_like_all_else(engine: Engine) -> None:
    clock, said = Clock(MIDNIGHT), []
    with _collecting(engine, clock, said.append) as (collector, live):
        await collector.start()
        passing = _Passing(engine, live, collector, clock, said.append, MIDNIGHT)
        for rule, at in (("regression helpdesk v2", 900.0), ("answers", 600.0), ("slow", 1_200.0)):
            event = AlertEvent(rule, "fired", MIDNIGHT + at, "critical", "pass_rate", "it fell")
            live.alerts.keep({}, [event])
            passing._tell()
        await collector.close()
    assert [e.rule for e in passing.events] == ["regression helpdesk v2", "answers", "slow"]
