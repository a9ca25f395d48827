"""One run under way: jobs out, results in, batches to the store, events to whoever listens.

Results are shown only once they are committed. A run that is superseded hands over the jobs that
its successor still wants and cancels the rest.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Call, Draw
from llmops_tui.domain.errors import StoreError
from llmops_tui.domain.output import Output
from llmops_tui.domain.run import Item, RunInfo, RunState
from llmops_tui.domain.score import Score, Status, combine
from llmops_tui.engine.events import Event, ItemsDone, Progress
from llmops_tui.engine.plan import Slot
from llmops_tui.engine.worker_client import Ticket, WorkerClient
from llmops_tui.store import OutputRow, Result, Store

#: Results of this time are committed together: a person sees no difference, the disk does.
BATCH_S = 0.03
PROGRESS_EVERY_S = 0.15
#: The rate is told over the last results of this time.
RATE_WINDOW_S = 5.0


class Todo(msgspec.Struct):
    """A slot with work left.

    Attributes:
        output_id, output, scores: what is there already; then only `missing` scorers run.
        remade: the output that is there, on which a guardrail failed itself: another may take its place.
        known: the item of that, which stays where there is no other.
    """

    slot: Slot
    job_key: str
    output_id: int | None = None
    output: Output | None = None
    scores: tuple[Score, ...] = ()
    missing: tuple[int, ...] = ()
    ticket: Ticket | None = None
    remade: OutputRow | None = None
    known: Item | None = None


class Runner:
    """Carries out the work of one run.

    Args:
        make_job: a todo → the job, its blobs and their key.
        already_done, to_do: rows, for the progress.
        spend_limit_usd: what it may cost; past that, what was not sent is cancelled.
    """

    def __init__(
        self,
        store: Store,
        client: WorkerClient,
        run: RunInfo,
        emit: Callable[[Event], None],
        make_job: Callable[[Todo, int], tuple[m.Evaluate | m.ScoreOnly, dict[str, str], str]],
        *,
        already_done: int = 0,
        to_do: int = 0,
        spend_limit_usd: float | None = None,
    ) -> None:
        self.run = run
        self._store = store
        self._client = client
        self._emit = emit
        self._make_job = make_job
        self.spend_limit_usd = spend_limit_usd
        self._open: dict[str, Todo] = {}
        self._results: list[Result] = []
        self._calls: list[Call] = []
        self._recent_calls: dict[tuple[str, Draw], Call] = {}
        self._made: dict[tuple[str, Draw], m.Made] = {}
        self._flush_at: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._started = time.monotonic()
        self._cancelled = False
        self._fault: StoreError | None = None
        self._in_flight: set[int] = set()
        self._asked: set[int] = set()
        self._waiting: dict[int, m.Waiting] = {}
        self._finished_at: deque[float] = deque()
        self._last_progress = 0.0
        self.done = already_done
        self.total = already_done + to_do
        self.provider_calls = 0
        self.unasked = 0
        self.errors = 0
        self.cost_usd: float | None = 0.0
        #: Of what has a known price: the least that it cost, which the limit is held against.
        self.known_cost_usd = 0.0
        self.over_budget = False
        self.failures: list[str] = []

    # -- the run

    async def carry_out(self, todos: Sequence[Todo], adopted: dict[str, Ticket]) -> RunState:
        """Do all of it. Returns `complete`, or `cancelled` when it was cut short.

        May be called again for further parts, one at a time.

        Raises:
            StoreError: the database can't be read or written (a full disk); nothing more was asked.
        """
        self.total = max(self.total, self.done + len(todos))
        if not todos or self._cancelled:
            return "cancelled" if self._cancelled else "complete"
        self._idle.clear()
        for todo in todos:
            self._open[todo.job_key] = todo
        for todo in todos:
            ticket = adopted.get(todo.job_key)
            if ticket is None:
                job, blobs, blobs_key = self._make_job(todo, self._client.next_number())
                ticket = self._client.submit(job, blobs, blobs_key)
            todo.ticket = ticket
            ticket.future.add_done_callback(lambda f, t=todo: self._ended(t, f.result()))  # type: ignore[misc]
        ticker = asyncio.create_task(self._tick())
        try:
            await self._idle.wait()
        finally:
            ticker.cancel()
            self.flush()
        if self._fault is not None:
            raise self._fault
        self._progress()
        return "cancelled" if self._cancelled else "complete"

    def cancel(self) -> None:
        """Stop what is not done; what is done stays."""
        self._cancelled = True
        tickets = [t.ticket for t in self._open.values() if t.ticket is not None]
        self._open.clear()
        self._client.cancel(tickets)
        self._idle.set()

    def hand_over(self, wanted: set[str]) -> dict[str, Ticket]:
        """Give up the open jobs that a successor wants, and cancel the rest."""
        given = {
            key: todo.ticket
            for key, todo in self._open.items()
            if key in wanted and todo.ticket is not None and not todo.ticket.future.done()
        }
        for key in given:
            del self._open[key]
        self.cancel()
        return given

    def _ended(self, todo: Todo, evaluated: m.Evaluated) -> None:
        if self._open.pop(todo.job_key, None) is None:
            return
        self._in_flight.discard(evaluated.job)
        self._waiting.pop(evaluated.job, None)
        if evaluated.failure is None and evaluated.job not in self._asked and not _ran_code(todo):
            self.unasked += 1
        self._results.append(self._result(todo, evaluated))
        self.done += 1
        self._finished_at.append(time.monotonic())
        self._schedule_flush()
        if not self._open:
            self._idle.set()

    def _result(self, todo: Todo, evaluated: m.Evaluated) -> Result:
        slot = todo.slot
        failure = evaluated.failure
        output = evaluated.output if isinstance(_job(todo), m.Evaluate) else todo.output
        scores = evaluated.scores
        if todo.output is not None and failure is None:
            fresh = iter(scores)
            scores = tuple(next(fresh) if i in todo.missing else s for i, s in enumerate(todo.scores))
        if failure is not None:
            output = None
            self.errors += 1
            self._failed(str(failure))
        status: Status = "error"
        score = None
        if output is not None:
            status, score = _judged(scores)
        if output is not None and status == "error":
            self.errors += 1
            for each in scores:
                if each.error is not None:
                    names_it = each.error.startswith((f"{each.label} ", f"{each.label}:"))
                    self._failed(each.error if names_it else f"{each.label}: {each.error}")
        item = Item(
            case_id=slot.case.id,
            model=slot.model.id,
            trial=slot.trial,
            status=status,
            score=score,
            failure=str(failure) if failure is not None else None,
            latency_s=output.latency_s if output is not None else None,
            cost_usd=output.cost_usd if output is not None else None,
            extra=slot.extra,
        )
        if failure is not None and todo.known is not None:
            item = todo.known
        return Result(
            position=slot.position,
            content_key=slot.key,
            generation=todo.remade.generation if todo.remade is not None else self.run.generation,
            output_id=todo.output_id,
            output=output if todo.output_id is None else None,
            scores=evaluated.scores if failure is None else (),
            failure=failure,
            item=item,
            score_keys=slot.score_keys,
            spans=evaluated.spans,
            began_at=evaluated.began_at,
            instead_of=todo.remade.output_id if todo.remade is not None else None,
        )

    def _failed(self, why: str) -> None:
        if len(self.failures) < 20 and why not in self.failures:
            self.failures.append(why)

    # -- what the worker says (called by the engine, which owns the client)

    def find_call(self, key: str, draw: Draw, fresh: bool) -> Call | None:
        """A call of this run that is not committed yet, else one of the store."""
        recent = self._recent_calls.get((key, draw))
        if recent is not None:
            return recent
        try:
            return self._store.calls.find(key, draw, fresh)
        except StoreError as error:
            self._give_up(error)
            return None

    def find_made(self, key: str, draw: Draw, fresh: bool) -> Any | None:
        """What a step, or a recorded tool, gave before."""
        recent = self._made.get((key, draw))
        if recent is not None:
            return recent.result
        try:
            return self._store.made.find(key, draw, fresh)
        except StoreError as error:
            self._give_up(error)
            return None

    def made(self, message: m.Made) -> None:
        # With the calls that it is made of, never before them.
        self._made[message.key, message.draw] = message
        self._schedule_flush()

    def called(self, call: Call) -> None:
        self._calls.append(call)
        self._recent_calls[call.key, call.draw] = call
        self._schedule_flush()
        self._spend(call.cost_usd)

    def spent(self, message: m.Spent) -> None:
        """It cost something that is no call: counted at once, as nothing else is kept of it."""
        try:
            self._store.calls.add_spending(message.cost_usd, time.time())
        except StoreError as error:
            self._give_up(error)
        self._spend(message.cost_usd)

    def _spend(self, cost_usd: float | None) -> None:
        if cost_usd is None:
            self.cost_usd = None
        else:
            self.known_cost_usd += cost_usd
            self.cost_usd = None if self.cost_usd is None else self.cost_usd + cost_usd
        limit = self.spend_limit_usd
        if limit is not None and self.known_cost_usd > limit and not self._cancelled:
            self.over_budget = True
            self.cancel()

    def sent(self, message: m.Sent) -> None:
        if message.attempt == 1:
            self.provider_calls += 1
        self._in_flight.add(message.job)
        self._asked.add(message.job)
        self._waiting.pop(message.job, None)

    def waiting(self, message: m.Waiting) -> None:
        self._in_flight.discard(message.job)
        self._waiting[message.job] = message

    # -- to the store and the screen

    def _schedule_flush(self) -> None:
        if self._flush_at is None:
            self._flush_at = asyncio.get_running_loop().call_later(BATCH_S, self._flush_or_give_up)

    def _flush_or_give_up(self) -> None:
        try:
            self.flush()
        except StoreError as error:
            self._give_up(error)

    def _give_up(self, fault: StoreError) -> None:
        """What can't be kept is not asked for: the run ends here, and says why."""
        if self._fault is None:
            self._fault = fault
            self.cancel()

    def flush(self) -> None:
        """Commit what has come in, then tell about it.

        Raises:
            StoreError: it can't be written. It stays here: the next flush tries again.
        """
        if self._flush_at is not None:
            self._flush_at.cancel()
            self._flush_at = None
        if not self._results and not self._calls and not self._made:
            return
        with self._store.transaction():
            items = self._store.record(self.run.id, calls=self._calls, results=self._results, at=time.time())
            for made in self._made.values():
                self._store.made.add(made.key, made.draw, made.result, time.time())
        self._results, self._calls, self._made = [], [], {}
        self._recent_calls.clear()
        if items:
            self._emit(ItemsDone(self.run.id, tuple(items)))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_EVERY_S)
            self._progress()

    def _progress(self) -> None:
        now = time.monotonic()
        while self._finished_at and now - self._finished_at[0] > RATE_WINDOW_S:
            self._finished_at.popleft()
        elapsed = now - self._started
        window = min(elapsed, RATE_WINDOW_S)
        rate = len(self._finished_at) / window if window > 0 else 0.0
        left = self.total - self.done
        waiting = next(iter(self._waiting.values()), None)
        said = ""
        if waiting is not None:
            left_s = max(waiting.retry_at - time.time(), 0.0)
            said = f"{waiting.provider}: {waiting.said}; asked again in {left_s:.0f} s"
        self._emit(
            Progress(
                run_id=self.run.id,
                done=self.done,
                total=self.total,
                in_flight=len(self._in_flight),
                waiting=len(self._waiting),
                rate=rate,
                left_s=left / rate if rate > 0 else None,
                elapsed_s=elapsed,
                cost_usd=self.cost_usd,
                errors=self.errors,
                waiting_for=said,
            )
        )


def _ran_code(todo: Todo) -> bool:
    """Something ran for it, though no model was asked."""
    job = _job(todo)
    return isinstance(job, m.Evaluate) and job.target.needs_code


def _job(todo: Todo) -> m.Evaluate | m.ScoreOnly:
    assert todo.ticket is not None
    return todo.ticket.job


def _judged(scores: Sequence[Score]) -> tuple[Status, float | None]:
    verdict = combine(scores)
    return verdict.status, verdict.score
