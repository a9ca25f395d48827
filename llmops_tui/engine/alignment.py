"""How far a judge agrees with people: their labels of outputs, and the stored scores. Asks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.canonical import lf, text_digest
from llmops_tui.domain.errors import Problem, UsageError, did_you_mean
from llmops_tui.domain.judge import judges_of
from llmops_tui.domain.review import HASH_DIGITS, Decision
from llmops_tui.domain.run import Item
from llmops_tui.domain.score import Score
from llmops_tui.store import Store

#: With fewer labels than this an agreement says little.
FEW = 20


class Label(msgspec.Struct, frozen=True):
    """A person's word on an answer.

    Attributes:
        model: None: whichever answered.
        answers: the answers that it is about, as the first digits of their text's hash; empty: those
            of the version that is asked about.
        note: of the person, may be empty.
    """

    case_id: str
    model: str | None
    passed: bool
    answers: tuple[str, ...] = ()
    note: str = ""


class Disagreement(msgspec.Struct, frozen=True):
    """An answer on which judge and person differ."""

    case_id: str
    model: str
    person: bool
    judge: bool
    reason: str
    note: str
    output_id: int


class Alignment(msgspec.Struct, frozen=True):
    """One judge, in one version, against people.

    Attributes:
        scorer: its label with its version: `judge 3f2a`.
        n: answers that both judged.
        table: of the answers that people pass, how many the judge passes and fails; then of those
            that people fail.
        agreement: share on which they agree; None where `n` is 0.
        kappa: Cohen's, with the interval `low` to `high`; None where it is not defined (one of them
            only ever says one thing).
        unjudged: labelled answers without a word of this judge, errors among them.
        disagreements: what the judge passes and people fail first.
    """

    scorer: str
    n: int
    table: tuple[tuple[int, int], tuple[int, int]]
    agreement: float | None
    kappa: float | None
    low: float | None
    high: float | None
    unjudged: int
    disagreements: tuple[Disagreement, ...]

    @property
    def is_few(self) -> bool:
        return self.n < FEW


def labels_of(decisions: Iterable[Decision], config: str) -> list[Label]:
    """Accepted and rejected answers of the candidate as labels; the newest word on equal answers."""
    newest: dict[tuple[str, str, tuple[str, ...]], Decision] = {}
    for decision in decisions:
        if decision.config != config or decision.choice is None or not decision.candidate:
            continue
        about = (decision.case_id, decision.model, decision.candidate)
        if about not in newest or decision.at >= newest[about].at:
            newest[about] = decision
    return [Label(d.case_id, d.model, d.choice == "accepted", d.candidate, d.note) for d in newest.values()]


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    case: str
    passed: bool
    model: str | None = None
    output: str | None = None
    note: str = ""


def read_labels(file: Path) -> list[Label]:
    """Labels from a file: a JSON object a line: `case`, `passed`, and perhaps `model`, `output`, `note`.

    `output` is the text that was labelled; without it, the label is about the version asked about.

    Raises:
        UsageError: a line is something else, or there is none.
        OSError: it can't be read.
    """
    labels = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = msgspec.json.decode(line, type=_Line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            example = '{"case": "refund-window", "passed": true}'
            raise UsageError(
                Problem(f"is no label: {error}", f"write {example}", str(file), number)
            ) from None
        answers = () if found.output is None else (text_digest(lf(found.output))[:HASH_DIGITS],)
        labels.append(Label(found.case, found.model, found.passed, answers, found.note))
    if not labels:
        raise UsageError(Problem("holds no label", "", str(file)))
    return labels


def align(
    store: Store, config: str, labels: Sequence[Label], *, scorer: str | None = None, version: str = "latest"
) -> tuple[Alignment, ...]:
    """Every judge that scored a labelled answer, in each of its versions, against the labels.

    A judge's word on an answer is its pass; an answer that several trials gave is judged by the
    majority of their scores, and a tie is not a pass.

    Args:
        scorer: only this one: its name (`judge`), or its label with the version (`judge 3f2a`).
        version: whose answers the labels without an answer are about.

    Raises:
        UsageError: `scorer` names no judge that scored a labelled answer, or there is no such version.
    """
    there = _Answers(store, config, version, {label.case_id for label in labels})
    judged = [(label, items, there.scores(items)) for label in labels if (items := there.of(label))]
    names = sorted({score.label for _, _, scores in judged for _, score in scores})
    if scorer is not None:
        wanted = [n for n in names if scorer in (n, n.rpartition(" ")[0])]
        if not wanted and names:
            raise UsageError(
                Problem(f"no judge '{scorer}' scored a labelled answer", did_you_mean(scorer, names))
            )
        names = wanted
    return tuple(_aligned(name, judged, len(labels)) for name in names)


Judged = tuple[Label, list[Item], list[tuple[Item, Score]]]


class _Answers:
    """What was answered, and how judges scored it, over the versions of a configuration."""

    def __init__(self, store: Store, config: str, version: str, cases: set[str]) -> None:
        self._store = store
        chosen = store.versions.get(config, version)
        self._of_version: dict[str, list[Item]] = {}
        self._all: dict[str, list[Item]] = {}
        for each in store.versions.list(config):
            snapshot = store.runs.snapshot(each.id)
            for row in snapshot.rows if snapshot is not None else ():
                if row.case_id not in cases:
                    continue
                found = [i for i in row.planned if i.output_id is not None]
                self._all.setdefault(row.case_id, []).extend(found)
                if each.id == chosen.id:
                    self._of_version.setdefault(row.case_id, []).extend(found)

    def of(self, label: Label) -> list[Item]:
        """Items that a label is about, each output once."""
        known = (self._all if label.answers else self._of_version).get(label.case_id, [])
        found = {
            item.output_id: item
            for item in known
            if (label.model is None or item.model == label.model)
            and (not label.answers or item.text_hash[:HASH_DIGITS] in label.answers)
        }
        return list(found.values())

    def scores(self, items: Sequence[Item]) -> list[tuple[Item, Score]]:
        """Every word of a judge on these, whatever its version."""
        return [
            (item, score)
            for item in items
            if item.output_id is not None
            for score in self._store.scores.for_output(item.output_id)
            if judges_of([score.label]) and score.passed is not None
        ]


def _aligned(name: str, judged: Sequence[Judged], labels: int) -> Alignment:
    from llmops_tui.domain.statistics.kappa import cohen_kappa

    counts = [[0, 0], [0, 0]]
    differing: list[Disagreement] = []
    for label, _items, scores in judged:
        ours = [(item, score) for item, score in scores if score.label == name]
        if not ours:
            continue
        passed = 2 * sum(score.passed is True for _, score in ours) > len(ours)
        counts[not label.passed][not passed] += 1
        if passed != label.passed:
            item, score = next(each for each in ours if each[1].passed is passed)
            assert item.output_id is not None
            differing.append(
                Disagreement(
                    label.case_id, item.model, label.passed, passed, score.reason, label.note, item.output_id
                )
            )
    n = sum(map(sum, counts))
    kappa, low, high = cohen_kappa(counts) or (None, None, None)
    return Alignment(
        scorer=name,
        n=n,
        table=((counts[0][0], counts[0][1]), (counts[1][0], counts[1][1])),
        agreement=(counts[0][0] + counts[1][1]) / n if n else None,
        kappa=kappa,
        low=low,
        high=high,
        unjudged=labels - n,
        disagreements=tuple(sorted(differing, key=lambda d: (not d.judge, d.case_id, d.model))),
    )


def alignment_json(alignment: Alignment) -> dict[str, Any]:
    """As `--json` tells it."""
    (both, person), (judge, neither) = alignment.table
    return {
        "scorer": alignment.scorer,
        "n": alignment.n,
        "few": alignment.is_few,
        "agreement": alignment.agreement,
        "kappa": alignment.kappa,
        "kappa_low": alignment.low,
        "kappa_high": alignment.high,
        "both_pass": both,
        "only_person_passes": person,
        "only_judge_passes": judge,
        "both_fail": neither,
        "unjudged": alignment.unjudged,
        "disagreements": [
            {
                "case": d.case_id,
                "model": d.model,
                "person_passed": d.person,
                "judge_passed": d.judge,
                "reason": d.reason,
                "note": d.note,
            }
            for d in alignment.disagreements
        ],
    }
