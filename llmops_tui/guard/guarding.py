"""The guardrails of one version, for a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from llmops_tui import log
from llmops_tui.domain.guardrails.use import GuardrailUse, Stage
from llmops_tui.guard.checked import Checked, CheckedDocuments
from llmops_tui.guard.documents import text_of, value_of, with_text
from llmops_tui.guard.telling import AskFor, Telling
from llmops_tui.guard.waiting import WAITING
from llmops_tui.guardrails.apart import Apart
from llmops_tui.guardrails.guards import Guards
from llmops_tui.guardrails.tool_texts import arguments_text, result_text
from llmops_tui.guardrails.watch import Decision, Piece

Vars = Mapping[str, Any]
_NOTHING: Mapping[str, Any] = {}


class Guarding:
    """Looks where a program says. For any thread, in a running event loop too.

    Each method has a twin to be awaited: `ainput` and so on. Within an event loop take that where a guardrail
    asks a model or is a function: the others keep the loop waiting.

    Attributes:
        config, version_hash: which version of which configuration it is.
        uses: the guardrails, in the order in which they look.
    """

    def __init__(
        self,
        config: str,
        version_hash: str,
        uses: Sequence[GuardrailUse],
        apart: Apart | None = None,
        ask: AskFor | None = None,
    ) -> None:
        self.config = config
        self.version_hash = version_hash
        self.uses = tuple(uses)
        self._guards = Guards(self.uses, apart)
        self._ask = ask
        #: Guardrail → why it can't be made here: each of its looks fails.
        self.broken = self._guards.prepare()

    def input(self, text: str, *, vars: Vars = _NOTHING) -> Checked:
        """What the user put in. vars: what else the program knows, for functions of `guardrails.py`."""
        return _checked(text, self._look("input", [_piece(text, "input")], vars), text)

    async def ainput(self, text: str, *, vars: Vars = _NOTHING) -> Checked:
        return _checked(text, await self._alook("input", [_piece(text, "input")], vars), text)

    def context(self, documents: Iterable[Any], *, vars: Vars = _NOTHING) -> CheckedDocuments:
        """What was retrieved: texts, or mappings with their text as `content` or `text`."""
        documents = list(documents)
        return _documents(documents, self._look("context", _pieces(documents), vars))

    async def acontext(self, documents: Iterable[Any], *, vars: Vars = _NOTHING) -> CheckedDocuments:
        documents = list(documents)
        return _documents(documents, await self._alook("context", _pieces(documents), vars))

    def tool_call(self, tool: str, arguments: Any, *, vars: Vars = _NOTHING) -> Checked:
        """What a tool shall be called with: a mapping, or JSON as the model gave it."""
        return self._tool("tool_call", tool, arguments, vars)

    async def atool_call(self, tool: str, arguments: Any, *, vars: Vars = _NOTHING) -> Checked:
        return await self._atool("tool_call", tool, arguments, vars)

    def tool_result(self, tool: str, result: Any, *, vars: Vars = _NOTHING) -> Checked:
        """What a tool gave: a text, or a JSON value."""
        return self._tool("tool_result", tool, result, vars)

    async def atool_result(self, tool: str, result: Any, *, vars: Vars = _NOTHING) -> Checked:
        return await self._atool("tool_result", tool, result, vars)

    def output(self, text: str, *, context: Iterable[Any] = (), vars: Vars = _NOTHING) -> Checked:
        """The answer. context: the documents that it was made of, for `grounded`."""
        texts = [text_of(each) for each in context]
        return _checked(text, self._look("output", [_piece(text, "output")], vars, texts), text)

    async def aoutput(self, text: str, *, context: Iterable[Any] = (), vars: Vars = _NOTHING) -> Checked:
        texts = [text_of(each) for each in context]
        return _checked(text, await self._alook("output", [_piece(text, "output")], vars, texts), text)

    # -- looking

    def _tool(self, stage: Stage, tool: str, value: Any, vars: Vars) -> Checked:
        text = _text_of(stage, value)
        return _checked(text, self._look(stage, [Piece(text, tool)], vars, tool=tool), value)

    async def _atool(self, stage: Stage, tool: str, value: Any, vars: Vars) -> Checked:
        text = _text_of(stage, value)
        return _checked(text, await self._alook(stage, [Piece(text, tool)], vars, tool=tool), value)

    def _look(
        self, stage: Stage, pieces: list[Piece], vars: Vars, context: Sequence[str] = (), tool: str = ""
    ) -> Decision:
        with self._request(stage) as request:
            if request is None:
                return _untouched(pieces)
            watch = Telling(request, self._ask, pieces)
            about: dict[str, Any] = {"vars": dict(vars), "context": context, "tool": tool}
            if self._guards.waits(stage):
                return WAITING.run(self._guards.check(stage, pieces, watch, **about))
            return self._guards.check_now(stage, pieces, watch, **about)

    async def _alook(
        self, stage: Stage, pieces: list[Piece], vars: Vars, context: Sequence[str] = (), tool: str = ""
    ) -> Decision:
        with self._request(stage) as request:
            if request is None:
                return _untouched(pieces)
            watch = Telling(request, self._ask, pieces)
            return await self._guards.check(stage, pieces, watch, vars=dict(vars), context=context, tool=tool)

    @contextmanager
    def _request(self, stage: Stage) -> Iterator[log.Span | None]:
        """The request at work, or one of its own; None where nothing looks."""
        if not self._guards.has(stage):
            yield None
        elif span := log.current():
            yield span.made_with(self.config, self.version_hash)
        else:
            with log.request("guardrails") as own:
                yield own.made_with(self.config, self.version_hash)


def _untouched(pieces: list[Piece]) -> Decision:
    return Decision((), tuple(piece.text for piece in pieces))


def _piece(text: str, where: str) -> Piece:
    if not isinstance(text, str):
        raise TypeError(f"a guardrail looks at a text, not at {type(text).__name__}")
    return Piece(str(text), where)


def _text_of(stage: Stage, value: Any) -> str:
    return arguments_text(value) if stage == "tool_call" else result_text(value)


def _pieces(documents: list[Any]) -> list[Piece]:
    return [Piece(text_of(each), f"document {n}") for n, each in enumerate(documents, 1)]


def _checked(before: str, decision: Decision, value: Any) -> Checked:
    """What became of a value whose text, as it was looked at, is `before`."""
    (text,) = decision.texts
    if decision.ends is not None:
        return Checked(decision.ends, decision.ends, True, True, decision.looks)
    if text is None:
        return Checked(decision.told, decision.told, True, False, decision.looks)
    going_on = value_of(text, before, value)
    return Checked(going_on if isinstance(going_on, str) else text, going_on, False, False, decision.looks)


def _documents(documents: list[Any], decision: Decision) -> CheckedDocuments:
    left = [(n, text) for n, text in enumerate(decision.texts) if text is not None]
    return CheckedDocuments(
        [with_text(documents[n], text) for n, text in left],
        tuple(n for n, _ in left),
        decision.ends or "",
        decision.ends is not None,
        decision.looks,
    )
