"""What evaluations know of guardrails: version by version, over attacks and harmless cases."""

from __future__ import annotations

from llmops_tui.domain.attack import is_attack
from llmops_tui.domain.attack_figures import slipped
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.live.guards import GuardTrial
from llmops_tui.domain.run import Row, Snapshot
from llmops_tui.engine.attacking import looks_of
from llmops_tui.store import Store


def trials(store: Store, config: str | None = None) -> tuple[GuardTrial, ...]:
    """Of each version that has a number, from its newest run over attacks; the newest version first.

    Args:
        config: one configuration; None: all that have versions, by name.

    Raises:
        StoreError: the database can't be read.
    """
    if config is None:
        return tuple(trial for name in sorted(store.versions.configs()) for trial in trials(store, name))
    found: list[GuardTrial] = []
    for version in store.versions.list(config):
        snapshot = store.runs.snapshot(version.id, attacks=True) if not version.is_hidden else None
        if snapshot is not None:
            found += _of(store, snapshot)
    return tuple(sorted(found, key=lambda trial: -trial.version))


def _of(store: Store, snapshot: Snapshot) -> list[GuardTrial]:
    looks = looks_of(store, snapshot.rows)
    names = dict.fromkeys(look.name for each in looks.values() for look in each)
    return [_trial(snapshot, name, _seen(snapshot, looks, name), looks) for name in names]


def _seen(snapshot: Snapshot, looks: dict[int, tuple[Look, ...]], name: str) -> list[tuple[Row, list[bool]]]:
    """Rows that a guardrail saw something of, and whether it fired, trial by trial."""
    found = []
    for row in snapshot.rows:
        each = [[k for k in looks.get(i.output_id or 0, ()) if k.name == name] for i in row.planned]
        fired = [any(look.triggered for look in trial) for trial in each if trial]
        if fired:
            found.append((row, fired))
    return found


def _trial(
    snapshot: Snapshot, name: str, seen: list[tuple[Row, list[bool]]], looks: dict[int, tuple[Look, ...]]
) -> GuardTrial:
    attacks = [(row, fired) for row, fired in seen if is_attack(row.case_id)]
    harmless = [(row, fired) for row, fired in seen if not is_attack(row.case_id)]
    return GuardTrial(
        config=snapshot.version.config,
        version=snapshot.version.number,
        guardrail=name,
        attacks=len(attacks),
        caught=sum(all(fired) for _, fired in attacks),
        succeeded=sum(slipped(row, looks, name) for row, _ in attacks),
        harmless=len(harmless),
        alarms=sum(any(fired) for _, fired in harmless),
        at=snapshot.run.started_at,
    )
