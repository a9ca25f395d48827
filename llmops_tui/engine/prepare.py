"""Slots against the store: what is there already, and what is left to do."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from llmops_tui.domain.canonical import digest
from llmops_tui.domain.run import Item, Snapshot
from llmops_tui.domain.score import Score, combine
from llmops_tui.engine.plan import Slot
from llmops_tui.engine.runner import Todo
from llmops_tui.store import OutputRow, Result, Store


class Prepared(msgspec.Struct):
    """A run before it starts.

    Attributes:
        total: items that a complete run has.
        ready: items that need no work, as results to record.
        waiting: the other items, as missing, or as they were where the output is made anew: what a run that
            is cut short still says of them.
        to_ask, to_score: what is left; only chosen slots are asked, all are scored where that asks no model.
        left_out: slots that the subset does not allow to ask: without an output, or without the word of
            a model that judges.
        unjudged: those of `left_out` that have an output.
    """

    slots: list[Slot]
    total: int
    ready: list[Result]
    waiting: list[Result]
    to_ask: list[Todo]
    to_score: list[Todo]
    left_out: int
    eval_hash: str
    unjudged: list[Slot]

    def keep_judged(self, before: Snapshot) -> None:
        """What no judge may be asked about now keeps the word of the judge that was asked."""
        there = {(i.case_id, i.model, i.trial): i for row in before.rows for i in row.items}
        for slot in self.unjudged:
            item = there.get((slot.case.id, slot.model.id, slot.trial))
            if item is not None and item.status != "missing":
                generation = before.run.generation
                kept = Result(slot.position, slot.key, generation, item.output_id, None, (), None, item)
                self.waiting = [w for w in self.waiting if w.position != slot.position]
                self.ready.append(kept)

    def keep(self, before: Snapshot, known: set[str]) -> None:
        """Take over the items of cases that are no longer on disk: they were removed, and that is said."""
        gone = [
            i for row in before.rows for i in row.items if i.case_id not in known and i.status != "missing"
        ]
        start = len(self.slots)
        self.ready += [
            Result(start + n, "", before.run.generation, item.output_id, None, (), None, item)
            for n, item in enumerate(gone)
        ]
        self.total += len(gone)

    @property
    def known(self) -> int:
        """Chosen rows that need no work."""
        ready = {r.position for r in self.ready}
        return sum(s.chosen and s.position in ready for s in self.slots)

    @property
    def todos(self) -> list[Todo]:
        return sorted([*self.to_score, *self.to_ask], key=lambda t: t.slot.position)


def prepare(
    store: Store,
    slots: list[Slot],
    eval_hash: str,
    *,
    generation: int,
    fresh: bool,
    retry: frozenset[tuple[str, str, int]] | None = None,
    remake: bool = False,
) -> Prepared:
    """Look up what the slots have.

    Args:
        fresh: of chosen slots only outputs of this very generation count (none does before it begins, 0).
        retry: (case, model, trial) that may be asked; None: all chosen ones.
        remake: of chosen slots an output on which a guardrail failed itself is made anew. What models
            answered to it is there: none of them is asked again. It counts until there is another.
    """
    found = store.outputs.find_many([(s.key, s.trial) for s in slots if not (fresh and s.chosen)])
    if fresh and generation:
        found |= store.outputs.find_many([(s.key, s.trial) for s in slots if s.chosen], generation)
    scores = store.scores.find_many([f.output_id for f in found.values()])
    prepared = Prepared(slots, len(slots), [], [], [], [], 0, eval_hash, [])
    for slot in slots:
        there = found.get((slot.key, slot.trial))
        may_ask = slot.chosen and (retry is None or (slot.case.id, slot.model.id, slot.trial) in retry)
        if there is None:
            prepared.waiting.append(_missing(slot, generation))
            if may_ask:
                prepared.to_ask.append(Todo(slot, job_key(slot, generation)))
            else:
                prepared.left_out += 1
            continue
        known = scores.get(there.output_id, {})
        have = [known.get(key) for key in slot.score_keys]
        missing = tuple(i for i, score in enumerate(have) if score is None or score.error is not None)
        if remake and slot.chosen and there.guard_failed:
            now = _missing(slot, generation) if missing else _ready(slot, generation, there, have)
            todo = Todo(slot, job_key(slot, there.generation), remade=there)
            todo.known = None if missing else now.item
            prepared.to_ask.append(todo)
            prepared.waiting.append(now)
            continue
        if missing and not may_ask and any(slot.case.scorers[i].is_model_graded for i in missing):
            prepared.waiting.append(_missing(slot, generation))
            prepared.unjudged.append(slot)
            prepared.left_out += 1
            continue
        if missing:
            kept = tuple(
                s if s is not None else _placeholder(k) for s, k in zip(have, slot.score_keys, strict=True)
            )
            todo = Todo(slot, job_key(slot, generation), there.output_id, None, kept, missing)
            prepared.to_score.append(todo)
            prepared.waiting.append(_missing(slot, generation))
            continue
        prepared.ready.append(_ready(slot, generation, there, have))
    return prepared


def _ready(slot: Slot, generation: int, there: OutputRow, scores: Sequence[Score | None]) -> Result:
    verdict = combine([s for s in scores if s is not None])
    item = Item(
        case_id=slot.case.id,
        model=slot.model.id,
        trial=slot.trial,
        status=verdict.status,
        score=verdict.score,
        output_id=there.output_id,
        text_hash=there.text_hash,
        latency_s=there.latency_s,
        cost_usd=there.cost_usd,
        extra=slot.extra,
    )
    return Result(slot.position, slot.key, generation, there.output_id, None, (), None, item, slot.score_keys)


def _missing(slot: Slot, generation: int) -> Result:
    item = Item(slot.case.id, slot.model.id, slot.trial, "missing", extra=slot.extra)
    return Result(slot.position, slot.key, generation, None, None, (), None, item)


def _placeholder(key: str) -> Score:
    return Score(key, "", None, None, "")


def job_key(slot: Slot, generation: int) -> str:
    """Equal for two jobs that do the same work, so that a new run adopts what is in flight."""
    return digest([slot.key, generation, slot.trial, slot.case.id, *slot.score_keys])


def same_items(snapshot_items: Sequence[Item], prepared: Prepared) -> bool:
    """Whether a run of `prepared` would only repeat what a snapshot holds."""
    there = [i for i in snapshot_items if i.status != "missing"]
    return (
        not prepared.to_ask
        and not prepared.to_score
        and len(there) == len(prepared.ready)
        and len(snapshot_items) == len(prepared.slots)
        and all(a == r.item for a, r in zip(there, prepared.ready, strict=True))
    )
