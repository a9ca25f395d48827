"""What a judge says is read strictly: a verdict is taken or asked for again, never guessed."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.judge import Judge
from llmops_tui.domain.model import Model
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.scorers.judges.asking import FORMS, told
from llmops_tui.scorers.judges.replies import NotInForm, read_reply

MODEL = Model("gateway/m", "gateway", "m", "openai")
OPTIONS: dict[str, dict[str, Any]] = {
    "judge": {"rubric": "Polite?", "scale": "pass_fail", "sees": ["request", "context", "expected"]},
    "criteria": {"criteria": [{"name": "a"}, {"name": "b", "rubric": "B!", "weight": 3.0}], "sees": []},
    "factuality": {
        "values": {"equal": 1.0, "wording": 1.0, "superset": 0.8, "subset": 0.5, "disagrees": 0.0}
    },
}


def form(name: str = "judge", **options: Any) -> Any:
    return FORMS[name](ScorerUse(name, {**OPTIONS[name], **options}, judge=Judge(MODEL)))


def read(text: str, name: str = "judge", **options: Any) -> Any:
    return read_reply(text, form(name, **options).read)


@pytest.mark.parametrize(
    "text",
    [
        '{"reason": "kind", "verdict": "pass"}',
        'Sure.\n```json\n{"reason": "kind", "verdict": "pass"}\n```\nThat is all {really}.',
        '{"verdict": "pass", "reason": "kind"}',
    ],
)
def test_one_object_of_the_form_is_the_vote(text: str) -> None:
    assert read(text) == (True, "kind")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it holds no JSON object"),
        ("pass", "it holds no JSON object"),
        ("[]", "it holds no JSON object"),
        ('{"reason": "x"}', "`verdict` is missing"),
        ('{"reason": "x", "verdict": "Pass"}', '`verdict` is "Pass", and must be one of pass, fail'),
        ('{"reason": "x", "verdict": true}', "`verdict` is true"),
        ('{"reason": "", "verdict": "pass"}', "`reason` must be a text"),
        ('{"reason": 1, "verdict": "pass"}', "`reason` must be a text"),
        ('{"reason": "x", "verdict": "pass", "score": 1}', "`score` was not asked for"),
        ('{"reason": "x", "verdict": "fail", "verdict": "pass"}', "it holds no JSON object"),
        ('{"reason": "x", "verdict": "fail"} {"reason": "y", "verdict": "pass"}', "it holds 2 verdicts"),
        ('{"reason": "x", "verdict": "pass"', "it holds no JSON object"),
    ],
)
def test_anything_else_is_no_vote_and_says_why(text: str, says: str) -> None:
    with pytest.raises(NotInForm) as caught:
        read(text)
    assert says in str(caught.value)


@pytest.mark.parametrize("verdict", ["4", "true", "4.0", "0", "6", '"4"', "null"])
def test_a_grade_is_a_whole_number_of_the_scale(verdict: str) -> None:
    text = f'{{"reason": "x", "verdict": {verdict}}}'
    if verdict == "4":
        assert read(text, scale="1-5") == (4, "x")
    else:
        with pytest.raises(NotInForm):
            read(text, scale="1-5")


def test_criteria_must_all_be_there() -> None:
    rule = {"reason": "x", "verdict": "pass"}
    assert read(json.dumps({"rule_1": rule, "rule_2": rule}), "criteria") == [(True, "x"), (True, "x")]
    with pytest.raises(NotInForm, match="`rule_2` is missing"):
        read(json.dumps({"rule_1": rule}), "criteria")


@given(st.text() | st.text(alphabet='{}[]":,passverdictreason \n'))
def test_no_text_makes_reading_fail_otherwise(text: str) -> None:
    with contextlib.suppress(NotInForm):
        passed, reason = read(text)
        assert isinstance(passed, bool)
        assert reason


@given(st.lists(st.booleans(), min_size=1, max_size=9))
def test_a_majority_passes_and_a_tie_does_not(votes: list[bool]) -> None:
    judgement = form().combine([(v, "yes" if v else "no") for v in votes])
    assert judgement.value == float(sum(votes) > len(votes) / 2)
    assert ("the votes differ" in judgement.reason) == (len(set(votes)) == 2)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=9))
def test_grades_are_averaged(grades: list[int]) -> None:
    judgement = form(scale="1-5").combine([(g, "so") for g in grades])
    assert judgement.value == pytest.approx((sum(grades) / len(grades) - 1) / 4)
    assert ("the votes differ" in judgement.reason) == (len(set(grades)) > 1)


def test_of_relations_named_equally_often_the_worst_counts() -> None:
    facts = form("factuality")
    assert facts.combine([("equal", "a"), ("subset", "b")]).value == 0.5
    assert facts.combine([("equal", "a"), ("subset", "b"), ("equal", "c")]).value == 1.0


DATA = st.text() | st.text(alphabet="<>ANSWER\n ")


@given(answer=DATA, question=DATA, chunk=DATA, expected=DATA)
def test_no_data_leaves_its_place_or_takes_another(
    answer: str, question: str, chunk: str, expected: str
) -> None:
    use = ScorerUse("judge", OPTIONS["judge"], judge=Judge(MODEL))
    output = Output(answer, retrieved=(Chunk("docs/a.md", chunk, 1.0),))
    rules, data = told(use, FORMS["judge"](use), output, Case("c", {"question": question}, expected=expected))
    text = data["content"]
    for name in ("REQUEST", "CONTEXT", "REFERENCE", "ANSWER"):
        assert text.count(f"<<<{name}") == 1
        assert text.count(f"{name}>>>") == 1
    assert text.count("<<<") == text.count(">>>") == 4
    assert rules["content"].endswith('{"reason": "…", "verdict": "pass" or "fail"}')


def test_the_judge_sees_what_it_was_given_to_see() -> None:
    use = ScorerUse("judge", {**OPTIONS["judge"], "sees": ["request"]}, judge=Judge(MODEL))
    output = Output("yes", retrieved=(Chunk("docs/a.md", "secret", 1.0),))
    _, data = told(use, FORMS["judge"](use), output, Case("c", {"n": 3, "q": "why?"}, expected="hidden"))
    assert "n: 3\nq: why?" in data["content"]
    assert "secret" not in data["content"]
    assert "hidden" not in data["content"]


def test_one_that_nests_deeply_is_not_tried_from_every_brace() -> None:
    """Where it were, this would take minutes."""
    with pytest.raises(NotInForm, match="it holds no JSON object"):
        read('{"a":' * 1_000_000)
