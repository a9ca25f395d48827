"""The rules of a gate, one function each: rows → a rule's result, before rules are held against each other.

A rule that was tested has a p-value and `ok` None where it may fail; `judge` decides those together
(Holm), since several rules that may each fail by chance fail more often than one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from llmops_tui.domain.attack import ATTACK, HARMLESS
from llmops_tui.domain.comparison import Pair
from llmops_tui.domain.format import plural
from llmops_tui.domain.gate import words
from llmops_tui.domain.gate.result import RuleResult
from llmops_tui.domain.gate.rows import GateInput, JudgedRow, Rows, Values
from llmops_tui.domain.gate.settings import GateSettings
from llmops_tui.domain.run import Item
from llmops_tui.domain.statistics.assess import Evidence, assess
from llmops_tui.domain.statistics.decide import decide
from llmops_tui.domain.statistics.fisher import fisher_drop
from llmops_tui.domain.statistics.margin import cases_to_decide, provable_margin, trials_to_decide
from llmops_tui.domain.statistics.multiplicity import holm
from llmops_tui.domain.statistics.sample import make_sample
from llmops_tui.domain.statistics.sequential import FACTORS, nominal_alpha

#: Trials a side from which Fisher's test can tell about one case.
FISHER_TRIALS = 5


def errors(given: GateInput, rows: Rows, settings: GateSettings) -> RuleResult:
    """Rows without a result, and those in which a guardrail of the candidate failed itself."""
    n = len(rows.errors) + len(rows.guard_failed)
    ok = n <= settings.max_errors
    said = []
    if rows.errors:
        names = words.names([words.key_of(p) for p in rows.errors])
        said.append(f"{plural(len(rows.errors), 'case')} could not be judged ({names})")
    if rows.guard_failed:
        said.append(given.guard_failures.sentence)
    why = "; ".join([*said, f"max_errors is {settings.max_errors}"]) if said else "no answer erred"
    return RuleResult(
        "errors",
        "errors",
        settings.max_errors,
        n,
        ok,
        why,
        cases=tuple(words.key_of(p) for p in (*rows.errors, *rows.guard_failed)),
        by_fact=True,
        would_decide="" if ok else "mend what failed and ask again: llmops-tui run --failed",
    )


def missing(given: GateInput, rows: Rows) -> RuleResult | None:
    """Rows without a result yet; None where there are none."""
    n = len(rows.pending)
    if not n and not given.cut_short:
        return None
    why = f"{plural(n, 'case')} {'has' if n == 1 else 'have'} no result yet"
    if given.cut_short:
        why = "the gate was cut short before both sides were complete; what was answered is kept"
    return RuleResult(
        "missing",
        "errors",
        0,
        n,
        None,
        why,
        cases=tuple(words.key_of(p) for p in rows.pending),
        by_fact=True,
        would_decide="run the gate again: it goes on where it was"
        if given.cut_short
        else "evaluate what is missing: llmops-tui gate does",
    )


def review(given: GateInput) -> RuleResult:
    """Rejected changes keep the gate failing, whatever the figures say."""
    rejected = [key for key, d in given.decisions.items() if d.choice == "rejected"]
    why = "no change was rejected"
    if rejected:
        why = f"{plural(len(rejected), 'change')} rejected in review: {words.names(rejected)}"
    return RuleResult(
        "review", "review", 0, len(rejected), not rejected, why, cases=tuple(rejected), by_fact=True
    )


def critical(given: GateInput, rows: Rows, settings: GateSettings) -> RuleResult | None:
    """Cases with the critical tag; None where no row has it.

    Where answers are noisy, a case that did worse in few trials leaves it open. From `FISHER_TRIALS` on it
    fails, or it is within what chance gives; the pass rate is judged all the same.
    """
    marked = [r for r in rows.judged if settings.critical in r.tags and r.passes[0]]
    unknown = [p for p in (*rows.errors, *rows.guard_failed) if settings.critical in _tags(given, p)]
    if not marked and not unknown:
        return None
    rule = f"no {settings.critical} case may regress"
    worse = [r for r in marked if _mean(r.passes[1]) < _mean(r.passes[0])]
    facts = [r for r in worse if r.repeats]
    noisy = [r for r in marked if not r.repeats]
    if facts:
        keys = tuple(r.key for r in facts)
        why = f"{settings.critical}: {words.names(keys)} passed before and {_fails(keys)} now; {rule}"
        return RuleResult("critical", "critical", 0, len(facts), False, why, cases=keys, by_fact=True)
    suspects = tuple(r.key for r in worse)
    if unknown:
        keys = tuple(words.key_of(p) for p in unknown)
        why = f"{settings.critical}: {words.names(keys)} could not be judged; {rule}"
        would = "mend what failed and ask again: llmops-tui run --failed"
        return RuleResult("critical", "critical", 0, len(keys), None, why, cases=keys, would_decide=would)
    if not noisy:
        why = f"{plural(len(marked), settings.critical + ' case')}, none regressed"
        return RuleResult("critical", "critical", 0, 0, True, why, by_fact=True)
    tested = [r for r in noisy if min(len(v) for v in r.passes) >= FISHER_TRIALS]
    p_values = holm([fisher_drop(*_counts(r.passes[0]), *_counts(r.passes[1])) for r in tested])
    p_value = min(p_values, default=None)
    if not suspects:
        why = f"{plural(len(marked), settings.critical + ' case')}, none did worse"
        return RuleResult("critical", "critical", 0, 0, True, why, p_value=p_value)
    few = min(len(v) for r in worse for v in r.passes) < FISHER_TRIALS
    order = sorted(zip(p_values, tested, strict=True), key=lambda pair: pair[0])
    named = tuple(r.key for _, r in order if r in worse) or suspects
    why = f"{settings.critical}: {words.names(named)} did worse than before"
    return RuleResult(
        "critical",
        "critical",
        0,
        len(suspects),
        None,
        why,
        cases=named,
        p_value=p_value,
        would_decide=f"{FISHER_TRIALS} trials a side (trials: {FISHER_TRIALS})" if few else "",
    )


def _tags(given: GateInput, pair: Pair) -> tuple[str, ...]:
    facts = given.cases.get(pair.case_id)
    return facts.tags if facts is not None else ()


def _fails(keys: Sequence[object]) -> str:
    return "fails" if len(set(keys)) == 1 else "fail"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _counts(values: Sequence[float]) -> tuple[int, int]:
    return round(sum(values)), len(values)


# -- drops

#: What the pass rate is of cases that are attacks, and of those beside them.
_TAGS = {ATTACK: "the share of attacks that are stopped", HARMLESS: "the pass rate of harmless cases"}


def pass_rate(given: GateInput, rows: Rows, settings: GateSettings, alpha: float) -> RuleResult | None:
    judged = [r for r in rows.judged if r.passes[0] and r.passes[1]]
    limit = settings.max_drop.pass_rate
    return _drop(given, "pass_rate", "the pass rate", judged, lambda r: r.passes, limit, settings, alpha)


def mean_score(given: GateInput, rows: Rows, settings: GateSettings, alpha: float) -> RuleResult | None:
    """For cases whose scorers give a value and no pass: the mean score, by the limit of the pass rate."""
    judged = [r for r in rows.judged if not r.passes[0] and r.scores[0] and r.scores[1]]
    limit = settings.max_drop.pass_rate
    what = "the mean score of cases without a pass mark"
    return _drop(given, "score", what, judged, lambda r: r.scores, limit, settings, alpha, binary=False)


def tag(
    given: GateInput, rows: Rows, name: str, limit: float | None, settings: GateSettings, alpha: float
) -> RuleResult:
    judged = [r for r in rows.judged if name in r.tags and r.passes[0] and r.passes[1]]
    what = _TAGS.get(name, f"the pass rate of {name}")
    found = _drop(given, f"tag:{name}", what, judged, lambda r: r.passes, limit, settings, alpha)
    return found or _not_judged(f"tag:{name}", "tag", limit, f"no judged case has the tag {name}")


def scorer(
    given: GateInput, rows: Rows, name: str, limit: float | None, settings: GateSettings, alpha: float
) -> RuleResult:
    values = given.scorer_values.get(name, {})
    nothing: Values = ((), ())

    def figure(row: JudgedRow) -> Values:
        before, after = values.get(row.key, nothing)
        if row.accepted and before and after and _mean(after) < _mean(before):
            return before, before
        return before, after

    judged = [r for r in rows.judged if all(figure(r))]
    what = f"the mean of {name}"
    found = _drop(given, f"scorer:{name}", what, judged, figure, limit, settings, alpha, binary=False)
    return found or _not_judged(
        f"scorer:{name}", "scorer", limit, f"no case is scored by {name} on both sides"
    )


def _not_judged(rule: str, kind: str, limit: float | None, why: str) -> RuleResult:
    return RuleResult(rule, kind, limit or 0.0, 0.0, None, why, judged=False)  # type: ignore[arg-type]


def _drop(
    given: GateInput,
    rule: str,
    what: str,
    judged: Sequence[JudgedRow],
    figure: Callable[[JudgedRow], Values],
    limit: float | None,
    settings: GateSettings,
    alpha: float,
    *,
    binary: bool = True,
) -> RuleResult | None:
    """A figure that may not fall by more than `limit`; None where no row has it."""
    if not judged:
        return None
    by_fact = settings.estimand == "these_cases" and all(r.repeats for r in judged)
    sample = make_sample((r.cluster, *figure(r)) for r in judged)
    evidence = assess(sample, estimand=settings.estimand, alpha=alpha, by_fact=by_fact, binary=binary)
    margin = limit
    if margin is None:
        margin = provable_margin(
            evidence.clusters,
            len(judged) / sum(1.0 / (r.facts.trials or given.base_trials) for r in judged),
            estimand=settings.estimand,
            # Of the first look, whichever this is: the limit stands before anything is seen.
            alpha=nominal_alpha(settings.alpha, 1),
            by_fact=by_fact,
        )
    verdict = decide(evidence, margin, alpha)
    drop = -evidence.delta
    ok = {"pass": True, "fail": None, "inconclusive": None}[verdict]
    if by_fact and verdict == "fail":
        ok = False
    worse = sorted(
        ((d, r.key) for r in judged if (d := _mean(figure(r)[1]) - _mean(figure(r)[0])) < 0),
        key=lambda pair: pair[0],
    )
    would = _would_decide(given, evidence, margin, settings, alpha) if verdict == "inconclusive" else ""
    wanted = sum(r.accepted for r in judged)
    counted = f", {plural(wanted, 'accepted change')} counted as wanted" if wanted else ""
    kind = rule.partition(":")[0]
    same = by_fact and given.same_requests
    return RuleResult(
        rule,
        kind,  # type: ignore[arg-type]
        margin,
        drop,
        ok,
        f"{words.moved(what, evidence)} ({words.over(evidence)}{counted}); "
        + words.allowed(margin, limit is None, by_fact=by_fact, same_requests=same),
        interval=None if by_fact else (-evidence.high, -evidence.low),
        limit_is_auto=limit is None,
        cases=tuple(key for _, key in worse),
        p_value=None if by_fact else evidence.p_drop,
        evidence=evidence,
        by_fact=by_fact,
        would_decide=would,
    )


def _would_decide(
    given: GateInput, evidence: Evidence, margin: float, settings: GateSettings, alpha: float
) -> str:
    if settings.estimand == "these_cases":
        trials = trials_to_decide(evidence, margin, alpha)
        if trials is not None:
            reached = trials <= given.base_trials * FACTORS[-1] and given.look < len(FACTORS)
            how = f"trials: {trials}, or --adjudicate" if reached else f"trials: {trials}"
            return f"about {trials:,} trials of each case would decide ({how})"
    cases = cases_to_decide(evidence, margin, alpha)
    if cases is not None:
        return f"about {cases:,} cases would decide"
    return (
        f"what is seen is too near to the limit for any number of trials to tell: allow more than "
        f"{words.points(margin)}, or add cases"
    )


# -- cost and latency


def cost(given: GateInput, rows: Rows, settings: GateSettings, alpha: float) -> RuleResult | None:
    limit = settings.max_cost_increase
    if limit is None:
        return None
    return _increase(given, rows, "cost", "an answer's cost", lambda i: i.cost_usd, limit, settings, alpha)


def latency(given: GateInput, rows: Rows, settings: GateSettings, alpha: float) -> RuleResult | None:
    limit = settings.max_latency_increase
    if limit is None:
        return None
    what = "the mean latency"
    return _increase(given, rows, "latency", what, lambda i: i.latency_s, limit, settings, alpha)


def _increase(
    given: GateInput,
    rows: Rows,
    rule: str,
    what: str,
    figure: Callable[[Item], float | None],
    limit: float,
    settings: GateSettings,
    alpha: float,
) -> RuleResult:
    kind = "cost" if rule == "cost" else "latency"
    if not given.fresh_pairs:
        why = f"{what} is only judged where both sides are asked side by side: llmops-tui gate --fresh"
        return _not_judged(rule, kind, limit, why)
    found = [
        (r.cluster, _figures(r.pair.baseline.planned, figure), _figures(r.pair.candidate.planned, figure))
        for r in rows.judged
        if r.pair.baseline is not None and r.pair.candidate is not None
    ]
    found = [f for f in found if f[1] and f[2]]
    if not found:
        return _not_judged(rule, kind, limit, f"{what} is not known on both sides")
    largest = max(v for _, a, b in found for v in (*a, *b))
    before = sum(_mean(a) for _, a, _ in found) / len(found)
    after = sum(_mean(b) for _, _, b in found) / len(found)
    if before <= 0:
        increase = 0.0 if after <= 0 else math.inf
        why = f"{what} was nothing and is {'still nothing' if after <= 0 else 'not any more'}"
        return RuleResult(rule, kind, limit, increase, after <= 0, why, by_fact=True)  # type: ignore[arg-type]
    scaled = make_sample((c, [v / largest for v in a], [v / largest for v in b]) for c, a, b in found)
    evidence = assess(scaled, estimand=settings.estimand, alpha=alpha, binary=False)
    ratio = largest / before
    increase = evidence.delta * ratio
    word = "rose" if increase > 0 else "fell"
    why = f"{what} {word} by {words.share(abs(increase))}; at most {words.share(limit)} more is allowed"
    if increase == 0:
        why = f"{what} is unchanged"
    return RuleResult(
        rule,
        kind,  # type: ignore[arg-type]
        limit,
        increase,
        True if increase <= limit else None,
        why,
        interval=(evidence.low * ratio, evidence.high * ratio),
        p_value=evidence.p_rise,
        evidence=None,
        would_decide="" if increase <= limit else "more trials of each case would decide",
    )


def _figures(items: Iterable[Item], figure: Callable[[Item], float | None]) -> list[float]:
    return [v for i in items if (v := figure(i)) is not None]
