"""Answers from retrieved context, by words: faithfulness, context_recall, context_precision.

The measures are those of Es et al. (RAGAS: Automated Evaluation of Retrieval Augmented Generation, 2023)
and of its library; who decides whether a statement is supported is `support`, not a model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from llmops_tui.domain.case import Case
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.domain.sentences import sentences
from llmops_tui.domain.words import words
from llmops_tui.scorers.refusal import why_refused
from llmops_tui.scorers.registry import CannotJudge, Judgement, scorer
from llmops_tui.scorers.sources import is_of
from llmops_tui.scorers.support import Passage, missing
from llmops_tui.scorers.wording import as_text, clipped, reference

#: What is judged at most: it must not hold up the worker (about half a second).
_MOST_SENTENCES = 500
_MOST_CHARS = 500_000
#: Sentences that a reason names, and missing words of each.
_NAMED = 3
_WORDS_NAMED = 5
#: Words of an exclamation that states nothing.
_EXCLAMATION = 3
#: Names of the variable that holds the question, where none is told.
_QUESTIONS = ("question", "query", "input")

#: Says what the context does not hold, which is no claim about the world (English alone).
_NOT_THERE = re.compile(
    r"\b(?:i|we) (?:do not|don't|cannot|can't|could not|couldn't) (?:know|find|tell|say)\b"
    r"|\b(?:not|isn't|aren't|nothing) (?:mentioned|stated|specified|given|found|covered)?\s?in "
    r"(?:the|our|this|these|those) (?:\w+ )?(?:context|documents?|texts?|passages?|information)\b"
    r"|\b(?:context|documents?|texts?|passages?) (?:do|does|did) ?(?:n't|not) "
    r"(?:say|mention|state|specify|tell|cover)",
    re.IGNORECASE,
)


def question_of(options: dict[str, Any], case: Case) -> str:
    """What was asked: the variable of `input`, a usual one, or all texts. Of a conversation, the last turn.

    Raises:
        CannotJudge: the case has no variable of that name.
    """
    seen = {**case.vars, **(case.turns[-1] if case.turns else {})}
    name = options.get("input")
    if name is not None:
        if name not in seen:
            known = ", ".join(seen) or "none"
            raise CannotJudge(f"there is no variable '{clipped(name, 40)}' for `input` (variables: {known})")
        return as_text(seen[name])
    found = next((seen[n] for n in _QUESTIONS if isinstance(seen.get(n), str)), None)
    return found if found is not None else "\n".join(v for v in seen.values() if isinstance(v, str))


def statements(options: dict[str, Any], case: Case) -> list[str]:
    """Statements of the reference: items of a list, or sentences of a text.

    Raises:
        CannotJudge: there are none.
    """
    value = reference(options, case)
    if isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(v, (dict, list)) or v is None for v in value)
    ):
        raise CannotJudge("needs a text, or a list of statements, and `expected` is something else")
    found = [as_text(v).strip() for v in value] if isinstance(value, list) else sentences(as_text(value))
    found = [each for each in found if each]
    if not found:
        raise CannotJudge("the reference states nothing")
    if len(found) > _MOST_SENTENCES:
        raise CannotJudge(f"the reference has {len(found):,} sentences; at most {_MOST_SENTENCES} are judged")
    return found


def is_claim(sentence: str) -> bool:
    """Whether a sentence of an answer states something: no question or heading, no `Hello!`, no `See:`."""
    end = sentence.rstrip("*_\"'”»)")[-1:]
    if sentence.startswith("#") or end in ("?", "？") or _NOT_THERE.search(sentence):
        return False
    if re.search(r"\d", sentence):
        return True
    return end not in (":", "：") and not (end in ("!", "！") and len(words(sentence)) <= _EXCLAMATION)


class _Checked(msgspec.Struct, frozen=True):
    text: str
    lacks: list[str]


def _check(texts: Sequence[str], passages: Sequence[Passage]) -> list[_Checked]:
    """Each text that says something, with what no passage has of it."""
    found = ((text, missing(text, passages)) for text in texts)
    return [_Checked(text, lacks) for text, lacks in found if lacks is not None]


def _told(checked: Sequence[_Checked], noun: str) -> Judgement:
    """The share that is supported, and what is not."""
    amiss = [each for each in checked if each.lacks]
    n, of = len(checked) - len(amiss), len(checked)
    value = n / of
    if not amiss:
        return Judgement(value, f"{of} of {_counted(of, noun)} found in what was retrieved")
    named = [f'"{clipped(each.text, 90)}" (not found: {_some(each.lacks)})' for each in amiss[:_NAMED]]
    more = f"; and {len(amiss) - _NAMED} more" if len(amiss) > _NAMED else ""
    return Judgement(value, f"{len(amiss)} of {_counted(of, noun)} not supported: {'; '.join(named)}{more}")


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _some(found: Sequence[str]) -> str:
    more = f" and {len(found) - _WORDS_NAMED} more" if len(found) > _WORDS_NAMED else ""
    return ", ".join(clipped(word, 40) for word in found[:_WORDS_NAMED]) + more


def _passages(retrieved: Sequence[Chunk]) -> list[Passage]:
    _bounded(sum(len(chunk.text) for chunk in retrieved), "what was retrieved")
    return [Passage(chunk.text) for chunk in retrieved]


def _bounded(chars: int, what: str) -> None:
    if chars > _MOST_CHARS:
        raise CannotJudge(f"{what} has {chars:,} characters; at most {_MOST_CHARS:,} are judged by words")


@scorer("faithfulness")
def faithfulness(_options: dict[str, Any], output: Output, _case: Case) -> Judgement:
    _bounded(len(output.text), "the answer")
    if (why := why_refused(output, [])) is not None:
        return Judgement(None, f"the answer claims nothing, it is a refusal: {why}")
    claims = [sentence for sentence in sentences(output.text) if is_claim(sentence)]
    if len(claims) > _MOST_SENTENCES:
        raise CannotJudge(f"the answer has {len(claims):,} sentences; at most {_MOST_SENTENCES} are judged")
    checked = _check(claims, _passages(output.retrieved))
    if not checked:
        return Judgement(None, "the answer claims nothing")
    return _told(checked, "sentence")


@scorer("context_recall")
def context_recall(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    wanted = statements(options, case)
    if not output.retrieved:
        return Judgement(0.0, "nothing was retrieved")
    checked = _check(wanted, _passages(output.retrieved))
    if not checked:
        raise CannotJudge("the reference has no words that say something")
    return _told(checked, "statement")


@scorer("context_precision", passes_from=0.5)
def context_precision(options: dict[str, Any], output: Output, case: Case) -> Judgement:
    if options.get("value") is None and case.expected_sources:
        relevant = [
            any(is_of(chunk, source) for source in case.expected_sources) for chunk in output.retrieved
        ]
    else:
        if options.get("value") is None and case.expected is None:
            raise CannotJudge(
                "has nothing to judge by: set `expected_sources` or `expected` of the case, or its `value`"
            )
        wanted = statements(options, case)
        relevant = [
            any(missing(each, [passage]) == [] for each in wanted) for passage in _passages(output.retrieved)
        ]
    if not relevant:
        return Judgement(None, "nothing was retrieved")
    return precision(relevant, output.retrieved)


def precision(relevant: Sequence[bool], retrieved: Sequence[Chunk]) -> Judgement:
    """Average precision, and which passages are not relevant."""
    value = average_precision(relevant)
    spare = [
        f"{n} ({clipped(chunk.source, 60)})"
        for n, (chunk, yes) in enumerate(zip(retrieved, relevant, strict=True), 1)
        if not yes
    ]
    told = f"{sum(relevant)} of {_counted(len(relevant), 'passage')} relevant"
    return Judgement(value, f"{told}; not relevant: {_some(spare)}" if spare else told)


def average_precision(relevant: Sequence[bool]) -> float:
    """The mean of the precision at each relevant place; 0 where nothing is relevant."""
    hits, total = 0, 0.0
    for place, yes in enumerate(relevant, 1):
        if yes:
            hits += 1
            total += hits / place
    return total / hits if hits else 0.0
