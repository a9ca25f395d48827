"""Two versions and the mixtures in between: as configurations to evaluate, priced, and as they answered.

A mixture has no number. It is recorded when it is evaluated, and not when it is priced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from llmops_tui.domain.comparison import pair_models
from llmops_tui.domain.configuration import Configuration
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.mixture import merged, mix, parts_between
from llmops_tui.domain.run import Row, Snapshot, VersionInfo, make_rows
from llmops_tui.engine import pairing, subjects
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.evaluation import prepared_for
from llmops_tui.engine.events import Estimate, RunRequest
from llmops_tui.engine.gating import Gate
from llmops_tui.engine.pairing import Side


class Ends(msgspec.Struct, frozen=True):
    """A and B as they can be evaluated here.

    `adapted` says what had to be adapted to this machine: a version that had to be is another one.
    """

    baseline: Side
    candidate: Side
    adapted: tuple[str, ...] = ()


def ends_of(engine: Engine, config: str, a: VersionInfo, b: VersionInfo, *, recording: bool = True) -> Ends:
    """Both versions over the cases on disk.

    Args:
        recording: a version that had to be adapted is recorded; else it must be.

    Raises:
        UsageError, WorkspaceError: one can't be had here.
    """
    configuration = engine.configuration(config)
    sides: list[Side] = []
    adapted: list[str] = []
    for version in (a, b):
        subject = subjects.of_version(engine.store, engine.root, configuration, version)
        if subject.adapted:
            adapted += subject.adapted
            version = _adapted(engine, subject.configuration, version, recording=recording)
        sides.append(Side(subject.configuration, version))
    return Ends(sides[0], sides[1], tuple(dict.fromkeys(adapted)))


def _adapted(
    engine: Engine, configuration: Configuration, version: VersionInfo, *, recording: bool
) -> VersionInfo:
    if recording:
        return Gate(engine).hidden(configuration)
    found = engine.store.versions.find(configuration.name, configuration.manifest.hash)
    if found is None:
        raise UsageError(Problem(f"{version.name} was never evaluated as it is here"))
    return found


class Mixtures:
    """The corners between two versions.

    Attributes:
        parts: what is taken over one by one; `merge` makes them fewer.
        notes: what is left aside, as sentences.
    """

    def __init__(self, engine: Engine, ends: Ends) -> None:
        self._engine = engine
        self._ends = ends
        self._models = pair_models(*(self._names(side) for side in (ends.baseline, ends.candidate)))
        before, after = ends.baseline.configuration.manifest, ends.candidate.configuration.manifest
        self.parts, self.notes = parts_between(
            before, after, self._models, needs_context=_needs_context(ends.baseline, ends.candidate)
        )
        store = engine.store
        self._factor = min(store.versions.factor(side.version.id) for side in (ends.baseline, ends.candidate))

    def _names(self, side: Side) -> tuple[str, ...]:
        """Models in the order in which the comparison pairs them."""
        snapshot = self._engine.queries.snapshot(side.version)
        return snapshot.models or tuple(model.id for model in side.configuration.models)

    @property
    def last(self) -> int:
        """The corner that is B."""
        return (1 << len(self.parts)) - 1

    def merge(self, i: int, j: int, why: str) -> None:
        """Take two parts as one."""
        self.parts = merged(self.parts, [self.parts[i], self.parts[j]], why)

    def configuration(self, corner: int) -> Configuration:
        """A corner over the cases on disk."""
        before, after = self._ends.baseline.configuration, self._ends.candidate.configuration
        if corner == 0:
            return before
        if corner == self.last:
            return after
        manifest = mix(before.manifest, after.manifest, self.parts, corner)
        known = {model.id: model for model in (*before.models, *after.models)}
        models = tuple(known[part.name] for part in manifest.of_kind("models"))
        name = f"a version between {self._ends.baseline.version.name} and {self._ends.candidate.version.name}"
        own = {model.id: model for model in (*before.own_models, *after.own_models)}
        named = tuple(own[part.name] for part in manifest.of_kind("own_models"))
        texts = {**before.blobs, **after.blobs}
        return subjects.of_manifest(after, manifest, models, texts, name, own=named)

    def find(self, corner: int) -> VersionInfo | None:
        """The version that it is, where it was ever recorded."""
        if corner in (0, self.last):
            return (self._ends.candidate if corner else self._ends.baseline).version
        configuration = self.configuration(corner)
        return self._engine.store.versions.find(configuration.name, configuration.manifest.hash)

    def side(self, corner: int) -> Side:
        """A corner to evaluate, recorded, with as many trials as both ends have."""
        if corner in (0, self.last):
            return self._ends.candidate if corner else self._ends.baseline
        configuration = self.configuration(corner)
        version = Gate(self._engine).hidden(configuration)
        versions = self._engine.store.versions
        if version.is_hidden and versions.factor(version.id) < self._factor:
            versions.set_factor(version.id, self._factor)
        return Side(configuration, version)

    def price(self, corners: Iterable[int]) -> Estimate:
        """What filling in these would take. Records nothing."""
        request = RunRequest(self._ends.candidate.version.config, "explain")
        each = []
        for corner in corners:
            version, configuration = self.find(corner), self.configuration(corner)
            if version is None:
                configuration = subjects.scaled(configuration, self._factor)
            each.append(self._engine.price_as(request, configuration, version))
        return pairing.added(each)

    def snapshot(self, corner: int) -> Snapshot | None:
        """What is known of a corner without asking anything; None where something is missing."""
        version = self.find(corner)
        if version is None:
            return None
        store = self._engine.store
        configuration = subjects.scaled(self.configuration(corner), store.versions.factor(version.id))
        newest = store.runs.snapshot(version.id)
        if newest is None:
            return None
        request = RunRequest(version.config, "explain")
        prepared = prepared_for(store, configuration, request, newest, 0, remake=False)
        if newest.run.state == "complete" and store.runs.eval_hash(newest.run.id) == prepared.eval_hash:
            return newest
        if any(not t.slot.extra for t in prepared.todos) or any(not r.item.extra for r in prepared.waiting):
            return None
        rows = make_rows(r.item for r in sorted(prepared.ready, key=lambda r: r.position))
        return Snapshot(version, newest.run, rows)

    def rows(self, corner: int, snapshot: Snapshot) -> Mapping[tuple[str, str], Row]:
        """Its rows by case and B's model."""
        taken = {
            name
            for n, part in enumerate(self.parts)
            for kind, name in part.members
            if kind == "models" and corner >> n & 1
        }
        whole = corner == self.last
        partner = {new if whole or new in taken else old: new for old, new in self._models.items()}
        return {(r.case_id, partner[r.model]): r for r in snapshot.rows if r.model in partner}

    def repeats(self, corner: int) -> bool:
        """Every model of it answers alike every time, by its runtime and parameters."""
        configuration = self.configuration(corner)
        return all(configuration.repeats(model) for model in configuration.models)


def _needs_context(baseline: Side, candidate: Side) -> bool:
    """Whether the prompts can't change places because only one side retrieves."""
    from llmops_tui.workspace.prompts import required_variables

    manifests = [side.configuration.manifest for side in (baseline, candidate)]
    parts = [manifest.part("prompt") for manifest in manifests]
    retrieves = [manifest.part("retrieval") is not None for manifest in manifests]
    if retrieves[0] == retrieves[1] or parts[0] is None or parts[1] is None:
        return False
    if parts[0].hash == parts[1].hash:
        return False
    own = parts[0] if retrieves[0] else parts[1]
    return "context" in required_variables(own.value)
