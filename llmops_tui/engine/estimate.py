"""What a run would cost, before it starts, and whether the workspace allows it."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence

import msgspec

from llmops_tui.domain.case import ScorerUse
from llmops_tui.domain.configuration import Budget, Configuration
from llmops_tui.domain.format import money
from llmops_tui.domain.judge import Judge
from llmops_tui.domain.model import Model, Price
from llmops_tui.domain.output import output_key, target_hash
from llmops_tui.domain.program import (
    CommandStep,
    FunctionStep,
    Program,
    PromptStep,
    ToolStep,
    changed_steps,
)
from llmops_tui.engine.events import Estimate
from llmops_tui.engine.plan import Slot
from llmops_tui.engine.prepare import Prepared
from llmops_tui.store import Store

#: Characters of a token, roughly, for a model that was never asked.
CHARACTERS_PER_TOKEN = 4
#: Tokens of an answer where neither the history nor `max_tokens` tells.
UNKNOWN_ANSWER_TOKENS = 300
#: Tokens that a judge is shown, and that it says, where no earlier call tells.
UNKNOWN_JUDGED_TOKENS = 800
UNKNOWN_REASON_TOKENS = 100


def cost_of(store: Store, configuration: Configuration, missing: Sequence[Slot]) -> float | None:
    """USD for asking these, from the average of earlier calls, else from price and lengths.

    Vectors of documents and queries are left out: what is kept of them decides what they cost.
    None where a model's price is not known, or how much a program asks.
    """
    counts: dict[tuple[str, bool], int] = {}
    models: dict[str, Model] = {}
    anew, answered = _asked_again(store, configuration, missing)
    for slot in missing:
        place = (slot.model.id, (slot.key, slot.trial) in answered)
        counts[place] = counts.get(place, 0) + 1
        models[slot.model.id] = slot.model
    total = 0.0
    for (name, is_known), count in counts.items():
        each = _cost_of_one(store, configuration, models[name], anew if is_known else None)
        if each is None:
            return None
        total += each * count
    return total


def _asked_again(
    store: Store, configuration: Configuration, missing: Sequence[Slot]
) -> tuple[frozenset[str], frozenset[tuple[str, int]]]:
    """Of a chain: steps that are not as they were in the version before, and places that it answered.

    There, the other steps come from the cache.
    """
    if len(configuration.target.steps) < 2:
        return frozenset(), frozenset()
    recorded = store.versions.list(configuration.name)
    before = next((v for v in recorded if v.hash != configuration.manifest.hash), None)
    if before is None:
        return frozenset(), frozenset()
    manifest = store.versions.manifest(before.id)
    target, hashes = target_hash(manifest), {p.name: p.hash for p in manifest.of_kind("models")}
    then = {
        (output_key(target, hashes[slot.model.id], slot.case.inputs_hash()), slot.trial): (
            slot.key,
            slot.trial,
        )
        for slot in missing
        if slot.model.id in hashes
    }
    found = store.outputs.find_many(then)
    anew = changed_steps(manifest, configuration.manifest)
    return anew, frozenset(place for key, place in then.items() if key in found)


def _cost_of_one(
    store: Store, configuration: Configuration, model: Model, anew: frozenset[str] | None
) -> float | None:
    """One answer: each step by the model that it asks.

    Args:
        anew: only these steps are not in the cache; None: none is.
    """
    own = {each.id: each for each in configuration.own_models}
    total = 0.0
    for step in configuration.target.steps:
        if anew is not None and step.name not in anew:
            continue
        cost: float | None = 0.0
        match step.does:
            case PromptStep() as does:
                asked = own.get(does.model) if does.model else model
                cost = _cost_of_prompt(store, configuration, does, asked)
            case FunctionStep() if not _may_ask(configuration):
                pass
            case FunctionStep() | CommandStep():
                cost = _cost_of_program(store, configuration, model, own)
        if cost is None:
            return None
        total += cost
    return total


def _cost_of_prompt(
    store: Store, configuration: Configuration, does: PromptStep, model: Model | None
) -> float | None:
    price = model.price if model is not None else None
    if model is None or price is None:
        return None
    if _is_free(price):
        return 0.0
    average = store.calls.average_cost(model.id)
    if average is not None:
        return average
    words = sum(each.chunk_words * each.top_k for each in configuration.target.retrievals)
    prompt = configuration.blobs.get(does.prompt, "")
    answer = does.params.get("max_tokens") or UNKNOWN_ANSWER_TOKENS
    tokens = len(prompt) / CHARACTERS_PER_TOKEN + words * 1.5
    return tokens * price.input_usd + float(answer) * price.output_usd


def _cost_of_program(
    store: Store, configuration: Configuration, model: Model, own: Mapping[str, Model]
) -> float | None:
    """A function or a command: one call, at least, of the model that it is given first.

    What it sends is its own affair, so before that model was ever asked nothing is known.
    """
    asked = model if model.client != "program" else _first_own(configuration.target, own)
    if asked is None:
        return 0.0
    if asked.price is not None and _is_free(asked.price):
        return 0.0
    return store.calls.average_cost(asked.id) if asked.price is not None else None


#: Words without which a function asks nobody.
_ASKS = re.compile(r"\bask\b|openai|litellm|anthropic|http|urllib|requests|aiohttp", re.IGNORECASE)


def _may_ask(configuration: Configuration) -> bool:
    """Whether the code of a configuration looks as if it asked a model."""
    texts = (configuration.blobs.get(hash_, "") for hash_ in configuration.target.code.values())
    return any(_ASKS.search(text) for text in texts)


def _first_own(target: Program, own: Mapping[str, Model]) -> Model | None:
    """Of the models that prompts name for themselves; a model that embeds is not asked by programs."""
    named = {does.model for does in target.prompts if does.model}
    return next((each for name, each in own.items() if name in named), None)


def _is_free(price: Price) -> bool:
    return price.input_usd == 0 and price.output_usd == 0


def judging(store: Store, prepared: Prepared) -> tuple[int, float | None]:
    """Requests to models that judge, and what they cost in USD (None: a price is not known).

    A judge that gives no verdict that can be used is asked twice; that is not counted.
    """
    # Many cases share one tuple of scorers.
    shared = {id(t.slot.case.scorers): t.slot.case.scorers for t in (*prepared.to_ask, *prepared.to_score)}
    graded = {mark: uses for mark, uses in shared.items() if any(use.judge is not None for use in uses)}
    if not graded:
        return 0, 0.0
    uses = [use for t in prepared.to_ask for use in graded.get(id(t.slot.case.scorers), ())]
    uses += [t.slot.case.scorers[i] for t in prepared.to_score for i in t.missing]
    return judging_by(store, uses)


def judging_by(store: Store, uses: Sequence[ScorerUse]) -> tuple[int, float | None]:
    """The same of scorers, each of which is to judge once."""
    counts: dict[int, int] = {}
    judges: dict[int, Judge] = {}
    for use in uses:
        if use.judge is not None:
            judges[id(use.judge)] = use.judge
            counts[id(use.judge)] = counts.get(id(use.judge), 0) + use.judge.votes
    each = [(count, _cost_of_judgement(store, judges[mark])) for mark, count in counts.items()]
    costs = [None if cost is None else count * cost for count, cost in each]
    known = [cost for cost in costs if cost is not None]
    return sum(counts.values()), sum(known) if len(known) == len(costs) else None


def guarding(store: Store, configuration: Configuration, outputs: int) -> tuple[int, float | None]:
    """Requests of guardrails that ask a model, at most, and what they cost in USD (None: not known).

    Args:
        outputs: that are made; of those that a guardrail saw before, what is equal is not asked again.
    """
    target = configuration.target
    own = {each.id: each for each in configuration.own_models}
    chunks = sum(each.top_k for each in target.retrievals)
    requests, total = 0, 0.0
    known = True
    for use in target.guardrails:
        if use.judge is None:
            continue
        each = sum(chunks if stage == "context" else 1 for stage in use.on if _may_look(target, stage))
        judge = msgspec.structs.replace(use.judge, model=own.get(use.judge.model.id, use.judge.model))
        cost = _cost_of_judgement(store, judge)
        requests += each * outputs
        known = known and cost is not None
        total += each * outputs * (cost or 0.0)
    return requests, total if known else None


def _may_look(target: Program, stage: str) -> bool:
    """Whether there may be anything to look at: of tools, what a model does is not known."""
    if stage not in ("tool_call", "tool_result"):
        return True
    return any(does.tools for does in target.prompts) or any(
        isinstance(s.does, ToolStep) for s in target.steps
    )


def _cost_of_judgement(store: Store, judge: Judge) -> float | None:
    price = judge.model.price
    if price is None:
        return None
    if _is_free(price):
        return 0.0
    average = store.calls.average_cost(judge.model.id)
    if average is not None:
        return average
    answer = judge.params.get("max_tokens") or UNKNOWN_REASON_TOKENS
    return float(UNKNOWN_JUDGED_TOKENS * price.input_usd + float(answer) * price.output_usd)


def objection(budget: Budget, estimate: Estimate) -> str | None:
    """Why the budget does not allow a run, as a sentence, or None."""
    cost = estimate.cost_usd
    if estimate.requests == 0:
        return None
    if cost is None:
        if budget.per_run_usd is None and budget.per_day_usd is None:
            return None
        return (
            f"the price of {estimate.requests:,} answers is not known, and llmops.yaml sets a budget; "
            "give the model a price under providers (what a program of your own asks is known once its "
            "model was asked), or agree to this run"
        )
    if math.isclose(cost, 0.0, abs_tol=1e-12):
        return None
    if budget.per_run_usd is not None and cost > budget.per_run_usd:
        return (
            f"this run would cost about {money(cost)}, more than budget.per_run_usd "
            f"({money(budget.per_run_usd)}) in llmops.yaml"
        )
    if budget.per_day_usd is not None and estimate.spent_today_usd + cost > budget.per_day_usd:
        spent = money(estimate.spent_today_usd)
        return (
            f"this run would cost about {money(cost)}, and {spent} was spent today: more than "
            f"budget.per_day_usd ({money(budget.per_day_usd)}) in llmops.yaml"
        )
    return None


def midnight(at: float | None = None) -> float:
    """When the day of `at` (by default today) began here, Unix seconds."""
    day = time.localtime(at)
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday, 0, 0, 0, 0, 0, -1))
