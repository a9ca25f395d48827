"""What one job knows while its program runs, and what each of its steps came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Call, Draw, Failure
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.model import Model, Usage
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.domain.trace import CallRef, SpanRecord
from llmops_tui.worker.tracer import LiveSpan, Stopped, Tracer

if TYPE_CHECKING:
    from llmops_tui.worker.guarding import Guarding


class JobFailed(Exception):
    """There is no output, and why. `spans`: how far it came."""

    def __init__(self, failure: Failure, spans: tuple[SpanRecord, ...] = (), began_at: float = 0.0) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.spans = spans
        self.began_at = began_at


class Ended(Stopped):
    """The request ends before its program does, with `text` as its answer."""

    def __init__(self, text: str, finish_reason: str, *, refused: bool) -> None:
        super().__init__(text)
        self.text = text
        self.finish_reason = finish_reason
        self.refused = refused


class StepResult(msgspec.Struct):
    """What a step came to.

    Attributes:
        value: what later steps see under its name: a text, JSON, or (of a retrieval) its chunks.
        text: the same as text.
        calls: request keys, in order.
        guard_calls: those that guardrails made meanwhile.
        cost_usd: None where a price is not known.
        ttft_s: from the start of the trace to the first token of its last call.
    """

    value: Any
    text: str
    chunks: tuple[Chunk, ...] = ()
    tool_calls: tuple[dict[str, Any], ...] = ()
    calls: tuple[CallRef, ...] = ()
    usage: Usage = Usage()
    cost_usd: float | None = 0.0
    ttft_s: float | None = None
    finish_reason: str | None = None
    refused: bool = False
    guard_calls: tuple[CallRef, ...] = ()

    def called(self, call: Call, start_s: float) -> None:
        """One more call of a model was made for it, and is its answer so far."""
        self.add(StepResult("", "", calls=(ref_to(call),), usage=call.usage, cost_usd=call.cost_usd))
        if call.ttft_s is None:
            self.ttft_s = None
        else:
            self.ttft_s = call.ttft_s if len(self.calls) == 1 else start_s + call.ttft_s
        self.text, self.finish_reason, self.refused = call.text, call.finish_reason, call.refused

    def guarded(self, call: Call) -> None:
        """A guardrail made one more call meanwhile."""
        self.add(StepResult("", "", guard_calls=(ref_to(call),), usage=call.usage, cost_usd=call.cost_usd))

    def add(self, other: StepResult) -> None:
        """What another took counts for this one too."""
        self.calls = (*self.calls, *other.calls)
        self.guard_calls = (*self.guard_calls, *other.guard_calls)
        self.usage = self.usage + other.usage
        known = self.cost_usd is not None and other.cost_usd is not None
        self.cost_usd = (self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None


def ref_to(call: Call) -> CallRef:
    return CallRef(call.key, call.draw.step, call.draw.occurrence, call.draw.generation)


class Execution:
    """One job under way.

    Attributes:
        results: of the steps that are done, by name.
        begun: of those that are under way and ask models: what was asked for them so far.
        retrieved: spans that retrieved something, with the step they belong to.
        guarding: its guardrails; None where it has none.
        looks: of guardrails, in order, with the step that they belong to.
        has_planted: the documents that the case plants were retrieved.
    """

    def __init__(self, job: m.Evaluate) -> None:
        self.job = job
        self.tracer = Tracer(job.case.id)
        self.draw = Draw(job.generation, job.trial)
        self.results: dict[str, StepResult] = {}
        self.begun: dict[str, StepResult] = {}
        self.guarding: Guarding | None = None
        self.looks: list[tuple[str, Look]] = []
        self.has_planted = False
        self._charged: dict[str, StepResult] = {}
        self.retrieved: list[tuple[str, LiveSpan]] = []
        self._spent: list[tuple[Usage, float | None]] = []
        self._occurrences: dict[tuple[str, str], int] = {}

    @property
    def own_models(self) -> dict[str, Model]:
        """Models beside the one that is evaluated that programs may ask, by id: no judge of a guardrail."""
        job = self.job
        return {id_: model for id_, model in job.models.items() if id_ not in job.target.guards_alone_ask}

    def draw_of(self, step: str, occurrence: int = 0) -> Draw:
        path = f"{self.job.aside}/{step}" if self.job.aside else step
        return Draw(self.draw.generation, self.draw.trial, path, occurrence)

    def occurrence(self, step: str, key: str) -> int:
        """How often a program has asked this before, in this step: each time is a draw of its own."""
        count = self._occurrences.get((step, key), 0)
        self._occurrences[step, key] = count + 1
        return count

    def failed(self, step: str, kind: str, message: str, remedy: str = "") -> JobFailed:
        """A failure that names the step, where there are several."""
        said = f"step '{step}': {message}" if step else message
        return JobFailed(Failure(kind, said, remedy))

    def keep_chunks(self, step: str, span: LiveSpan, chunks: tuple[Chunk, ...]) -> None:
        span.chunks = chunks
        self.retrieved.append((step, span))

    def retrieved_in(self, step: str) -> list[tuple[str, LiveSpan]]:
        """What one step retrieved, in order."""
        return sorted((each for each in self.retrieved if each[0] == step), key=lambda each: each[1].number)

    def is_given(self, step: str) -> bool:
        """A replay hands over its result."""
        return step in self.job.given

    def spent(self, usage: Usage, cost_usd: float | None) -> None:
        """Something was paid for beside the calls of its steps: texts were embedded for a retrieval."""
        self._spent.append((usage, cost_usd))

    def charge(self, step: str) -> StepResult:
        """Where calls of guardrails are put down that looked in a step; empty: at the whole."""
        return self._charged.setdefault(step, StepResult("", ""))

    def take_charges(self, step: str) -> StepResult:
        """What was put down for a step, which is then no longer: the step's own result has it."""
        return self._charged.pop(step, StepResult("", ""))

    def looks_in(self, step: str) -> tuple[Look, ...]:
        return tuple(look for name, look in self.looks if name == step)

    def given(self, step: str, what: str = "") -> Any | None:
        """What a replay says that a step, or a part of one (`retrieval`, `messages`), gave."""
        return self.job.given.get(f"{step}/{what}" if what else step)

    def all_chunks(self) -> tuple[Chunk, ...]:
        """All that was retrieved and went on, in the order of the program."""
        return tuple(chunk for _, span in self._retrievals() for chunk in span.chunks or ())

    def _retrievals(self) -> list[tuple[str, LiveSpan]]:
        order = {step.name: n for n, step in enumerate(self.job.target.steps)}
        return sorted(self.retrieved, key=lambda each: (order.get(each[0], 0), each[1].number))

    def output(self, ended: Ended | None = None) -> tuple[Output, dict[int, int]]:
        """The answer, and where each retrieving span's chunks begin among all of them.

        Args:
            ended: what the request ended with, before its program did.
        """
        program = self.job.target
        results = self.results if ended is None else {**self.begun, **self.results}
        last = (
            results[program.output]
            if ended is None
            else StepResult("", ended.text, finish_reason=ended.finish_reason, refused=ended.refused)
        )
        chunks: list[Chunk] = []
        places: dict[int, int] = {}
        for _, span in self._retrievals():
            places[span.number] = len(chunks)
            chunks += span.chunks or ()
        done = [results[step.name] for step in program.steps if step.name in results]
        made = [*done, *self._charged.values()]
        spent = [*((result.usage, result.cost_usd) for result in made), *self._spent]
        costs = [cost for _, cost in spent]
        usage = Usage()
        for each, _ in spent:
            usage = usage + each
        output = Output(
            text=last.text,
            tool_calls=tuple(call for result in done for call in result.tool_calls),
            finish_reason=last.finish_reason,
            refused=last.refused,
            retrieved=tuple(chunks),
            calls=tuple(ref.key for result in made for ref in result.calls),
            usage=usage,
            latency_s=self.tracer.root.clock.now(),
            ttft_s=last.ttft_s,
            cost_usd=None if None in costs else sum(c for c in costs if c is not None),
            guardrails=tuple(look for _, look in self.looks),
            guard_calls=tuple(ref.key for result in made for ref in result.guard_calls),
        )
        return output, places


def as_text(value: Any) -> str:
    """A step's value as text: itself, or its JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def read_files(code: dict[str, str]) -> dict[str, str]:
    """Files that code reads, as declared by `inputs`: their hashes."""
    return {path: hash_ for path, hash_ in code.items() if not path.endswith(".py")}


def read_by(execution: Execution, needs: tuple[str, ...]) -> dict[str, Any]:
    """The results that a step needs, as JSON knows them: of chunks, their texts."""
    from llmops_tui.retrieval.context import Context

    values = {name: execution.results[name].value for name in needs}
    return {
        name: [chunk.text for chunk in value] if isinstance(value, Context) else value
        for name, value in values.items()
    }


def seen_by(execution: Execution, needs: tuple[str, ...]) -> dict[str, Any]:
    """What a step can read: the case's variables, and the results that it needs."""
    seen: dict[str, Any] = dict(execution.job.case.vars)
    for name in needs:
        seen[name] = execution.results[name].value
    return seen
