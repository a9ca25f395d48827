"""What a run has to do: which outputs and which scores are missing. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from llmops_tui.domain.canonical import digest
from llmops_tui.domain.case import Case
from llmops_tui.domain.errors import Problem, did_you_mean
from llmops_tui.domain.manifest import Manifest
from llmops_tui.domain.model import Model
from llmops_tui.domain.output import output_key, target_hash
from llmops_tui.domain.run import Snapshot
from llmops_tui.domain.score import score_key
from llmops_tui.engine.events import Subset

#: Places in one piece of `eval_hash`.
HASHED_AT_ONCE = 2_000


class Slot(msgspec.Struct, frozen=True):
    """One case on one model in one trial: a place that an output belongs in.

    Attributes:
        position: in the order of the eval set, model by model, trial by trial.
        key: content key of the output.
        score_keys: one for each scorer of the case, in order.
        chosen: the subset allows it to be asked.
        extra: a trial beyond the planned ones.
    """

    position: int
    case: Case
    model: Model
    trial: int
    key: str
    score_keys: tuple[str, ...]
    chosen: bool
    extra: bool = False


def slots(
    manifest: Manifest,
    models: Sequence[Model],
    cases: Sequence[Case],
    trials: int,
    subset: Subset,
    extra_trials: dict[tuple[str, str], int],
) -> list[Slot]:
    """Every place of a run, in order.

    Args:
        manifest: the version to evaluate.
        models: its models, in order (`models_of` for one that is not on disk).
        trials: planned repetitions of a case that does not set its own.
        extra_trials: (case, model) → trials wanted beyond the planned ones.
    """
    target = target_hash(manifest)
    hashes = {p.name: p.hash for p in manifest.of_kind("models")}
    chosen = choose(cases, subset)
    result: list[Slot] = []
    for case in cases:
        inputs = case.inputs_hash()
        score_keys = tuple(score_key(use, case) for use in case.scorers)
        planned = case.trials or trials
        for model in models:
            key = output_key(target, hashes[model.id], inputs)
            extra = extra_trials.get((case.id, model.id), 0) if extra_trials else 0
            for trial in range(planned + extra):
                result.append(
                    Slot(
                        len(result),
                        case,
                        model,
                        trial,
                        key,
                        score_keys,
                        case.id in chosen,
                        trial >= planned,
                    )
                )
    return result


def choose(cases: Sequence[Case], subset: Subset) -> frozenset[str]:
    """Ids of the cases that a subset allows."""
    ids, tags = set(subset.ids), set(subset.tags)
    found = [c.id for c in cases if (not ids or c.id in ids) and (not tags or tags.intersection(c.tags))]
    return frozenset(found if subset.limit is None else found[: subset.limit])


def narrows(subset: Subset) -> bool:
    """Whether a subset leaves anything out on purpose."""
    return bool(subset.ids or subset.tags or subset.limit is not None)


def models_of(manifest: Manifest, kind: str = "models") -> tuple[Model, ...]:
    """The models of a recorded version, enough to score and show what they answered.

    Args:
        kind: of the parts: `models`, or `own_models` for those that single steps name.
    """
    return tuple(
        Model(
            id=part.name,
            provider=part.name.partition("/")[0],
            name=part.value["name"],
            client=part.value["client"],
            endpoint=part.value["endpoint"],
            pin=part.value["pin"],
        )
        for part in manifest.of_kind(kind)
    )


def eval_hash(places: Sequence[Slot]) -> str:
    """Names what a run judges: equal for two runs whose items mean the same.

    A digest of digests: 100,000 places in one piece would hold up everything else for a moment.
    """
    planned = [s for s in places if not s.extra]
    parts = [planned[i : i + HASHED_AT_ONCE] for i in range(0, len(planned), HASHED_AT_ONCE)]
    return digest(
        [digest([[s.case.id, s.model.id, s.trial, s.key, *s.score_keys] for s in part]) for part in parts]
    )


def no_case(cases: Sequence[Case], subset: Subset) -> Problem:
    """Why a subset leaves no case."""
    known = {c.id for c in cases}
    for name in subset.ids:
        if name not in known:
            return Problem(f"there is no case '{name}'", did_you_mean(name, known))
    tags = {t for c in cases for t in c.tags}
    for tag in subset.tags:
        if tag not in tags:
            return Problem(f"no case has the tag '{tag}'", did_you_mean(tag, tags))
    return Problem("no case is left", "widen --case, --tag or --limit")


def extra_trials(newest: Snapshot | None, once_more: tuple[str, ...]) -> dict[tuple[str, str], int]:
    """(case, model) → trials beyond the planned ones: those that were asked by hand, and one more."""
    extra: dict[tuple[str, str], int] = {}
    for row in newest.rows if newest is not None else ():
        there = sum(i.extra for i in row.items)
        wanted = there + (row.case_id in once_more)
        if wanted:
            extra[row.case_id, row.model] = wanted
    return extra
