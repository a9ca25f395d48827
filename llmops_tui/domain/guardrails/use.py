"""One guardrail as a configuration has it: a part of the version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

import msgspec

from llmops_tui.domain.judge import Judge
from llmops_tui.domain.manifest import Manifest, Part, make_part
from llmops_tui.domain.model import Model

#: Where a guardrail looks: at what the user put in, at each retrieved chunk, at a tool's arguments before it
#: runs, at what a tool gave, at the answer.
Stage = Literal["input", "context", "tool_call", "tool_result", "output"]
#: What becomes of what it fired on. `block`: it goes no further (an input or an output: the request ends
#: with `message`; a chunk is left out; a tool call is not made, a tool result not handed on, and the model is
#: told so). `redact`: what was found is replaced. `flag`: it goes on, and is seen. `fallback`: wherever it
#: fired, the request ends with `message` as its answer.
Action = Literal["block", "redact", "flag", "fallback"]
#: What a guardrail that fails itself (raises, takes too long, dies) does: `open` lets pass what it should
#: have looked at, `closed` treats it as if it had fired (`redact` and `flag` then block).
OnError = Literal["open", "closed"]

STAGES: tuple[Stage, ...] = get_args(Stage)
ACTIONS: tuple[Action, ...] = get_args(Action)

#: Kind of a version's part; the part without a name is their order.
PART = "guardrails"


class GuardrailUse(msgspec.Struct, frozen=True):
    """One guardrail.

    Attributes:
        name: unique within the configuration; what figures over versions go by.
        kind: name in `catalogue.GUARDRAILS`, or a function of `guardrails.py`.
        on: stages, in the order of `STAGES`.
        threshold: it fires from this score on.
        timeout_s: for one look, all pieces of its stage together.
        message: what the user is told where it ends a request; empty: a standard sentence.
        judge: the model that is asked, once, for a kind (or a `method`) that asks one. Of a version it is
            known by its pin alone; who asks has the model of that id with its price and its file.
        revision: built-in: its revision; function: hash of its source and what it imports.
    """

    name: str
    kind: str
    on: tuple[Stage, ...]
    action: Action = "block"
    options: dict[str, Any] = {}
    threshold: float = 0.5
    timeout_s: float = 0.5
    on_error: OnError = "closed"
    message: str = ""
    judge: Judge | None = None
    revision: str = "1"

    @property
    def is_function(self) -> bool:
        """A function of `guardrails.py`: its revision is a hash of source."""
        return len(self.revision) == 64

    def part(self, wording: str = "") -> Part:
        """As a part of a version.

        Args:
            wording: hash of what a judge is told, for one that asks a model.
        """
        value = msgspec.to_builtins(self)
        del value["name"]
        if self.judge is None:
            del value["judge"]
        else:
            # The model is pinned as those of single steps are: a part of its own.
            judge = self.judge
            value["judge"] = {"model": judge.model.id, "params": judge.params}
            value["wording"] = wording
        return make_part(PART, self.name, value)


def guardrail_parts(uses: Iterable[GuardrailUse], wording: str = "") -> list[Part]:
    """All guardrails of a version as its parts; their order is one too, where there are several."""
    uses = list(uses)
    parts = [use.part(wording if use.judge is not None else "") for use in uses]
    if len(uses) > 1:
        parts.append(make_part(PART, "", [use.name for use in uses]))
    return parts


def guardrails_of(manifest: Manifest) -> tuple[GuardrailUse, ...]:
    """Those of a version, in the order in which they look."""
    found: dict[str, GuardrailUse] = {}
    order: list[str] = []
    pins = {part.name: part.value for part in manifest.of_kind("own_models")}
    for part in manifest.of_kind(PART):
        if not part.name:
            order = list(part.value)
            continue
        value = {name: each for name, each in part.value.items() if name != "wording"}
        if (judge := value.pop("judge", None)) is not None:
            value["judge"] = msgspec.to_builtins(_judge(judge, pins))
        found[part.name] = msgspec.convert({**value, "name": part.name}, GuardrailUse)
    # A mixture of two versions may have an order that names others.
    names = [name for name in order if name in found]
    return tuple(found[name] for name in (*names, *sorted(found.keys() - set(names))))


def _judge(value: dict[str, Any], pins: dict[str, dict[str, Any]]) -> Judge:
    id_ = value["model"]
    provider, _, name = id_.partition("/")
    pin = pins.get(id_, {"client": "litellm", "endpoint": "", "name": name, "pin": {}})
    model = Model(id_, provider, pin["name"], pin["client"], pin["endpoint"], pin["pin"])
    return Judge(model, value["params"])
