"""`try --json`; `docs/json.md` describes it."""

from __future__ import annotations

from llmops_tui.domain.ranking import Ranked, to_tell_apart
from llmops_tui.domain.statistics.assess import Evidence
from llmops_tui.report.json import Json
from llmops_tui.report.shapes import Tried


def try_json(tried: Tried) -> Json:
    """The ranking, best first."""
    ranking = tried.ranking
    found = to_tell_apart(ranking)
    return {
        "config": tried.config,
        "on_disk": ranking.on_disk.version.name,
        "metric": ranking.metric,
        "estimand": ranking.estimand,
        "alpha": ranking.alpha,
        "by_fact": ranking.by_fact,
        "side_by_side": tried.side_by_side,
        "cases": tried.cases,
        "variants": [_ranked(row) for row in ranking.rows],
        "best": [row.version.name for row in ranking.best],
        "would_settle": None
        if found is None
        else {
            "versions": [ranking.rows[0].version.name, found[0].version.name],
            "cases": found[1].cases,
            "trials": found[1].trials,
        },
        "conclusion": list(tried.conclusion),
        "warnings": list(tried.warnings),
        "provider_calls": tried.provider_calls,
        "cost_usd": tried.cost_usd,
        "failures": list(tried.failures),
        "cancelled": tried.cancelled,
    }


def _ranked(row: Ranked) -> Json:
    standing = row.standing
    return {
        "variant": standing.label,
        "same_as": list(standing.same_as),
        "version": standing.version.name,
        "hash": standing.version.hash,
        "claim": row.claim,
        "is_best": row.is_best,
        "value": standing.value,
        "against_disk": _evidence(row.evidence),
        "p_value": row.p_value,
        "against_best": _evidence(row.to_best),
        "cost_usd": standing.cost_usd,
        "latency_p50_s": standing.p50_s,
        "latency_p95_s": standing.p95_s,
        "critical": list(standing.critical),
        "errors": standing.errors,
        "missing": standing.missing,
        "not_ranked": standing.unranked or None,
    }


def _evidence(evidence: Evidence | None) -> Json | None:
    if evidence is None:
        return None
    return {
        "delta": evidence.delta,
        "low": evidence.low,
        "high": evidence.high,
        "p_drop": evidence.p_drop,
        "p_rise": evidence.p_rise,
        "by_fact": evidence.by_fact,
        "test": evidence.test,
        "interval": evidence.interval,
        "rows": evidence.rows,
        "clusters": evidence.clusters,
        "trials": evidence.trials,
        "lost": evidence.lost,
        "won": evidence.won,
    }
