"""What the playground asks, and what it tells: parts of `engine.events`."""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.domain.output import Output
from llmops_tui.domain.score import Score


class PlaygroundRequest(msgspec.Struct, frozen=True):
    """An input that a person made up, to be answered by two versions. No run and no version comes of it.

    Attributes:
        vars: the inputs.
        number: counts up: the answers carry it (`Answering`, `Answered`), and a later request ends this one.
        against: name of the left version; None: the baseline. The right one is what is on disk.
        trial: which of the answers to these inputs, from 0; each is asked for once and kept.
        agreed: the person has seen the price and said yes.
    """

    config: str
    vars: dict[str, Any]
    number: int = 0
    against: str | None = None
    trial: int = 0
    agreed: bool = False


class Answering(msgspec.Struct, frozen=True):
    """How one answer to a made-up input gets on: a few times a second, and once when it is there.

    Attributes:
        number: of its request.
        column: which pair of models, from 0.
        side: 0 is the left version, 1 the right one.
        text: all that has come so far.
        waiting: what a provider said that makes us wait; empty where none does.
        output, scores: once it is done; `failure` says why there is none.
        cached: nothing was asked: this very request had been answered before.
    """

    number: int
    column: int
    side: int
    version: str
    model: str
    text: str = ""
    waiting: str = ""
    done: bool = False
    output: Output | None = None
    scores: tuple[Score, ...] = ()
    failure: str = ""
    cached: bool = False


class Answered(msgspec.Struct, frozen=True):
    """A made-up input was answered by all, or was given up.

    Attributes:
        case_id: of the case on disk that has these very inputs; empty: there is none.
        problem: why nothing was asked, as a sentence.
        said: what is to be known about the answers, as sentences.
        cost_usd: of what was asked; None where a price is not known.
    """

    number: int
    case_id: str = ""
    problem: str = ""
    said: tuple[str, ...] = ()
    cost_usd: float | None = 0.0
    calls: int = 0
    cancelled: bool = False
