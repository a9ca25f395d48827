"""What one job knows while its program runs, and what each of its steps came to."""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.domain import messages as m
from llmops_tui.domain.call import Call, Draw, Failure
from llmops_tui.domain.model import Usage
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.domain.trace import CallRef, SpanRecord
from llmops_tui.worker.tracer import LiveSpan, Tracer


class JobFailed(Exception):
    """There is no output, and why. `spans`: how far it came."""

    def __init__(self, failure: Failure, spans: tuple[SpanRecord, ...] = (), began_at: float = 0.0) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.spans = spans
        self.began_at = began_at


class StepResult(msgspec.Struct):
    """What a step came to.

    Attributes:
        value: what later steps see under its name: a text, JSON, or (of a retrieval) its chunks.
        text: the same as text.
        calls: request keys, in order.
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

    def called(self, call: Call, start_s: float) -> None:
        """One more call of a model was made for it."""
        self.calls = (
            *self.calls,
            CallRef(call.key, call.draw.step, call.draw.occurrence, call.draw.generation),
        )
        self.usage = self.usage + call.usage
        known = self.cost_usd is not None and call.cost_usd is not None
        self.cost_usd = (self.cost_usd or 0.0) + (call.cost_usd or 0.0) if known else None
        if call.ttft_s is None:
            self.ttft_s = None
        else:
            self.ttft_s = call.ttft_s if len(self.calls) == 1 else start_s + call.ttft_s
        self.text, self.finish_reason, self.refused = call.text, call.finish_reason, call.refused


def ref_to(call: Call) -> CallRef:
    return CallRef(call.key, call.draw.step, call.draw.occurrence, call.draw.generation)


class Execution:
    """One job under way.

    Attributes:
        results: of the steps that are done, by name.
        retrieved: spans that retrieved something, with the step they belong to.
    """

    def __init__(self, job: m.Evaluate) -> None:
        self.job = job
        self.tracer = Tracer(job.case.id)
        self.draw = Draw(job.generation, job.trial)
        self.results: dict[str, StepResult] = {}
        self.retrieved: list[tuple[str, LiveSpan]] = []
        self._spent: list[tuple[Usage, float | None]] = []
        self._occurrences: dict[tuple[str, str], int] = {}

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

    def given(self, step: str, what: str = "") -> Any | None:
        """What a replay says that a step, or a part of one (`retrieval`, `messages`), gave."""
        return self.job.given.get(f"{step}/{what}" if what else step)

    def output(self) -> tuple[Output, dict[int, int]]:
        """The answer, and where each retrieving span's chunks begin among all of them."""
        program, results = self.job.target, self.results
        last = results[program.output]
        order = {step.name: n for n, step in enumerate(program.steps)}
        chunks: list[Chunk] = []
        places: dict[int, int] = {}
        for _, span in sorted(self.retrieved, key=lambda each: (order.get(each[0], 0), each[1].number)):
            places[span.number] = len(chunks)
            chunks += span.chunks or ()
        done = [results[step.name] for step in program.steps if step.name in results]
        spent = [*((result.usage, result.cost_usd) for result in done), *self._spent]
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
            calls=tuple(ref.key for result in done for ref in result.calls),
            usage=usage,
            latency_s=self.tracer.root.clock.now(),
            ttft_s=last.ttft_s,
            cost_usd=None if None in costs else sum(c for c in costs if c is not None),
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
