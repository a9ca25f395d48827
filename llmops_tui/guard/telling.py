"""Tells the log of every look: a span of the request at work, with what the judge was asked within it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from llmops_tui import log
from llmops_tui.domain.call import ChatRequest
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.guardrails.use import GuardrailUse, Stage
from llmops_tui.domain.model import Model, cost_usd
from llmops_tui.guard.asking import Answer
from llmops_tui.guardrails.registry import CannotCheck
from llmops_tui.guardrails.watch import Piece

#: Asks the judge of a guardrail.
AskFor = Callable[[GuardrailUse, Model, ChatRequest], Awaitable[Answer]]


class Telling:
    """Watches looks, for the log.

    Args:
        parent: the request, or the step of it, that the looks are for.
        ask: None where no guardrail asks a model.
        pieces: what is looked at.
    """

    def __init__(self, parent: log.Span, ask: AskFor | None, pieces: Sequence[Piece]) -> None:
        self._parent = parent
        self._ask = ask
        self._pieces = pieces

    @contextmanager
    def look(self, use: GuardrailUse, stage: Stage) -> Iterator[_Look]:
        with self._parent.guardrail(use.name) as span:
            yield _Look(span, use, stage, self._ask, self._pieces)


class _Look:
    def __init__(
        self, span: log.Span, use: GuardrailUse, stage: Stage, ask: AskFor | None, pieces: Sequence[Piece]
    ) -> None:
        self._span, self._use, self._stage, self._ask = span, use, stage, ask
        self._pieces = pieces

    async def ask(self, model: Model, request: ChatRequest) -> str:
        """See `guardrails.watch.Watched`. What it was asked is not written down: it holds the user's text."""
        if self._ask is None:
            raise CannotCheck("there is nobody to ask")
        with self._span.model(model.name, provider=model.provider) as call:
            answer = await self._ask(self._use, model, request)
            used = answer.usage
            call.usage(used.input_tokens, used.output_tokens, cost_usd(used, model.price))
        return answer.text

    def saw(self, look: Look, evidence: str) -> None:
        use = self._use
        self._span.look(
            look.triggered,
            look.action,
            kind=use.kind,
            stage=self._stage,
            score=look.score,
            threshold=use.threshold,
            reason=look.reason,
            failed=use.on_error if look.error else None,
            pieces=list(look.pieces) or None,
            evidence=evidence,
            where=[self._pieces[n].where for n in look.pieces] or None,
        )
        if look.error:
            self._span.error(look.error)
