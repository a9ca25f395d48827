"""What the output took: max_latency, max_cost."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain.case import Case
from llmops_tui.domain.output import Output
from llmops_tui.scorers.registry import Judgement, either, scorer


@scorer("max_latency")
def max_latency(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    taken, limit = output.latency_s, options["value"]
    return either(taken <= limit, f"{taken:.3g} s of at most {limit:g} s")


@scorer("max_cost")
def max_cost(options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    if output.cost_usd is None:
        return Judgement(None, "the cost is not known: the model has no price, or no tokens were reported")
    cost, limit = output.cost_usd, options["value"]
    return either(cost <= limit, f"${cost:.3g} of at most ${limit:g}")
