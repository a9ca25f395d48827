"""The pass rate tag by tag, to see where a change came from. Display only: no slice decides a verdict."""

from __future__ import annotations

from llmops_tui.domain.gate.result import SliceResult
from llmops_tui.domain.gate.rows import GateInput, JudgedRow, sort_out
from llmops_tui.domain.gate.settings import GateSettings
from llmops_tui.domain.statistics.assess import Evidence, assess
from llmops_tui.domain.statistics.multiplicity import benjamini_hochberg
from llmops_tui.domain.statistics.sample import make_sample
from llmops_tui.domain.statistics.sequential import nominal_alpha

#: Tags shown at most: those with the most rows.
MOST = 30


def slices(given: GateInput, settings: GateSettings) -> tuple[SliceResult, ...]:
    """Each tag's pass rate on both sides, the tag with the most rows first. Pure; O(rows × tags).

    The rows are those that the gate counts, so a slice that holds every row says what the gate says.
    A q-value is of "nothing changed" against a change in either direction (twice the smaller one-sided
    p), corrected by Benjamini and Hochberg over the slices returned. A slice that is a fact was not
    tested and has none; the others are corrected among themselves.
    """
    by_tag: dict[str, list[JudgedRow]] = {}
    for row in sort_out(given).judged:
        if row.passes[0] and row.passes[1]:
            for tag in dict.fromkeys(row.tags):
                by_tag.setdefault(tag, []).append(row)
    alpha = nominal_alpha(settings.alpha, given.look)
    largest = sorted(by_tag, key=lambda tag: (-len(by_tag[tag]), tag))[:MOST]
    evidence = {tag: _evidence(by_tag[tag], settings, alpha) for tag in largest}
    tested = [tag for tag in largest if not evidence[tag].by_fact]
    p_values = [min(1.0, 2 * min(evidence[tag].p_drop, evidence[tag].p_rise)) for tag in tested]
    q_values = dict(zip(tested, benjamini_hochberg(p_values), strict=True))
    return tuple(SliceResult(tag, evidence[tag].rows, evidence[tag], q_values.get(tag)) for tag in largest)


def _evidence(rows: list[JudgedRow], settings: GateSettings, alpha: float) -> Evidence:
    by_fact = settings.estimand == "these_cases" and all(r.repeats for r in rows)
    sample = make_sample((r.cluster, *r.passes) for r in rows)
    return assess(sample, estimand=settings.estimand, alpha=alpha, by_fact=by_fact)
