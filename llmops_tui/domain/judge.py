"""A model that judges: a pinned configuration with a version of its own.

Its version is part of every score's key and stands in the score's label (`judge 3f2a`), so that two
scores are only held against each other as one judge's when they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain.canonical import digest
from llmops_tui.domain.judge_wording import wording_hash
from llmops_tui.domain.model import Model
from llmops_tui.domain.rag_wording import RAG_JUDGES, rag_wording_hash

if TYPE_CHECKING:
    from llmops_tui.domain.case import ScorerUse

#: Scorers that ask a model.
MODEL_GRADED = frozenset({"judge", "criteria", "factuality"}) | RAG_JUDGES
#: Those that can do without one (`method: words`).
WITHOUT_MODEL = RAG_JUDGES - {"answer_relevance"}
#: Digits of a judge's version that people are shown.
SHOWN_DIGITS = 4
#: Most votes of one judge on one output.
MAX_VOTES = 25

#: Like the label of any judge's score, as a `GLOB` of SQLite.
ANY_JUDGE = "* " + "[0-9a-f]" * SHOWN_DIGITS

_LABEL = re.compile(rf"((?:{'|'.join(sorted(MODEL_GRADED))})(?:[:#].*)?) ([0-9a-f]{{{SHOWN_DIGITS}}})")


class Judge(msgspec.Struct, frozen=True):
    """Who judges.

    Attributes:
        model: resolved and pinned as a model of a configuration is.
        params: as sent; what is not set is not sent.
        votes: how often it is asked about one output.
    """

    model: Model
    params: dict[str, Any] = {}
    votes: int = 1

    def identity(self, scorer: str) -> dict[str, Any]:
        """What goes into keys: the model's pin, the parameters, the votes, our wording for that scorer."""
        return {
            "model": self.model.identity(),
            "params": self.params,
            "votes": self.votes,
            "wording": rag_wording_hash() if scorer in RAG_JUDGES else wording_hash(),
        }


def judge_version(use: ScorerUse) -> str:
    """Hash of all that makes a judge say what it says: who judges, and what it is told.

    Weight and threshold are not among it: they are what is made of its word.
    """
    assert use.judge is not None
    return digest(["judge", use.name, use.options, use.revision, use.judge.identity(use.name)])


def judged_label(use: ScorerUse) -> str:
    """The label of a judge's scores: `judge 3f2a`."""
    return f"{use.label or use.name} {judge_version(use)[:SHOWN_DIGITS]}"


def scale_ends(scale: str) -> tuple[int, int] | None:
    """`1-5` as (1, 5); None for `pass_fail`.

    Raises:
        ValueError: neither.
    """
    if scale == "pass_fail":
        return None
    match = re.fullmatch(r"\s*(\d{1,3})\s*-\s*(\d{1,3})\s*", scale)
    if match is None or not 2 <= int(match[2]) - int(match[1]) <= 100:
        raise ValueError("write pass_fail, or the lowest and the highest grade, such as 1-5 or 0-10")
    return int(match[1]), int(match[2])


def judges_of(labels: Iterable[str]) -> dict[str, set[str]]:
    """Judge → its versions, from the labels of scores (`judge 3f2a`); other scorers are passed over."""
    found: dict[str, set[str]] = {}
    for label in labels:
        match = _LABEL.fullmatch(label)
        if match is not None:
            found.setdefault(match[1], set()).add(match[2])
    return found


def changed_judges(baseline: Iterable[str], candidate: Iterable[str]) -> tuple[str, ...]:
    """Judges that did not judge both sides as the same version, as sentences.

    Args:
        baseline, candidate: labels of the scores of each side (equal ones may repeat).
    """
    before, after = judges_of(baseline), judges_of(candidate)
    sentences = []
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            sentences.append(
                f"{name} is not the same judge on both sides: {_versions(before[name])} judged the baseline, "
                f"{_versions(after[name])} the candidate; a difference may be the judge's"
            )
    return tuple(sentences)


def _versions(versions: set[str]) -> str:
    return " and ".join(sorted(versions))
