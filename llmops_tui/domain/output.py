"""What a configuration answered to a case in a trial."""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.domain.canonical import KEY_SCHEMA, digest
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.manifest import Manifest
from llmops_tui.domain.model import Usage


class Chunk(msgspec.Struct, frozen=True):
    """A retrieved piece of a document. `score` is the retriever's own; higher is nearer."""

    source: str
    text: str
    score: float
    position: int = 0


class Output(msgspec.Struct, frozen=True):
    """The answer to one case in one trial, with what it took.

    Attributes:
        tool_calls: those that were made, as a guardrail left them; none that it did not allow.
        calls: request keys of the calls it is made of, in order.
        guardrails: each look of a guardrail, in the order in which they were made.
        guard_calls: request keys of the calls that guardrails made. They cost, but answer nothing.
        latency_s: from the start of the target to its end, as first measured (a cached output
            keeps the figures of when it was made).
    """

    text: str
    tool_calls: tuple[dict[str, Any], ...] = ()
    finish_reason: str | None = None
    refused: bool = False
    retrieved: tuple[Chunk, ...] = ()
    calls: tuple[str, ...] = ()
    usage: Usage = Usage()
    latency_s: float = 0.0
    ttft_s: float | None = None
    cost_usd: float | None = None
    guardrails: tuple[Look, ...] = ()
    guard_calls: tuple[str, ...] = ()

    @property
    def fired(self) -> tuple[str, ...]:
        """Guardrails that fired, each once."""
        return tuple(dict.fromkeys(look.name for look in self.guardrails if look.triggered))


#: The parts of a version that its program reads. The models that are evaluated are keyed one by one.
PROGRAM_READS = frozenset(
    "prompt params retrieval corpus response_format step tools code program own_models guardrails".split()  # noqa: SIM905
)

#: Raise it when chunking, tokens or ranking change: outputs with retrieval are then made anew (requests that
#: come out the same are not asked again).
RETRIEVAL_REVISION = 1


def target_hash(manifest: Manifest) -> str:
    """Hash of the parts that the target reads, without the models."""
    read = [[p.kind, p.name, p.hash] for p in manifest.parts if p.kind in PROGRAM_READS]
    return digest([read, RETRIEVAL_REVISION if manifest.of_kind("retrieval") else None])


def output_key(target: str, model_hash: str, inputs: str) -> str:
    """The key of an output's content; generation and trial are columns beside it.

    Args:
        target: `target_hash` of the version.
        model_hash: hash of the one model's part.
        inputs: `Case.inputs_hash`.
    """
    return digest([KEY_SCHEMA, "output", target, model_hash, inputs])
