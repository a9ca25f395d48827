"""What the Trace screen asks the engine."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

from llmops_tui.domain.comparison import pair_models
from llmops_tui.domain.errors import LlmopsError, Problem, UsageError
from llmops_tui.domain.run import VersionInfo
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.session_playground import SessionPlayground
from llmops_tui.engine.trace_events import MessagesAnswer, MessagesRequest, TraceView
from llmops_tui.store.bulk import no_collection

_VIEWS = Problem("this app only views the workspace, and asks nothing", "see the line on top")


class SessionTraces(SessionPlayground):
    """Part of `session_api.SessionApi`."""

    def trace(
        self,
        config: str,
        baseline: VersionInfo | None,
        candidate: VersionInfo,
        case_id: str,
        model: str,
        trial: int | None = None,
    ) -> Future[TraceView]:
        def work(engine: Engine) -> TraceView:
            return view_of(engine, config, baseline, candidate, case_id, model, trial)

        return self._ask(work)

    def ask_messages(self, request: MessagesRequest) -> Future[MessagesAnswer]:
        future: Future[MessagesAnswer] = Future()

        async def answer() -> None:
            from llmops_tui.engine.asking import ask_messages

            try:
                assert self._engine is not None
                if self._viewing:
                    raise UsageError(_VIEWS)
                future.set_result(await ask_messages(self._engine, request))
            except asyncio.CancelledError:
                future.set_result(MessagesAnswer(request.number, failure="given up"))
                raise
            except Exception as error:
                future.set_exception(error)

        def start() -> None:
            if future.set_running_or_notify_cancel():
                self._stop_asking()
                self._asking = asyncio.create_task(answer())

        self._ready.wait(timeout=10)
        if self._engine is None or self._loop is None or self._loop.is_closed():
            future.set_exception(LlmopsError("the engine is not running; see the message on top"))
        else:
            self._loop.call_soon_threadsafe(start)
        return future


@no_collection()
def view_of(
    engine: Engine,
    config: str,  # noqa: ARG001 - of the protocol: versions know theirs
    baseline: VersionInfo | None,
    candidate: VersionInfo,
    case_id: str,
    model: str,
    trial: int | None = None,
) -> TraceView:
    """Both sides' traces of a case, and where they part."""
    from llmops_tui.domain.trace_diff import diff_traces
    from llmops_tui.engine.traces import Traces

    traces = Traces(engine.store)
    models = engine.queries.models(candidate)
    if not trial:
        failed, trials = _trials(engine, candidate, case_id, model)
        trial = failed if trial is None else trial
    else:
        _, trials = _trials(engine, candidate, case_id, model)
    found: dict[str, Any] = {}
    sides = [("after", candidate, model)]
    if baseline is not None and baseline != candidate:
        pairs = {new: old for old, new in pair_models(engine.queries.models(baseline), models).items()}
        sides.append(("before", baseline, pairs.get(model, model)))
    for name, version, of_model in sides:
        try:
            found[name] = traces.of(version, case_id, of_model, trial)
        except UsageError:
            if name == "before" and trial:
                # The baseline has fewer trials: its first stands for it.
                found[name] = _or_none(traces, version, case_id, of_model)
    before, after = found.get("before"), found.get("after")
    return TraceView(
        before,
        after,
        diff_traces(before, after) if before is not None and after is not None else None,
        after.root.error if after is not None else "",
        before.root.error if before is not None else "",
        trial,
        trials,
    )


def _or_none(traces: Any, version: VersionInfo, case_id: str, model: str) -> Any:
    try:
        return traces.of(version, case_id, model)
    except UsageError:
        return None


def _trials(engine: Engine, version: VersionInfo, case_id: str, model: str) -> tuple[int, tuple[int, ...]]:
    """The first trial that failed, else the first; and all there are."""
    rows = engine.queries.snapshot(version).rows
    items = [i for row in rows if row.case_id == case_id and row.model == model for i in row.items]
    there = [i for i in items if i.output_id is not None or i.failure is not None]
    first = next((i.trial for i in there if i.status in ("failed", "error")), None)
    if first is None:
        first = there[0].trial if there else 0
    return first, tuple(i.trial for i in there) or (0,)
