"""The one retry policy: how many requests at once, how long to wait, when to give up.

Full jitter after Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015);
`Retry-After` after RFC 9110, section 10.2.3.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

from llmops_tui.domain.call import Failure
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.providers.base import Answer, CallFailed, Embedded, Listener

Given = TypeVar("Given", Answer, Embedded)

#: Longest wait that is sat out. A provider that asks for more fails the call, and says so.
MAX_WAIT_S = 60.0
BACKOFF_S = 0.5
#: Limits count by the minute: without `Retry-After`, a rate limit needs longer than a hiccup.
RATE_LIMIT_BACKOFF_S = 2.0
BACKOFF_CAP_S = 20.0
#: Attempts that follow at once, within one call.
MAX_AT_ONCE = 3


class AttemptFailed(Exception):
    """One attempt has no answer.

    Args:
        failure: what the person is told if it is the last one.
        retry: asking again may help.
        retry_after_s: what the provider asked for.
        at_once: what was in the way is gone (a stale connection, a form of the request that is not
            taken): ask again now, and don't count it as a retry.
    """

    def __init__(
        self,
        failure: Failure,
        *,
        retry: bool = False,
        retry_after_s: float | None = None,
        at_once: bool = False,
    ) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.retry = retry
        self.retry_after_s = retry_after_s
        self.at_once = at_once


class Clock:
    """Time as the policy sees it; tests bring their own."""

    def now(self) -> float:
        """Seconds, never set back."""
        return time.monotonic()

    def unix(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class RetryPolicy:
    """Runs attempts for one provider.

    A wait holds no place among the requests in flight. A rate limit holds back every request of
    the provider, not only the one that met it.
    """

    def __init__(
        self,
        setup: ProviderSetup,
        *,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """
        Args:
            jitter: a number in [0, 1), drawn for each wait.
        """
        self._setup = setup
        self._clock = clock or Clock()
        self._jitter = jitter
        self._places = asyncio.Semaphore(setup.concurrency)
        self._not_before = 0.0
        self._held_by = ""

    async def run(self, attempt: Callable[[], Awaitable[Given]], listener: Listener) -> Given:
        """The answer of the first attempt that has one.

        Raises:
            CallFailed: none had, or asking again is pointless.
        """
        sent = retries = at_once = 0
        while True:
            await self._take_place(listener)
            sent += 1
            sent_at = self._clock.unix()
            try:
                listener.sent(sent, sent_at)
                async with asyncio.timeout(self._setup.timeout_s):
                    answer = await attempt()
                return msgspec.structs.replace(answer, attempts=sent, sent_at=sent_at)
            except AttemptFailed as error:
                failed = error
            except TimeoutError:
                failed = AttemptFailed(self._timed_out(), retry=True)
            finally:
                self._places.release()
            if failed.at_once and at_once < MAX_AT_ONCE:
                at_once += 1
                continue
            if not failed.retry or retries >= self._setup.retries:
                raise CallFailed(_given_up(failed.failure, sent))
            await self._wait(failed, retries, sent, listener)
            retries += 1

    async def _take_place(self, listener: Listener) -> None:
        while True:
            await self._sit_out(listener)
            await self._places.acquire()
            if self._clock.now() >= self._not_before:
                return
            self._places.release()

    async def _sit_out(self, listener: Listener) -> None:
        """Wait as long as a rate limit holds the provider back."""
        while (wait_s := self._not_before - self._clock.now()) > 0:
            listener.waiting(self._held_by, self._clock.unix() + wait_s)
            await self._clock.sleep(wait_s)

    async def _wait(self, failed: AttemptFailed, retries: int, sent: int, listener: Listener) -> None:
        limited = failed.failure.kind == "rate_limit"
        asked_s = failed.retry_after_s
        if asked_s is not None and asked_s > MAX_WAIT_S:
            raise CallFailed(self._too_long(failed.failure, asked_s, sent))
        base_s = RATE_LIMIT_BACKOFF_S if limited and asked_s is None else BACKOFF_S
        # On top of what the provider asked for, so that not all come back at the same moment.
        wait_s = (asked_s or 0.0) + self._jitter() * min(BACKOFF_CAP_S, base_s * 2**retries)
        if limited or asked_s is not None:
            until = self._clock.now() + (wait_s if asked_s is None else asked_s)
            if until > self._not_before:
                self._not_before, self._held_by = until, failed.failure.message
        listener.waiting(failed.failure.message, self._clock.unix() + wait_s)
        await self._clock.sleep(wait_s)

    def _timed_out(self) -> Failure:
        name, limit_s = self._setup.name, self._setup.timeout_s
        return Failure(
            "timeout",
            f"{name} did not finish its answer within {limit_s:g} s",
            f"raise providers.{name}.timeout_s in llmops.yaml if the model needs longer",
            name,
        )

    def _too_long(self, failure: Failure, asked_s: float, sent: int) -> Failure:
        name = self._setup.name
        return msgspec.structs.replace(
            failure,
            message=f"{failure.message}; it asks to wait for {asked_s:.0f} s, and at most {MAX_WAIT_S:.0f} s"
            " are sat out",
            remedy=f"ask again later, or lower providers.{name}.concurrency in llmops.yaml",
            attempts=sent,
        )


def _given_up(failure: Failure, sent: int) -> Failure:
    if sent == 1:
        return failure
    return msgspec.structs.replace(failure, message=f"{failure.message} (asked {sent} times)", attempts=sent)


def retry_after_s(headers: Mapping[str, str], unix: float) -> float | None:
    """How long the provider asks to wait, in seconds; None where it does not say.

    Reads `retry-after-ms`, and `Retry-After` as seconds or as an HTTP date (held against the
    response's own `Date`, so that a clock that is off does no harm).

    Args:
        headers: of the response; keys are found whatever their case.
        unix: now.
    """
    lower = {k.lower(): v for k, v in headers.items()}
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(lower[name]) / unit
        except (KeyError, ValueError):
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    until = _http_date(lower.get("retry-after", ""))
    if until is None:
        return None
    return max(0.0, until - (_http_date(lower.get("date", "")) or unix))


def _http_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None
