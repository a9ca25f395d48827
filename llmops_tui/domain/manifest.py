"""A version: the parts of a resolved configuration, each with its hash.

The name of a version is the hash of its manifest. Comments, key order, white space and file
names are not in it; eval sets are not either (they judge a version, they don't make one).
"""

from __future__ import annotations

from typing import Any

import msgspec

from llmops_tui.domain.canonical import KEY_SCHEMA, digest


class Part(msgspec.Struct, frozen=True):
    """One part of a version.

    Attributes:
        kind: `prompt`, `models`, `params`, `retrieval`, `corpus`, `response_format`, `tools`; of programs
            with steps `step`, `code`, `own_models`, `program` (see `program.program_of`); `guardrails`.
        name: which one, where a kind has several (a parameter, a model, a step); else empty.
        value: the content itself, as JSON. For `prompt`: `Prompt.content()`; for `corpus` and `code`:
            path → hash of the text (the texts are blobs of the store).
        hash: digest of `value`.
    """

    kind: str
    name: str
    value: Any
    hash: str

    @property
    def label(self) -> str:
        """`prompt`, `params.temperature`, `models.local/smollm2-135m-instruct`."""
        return f"{self.kind}.{self.name}" if self.name else self.kind


def make_part(kind: str, name: str, value: Any) -> Part:
    return Part(kind, name, value, digest(value))


class Manifest(msgspec.Struct, frozen=True):
    """All parts, sorted by (kind, name), and the hash that names them."""

    parts: tuple[Part, ...]
    hash: str

    def part(self, kind: str, name: str = "") -> Part | None:
        return next((p for p in self.parts if p.kind == kind and p.name == name), None)

    def of_kind(self, kind: str) -> tuple[Part, ...]:
        return tuple(p for p in self.parts if p.kind == kind)


def make_manifest(parts: list[Part]) -> Manifest:
    ordered = tuple(sorted(parts, key=lambda p: (p.kind, p.name)))
    return Manifest(ordered, digest([KEY_SCHEMA, [[p.kind, p.name, p.hash] for p in ordered]]))


class PartChange(msgspec.Struct, frozen=True):
    """A part that differs between two versions; `before` or `after` is None where it is not there."""

    kind: str
    name: str
    before: Part | None
    after: Part | None

    @property
    def label(self) -> str:
        part = self.after or self.before
        assert part is not None
        return part.label


def changed_parts(before: Manifest, after: Manifest) -> list[PartChange]:
    """Parts whose hash differs, prompt first, then by kind and name."""
    old = {(p.kind, p.name): p for p in before.parts}
    new = {(p.kind, p.name): p for p in after.parts}
    changes = [
        PartChange(kind, name, old.get((kind, name)), new.get((kind, name)))
        for kind, name in old.keys() | new.keys()
        if (old.get((kind, name)) and old[kind, name].hash)
        != (new.get((kind, name)) and new[kind, name].hash)
    ]
    order = {
        "prompt": 0,
        "step": 1,
        "models": 2,
        "params": 3,
        "retrieval": 4,
        "corpus": 5,
        "tools": 6,
        "guardrails": 7,
    }
    return sorted(changes, key=lambda c: (order.get(c.kind, 9), c.kind, c.name))
