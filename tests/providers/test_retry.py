"""The retry policy: how many at once, how long a wait is, whom a rate limit holds back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider_endpoint import NoWait, Remembers, gateway

from llmops_tui.domain.call import Failure
from llmops_tui.providers.base import Answer, CallFailed
from llmops_tui.providers.retry import BACKOFF_CAP_S, AttemptFailed, RetryPolicy, retry_after_s

BUSY = AttemptFailed(Failure("unavailable", "busy"), retry=True)
LIMITED = AttemptFailed(Failure("rate_limit", "slow down"), retry=True, retry_after_s=5.0)


def failing(*failures: AttemptFailed) -> Callable[[], Awaitable[Answer]]:
    """An attempt that fails in these ways, one after the other, and then answers."""
    left = list(failures)

    async def attempt() -> Answer:
        if left:
            raise left.pop(0)
        return Answer("done")

    return attempt


async def run(clock: NoWait, attempt: Callable[[], Awaitable[Answer]], **settings: object) -> Answer:
    return await RetryPolicy(gateway("", **settings), clock=clock, jitter=lambda: 1.0).run(
        attempt, Remembers()
    )


async def test_waits_double_up_to_a_cap(clock: NoWait) -> None:
    answer = await run(clock, failing(*[BUSY] * 8), retries=8)
    assert clock.slept == [0.5, 1, 2, 4, 8, 16, BACKOFF_CAP_S, BACKOFF_CAP_S]
    assert answer.attempts == 9


async def test_jitter_may_be_anything_from_nothing_to_the_whole_wait(clock: NoWait) -> None:
    drawn = iter([0.0, 0.25, 0.5])
    policy = RetryPolicy(gateway("", retries=3), clock=clock, jitter=lambda: next(drawn))
    await policy.run(failing(BUSY, BUSY, BUSY), Remembers())
    assert clock.slept == [0.0, 0.25, 1.0]


async def test_no_retries_means_none(clock: NoWait) -> None:
    with pytest.raises(CallFailed) as caught:
        await run(clock, failing(BUSY), retries=0)
    assert (caught.value.failure.message, caught.value.failure.attempts) == ("busy", 1)
    assert clock.slept == []


async def test_a_rate_limit_without_a_time_waits_longer_than_a_hiccup(clock: NoWait) -> None:
    limited = AttemptFailed(Failure("rate_limit", "slow down"), retry=True)
    await run(clock, failing(limited, limited))
    assert clock.slept == [2.0, 4.0]


async def test_attempts_at_once_take_no_retry_and_have_an_end(clock: NoWait) -> None:
    again = AttemptFailed(Failure("refused_request", "not like this"), at_once=True)
    assert (await run(clock, failing(again, again), retries=0)).attempts == 3
    with pytest.raises(CallFailed):
        await run(clock, failing(*[again] * 99), retries=0)
    assert clock.slept == []


async def test_a_rate_limit_holds_back_the_whole_provider(clock: NoWait) -> None:
    policy = RetryPolicy(gateway(""), clock=clock, jitter=lambda: 0.5)
    left_at: list[float] = []

    async def later() -> Answer:
        left_at.append(clock.now())
        return Answer("later")

    listener = Remembers()
    start = clock.now()
    limited = asyncio.create_task(policy.run(failing(LIMITED), Remembers()))
    await asyncio.sleep(0)
    await policy.run(later, listener)
    await limited
    assert left_at[0] >= start + 5.0
    assert listener.waits[0][0] == "slow down"


async def test_a_wait_holds_no_place(clock: NoWait) -> None:
    """With one place, another request is answered while the first waits for its second attempt."""
    policy = RetryPolicy(gateway("", concurrency=1), jitter=lambda: 1.0, clock=clock)
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await go_on.wait()

    clock.sleep = sleep  # type: ignore[method-assign]
    first = asyncio.create_task(policy.run(failing(BUSY), Remembers()))
    await waiting.wait()
    assert (await policy.run(failing(), Remembers())).text == "done"
    assert not first.done()
    go_on.set()
    assert (await first).text == "done"


async def test_a_request_that_is_cancelled_gives_its_place_back(clock: NoWait) -> None:
    policy = RetryPolicy(gateway("", concurrency=1), clock=clock)

    async def never() -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    task = asyncio.create_task(policy.run(never, Remembers()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await policy.run(failing(), Remembers())).text == "done"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "2"}, 2.0),
        ({"RETRY-AFTER": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "in a while"}, None),
        # RFC 9110's own example, held against the response's date and against ours.
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT", "date": "Fri, 31 Dec 1999 23:59:29 GMT"}, 30.0),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, 59.0),
        ({"retry-after": "Fri, 31 Dec 1999 23:00:00 GMT"}, 0.0),
    ],
)
def test_retry_after_as_providers_write_it(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, unix=946_684_740.0) == seconds


@given(st.text(), st.text(), st.text())
def test_no_header_is_too_odd(ms: str, seconds: str, date: str) -> None:
    found = retry_after_s({"retry-after-ms": ms, "retry-after": seconds, "date": date}, 0.0)
    assert found is None or found >= 0
