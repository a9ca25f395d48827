"""What a ranking lets one conclude, and what would settle the rest, as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain.format import count, money, percent, plural
from llmops_tui.domain.ranking import Ranked, Ranking, cheapest, to_tell_apart

#: Versions named in a sentence before it says how many more there are.
NAMED = 5
ON_DISK = "the version on disk"


def conclusion(ranking: Ranking, *, side_by_side: bool) -> tuple[str, ...]:
    """A few sentences, the most important first.

    Args:
        side_by_side: all answers were asked anew, together: latencies can be compared.
    """
    ranked = [r for r in ranking.rows if r.claim != "not ranked"]
    if not ranking.best:
        why = ranking.on_disk.standing.unranked
        return (f"Nothing is ranked: of {ON_DISK}, {why or 'nothing is judged'}.",)
    if len(ranked) == 1:
        said = ["No variant could be ranked."]
    elif ranking.by_fact:
        said = _facts(ranking)
    else:
        said = [_best(ranking), _against_disk(ranking), _settles(ranking)]
    said += [*_critical(ranking), _costs(ranking), _latency(side_by_side)]
    return tuple(s for s in said if s)


def name_of(row: Ranked) -> str:
    return row.standing.label or ON_DISK


def names(rows: Sequence[Ranked]) -> str:
    """`a, b and 3 more`."""
    shown, more = [name_of(r) for r in rows[:NAMED]], len(rows) - NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def _facts(ranking: Ranking) -> list[str]:
    best = ranking.best
    evidence = next(r.evidence for r in ranking.rows if r.evidence is not None)
    where = f"on these {plural(evidence.rows, 'case')}"
    if len(best) == 1:
        first = f"Best {where}: {name_of(best[0])}."
    else:
        first = f"Equally good {where}: {names(best)}."
    return [
        f"{first} That is a fact: the answers repeat themselves exactly.",
        "Of other requests it proves nothing; gate.estimand: population takes the cases for a sample.",
    ]


def _best(ranking: Ranking) -> str:
    sure = percent(1 - ranking.alpha)
    best = ranking.best
    if len(best) == 1:
        return f"Best: {name_of(best[0])}, told apart from every other (all of this at {sure})."
    apart = f"First is {name_of(best[0])}; not told apart from it: {names(best[1:])}"
    return f"{apart}. To choose among them by this figure is to choose noise."


def _against_disk(ranking: Ranking) -> str:
    better = [r for r in ranking.rows if r.claim == "better"]
    worse = [r for r in ranking.rows if r.claim == "worse"]
    parts = [f"better than {ON_DISK}: {names(better)}"] if better else []
    parts += [f"worse than {ON_DISK}: {names(worse)}"] if worse else []
    if not parts:
        return f"No variant is shown to be better or worse than {ON_DISK}."
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _settles(ranking: Ranking) -> str:
    found = to_tell_apart(ranking)
    if found is None:
        return ""
    rival, needed = found
    pair = f"{name_of(ranking.rows[0])} from {name_of(rival)}"
    ways = [f"some {count(needed.cases)} cases" if needed.cases else ""]
    ways.append(f"some {count(needed.trials)} trials of each case" if needed.trials else "")
    said = ", or ".join(w for w in ways if w)
    if not said:
        return f"They are so close that no reasonable number of cases would tell {pair}."
    return f"To tell {pair} would take {said}, if things stay as they look."


def _critical(ranking: Ranking) -> list[str]:
    """Of those that somebody may choose: a gain elsewhere makes up for no critical case."""
    tempting = [r for r in ranking.rows if (r.is_best or r.claim == "better") and r.standing.critical]
    return [
        f"Critical cases that pass on disk fail with {name_of(r)}: {', '.join(r.standing.critical)}."
        for r in tempting[:NAMED]
    ]


def _costs(ranking: Ranking) -> str:
    best = ranking.best
    if len(best) < 2 or (least := cheapest(best)) is None:
        return ""
    return f"Of those, {name_of(least)} costs least: {money(least.standing.cost_usd)} an answer."


def _latency(side_by_side: bool) -> str:
    if side_by_side:
        return "Latencies were measured side by side."
    return "Latencies are of the hour in which each answer was asked; --fresh measures them side by side."
