"""The JSON of an explanation (docs/json.md)."""

from __future__ import annotations

from typing import Protocol

from llmops_tui.domain.attribution import Attribution, CaseShares, Explanation, Share
from llmops_tui.report.json import Json


class Took(Protocol):
    """What an explanation took."""

    @property
    def provider_calls(self) -> int: ...
    @property
    def cost_usd(self) -> float | None: ...
    @property
    def failures(self) -> tuple[str, ...]: ...


def explain_json(explanation: Explanation, took: Took) -> Json:
    return {
        "config": explanation.candidate.config,
        "baseline": explanation.baseline.name,
        "candidate": explanation.candidate.name,
        "baseline_hash": explanation.baseline.hash,
        "candidate_hash": explanation.candidate.hash,
        "state": explanation.state.replace(" ", "_"),
        "sentence": explanation.sentence,
        "estimand": explanation.estimand,
        "level": explanation.level,
        "parts": [
            {
                "part": part.label,
                "members": [".".join(k) if k[1] else k[0] for k in part.members],
                "why": part.why,
            }
            for part in explanation.parts
        ],
        "measures": [_measure(measure) for measure in explanation.measures],
        "cases": [_case(case) for case in explanation.cases],
        "notes": list(explanation.notes),
        "versions_between": explanation.corners,
        "orders": explanation.orders,
        "provider_calls": took.provider_calls,
        "cost_usd": took.cost_usd,
        "failures": list(took.failures),
    }


def _measure(found: Attribution) -> Json:
    total = found.total
    return {
        "measure": found.measure,
        "baseline": total.baseline,
        "candidate": total.candidate,
        "delta": total.delta,
        "n": total.rows,
        "clusters": total.clusters,
        "trials": total.trials,
        "by_fact": total.by_fact,
        "proven": found.proven,
        "p_drop": None if total.by_fact else total.p_drop,
        "p_rise": None if total.by_fact else total.p_rise,
        "would_prove": found.would_prove,
        "shares": [_share(share) for share in found.shares],
        "interactions": [
            {
                "parts": list(one.parts),
                "value": one.share.value,
                "interval": _interval(one.share),
                "alone": list(one.alone),
                "together": one.together,
                "only_together": one.only_together,
            }
            for one in found.interactions
        ],
    }


def _share(share: Share) -> Json:
    return {"part": share.part, "value": share.value, "interval": _interval(share)}


def _interval(share: Share) -> list[float] | None:
    return None if share.low is None or share.high is None else [share.low, share.high]


def _case(case: CaseShares) -> Json:
    return {
        "id": case.case_id,
        "model": case.model,
        "measure": case.measure,
        "delta": case.delta,
        "flip": case.flip,
        "shares": [{"part": part, "value": value} for part, value in case.shares],
    }
