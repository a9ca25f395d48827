"""What else changed between two sides, as sentences: a provider that serves something else under the same pin
(model drift), or another judge."""

from __future__ import annotations

import time

from llmops_tui.domain.comparison import Comparison
from llmops_tui.domain.judge import ANY_JUDGE, changed_judges
from llmops_tui.domain.run import VersionInfo
from llmops_tui.store import Store

Names = set[tuple[str, str]]


def between(store: Store, comparison: Comparison) -> tuple[str, ...]:
    """Models that answered the two sides under one pin as different things, and judges that changed.

    For one version alone: what `of_version` says.
    """
    before, after = comparison.baseline, comparison.candidate
    if before.version.id == after.version.id:
        return of_version(store, after.version)
    judged = judges(store, before.run.id, after.run.id)
    old_pins = {p.name: p.hash for p in store.versions.manifest(before.version.id).of_kind("models")}
    new_pins = {p.name: p.hash for p in store.versions.manifest(after.version.id).of_kind("models")}
    old, new = store.runs.served(before.run.id), store.runs.served(after.run.id)
    return judged + tuple(
        f"model drift: under the same pin {model} answered {before.version.name} as {_names(old[model])} "
        f"and {after.version.name} as {_names(new[model])}"
        for model, pin in new_pins.items()
        if old_pins.get(model) == pin and old.get(model) and new.get(model) and old[model] != new[model]
    )


def judges(store: Store, before: int, after: int) -> tuple[str, ...]:
    """Judges that did not judge both runs as the same version."""
    if not store.scores.has_label(ANY_JUDGE):  # most workspaces; a run of 100,000 items is long to go through
        return ()
    return changed_judges(store.scores.labels_of_run(before), store.scores.labels_of_run(after))


def of_version(store: Store, version: VersionInfo) -> tuple[str, ...]:
    """Models that answered a version's newest run as something newer than the same pin gave before."""
    run_id = store.runs.newest(version.id, rescored=True)
    if run_id is None:
        return ()
    served = store.runs.served(run_id)
    sentences = []
    for part in store.versions.manifest(version.id).of_kind("models"):
        ours = served.get(part.name, set())
        known = {
            (s.served_model or "", s.fingerprint or ""): s for s in store.calls.served(part.name, part.hash)
        }
        first = min((known[n].first_seen for n in ours if n in known), default=None)
        earlier = [
            n for n, s in known.items() if n not in ours and first is not None and s.first_seen < first
        ]
        if len(ours) > 1 or earlier:
            newest = max(earlier, key=lambda n: known[n].last_seen, default=None)
            said = f"model drift: {part.name} answered {version.name} as {_names(ours)}"
            if newest is not None:
                day = time.strftime("%Y-%m-%d %H:%M", time.localtime(known[newest].last_seen))
                said += f"; until {day} the same pin was served as {_names({newest})}"
            sentences.append(said)
    return tuple(sentences)


def _names(served: Names) -> str:
    texts = [f"{model} ({mark})" if model and mark else model or mark or "unnamed" for model, mark in served]
    return " and ".join(sorted(texts))
