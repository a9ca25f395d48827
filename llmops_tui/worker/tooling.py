"""The tools of one step: what the model is told of them, and each call of one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.call import Draw
from llmops_tui.domain.canonical import KEY_SCHEMA, digest
from llmops_tui.domain.program import ToolUse
from llmops_tui.worker.code import CodeError
from llmops_tui.worker.execution import Execution, as_text, read_files
from llmops_tui.worker.resources import Loaded, Resources
from llmops_tui.worker.tracer import LiveSpan

if TYPE_CHECKING:
    from llmops_tui.worker.tools import ToolResult

#: Trial under which the store keeps what recorded tools are answered with.
RECORDED = Draw(trial=-1)


#: Time limit of loading `tools.py`: what it imports may be large.
_LOADING_S = 60.0


class ToolCalled(msgspec.Struct, frozen=True):
    """`text`: what the model is told; `error`: why there is no result."""

    id: str
    text: str
    value: Any = None
    error: str = ""


class Tooling:
    """Tools by name, as the configuration and the case say they behave.

    Attributes:
        made: of what was wanted last, the place of each call that was made → its arguments as they went on. A
            guardrail may not allow one, or redact it.
    """

    def __init__(
        self, resources: Resources, execution: Execution, step: str, tools: tuple[ToolUse, ...]
    ) -> None:
        self._resources = resources
        self._execution = execution
        self._step = step
        self._tools = {tool.name: tool for tool in tools}
        self.made: dict[int, Any] = {}

    @property
    def _loaded(self) -> Loaded:
        return self._resources.loaded(self._execution.job.target.code)

    async def schemas(self) -> tuple[dict[str, Any], ...]:
        """As the model is told of them.

        Raises:
            ValueError: `tools.py` can't be imported, or a function has no schema; a sentence.
        """
        try:
            with self._loaded.held() as loaded:
                return tuple([await loaded.tools.schema(name, _LOADING_S) for name in self._tools])
        except CodeError as error:
            raise ValueError(str(error)) from error

    async def call_all(self, wanted: list[dict[str, Any]], span: LiveSpan) -> list[ToolCalled]:
        """All that the model wants, side by side; errors are for the model, not for us."""
        self.made = {}
        works = [asyncio.create_task(self._wanted(n, each, span)) for n, each in enumerate(wanted)]
        try:
            return await asyncio.gather(*works)
        finally:
            # A guardrail may have ended the request: the others must not go on behind its back.
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)

    async def _wanted(self, place: int, wanted: dict[str, Any], span: LiveSpan) -> ToolCalled:
        f = wanted.get("function") or {}
        return await self.call(
            str(wanted["id"]), str(f.get("name") or ""), f.get("arguments") or "{}", span, place
        )

    def those_made(self, wanted: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
        """Of what the model wanted last, the calls that were made, with the arguments that went on."""
        return tuple(_as_made(each, self.made[n]) for n, each in enumerate(wanted) if n in self.made)

    async def call(self, id_: str, name: str, arguments: Any, parent: LiveSpan, place: int = 0) -> ToolCalled:
        """One call.

        Args:
            arguments: JSON as the model wrote it, or a mapping.
            place: among all that are made side by side.

        Raises:
            Ended: a guardrail ends the request.
        """
        with parent.span("tool", f"execute_tool {name}") as span:
            span.attributes |= {a.TOOL_NAME: name, a.TOOL_ARGUMENTS: _shown(arguments)}
            if id_:
                span.attributes[a.TOOL_CALL_ID] = id_
            guarding = self._execution.guarding
            if guarding is not None:
                arguments, told = await guarding.call(self._step, name, arguments, span)
                if told:
                    return ToolCalled(id_, told, told)
                span.attributes[a.TOOL_ARGUMENTS] = _shown(arguments)
            self.made[place] = arguments
            result = await self._result(name, arguments, span)
            value, text, error = result.value, result.text, result.error
            if guarding is not None:
                value, text = await guarding.result(self._step, name, value, text, span)
                if error and text != result.text:
                    error = text  # what is held back of it is told nowhere
            span.error = error
            if not error:
                span.attributes[a.TOOL_RESULT] = value
            return ToolCalled(id_, text, value, error)

    async def _result(self, name: str, arguments: Any, span: LiveSpan) -> ToolResult:
        from llmops_tui.worker.tools import ToolResult

        tool = self._tools.get(name)
        if tool is None:
            error = f"there is no tool '{name}'; there are {', '.join(sorted(self._tools))}"
            return ToolResult(f"Error: {error}", None, error)
        canned = self._execution.job.case.tools
        if name in canned or tool.eval == "canned":
            span.attributes[a.TOOL_MODE] = "canned"
            value = canned.get(name, tool.result)
            return ToolResult(as_text(value), value)
        span.attributes[a.TOOL_MODE] = tool.eval
        span.attributes[a.CODE] = tool.revision[:12]
        text = arguments if isinstance(arguments, str) else as_text(arguments)
        if tool.eval == "live":
            return await self._run(name, text, tool.timeout_s)
        read = read_files(self._execution.job.target.code)
        key = digest([KEY_SCHEMA, "tool", name, tool.revision, read, _shown(text)])
        return await self._resources.recorded.once(
            key, lambda: self._recorded(key, name, text, tool.timeout_s)
        )

    async def _recorded(self, key: str, name: str, arguments: str, timeout_s: float) -> ToolResult:
        """What it gave to these arguments before; else it is run, and what it gives is kept."""
        from llmops_tui.worker.tools import ToolResult

        links = self._resources.links
        kept = await links.find_made(key, RECORDED, fresh=False)
        if kept is None:
            result = await self._run(name, arguments, timeout_s)
            if result.error:
                return result
            kept = {"value": self._resources.redactor.redact_json(result.value)}
            links.send_made(self._execution.job.job, key, RECORDED, kept)
        # The first is told what all later ones are, to the letter: else it would be another conversation.
        return ToolResult(as_text(kept["value"]), kept["value"])

    async def _run(self, name: str, arguments: str, timeout_s: float) -> ToolResult:
        with self._loaded.held() as loaded:
            return await loaded.tools.call(name, arguments, timeout_s)


def _as_made(wanted: dict[str, Any], arguments: Any) -> dict[str, Any]:
    function = wanted.get("function") or {}
    if arguments == (function.get("arguments") or "{}"):
        return wanted
    return {**wanted, "function": {**function, "arguments": arguments}}


def _shown(arguments: Any) -> Any:
    """Arguments as JSON, where they are."""
    if not isinstance(arguments, str):
        return arguments
    try:
        return msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        return arguments
