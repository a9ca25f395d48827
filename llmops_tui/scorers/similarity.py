"""How near the output is to a reference: similarity, token_f1, rouge_l."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from llmops_tui.domain.case import Case
from llmops_tui.domain.output import Output
from llmops_tui.domain.words import plain, words
from llmops_tui.scorers.registry import CannotJudge, Judgement, scorer
from llmops_tui.scorers.wording import texts

#: Product of two lengths, beyond which a comparison would hold up the worker (about half a second).
_MOST_WORK = 2e10


@scorer("similarity", passes_from=0.8)
def similarity(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    from rapidfuzz import fuzz

    ratio: Callable[..., float] = {
        "ratio": fuzz.ratio,
        "partial": fuzz.partial_ratio,
        "token_sort": fuzz.token_sort_ratio,
        "token_set": fuzz.token_set_ratio,
    }[options["method"]]
    sensitive = options["case_sensitive"]
    text = plain(output.text, case_sensitive=sensitive).strip()
    best = 0.0
    for reference in texts(options, case):
        wanted = plain(reference, case_sensitive=sensitive).strip()
        # partial_ratio slides the shorter text along: quick only where that fits a machine word.
        slides = options["method"] == "partial" and min(len(text), len(wanted)) > 64
        _bounded(len(text), len(wanted), 1_300 if slides else 1)
        best = max(best, ratio(text, wanted) / 100)
    return Judgement(best, f"{best:.0%} alike")


@scorer("token_f1", passes_from=0.5)
def token_f1(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    def shared(ours: list[str], theirs: list[str]) -> int:
        return (Counter(ours) & Counter(theirs)).total()

    return _word_f1(options, output, case, shared, "shared")


@scorer("rouge_l", passes_from=0.5)
def rouge_l(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    from rapidfuzz.distance import LCSseq

    def in_order(ours: list[str], theirs: list[str]) -> int:
        _bounded(len(ours), len(theirs), 1)
        return int(LCSseq.similarity(ours, theirs))

    return _word_f1(options, output, case, in_order, "shared in order")


def _word_f1(
    options: dict[str, Any],
    output: Output,
    case: Case,
    count: Callable[[list[str], list[str]], int],
    verb: str,
) -> Judgement:
    """F1 of the words that `count` finds in both; of several references the nearest."""
    sensitive = options["case_sensitive"]
    ours = words(output.text, case_sensitive=sensitive)
    best = Judgement(0.0, "the output has no words" if not ours else f"no word {verb}")
    for reference in texts(options, case):
        theirs = words(reference, case_sensitive=sensitive)
        if not theirs:
            raise CannotJudge("the reference has no words")
        n = count(ours, theirs)
        value = 2 * n / (len(ours) + len(theirs))
        if value > (best.value or 0.0):
            noun = "word" if n == 1 else "words"
            reason = (
                f"{n:,} {noun} {verb}, of {len(ours):,} in the output and {len(theirs):,} in the reference"
            )
            best = Judgement(value, reason)
    return best


def _bounded(n: int, m: int, factor: int) -> None:
    if n * m * factor > _MOST_WORK:
        raise CannotJudge(f"output and reference are too long to compare ({n:,} and {m:,})")
