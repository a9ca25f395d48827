"""Versions of judges: what makes a new one, and when two sides were judged by different ones."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from llmops_tui.domain import judge_wording
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.judge import Judge, changed_judges, judge_version, judged_label, judges_of, scale_ends
from llmops_tui.domain.model import Model
from llmops_tui.domain.score import score_key

MODEL = Model("gateway/m", "gateway", "m", "openai", "http://gate/v1")
USE = ScorerUse("judge", {"rubric": "Polite?", "scale": "pass_fail"}, label="judge", judge=Judge(MODEL))


def changed(**parts: Any) -> ScorerUse:
    return msgspec.structs.replace(USE, **parts)


@pytest.mark.parametrize(
    "other",
    [
        changed(judge=Judge(msgspec.structs.replace(MODEL, name="n"))),
        changed(judge=Judge(msgspec.structs.replace(MODEL, pin={"file_sha256": "ab"}))),
        changed(judge=Judge(MODEL, {"temperature": 0})),
        changed(judge=Judge(MODEL, votes=3)),
        changed(options={"rubric": "Short?", "scale": "pass_fail"}),
        changed(options={"rubric": "Polite?", "scale": "1-5"}),
        changed(revision="2"),
    ],
)
def test_whatever_changes_its_word_makes_another_version_and_another_score(other: ScorerUse) -> None:
    case = Case("c", {})
    assert judge_version(other) != judge_version(USE)
    assert score_key(other, case) != score_key(USE, case)


def test_our_wording_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = judge_version(USE)
    monkeypatch.setattr(judge_wording, "SYSTEM", judge_wording.SYSTEM + " Be kind.")
    judge_wording.wording_hash.cache_clear()
    try:
        assert judge_version(USE) != before
    finally:
        monkeypatch.undo()
        judge_wording.wording_hash.cache_clear()
    assert judge_version(USE) == before


@pytest.mark.parametrize(
    "same",
    [
        changed(weight=2.0),
        changed(threshold=0.5),
        changed(label="judge#2"),
        changed(judge=Judge(msgspec.structs.replace(MODEL, path="/elsewhere", id="other/m"))),
    ],
)
def test_what_is_made_of_its_word_and_where_it_runs_make_none(same: ScorerUse) -> None:
    assert judge_version(same) == judge_version(USE)


def test_a_scorer_that_asks_no_model_keeps_its_key() -> None:
    plain = ScorerUse("contains", {"value": "x"}, label="contains")
    assert "judge" not in plain.identity()


def test_two_sides_of_one_judge_are_silent_and_of_two_are_told() -> None:
    old, new = judged_label(USE), judged_label(changed(revision="2"))
    assert changed_judges([old, "contains"], ["contains", old, old]) == ()
    (sentence,) = changed_judges([old], [new])
    assert sentence.startswith("judge is not the same judge on both sides: ")
    assert old.split()[1] in sentence
    assert new.split()[1] in sentence


def test_a_judge_that_only_one_side_has_changed_nothing() -> None:
    assert changed_judges([], [judged_label(USE)]) == ()


def test_labels_of_other_scorers_are_no_judges() -> None:
    labels = [
        "contains",
        "contains#2",
        "judgement 3f2a",
        "tone beef",
        "judge",
        "judge 3f2",
        "judge:a b#2 00ff",
    ]
    assert judges_of(labels) == {"judge:a b#2": {"00ff"}}


def test_scales() -> None:
    assert scale_ends("pass_fail") is None
    assert scale_ends("0-10") == (0, 10)
    for wrong in ("5", "1-2", "5-1", "a-b", "1-500", ""):
        with pytest.raises(ValueError, match="such as 1-5"):
            scale_ends(wrong)
