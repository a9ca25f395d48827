"""What was retrieved against what should have been: recall_at_k, precision_at_k, mrr, ndcg.

Relevance is binary. The ranking is of sources, not of chunks: of the chunks of a document the first counts,
unless single parts of that document are expected, which are then ranked each by itself.
"""

from __future__ import annotations

import math
from typing import Any

from llmops_tui.domain.case import Case
from llmops_tui.domain.headings import headings_of
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.scorers.registry import CannotJudge, Judgement, scorer


@scorer("recall_at_k")
def recall_at_k(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    ranking, wanted = _ranking(options, output, case)
    found = set().union(*ranking) if ranking else set()
    missing = [source for source in wanted if source not in found]
    reason = f"{len(found):,} of {len(wanted):,} expected sources"
    if missing:
        reason += f"; missing: {', '.join(missing[:3])}{', …' if len(missing) > 3 else ''}"
    return Judgement(len(found) / len(wanted), reason)


@scorer("precision_at_k", passes_from=0.5)
def precision_at_k(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    ranking, _ = _ranking(options, output, case)
    places = options["k"] or len(ranking)
    right = sum(map(bool, ranking))
    if not places:
        return Judgement(0.0, "nothing was retrieved")
    return Judgement(right / places, f"{right:,} of {places:,} places hold an expected source")


@scorer("mrr", passes_from=0.5)
def mrr(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    ranking, _ = _ranking(options, output, case)
    for place, found in enumerate(ranking, 1):
        if found:
            return Judgement(1 / place, f"{min(found)} stands in place {place:,}")
    return Judgement(
        0.0, f"no expected source among {len(ranking):,}" if ranking else "nothing was retrieved"
    )


@scorer("ndcg", passes_from=0.5)
def ndcg(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    ranking, wanted = _ranking(options, output, case)
    places = [place for place, found in enumerate(ranking, 1) if found]
    most = min(len(wanted), options["k"] or len(wanted))
    value = _gain(places) / _gain(range(1, most + 1))
    where = f"in places {', '.join(map(str, places[:5]))}{', …' if len(places) > 5 else ''}"
    reason = f"expected sources {where}" if places else "no expected source was retrieved"
    return Judgement(min(value, 1.0), reason)


def _gain(places: Any) -> float:
    return math.fsum(1 / math.log2(place + 1) for place in places)


def _ranking(options: dict[str, Any], output: Output, case: Case) -> tuple[list[set[str]], tuple[str, ...]]:
    """(for each place the expected sources that it is the first to hold, the expected sources).

    Raises:
        CannotJudge: nothing is expected.
    """
    wanted = tuple(dict.fromkeys(case.expected_sources))
    if not wanted:
        raise CannotJudge("the case has no `expected_sources`")
    in_parts = {path for path, mark, _ in (source.partition("#") for source in wanted) if mark}
    ranking: list[set[str]] = []
    held: set[str] = set()  # expected sources that have a place
    seen: set[tuple[str, int]] = set()
    for chunk in output.retrieved:
        found = {source for source in wanted if is_of(chunk, source)}
        new = found - held
        place = (chunk.source, chunk.position if chunk.source in in_parts else -1)
        if not new and (found or place in seen):
            continue  # one more chunk of what has its place already
        held |= new
        seen.add(place)
        ranking.append(new)
    return ranking[: options["k"]], wanted


def is_of(chunk: Chunk, source: str) -> bool:
    """Whether a chunk is of a document, of a section of it, or is that chunk."""
    path, mark, part = source.partition("#")
    if chunk.source != path:
        return False
    if not mark:
        return True
    if part.strip().isdecimal():
        return chunk.position == int(part)
    title = " ".join(part.split()).casefold()
    return any(heading.title.casefold() == title for heading in headings_of(chunk.text))
