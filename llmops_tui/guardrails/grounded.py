"""grounded, by words: the answer says what is in nothing that was retrieved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmops_tui.domain.output import Output
from llmops_tui.domain.sentences import sentences
from llmops_tui.guardrails.registry import NOTHING, About, CannotCheck, Check, Deadline, Found, guardrail
from llmops_tui.scorers.grounding import is_claim
from llmops_tui.scorers.refusal import why_refused
from llmops_tui.scorers.support import Passage, missing_of, said_in
from llmops_tui.scorers.wording import clipped

#: Beyond it an answer, or what was retrieved, is not looked at.
_MOST_CHARS = 200_000
#: Characters that are compared in one go: a sentence has fewer, and between them the clock is asked.
_PORTION, _TEXT_PORTION = 2_000, 10_000


@guardrail("grounded")
def grounded(_options: dict[str, Any]) -> Check:
    return _by_words


def _by_words(text: str, about: About, deadline: Deadline) -> Found:
    """Score: the share of sentences that state something and that no passage supports."""
    _bounded(len(text), "the answer")
    _bounded(sum(map(len, about.context)), "what was retrieved")
    if why_refused(Output(text), []) is not None:
        return NOTHING
    passages = []
    for chunk in about.context:
        for part in _portions(chunk, _TEXT_PORTION):
            deadline.check()
            passages.append(Passage(part))
    stated, unsupported = 0, []
    for claim in _claims(text, deadline):
        lacks = _lacking(claim, passages, deadline)
        stated += lacks is not None
        if lacks:
            unsupported.append(claim)
    if not unsupported:
        return NOTHING
    named = f'{len(unsupported):,} of {stated:,} sentences: "{clipped(unsupported[0], 120)}"'
    where = "in what was retrieved" if about.context else "as nothing was retrieved"
    return Found(len(unsupported) / stated, f"not supported {where}, {named}")


def _claims(text: str, deadline: Deadline) -> Iterator[str]:
    """The sentences that state something."""
    for block in _portions(text, _TEXT_PORTION):
        deadline.check()
        for sentence in sentences(block):
            deadline.check()
            if is_claim(sentence):
                yield from _portions(sentence, _PORTION)


def _lacking(sentence: str, passages: list[Passage], deadline: Deadline) -> list[str] | None:
    """As `support.missing`, with a look at the clock at each passage."""
    said = said_in(sentence)
    if not said:
        return None
    for passage in passages:
        deadline.check()
        if not missing_of(said, [passage]):
            return []
    return missing_of(said, [])


def _bounded(chars: int, what: str) -> None:
    if chars > _MOST_CHARS:
        raise CannotCheck(f"{what} has {chars:,} characters; at most {_MOST_CHARS:,} are looked at by words")


def _portions(text: str, most: int) -> Iterator[str]:
    """The text cut where it is longer than `most`: at the end of a line, at a space, or anywhere."""
    at = 0
    while len(text) - at > most:
        ends = (text.rfind(sign, at + most // 2, at + most) for sign in ("\n", " "))
        cut = next((end for end in ends if end > 0), at + most)
        yield text[at:cut]
        at = cut
    yield text[at:]
