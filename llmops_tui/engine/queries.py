"""What is known: versions, comparisons, one case in full. Reads the store; asks nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from llmops_tui.domain.canonical import short
from llmops_tui.domain.case import Case
from llmops_tui.domain.comparison import Comparison, Pair, compare, is_same
from llmops_tui.domain.errors import Problem, UsageError, did_you_mean
from llmops_tui.domain.guardrails.failures import GuardFailures, failures_in
from llmops_tui.domain.manifest import Part, PartChange, changed_parts
from llmops_tui.domain.prompt import prompt_text
from llmops_tui.domain.run import Row, RunInfo, Snapshot, VersionInfo, only_model, tally
from llmops_tui.domain.version_figures import GateMark, PromotionMark, figures_of
from llmops_tui.engine import drift
from llmops_tui.engine.events import OutputDetail, PairDetail, TextChange, VersionSummary
from llmops_tui.store import Store

Compared = tuple[Comparison, tuple[PartChange, ...]]


class Queries:
    """Answers from the database of one workspace."""

    def __init__(self, root: Path, store: Store) -> None:
        self._root = root
        self._store = store

    # -- versions

    def resolve(self, config: str, ref: str) -> VersionInfo:
        """A version by `v3`, hash prefix, label, `baseline`, `latest` or `previous`.

        Raises:
            UsageError: there is none, or several.
        """
        found = self.side(config, ref)
        if found.model:
            whole = msgspec.structs.replace(found, model="").name
            raise UsageError(
                Problem(
                    f"'{ref}' is one model of {whole}, and this is about a whole version", f"name {whole}"
                )
            )
        return found

    def side(self, config: str, ref: str) -> VersionInfo:
        """One side of a comparison: a version, or one model of it as `VERSION@MODEL`.

        MODEL may be a part of its name that only one model of the version has.

        Raises:
            UsageError: there is none, or several.
        """
        name, at, model = ref.partition("@")
        if not at:
            return self._store.versions.get(config, ref)
        version = self._store.versions.get(config, name or "latest")
        known = self.models(version)
        found = [m for m in known if m == model] or [m for m in known if model and model in m]
        if len(found) == 1:
            return msgspec.structs.replace(version, model=found[0])
        if found:
            raise UsageError(
                Problem(f"'{model}' is a part of {len(found)} models of {version.name}", " or ".join(found))
            )
        raise UsageError(Problem(f"{version.name} has no model '{model}'", did_you_mean(model, set(known))))

    def models(self, version: VersionInfo) -> tuple[str, ...]:
        """The models of a version: those that answered in its newest run, then others that it names."""
        snapshot = self._store.runs.snapshot(version.id)
        named = (p.name for p in self._store.versions.manifest(version.id).of_kind("models"))
        return tuple(dict.fromkeys((*(snapshot.models if snapshot else ()), *named)))

    def snapshot(self, version: VersionInfo) -> Snapshot:
        """What a version is known to have answered; without rows where it was never evaluated."""
        found = self._store.runs.snapshot(version.id)
        if found is not None:
            return only_model(found, version.model) if version.model else found
        never = RunInfo(0, version.id, "manual", "interrupted", version.created_at, 0, 0)
        return Snapshot(version, never, ())

    def changes(self, before: VersionInfo, after: VersionInfo) -> tuple[PartChange, ...]:
        if is_same(before, after):
            return ()
        old, new = (self._store.versions.manifest(v.id) for v in (before, after))
        changes = tuple(changed_parts(old, new))
        if not before.model:
            return changes
        parts = old.part("models", before.model), new.part("models", after.model)
        others = tuple(c for c in changes if c.kind != "models")
        if parts == (None, None) or (before.model == after.model and parts[0] == parts[1]):
            return others
        return (PartChange("models", after.model, *parts), *others)

    def changed_since_baseline(self, version: VersionInfo) -> tuple[PartChange, ...]:
        baseline = self._store.versions.baseline(version.config)
        return self.changes(baseline, version) if baseline is not None else ()

    def history(self, config: str, cases: Iterable[Case] = ()) -> tuple[VersionSummary, ...]:
        """Newest first; what changed is told against the version before.

        Args:
            cases: those on disk, for tags and groups of the figures.
        """
        facts = {case.id: case for case in cases}
        versions = self._store.versions.list(config)
        manifests = {v.id: self._store.versions.manifest(v.id) for v in versions}
        promoted: dict[int, list[PromotionMark]] = {}
        for each in self._store.verdicts.promotions(config):
            mark = PromotionMark(each.forced, each.note, each.at)
            promoted.setdefault(each.version_id, []).append(mark)
        summaries = []
        for i, version in enumerate(versions):
            older = versions[i + 1] if i + 1 < len(versions) else None
            changed = (
                tuple(c.label for c in changed_parts(manifests[older.id], manifests[version.id]))
                if older
                else ()
            )
            snapshot = self._store.runs.snapshot(version.id)
            summaries.append(
                VersionSummary(
                    version=version,
                    run=snapshot.run if snapshot else None,
                    tally=tally(snapshot.rows) if snapshot else None,
                    changed=changed,
                    warnings=drift.of_version(self._store, version),
                    cost_usd=_cost(snapshot),
                    promoted=tuple(promoted.get(version.id, ())),
                    figures=figures_of(
                        *(snapshot.rows if snapshot else (), facts),
                        *(self._gate_mark(version), next(iter(promoted.get(version.id, ())), None)),
                    ),
                )
            )
        return tuple(summaries)

    def summary(self, version: VersionInfo, cases: Iterable[Case] = ()) -> VersionSummary:
        """One version as in the history; one without a number is told against the latest."""
        listed = next((s for s in self.history(version.config, cases) if s.version.id == version.id), None)
        if listed is not None:
            return listed
        snapshot = self._store.runs.snapshot(version.id)
        facts = {case.id: case for case in cases}
        return VersionSummary(
            version=version,
            run=snapshot.run if snapshot else None,
            tally=tally(snapshot.rows) if snapshot else None,
            changed=tuple(c.label for c in self.changes(self.resolve(version.config, "latest"), version)),
            warnings=drift.of_version(self._store, version),
            cost_usd=_cost(snapshot),
            figures=figures_of(snapshot.rows if snapshot else (), facts, self._gate_mark(version), None),
        )

    def _gate_mark(self, version: VersionInfo) -> GateMark | None:
        """The newest verdict on a version."""
        found = next(iter(self._store.verdicts.of(version.id, limit=1)), None)
        if found is None:
            return None
        against = self._store.versions.by_id(found.baseline_id).name
        return GateMark(found.verdict, against, found.exploratory, found.headline, found.at)

    # -- comparing

    def compare(self, config: str, a: str | None, b: str | None) -> Compared:
        """Two versions by name; None is `baseline` and `latest`. What changed comes with it.

        Raises:
            UsageError: a version is not there, or nothing was evaluated yet.
        """
        candidate = self.side(config, b or "latest")
        baseline = self._store.versions.baseline(config) if a is None else self.side(config, a)
        if baseline is None:
            # Nothing was promoted and nothing is complete: a version against itself shows its results.
            baseline = candidate
        baseline, candidate = self._one_model_each(baseline, candidate)
        comparison = compare(self.snapshot(baseline), self.snapshot(candidate))
        return comparison, self.changes(baseline, candidate)

    def _one_model_each(self, a: VersionInfo, b: VersionInfo) -> tuple[VersionInfo, VersionInfo]:
        """Where one side is about one model and the other is a whole version: the same model of that.

        Raises:
            UsageError: it does not have that model.
        """
        if bool(a.model) == bool(b.model):
            return a, b
        model, whole = a.model or b.model, (a if b.model else b)
        if model not in self.models(whole):
            names = " or ".join(f"{whole.name}@{m}" for m in self.models(whole))
            raise UsageError(Problem(f"{whole.name} has no model '{model}'", f"name one: {names}"))
        return msgspec.structs.replace(a, model=model), msgspec.structs.replace(b, model=model)

    def last(self) -> Compared | None:
        """The comparison of the configuration that was evaluated last, from the database alone."""
        config = self._store.runs.last_config()
        if config is None:
            return None
        try:
            return self.compare(config, None, None)
        except UsageError:
            return None

    def drift(self, comparison: Comparison) -> tuple[str, ...]:
        """Models that served something else under the same pin, as sentences."""
        return drift.between(self._store, comparison)

    def guard_failures(self, snapshot: Snapshot) -> GuardFailures:
        """Guardrails that failed themselves on the way to the outputs of a version."""
        ids = [i.output_id for row in snapshot.rows for i in row.planned if i.output_id is not None]
        return failures_in(snapshot.rows, self._store.outputs.looks(ids, failed=True))

    def detail(self, pair: Pair) -> PairDetail:
        """Both sides of a case with texts, scores and reasons."""
        return PairDetail(pair, self._side(pair.baseline), self._side(pair.candidate))

    def _side(self, row: Row | None) -> tuple[OutputDetail, ...]:
        details = []
        for item in row.items if row is not None else ():
            if item.output_id is None:
                details.append(OutputDetail(None, (), item.failure))
            else:
                output = self._store.outputs.get(item.output_id)
                scores = self._store.runs.item_scores(item)
                details.append(OutputDetail(output, tuple(scores), item.failure))
        return tuple(details)

    def texts(self, before: VersionInfo, after: VersionInfo) -> tuple[TextChange, ...]:
        """Every changed part as text; each changed document of the corpus by itself."""
        changes: list[TextChange] = []
        for change in self.changes(before, after):
            if change.kind in ("corpus", "code"):
                changes += self._documents(change)
            else:
                title = change.label
                changes.append(
                    TextChange(change.label, title, _as_text(change.before), _as_text(change.after))
                )
        return tuple(changes)

    def _documents(self, change: PartChange) -> list[TextChange]:
        old: dict[str, str] = change.before.value if change.before else {}
        new: dict[str, str] = change.after.value if change.after else {}
        differing = sorted(p for p in old.keys() | new.keys() if old.get(p) != new.get(p))
        wanted = {h for p in differing for h in (old.get(p), new.get(p)) if h}
        texts = self._store.blobs.get_many(sorted(wanted))
        return [
            TextChange(change.label, path, texts.get(old.get(path, ""), ""), texts.get(new.get(path, ""), ""))
            for path in differing
        ]

    # -- what people decide

    def sync_baseline(self, config: str) -> None:
        """Take over what `baselines.yaml` says: it is in git, and a colleague may have promoted.

        A version that this database never saw is recorded from its manifest, so that a fresh clone does
        not take its own first run for the baseline. Call it before the version on disk is recorded, which
        then is the latest.
        """
        from llmops_tui.workspace import baselines

        entry = baselines.read(self._root).get(config)
        if entry is None:
            return
        current = self._store.versions.baseline(config)
        if current is not None and current.hash == entry.hash:
            return
        known = self._store.versions.find(config, entry.hash)
        if known is None:
            known, _ = self._store.versions.ensure(config, entry.manifest, {}, at=time.time())
        self._store.versions.set_baseline(known.id)


def _cost(snapshot: Snapshot | None) -> float | None:
    """Of the outputs of a version, each counted once however many cases share it."""
    items = [i for row in snapshot.rows for i in row.items if i.output_id is not None] if snapshot else []
    costs = {i.output_id: i.cost_usd for i in items}
    known = [cost for cost in costs.values() if cost is not None]
    return sum(known) if costs and len(known) == len(costs) else None


def _as_text(part: Part | None) -> str:
    if part is None:
        return ""
    if part.kind == "prompt":
        return prompt_text(part.value)
    if part.kind == "params":
        return f"{part.name}: {_scalar(part.value)}"
    if part.kind == "tools":
        # Where what it reads at module level changed, its own text did not: the revision tells it.
        rest = {k: v[:12] if k == "revision" else v for k, v in part.value.items() if k != "source"}
        return "\n".join([part.value["source"].rstrip(), *(f"{k}: {_scalar(v)}" for k, v in rest.items())])
    if part.kind == "guardrails":
        return _guardrail(part)
    if part.kind in ("models", "own_models"):
        pin = {k: short(v) if k == "file_sha256" else v for k, v in part.value["pin"].items()}
        lines = [part.name, *(f"{k}: {v}" for k, v in sorted(pin.items()))]
        return "\n".join(lines)
    return "\n".join(f"{k}: {_scalar(v)}" for k, v in sorted(part.value.items()))


def _guardrail(part: Part) -> str:
    if not part.name:
        return f"order: {', '.join(part.value)}"
    hashes = {"revision", "wording"}
    told = {k: v[:12] if k in hashes else v for k, v in part.value.items() if v not in ("", {}, None)}
    return "\n".join(f"{k}: {_scalar(v)}" for k, v in told.items())


def _scalar(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
