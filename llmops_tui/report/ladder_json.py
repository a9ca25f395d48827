"""The JSON shape of the ladder. Keys are only ever added."""

from __future__ import annotations

from typing import Any

from llmops_tui.domain.ladder.ladder import RUNGS, Item, Ladder

Json = dict[str, Any]


def ladder_json(ladder: Ladder) -> Json:
    return {
        "rung": ladder.rung,
        "next_rung": ladder.above,
        "configs": list(ladder.configs),
        "not_looked_at": list(ladder.left_out),
        "at": ladder.at,
        "rungs": [_rung(ladder, rung) for rung in RUNGS[1:]],
        "next": [item.id for item in ladder.next],
        "items": [item_json(item) for item in ladder.items],
    }


def _rung(ladder: Ladder, rung: Any) -> Json:
    items = ladder.of(rung)
    met = sum(item.status == "met" for item in items)
    return {"rung": rung, "reached": ladder.has_reached(rung), "met": met, "items": len(items)}


def item_json(item: Item) -> Json:
    return {
        "id": item.id,
        "rung": item.rung,
        "title": item.title,
        "status": item.status,
        "evidence": item.evidence,
        "remedy": item.remedy,
        "seen_at": item.seen_at,
    }
