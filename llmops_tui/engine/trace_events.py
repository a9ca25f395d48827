"""What the Trace screen asks, and what it is told: parts of `engine.session_api`."""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.domain.output import Output
from llmops_tui.domain.trace import Trace
from llmops_tui.domain.trace_diff import TraceDiff
from llmops_tui.engine.events import Estimate


class TraceView(msgspec.Struct, frozen=True):
    """How the outputs of a case came about, on one or both sides.

    Attributes:
        before: of the baseline; None without one, or where it has no output.
        after: of the candidate, or how far it came before it erred; None where nothing was asked yet.
        diff: where both are there.
        failure, before_failure: why there is no output, as a sentence; empty where there is one, or where
            nothing was asked.
        trial: the one that is shown.
        trials: those that the candidate has.
    """

    before: Trace | None = None
    after: Trace | None = None
    diff: TraceDiff | None = None
    failure: str = ""
    before_failure: str = ""
    trial: int = 0
    trials: tuple[int, ...] = (0,)


class MessagesRequest(msgspec.Struct, frozen=True):
    """Messages that a person edited, to be asked as they stand. No run and no version comes of it.

    Attributes:
        version: by name; it says which providers are connected.
        model: id of the model.
        messages: chat messages as a provider is sent them, in order.
        params: as sent (`temperature`, `max_tokens`).
        tools: schemas of tools that the model may call, as sent; none of them runs.
        response_format: as sent; None: none.
        number: counts up; a later request ends this one.
        trial: which of the answers to this very request, from 0.
        agreed: the person has seen the price and said yes.
    """

    config: str
    version: str
    model: str
    messages: tuple[dict[str, Any], ...]
    params: dict[str, Any] = {}
    tools: tuple[dict[str, Any], ...] = ()
    response_format: dict[str, Any] | None = None
    number: int = 0
    trial: int = 0
    agreed: bool = False


class MessagesAnswer(msgspec.Struct, frozen=True):
    """What came of it: an output, or why there is none, or a price that needs a yes first.

    Attributes:
        cached: nothing was asked: this very request had been answered before.
        estimate, why: the price and what objects; nothing was asked.
    """

    number: int
    output: Output | None = None
    failure: str = ""
    cached: bool = False
    estimate: Estimate | None = None
    why: str = ""
