"""What the Trace screen asks the engine."""

from __future__ import annotations

from concurrent.futures import Future

from llmops_tui.domain.errors import LlmopsError, Problem
from llmops_tui.domain.run import VersionInfo
from llmops_tui.engine.session_queries import SessionQueries
from llmops_tui.engine.trace_events import MessagesAnswer, MessagesRequest, TraceView


class SessionTraces(SessionQueries):
    """Part of `session_api.SessionApi`."""

    def trace(
        self,
        config: str,  # noqa: ARG002 - stub
        baseline: VersionInfo | None,  # noqa: ARG002 - stub
        candidate: VersionInfo,  # noqa: ARG002 - stub
        case_id: str,  # noqa: ARG002 - stub
        model: str,  # noqa: ARG002 - stub
        trial: int | None = None,  # noqa: ARG002 - stub
    ) -> Future[TraceView]:
        future: Future[TraceView] = Future()
        future.set_exception(LlmopsError(Problem("traces can't be read by this version")))
        return future

    def ask_messages(self, request: MessagesRequest) -> Future[MessagesAnswer]:  # noqa: ARG002 - stub
        future: Future[MessagesAnswer] = Future()
        problem = Problem("edited messages can't be asked by this version", "use the playground (i)")
        future.set_exception(LlmopsError(problem))
        return future
