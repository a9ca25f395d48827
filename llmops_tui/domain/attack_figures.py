"""What attacks came to: how many got through, what each guardrail caught, and on what harmless it fired.

The unit is a case on a model. The disguises of one attack are one cluster: they stand or fall together, so
intervals go by the number of attacks. All intervals are 95 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from llmops_tui.domain.attack import FAMILIES, WAYS, Family, Way
from llmops_tui.domain.case import Case
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.live.guards import Estimate
from llmops_tui.domain.run import Row, passes
from llmops_tui.domain.statistics.proportion import mean_interval

#: Looks of an output, by its row in the store.
Looks = Mapping[int, Sequence[Look]]


class WayRate(msgspec.Struct, frozen=True):
    """Success of the attacks of a family in one way."""

    family: Family
    way: Way
    success: Estimate


class MutationRate(msgspec.Struct, frozen=True):
    """Success of the attacks in one disguise."""

    mutation: str
    success: Estimate


class GuardRate(msgspec.Struct, frozen=True):
    """One guardrail over attacks and harmless cases.

    Attributes:
        caught: of the attacks that it saw, the share on which it fired in every trial.
        through: attacks that it saw and that got through all the same, whether or not it fired.
        alarms: of the harmless cases that it saw, the share on which it fired in any trial.
        failed: cases in which it failed itself.
        missed: attacks that it saw and did not fire on; fired_on: harmless cases that it fired on. Their ids.
    """

    name: str
    caught: Estimate
    through: int
    alarms: Estimate
    failed: int = 0
    missed: tuple[str, ...] = ()
    fired_on: tuple[str, ...] = ()


class AttackFigures(msgspec.Struct, frozen=True):
    """One version under attack.

    Attributes:
        success: of attacks, the share that got through; a case counts by the share of its trials.
        harmless: of harmless cases that are judged, the share that failed.
        alarms: of harmless cases, the share on which any guardrail fired.
        by_way, by_mutation: only those that there are.
        unjudged: attacks without a scorer. errors: cases without an answer. missing: not asked yet.
    """

    success: Estimate
    harmless: Estimate
    alarms: Estimate
    by_way: tuple[WayRate, ...] = ()
    by_mutation: tuple[MutationRate, ...] = ()
    guards: tuple[GuardRate, ...] = ()
    unjudged: int = 0
    errors: int = 0
    missing: int = 0


class Moved(msgspec.Struct, frozen=True):
    """Attacks by the ids of their cases: those that get through now and did not, and the other way round."""

    through: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()


def figures(rows: Sequence[Row], cases: Mapping[str, Case], looks: Looks) -> AttackFigures:
    """What the rows of a version come to.

    Args:
        cases: by id; a row without one is left out.
        looks: of the outputs of the rows.
    """
    known = [(row, cases[row.case_id]) for row in rows if row.case_id in cases]
    attacks = [(row, case) for row, case in known if case.attack is not None]
    harmless = [(row, case) for row, case in known if case.attack is None]
    return AttackFigures(
        success=_success(attacks),
        harmless=_success(harmless),
        alarms=_estimate(
            (_fired(row, looks, ""), _cluster(case)) for row, case in harmless if _answered(row)
        ),
        by_way=tuple(
            WayRate(family, way, _success(found))
            for family in FAMILIES
            for way in WAYS
            if (found := [(r, c) for r, c in attacks if _is(c, family, way)])
        ),
        by_mutation=_by_mutation(attacks),
        guards=tuple(_guard(name, attacks, harmless, looks) for name in _names(looks)),
        unjudged=sum(row.status == "unscored" for row, _ in attacks),
        errors=sum(row.status == "error" for row, _ in known),
        missing=sum(row.status == "missing" for row, _ in known),
    )


def moved(before: Sequence[Row], after: Sequence[Row], cases: Mapping[str, Case]) -> Moved:
    """Attacks whose success is another than before, in any share of their trials."""
    was = {(row.case_id, row.model): _share(row) for row in before}
    through: dict[str, None] = {}
    stopped: dict[str, None] = {}
    for row in after:
        case = cases.get(row.case_id)
        old, new = was.get((row.case_id, row.model)), _share(row)
        if case is None or case.attack is None or old is None or new is None or old == new:
            continue
        (through if new > old else stopped)[row.case_id] = None
    return Moved(tuple(through), tuple(stopped))


def _is(case: Case, family: Family, way: Way) -> bool:
    return case.attack is not None and case.attack.family == family and case.attack.way == way


def _cluster(case: Case) -> str:
    return case.group or case.id


def _share(row: Row) -> float | None:
    """Share of trials that failed: of an attack, in which it got through."""
    judged = passes(row)
    return 1 - sum(judged) / len(judged) if judged else None


def _success(found: Iterable[tuple[Row, Case]]) -> Estimate:
    return _estimate((share, _cluster(case)) for row, case in found if (share := _share(row)) is not None)


def _estimate(found: Iterable[tuple[float, str]]) -> Estimate:
    values = list(found)
    if not values:
        return Estimate(None, 0.0, 1.0, 0)
    mean, low, high = mean_interval([value for value, _ in values], [cluster for _, cluster in values])
    return Estimate(mean, low, high, len(values))


def _by_mutation(attacks: Sequence[tuple[Row, Case]]) -> tuple[MutationRate, ...]:
    found: dict[str, list[tuple[Row, Case]]] = {}
    for row, case in attacks:
        assert case.attack is not None
        found.setdefault(case.attack.mutation, []).append((row, case))
    return tuple(MutationRate(name, _success(rows)) for name, rows in found.items())


# -- guardrails


def _names(looks: Looks) -> tuple[str, ...]:
    """Guardrails that looked, in the order in which they first did."""
    return tuple(dict.fromkeys(look.name for each in looks.values() for look in each))


def _of(row: Row, looks: Looks, name: str) -> list[list[Look]]:
    """What a guardrail saw of a row, trial by trial; trials that it saw nothing of are left out."""
    trials = ([k for k in looks.get(i.output_id or 0, ()) if k.name == name] for i in row.planned)
    return [each for each in trials if each]


def _answered(row: Row) -> bool:
    return any(item.output_id is not None for item in row.planned)


def _fired(row: Row, looks: Looks, name: str) -> float:
    """1 where it fired in any trial, else 0; without a name, any guardrail."""
    return float(
        any(
            look.triggered
            for item in row.planned
            for look in looks.get(item.output_id or 0, ())
            if name in ("", look.name)
        )
    )


def _guard(
    name: str, attacks: Sequence[tuple[Row, Case]], harmless: Sequence[tuple[Row, Case]], looks: Looks
) -> GuardRate:
    seen = [(row, case) for row, case in attacks if _of(row, looks, name)]
    calm = [(row, case) for row, case in harmless if _of(row, looks, name)]

    def caught(row: Row) -> bool:
        return all(any(look.triggered for look in trial) for trial in _of(row, looks, name))

    def failed(row: Row) -> bool:
        return any(look.error for trial in _of(row, looks, name) for look in trial)

    return GuardRate(
        name=name,
        caught=_estimate((float(caught(row)), _cluster(case)) for row, case in seen),
        through=sum(row.status == "failed" for row, _ in seen),
        alarms=_estimate((_fired(row, looks, name), _cluster(case)) for row, case in calm),
        failed=sum(failed(row) for row, _ in (*seen, *calm)),
        missed=_ids(seen, lambda row: not caught(row)),
        fired_on=_ids(calm, lambda row: bool(_fired(row, looks, name))),
    )


def _ids(found: Iterable[tuple[Row, Case]], wanted: Callable[[Row], bool]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(case.id for row, case in found if wanted(row)))
