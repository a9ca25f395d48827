"""The verdict: the one function behind `llmops-tui gate`, the line on top of the app, and the report.

Decided in this order: more errors than allowed (inconclusive, never a regression); a rejected change;
a critical case that regressed; cost and latency; then the drops. A drop fails where it is larger than
its limit and the test rejects "no drop"; all of them must be shown to be smaller than their limits to
pass; else the verdict is inconclusive and says what would decide.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from llmops_tui.domain.format import plural
from llmops_tui.domain.gate import rules, words
from llmops_tui.domain.gate.result import FlakyResult, FlipResult, GateResult, GateVerdict, RuleResult
from llmops_tui.domain.gate.rows import GateInput, Rows, is_flaky, sort_out
from llmops_tui.domain.gate.settings import GateSettings
from llmops_tui.domain.statistics.multiplicity import holm
from llmops_tui.domain.statistics.sequential import nominal_alpha


def judge(given: GateInput, settings: GateSettings) -> GateResult:
    """Hold a comparison against the rules. Pure; O(rows)."""
    rows = sort_out(given)
    if given.comparison.is_alone:
        return _itself(given, rows, settings)
    alpha = nominal_alpha(settings.alpha, given.look)
    found = _all_rules(given, rows, settings, alpha)
    found = decide_together(found, alpha)
    verdict, decider = _verdict(found)
    judged = [r for r in rows.judged if r.passes[0] or r.scores[0]]
    by_fact = all(r.by_fact or not r.judged for r in found)
    disagreeing = flaky(rows)
    reasons = _reasons(found, verdict, decider) + _remarks(given, rows, disagreeing, decider)
    return GateResult(
        verdict=verdict,
        decided_by=decider.rule if decider else "",
        headline=_headline(verdict, decider),
        reasons=tuple(reasons),
        rules=tuple(found),
        flips=flips(given, rows, settings),
        flaky=disagreeing,
        errors_decided=decider is not None and decider.rule == "errors",
        exploratory=not given.fresh_pairs and not by_fact,
        by_fact=by_fact,
        accepted=tuple(r.key for r in rows.judged if r.accepted),
        rows=len(judged),
        clusters=len({r.cluster for r in judged}),
        trials=_trials(judged),
        trials_spent=given.trials_spent,
        provider_calls=given.provider_calls,
        settings=settings,
    )


def _itself(given: GateInput, rows: Rows, settings: GateSettings) -> GateResult:
    name = given.comparison.candidate.version.name
    errors = rules.errors(given, rows, settings)
    reviewed = rules.review(given)
    ok = bool(errors.ok)
    why = f"{name} is the baseline itself: nothing changed, so nothing can be worse"
    return GateResult(
        "pass" if ok else "inconclusive",
        "" if ok else "errors",
        "nothing changed" if ok else errors.why,
        (why,) if ok else (errors.why, why),
        (errors, reviewed),
        errors_decided=not ok,
        exploratory=False,
        by_fact=True,
        flaky=flaky(rows),
        rows=len(rows.judged),
        provider_calls=given.provider_calls,
        settings=settings,
    )


def _all_rules(given: GateInput, rows: Rows, settings: GateSettings, alpha: float) -> list[RuleResult]:
    drop = settings.max_drop
    found: list[RuleResult | None] = [
        rules.errors(given, rows, settings),
        rules.review(given),
        rules.critical(given, rows, settings),
        rules.missing(given, rows),
        rules.cost(given, rows, settings, alpha),
        rules.latency(given, rows, settings, alpha),
        rules.pass_rate(given, rows, settings, alpha),
        rules.mean_score(given, rows, settings, alpha),
        *(rules.tag(given, rows, name, limit, settings, alpha) for name, limit in drop.tags.items()),
        *(rules.scorer(given, rows, name, limit, settings, alpha) for name, limit in drop.scorers.items()),
    ]
    return [rule for rule in found if rule is not None]


def decide_together(found: Sequence[RuleResult], alpha: float) -> list[RuleResult]:
    """Give tested rules their corrected p-value, and fail those that are over their limit beyond chance."""
    tested = [i for i, rule in enumerate(found) if rule.p_value is not None]
    adjusted = holm([found[i].p_value or 0.0 for i in tested])
    result = list(found)
    for i, p_adjusted in zip(tested, adjusted, strict=True):
        rule = found[i]
        ok = rule.ok
        why = rule.why
        if ok is None and rule.observed > rule.limit and p_adjusted <= alpha:
            ok = False
        if rule.evidence is not None and rule.evidence.delta < 0:
            why += f"; {words.tested(rule.evidence, p_adjusted, alpha)}"
        elif ok is False:
            why += f"; {words.p_text(p_adjusted)}, alpha {alpha:.3g}"
        elif rule.kind == "critical" and ok is None and not rule.would_decide:
            # Every one of them was asked often enough to be told from chance, and none could be.
            ok = True
            why += f", within what chance gives ({words.p_text(p_adjusted)} by Fisher's test)"
        result[i] = msgspec.structs.replace(
            rule,
            ok=ok,
            why=why,
            p_adjusted=p_adjusted,
            alpha=alpha,
            would_decide="" if ok is not None else rule.would_decide,
        )
    return result


#: Rules whose failing is told before what is missing, and what comes after.
_FIRST = ("review", "critical")
_MEASURED = ("pass_rate", "score", "tag", "scorer", "cost", "latency")


def _verdict(found: Sequence[RuleResult]) -> tuple[GateVerdict, RuleResult | None]:
    by_name = {r.rule: r for r in found}
    if by_name["errors"].ok is False:
        return "inconclusive", by_name["errors"]
    for rule in found:
        if rule.kind in _FIRST and rule.ok is False:
            return "fail", rule
    if "missing" in by_name:
        return "inconclusive", by_name["missing"]
    for rule in found:
        if rule.ok is False:
            return "fail", rule
    open_ = [r for r in found if r.ok is None and r.judged]
    if open_:
        return "inconclusive", open_[0]
    if not any(r.kind in ("pass_rate", "score") for r in found):
        return "inconclusive", None
    return "pass", None


def _headline(verdict: GateVerdict, decider: RuleResult | None) -> str:
    if decider is None:
        return "" if verdict == "pass" else "nothing is judged"
    if decider.kind == "critical" and verdict == "fail":
        return f"critical: {words.names(decider.cases)}"
    if decider.kind == "review":
        return f"rejected: {words.names(decider.cases)}"
    if decider.kind == "errors":
        if decider.rule == "missing" and not decider.observed:
            return "cut short"
        word = "without a result" if decider.rule == "missing" else "erred"
        return f"{decider.observed:.0f} {word}"
    if verdict == "inconclusive":
        return decider.would_decide.partition(" (")[0] or decider.rule
    if decider.kind in ("cost", "latency"):
        return f"{decider.kind} +{words.share(decider.observed)}, at most +{words.share(decider.limit)}"
    figure = "" if decider.rule == "pass_rate" else f"{decider.rule} "
    return f"{figure}−{words.points(decider.observed)}"


def _reasons(found: Sequence[RuleResult], verdict: GateVerdict, decider: RuleResult | None) -> list[str]:
    """The deciding rule first, then what else a person must know to believe the verdict."""
    said: list[str] = []
    if decider is not None:
        said.append(_sentence(decider))
    elif verdict == "inconclusive":
        said.append(
            "no case is judged by a scorer on both sides, so nothing can be told; "
            "give the cases a scorer that passes or fails"
        )
    for rule in found:
        if rule is decider:
            continue
        failed_too = rule.ok is False and rule.kind != "errors"
        decides = verdict != "fail" and rule.kind in _MEASURED
        open_ = verdict == "inconclusive" and rule.ok is None
        if failed_too or decides or open_ or not rule.judged:
            said.append(_sentence(rule))
    return said


def _sentence(rule: RuleResult) -> str:
    text = rule.why
    if rule.ok is False and rule.kind in ("pass_rate", "score", "tag", "scorer") and rule.cases:
        text += f"; worse: {words.names(rule.cases)}"
    if rule.interval is not None and rule.ok is not False and rule.kind not in ("cost", "latency"):
        low, high = rule.interval
        if rule.ok:
            text += f"; a drop of {words.points(max(high, 0.0))} or more is ruled out"
        else:
            text += f"; the truth may be anything between {words.span(low, high)}"
    if rule.would_decide:
        text += f"; {rule.would_decide}"
    return text


def _remarks(
    given: GateInput, rows: Rows, disagreeing: Sequence[FlakyResult], decider: RuleResult | None
) -> list[str]:
    said = []
    if rows.errors and (decider is None or decider.rule != "errors"):
        n = plural(len(rows.errors), "case")
        names = words.names([words.key_of(p) for p in rows.errors])
        said.append(f"{n} could not be judged and left out: {names}")
    if rows.guard_failed and (decider is None or decider.rule != "errors"):
        said.append(f"{given.guard_failures.sentence}; left out")
    if given.guard_failures_before.cases:
        said.append(f"of the baseline {given.guard_failures_before.sentence}")
    accepted = [r.key for r in rows.judged if r.accepted]
    if accepted:
        n = plural(len(accepted), "accepted change")
        said.append(f"{n} counted as wanted: {words.names(accepted)}")
    if rows.left_out:
        n = plural(len(rows.left_out), "case")
        names = words.names([words.key_of(p) for p in rows.left_out])
        said.append(f"{n} known to fail left out: {names}")
        mended = [words.key_of(p) for p in rows.left_out if p.candidate and p.candidate.status == "passed"]
        if mended:
            said.append(f"known to fail, and passing: {words.names(mended)}; remove the mark known_failing")
    if rows.unpaired:
        n = plural(len(rows.unpaired), "case")
        names = words.names([words.key_of(p) for p in rows.unpaired])
        said.append(f"{n} on one side only, not compared: {names}")
    if disagreeing:
        names = words.names([(f.case_id, f.model) for f in disagreeing])
        said.append(f"{plural(len(disagreeing), 'flaky case')}, counted as they are: {names}")
    return said


def flips(given: GateInput, rows: Rows, settings: GateSettings) -> tuple[FlipResult, ...]:
    """Cases that went from passing to failing or back, regressions first; those known to fail as well."""
    found = []
    by_key = {r.key: r for r in rows.judged}
    for pair in given.comparison.pairs:
        if pair.flip is None:
            continue
        key = (pair.case_id, pair.model)
        facts = given.cases.get(pair.case_id)
        row = by_key.get(key)
        decision = given.decisions.get(key)
        up = pair.flip == "fail→pass"
        shares = (0.0, 1.0) if up else (1.0, 0.0)
        if row is not None and row.passes[0] and not row.accepted:
            shares = (_mean(row.passes[0]), _mean(row.passes[1]))
        found.append(
            FlipResult(
                pair.case_id,
                pair.model,
                pair.flip,
                shares,
                critical=facts is not None and settings.critical in facts.tags,
                flaky=row is not None and any(is_flaky(v) for v in row.passes),
                decision=decision.choice or "" if decision is not None else "",
                known_failing=facts.known_failing if facts is not None else "",
            )
        )
    return tuple(sorted(found, key=lambda f: (f.direction == "fail→pass", not f.critical)))


def flaky(rows: Rows) -> tuple[FlakyResult, ...]:
    """Cases whose trials disagree on a side."""
    return tuple(
        FlakyResult(
            *r.key,
            (round(sum(r.passes[0])), round(sum(r.passes[1]))),
            (len(r.passes[0]), len(r.passes[1])),
        )
        for r in rows.judged
        if any(is_flaky(v) for v in r.passes)
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _trials(judged: Sequence[object]) -> float:
    counts = [min(len(v) for v in (r.passes if r.passes[0] else r.scores)) for r in judged]  # type: ignore[attr-defined]
    return sum(counts) / len(counts) if counts else 1.0
