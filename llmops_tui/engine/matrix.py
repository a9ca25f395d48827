"""The matrix of a configuration, read from its database: every case in every version, or model by model."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from llmops_tui.domain.matrix import Matrix, Source, by_models, by_versions, with_source
from llmops_tui.domain.run import Row, RunInfo, VersionInfo, make_row
from llmops_tui.engine.events import OutputDetail
from llmops_tui.store import Store


class CellDetail(msgspec.Struct, frozen=True):
    """One cell in full: its row, and each trial with scores and reasons."""

    row: Row
    trials: tuple[OutputDetail, ...]


def versions_matrix(store: Store, config: str, last: int | None = None) -> Matrix:
    """Cases × versions, oldest version first.

    Args:
        last: only so many of the newest versions; None: all of them.
    """
    versions = store.versions.list(config)[: last or None]
    runs = store.cells.newest_runs(v.id for v in versions)
    sources = [_source(store, v, runs) for v in reversed(versions)]
    return by_versions(sources, store.cells.places())


def models_matrix(store: Store, version: VersionInfo) -> Matrix:
    """Cases × the models of one version, in the order in which they were asked."""
    source = _source(store, version, store.cells.newest_runs([version.id]))
    named = [p.name for p in store.versions.manifest(version.id).of_kind("models")]
    return by_models(source, store.cells.places(), named)


def read_again(store: Store, matrix: Matrix, version: VersionInfo) -> Matrix:
    """The matrix with one version read anew, for while its run is under way; rows stay where they are.

    The whole is read where that is not enough.
    """
    source = _source(store, version, store.cells.newest_runs([version.id]))
    found = with_source(matrix, source, store.cells.places())
    if found is not None:
        return found
    if matrix.by == "versions":
        return versions_matrix(store, version.config)
    shown = matrix.columns[0].version if matrix.columns else version
    return models_matrix(store, msgspec.structs.replace(shown, model=""))


def _source(store: Store, version: VersionInfo, runs: Mapping[int, RunInfo]) -> Source:
    run = runs.get(version.id)
    return Source(version, run, store.cells.of_run(run.id) if run is not None else ())


def cell(store: Store, matrix: Matrix, row: int, column: int) -> CellDetail | None:
    """One cell with its scores and reasons; None where nothing was evaluated."""
    at = matrix.columns[column]
    if at.run is None:
        return None
    items = store.cells.of_case(at.run.id, matrix.rows[row][0], matrix.model_of(row, column))
    if not items:
        return None
    trials = []
    for item in make_row(items).items:
        if item.output_id is None:
            trials.append(OutputDetail(None, (), item.failure))
        else:
            scores = tuple(store.runs.item_scores(item))
            trials.append(OutputDetail(store.outputs.get(item.output_id), scores, item.failure))
    return CellDetail(make_row(items), tuple(trials))
