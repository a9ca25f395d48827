"""Versions ranked: what is shown to be better, what is luck, and what would settle it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from llmops_tui.domain.ranking import Held, Ranked, Ranking, Standing, rank, to_tell_apart
from llmops_tui.domain.ranking_words import conclusion
from llmops_tui.domain.run import VersionInfo

NONE: Mapping[int, str] = MappingProxyType({})
Table = Sequence[Sequence[Sequence[float]]]
"""Version → case → trials."""


def standing(n: int, rate: float, cost: float | None = None, unranked: str = "") -> Standing:
    version = VersionInfo(n + 1, "bench", -n if n else 1, f"{n:064d}", 0.0)
    return Standing(f"k={n}" if n else "", version, rate, unranked=unranked, cost_usd=cost)


def ranked(
    table: Table,
    *,
    by_fact: bool = False,
    costs: Sequence[float | None] = (),
    unranked: Mapping[int, str] = NONE,
) -> Ranking:
    def held(a: int, b: int) -> Held:
        rows = tuple((f"case {i}", x, y) for i, (x, y) in enumerate(zip(table[a], table[b], strict=True)))
        return Held(rows, by_fact)

    def rate(n: int) -> float:
        return sum(sum(t) / len(t) for t in table[n]) / len(table[n])

    prices = [*costs, *[None] * len(table)]
    standings = [standing(n, rate(n), prices[n], unranked.get(n, "")) for n in range(len(table))]
    return rank(standings, held, metric="pass_rate", estimand="these_cases", alpha=0.05)


def passing(count: int, of: int = 40) -> list[list[float]]:
    """The first `count` cases pass."""
    return [[1.0] if i < count else [0.0] for i in range(of)]


def names(rows: Sequence[Ranked]) -> list[str]:
    return [r.standing.label for r in rows]


def test_the_best_is_first_and_a_clear_difference_is_claimed() -> None:
    ranking = ranked([passing(10), passing(30), passing(2)])
    assert names(ranking.rows) == ["k=1", "", "k=2"]
    assert [r.claim for r in ranking.rows] == ["better", "on disk", "worse"]
    assert names(ranking.best) == ["k=1"]
    evidence = ranking.rows[0].evidence
    assert evidence is not None
    assert evidence.low > 0
    (said, *_) = conclusion(ranking, side_by_side=False)
    assert said.startswith("Best: k=1, told apart from every other")


def test_what_may_be_luck_is_not_told_apart_from_the_best() -> None:
    ranking = ranked([passing(20), passing(21), passing(22), passing(3)])
    assert names(ranking.rows) == ["k=2", "k=1", "", "k=3"]
    assert names(ranking.best) == ["k=2", "k=1", ""]
    assert [r.claim for r in ranking.rows] == ["not told apart", "not told apart", "on disk", "worse"]
    said = conclusion(ranking, side_by_side=False)
    assert said[0].startswith("First is k=2; not told apart from it: k=1 and the version on disk. ")
    assert said[1] == "Worse than the version on disk: k=3."
    found = to_tell_apart(ranking)
    assert found is not None
    assert found[0].standing.label == "k=1"
    assert found[1].cases is not None
    assert found[1].cases > 40
    assert said[2].startswith("To tell k=2 from k=1 would take some ")


def test_the_same_difference_is_believed_alone_and_not_among_many() -> None:
    better = [[0.0]] * 6 + [[1.0]] * 34
    alone = ranked([[[0.0]] * 12 + [[1.0]] * 28, better])
    assert alone.rows[0].claim == "better"  # six one-way flips: p = 0.03
    many = ranked([[[0.0]] * 12 + [[1.0]] * 28, better, *([passing(20)] * 8)])
    assert many.rows[0].standing.label == "k=1"
    assert many.rows[0].claim == "not told apart"
    for here, there in zip((alone.rows[0].evidence,), (many.rows[0].evidence,), strict=True):
        assert here is not None
        assert there is not None
        assert there.low < here.low


def test_a_runtime_that_repeats_itself_gives_facts() -> None:
    ranking = ranked([passing(20), passing(21), passing(21)], by_fact=True)
    assert [r.claim for r in ranking.rows] == ["better", "better", "on disk"]
    assert names(ranking.best) == ["k=1", "k=2"]
    assert ranking.by_fact
    said = conclusion(ranking, side_by_side=False)
    assert said[0] == (
        "Equally good on these 40 cases: k=1 and k=2. That is a fact: the answers repeat themselves exactly."
    )
    assert "Of other requests it proves nothing" in said[1]


def test_of_equals_the_cheaper_comes_first_and_is_named() -> None:
    ranking = ranked([passing(20), passing(20), passing(20)], costs=[0.02, 0.03, 0.01])
    assert names(ranking.rows) == ["k=2", "", "k=1"]
    assert "Of those, k=2 costs least: $0.01 an answer." in conclusion(ranking, side_by_side=True)
    assert to_tell_apart(ranking) is None


def test_a_critical_case_that_breaks_is_named_of_those_one_may_choose() -> None:
    ranking = ranked([passing(20), passing(22), passing(2)])
    rows = tuple(
        msgspec.structs.replace(r, standing=msgspec.structs.replace(r.standing, critical=("cancel-order",)))
        if r.standing.label
        else r
        for r in ranking.rows
    )
    said = conclusion(msgspec.structs.replace(ranking, rows=rows), side_by_side=False)
    assert [s for s in said if s.startswith("Critical")] == [
        "Critical cases that pass on disk fail with k=1: cancel-order."
    ]


def test_what_erred_is_last_and_never_the_best() -> None:
    ranking = ranked([passing(20), passing(40), passing(25)], unranked={1: "3 errors"})
    assert names(ranking.rows) == ["k=2", "", "k=1"]
    assert ranking.rows[-1].claim == "not ranked"
    assert not ranking.rows[-1].is_best


def test_without_results_on_disk_nothing_is_ranked() -> None:
    ranking = ranked([passing(20), passing(40)], unranked={0: "3 errors"})
    assert ranking.best == ()
    assert conclusion(ranking, side_by_side=False) == (
        "Nothing is ranked: of the version on disk, 3 errors.",
    )


def test_variants_that_change_nothing_are_rarely_claimed_to() -> None:
    """Six variants as good as the version on disk: a false claim in at most some 5 % of trials."""
    source = random.Random(7)
    claimed = excluded = 0
    rounds = 200
    for _ in range(rounds):
        table = [[[float(source.random() < 0.6)] for _ in range(40)] for _ in range(7)]
        ranking = ranked(table)
        claimed += any(r.claim in ("better", "worse") for r in ranking.rows)
        excluded += not next(r for r in ranking.rows if r.claim == "on disk").is_best
    # With p = 0.05, more than 20 of 200 come about less than once in a thousand times.
    assert claimed <= 20
    assert excluded <= 20
