"""What the engine and the worker say to each other, one JSON object a line.

A job is self-contained: texts by hash, no paths, no database. The engine sends a blob before the
first job that needs it; a worker asks with `Lookup` whether a call was made before.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from llmops_tui.domain.call import Call, Draw, Failure
from llmops_tui.domain.case import Case
from llmops_tui.domain.model import Model, Usage
from llmops_tui.domain.output import Output
from llmops_tui.domain.program import Program
from llmops_tui.domain.score import Score
from llmops_tui.domain.trace import SpanRecord

#: Both ends say it first; a difference ends the conversation with a clear error.
PROTOCOL = 3


# -- engine → worker


class ProviderSetup(msgspec.Struct, frozen=True):
    """How to speak to one provider. `api_key` is never stored, logged or sent back.

    Attributes:
        client: `openai`, `litellm`, `local` or `echo`.
        base_url: for `openai`; for `litellm` an optional `api_base`.
        concurrency: requests in flight at once.
        timeout_s: for one attempt, from sending to the last byte.
        retries: further attempts after the first.
        headers: sent with every request.
        options: for `local`: `slots`, `context`.
    """

    name: str
    client: str
    base_url: str = ""
    api_key: str | None = None
    concurrency: int = 8
    timeout_s: float = 60.0
    retries: int = 3
    headers: dict[str, str] = {}
    options: dict[str, Any] = {}


class Setup(msgspec.Struct, frozen=True, tag="setup"):
    """Sent first, once in a worker's life.

    Attributes:
        secrets: values to be redacted from every text that leaves the worker.
        env: variables of `.env`, for libraries that look for their keys there.
        code: module name → source of the workspace's Python; empty until it is trusted.
        code_dir: folder that functions of the workspace see as the current one.
        code_timeout_s: time limit for one call of a workspace function.
        index_dir: folder for indexes of documents; empty: they are kept in memory alone.
    """

    protocol: int
    providers: tuple[ProviderSetup, ...]
    secrets: tuple[str, ...] = ()
    env: dict[str, str] = {}
    code: dict[str, str] = {}
    code_dir: str = ""
    code_timeout_s: float = 10.0
    index_dir: str = ""


class Blob(msgspec.Struct, frozen=True, tag="blob"):
    hash: str
    text: str


class Evaluate(msgspec.Struct, frozen=True, tag="evaluate"):
    """Answer one case with one model in one trial, and score the answer.

    Attributes:
        target: what is run; its texts are blobs.
        models: models that steps of the program name for themselves, by id, and models that embed.
        given: what a replay hands over instead of having it made: `STEP` → its result, `STEP/retrieval` →
            its chunks, `STEP/messages` → what is sent, `STEP/tools` → schemas of tools that are told of and
            not run, all JSON; the step of a plain prompt is empty.
        aside: put before the step of every draw, so that it is asked beside all that was asked before.
        fresh: only draws of exactly this generation count as made before.
        stream: tell of the answer's text while it comes (`Token`).
    """

    job: int
    target: Program
    model: Model
    case: Case
    generation: int = 0
    trial: int = 0
    fresh: bool = False
    stream: bool = False
    models: dict[str, Model] = {}
    given: dict[str, Any] = {}
    aside: str = ""


class ScoreOnly(msgspec.Struct, frozen=True, tag="score"):
    """Score an output that is there already. `case.scorers` holds only those that are missing.

    Attributes:
        trial: of the output; a scorer that asks a model asks in it.
    """

    job: int
    output: Output
    case: Case
    trial: int = 0


class Found(msgspec.Struct, frozen=True, tag="found"):
    """The answer to a `Lookup`; None: it was never made."""

    lookup: int
    call: Call | None


class FoundMade(msgspec.Struct, frozen=True, tag="found_made"):
    """The answer to a `FindMade`: JSON, or None: it was never made."""

    lookup: int
    result: Any = None


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Stop these jobs, or all. A request in flight is dropped."""

    jobs: tuple[int, ...] | None = None


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    n: int


class Preload(msgspec.Struct, frozen=True, tag="preload"):
    """Models that will be asked soon: load them, or import what asks them, in the background."""

    models: tuple[Model, ...]


ToWorker = Setup | Blob | Evaluate | ScoreOnly | Found | FoundMade | Cancel | Ping | Preload


# -- worker → engine


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    protocol: int
    version: str
    pid: int


class Lookup(msgspec.Struct, frozen=True, tag="lookup"):
    lookup: int
    key: str
    draw: Draw
    fresh: bool


class FindMade(msgspec.Struct, frozen=True, tag="find_made"):
    """Was this step, or this call of a recorded tool, done before? `key` is of its content."""

    lookup: int
    key: str
    draw: Draw
    fresh: bool


class Made(msgspec.Struct, frozen=True, tag="made"):
    """What a step of a program gave, or a recorded tool: kept at once."""

    job: int
    key: str
    draw: Draw
    result: Any


class Sent(msgspec.Struct, frozen=True, tag="sent"):
    """A request left, for this job (a retry says so). Counts in-flight requests and first-request time."""

    job: int
    provider: str
    attempt: int
    at: float


class Token(msgspec.Struct, frozen=True, tag="token"):
    """More text of an answer, for a job with `stream`: redacted, and about ten times a second at most.

    Attributes:
        anew: what came before is void (the request was sent again).
    """

    job: int
    text: str
    anew: bool = False


class Called(msgspec.Struct, frozen=True, tag="called"):
    """A request was answered: kept even if its job is cancelled or the worker dies before it ends."""

    job: int
    call: Call


class Spent(msgspec.Struct, frozen=True, tag="spent"):
    """Something was paid for that is no call of a chat model: texts were embedded.

    Attributes:
        usage: `input_tokens` alone.
        cost_usd: None where the price or the tokens are not known.
    """

    job: int
    provider: str
    model_id: str
    usage: Usage
    cost_usd: float | None


class Evaluated(msgspec.Struct, frozen=True, tag="evaluated"):
    """The end of an `Evaluate` or `ScoreOnly`: an output and its scores, or why there is none.

    Attributes:
        spans: how the output came about, or how far it came.
        began_at: when the spans began, Unix seconds.
    """

    job: int
    output: Output | None
    scores: tuple[Score, ...] = ()
    failure: Failure | None = None
    spans: tuple[SpanRecord, ...] = ()
    began_at: float = 0.0


class Waiting(msgspec.Struct, frozen=True, tag="waiting"):
    """A provider makes us wait: which one, what it said, when it is asked again (Unix seconds)."""

    job: int
    provider: str
    said: str
    retry_at: float


class Note(msgspec.Struct, frozen=True, tag="note"):
    """Something the person should know that belongs to no job (a model server that was restarted)."""

    level: Literal["info", "warning", "error"]
    text: str


class Pong(msgspec.Struct, frozen=True, tag="pong"):
    n: int


FromWorker = (
    Ready | Lookup | FindMade | Made | Sent | Token | Called | Spent | Evaluated | Waiting | Note | Pong
)

encode = msgspec.json.Encoder().encode
decode_to_worker = msgspec.json.Decoder(ToWorker).decode
decode_from_worker = msgspec.json.Decoder(FromWorker).decode
