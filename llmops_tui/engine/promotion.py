"""Making a version the baseline: only one whose gate passes, or with a reason that is kept."""

from __future__ import annotations

import time

from llmops_tui.domain.comparison import compare
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.run import Snapshot, VersionInfo, tally
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.gating import Gate
from llmops_tui.store.verdicts import Promotion


def promote(engine: Engine, version: VersionInfo, *, force: bool = False, note: str = "") -> VersionInfo:
    """Make a version the baseline, in the store and in `baselines.yaml`. Asks no model.

    Args:
        force: also where its run is not complete or its gate does not pass; that is recorded.
        note: for people; with `force` it is the reason, and must be given.

    Raises:
        UsageError: its newest run is not complete, or the gate against the current baseline does not pass.
        WorkspaceError: `baselines.yaml` or `reviews.yaml` has a mistake, or can't be written.
    """
    from llmops_tui.workspace import baselines

    note = " ".join(note.split())
    if force and not note:
        raise UsageError(
            Problem(f"promoting {version.name} by force needs a reason", "give one with --note TEXT")
        )
    if version.is_hidden:
        raise UsageError(
            Problem(f"{version.name} was only tried out", "bring it to disk and evaluate it: llmops-tui run")
        )
    in_the_way = obstacles(engine, version)
    if in_the_way and not force:
        raise UsageError(*in_the_way)
    at = engine.clock()
    entry = baselines.BaselineEntry(
        number=version.number,
        hash=version.hash,
        promoted_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
        manifest=engine.store.versions.manifest(version.id),
        note=note,
        forced=bool(in_the_way),
    )
    baselines.write(engine.root, version.config, entry)
    promoted = engine.store.versions.set_baseline(version.id)
    engine.store.verdicts.add_promotion(Promotion(version.id, entry.forced, note, at))
    return promoted


def obstacles(engine: Engine, version: VersionInfo) -> tuple[Problem, ...]:
    """Why a version may not become the baseline; the last one says what to do. Empty where nothing does.

    Raises:
        WorkspaceError: `reviews.yaml` has a mistake.
    """
    # As it was evaluated: cases that came later, or scorers that changed, can't be asked of it any more.
    runs, queries = engine.store.runs, engine.queries
    run_id = runs.newest(version.id, rescored=False)
    snapshot = (runs.snapshot(version.id, run_id) if run_id else None) or queries.snapshot(version)
    if not snapshot.is_complete:
        return (Problem(f"{version.name} can't be promoted: {_incomplete(snapshot)}", "run it first"),)
    baseline = engine.store.versions.baseline(version.config)
    if baseline is None or baseline.id == version.id:
        return ()
    result = Gate(engine).judged(compare(queries.snapshot(baseline), queries.snapshot(version)))
    if result.exit_code == 0:
        return ()
    word = "fails" if result.verdict == "fail" else "is inconclusive"
    remedy = (
        "mend it, or promote it all the same and say why: "
        f"llmops-tui promote {version.name} --force --note TEXT"
    )
    first, *others = result.reasons or (result.headline,)
    said = f"{version.name} can't be promoted: its gate against {baseline.name} {word}: {first}"
    return (Problem(said), *(Problem(s) for s in others), Problem(f"{version.name} stays as it is", remedy))


def _incomplete(snapshot: Snapshot) -> str:
    if not snapshot.rows:
        return "it was never evaluated"
    count = tally(snapshot.rows)
    if count.errors:
        return f"{count.errors} of its {len(snapshot.rows)} outputs could not be had"
    missing = snapshot.run.total - sum(i.status != "missing" for r in snapshot.rows for i in r.items)
    return f"{missing} of its {snapshot.run.total} outputs are missing"
