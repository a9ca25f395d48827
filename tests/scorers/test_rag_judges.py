"""Judges of answers from retrieved context: what they are told, how their word is read, and what it costs."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain import rag_wording
from llmops_tui.domain.call import Call, ChatRequest, Draw, Failure, request_key
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.judge import Judge, judge_version
from llmops_tui.domain.model import Model
from llmops_tui.domain.output import Chunk, Output
from llmops_tui.domain.redact import Redactor
from llmops_tui.domain.score import Score
from llmops_tui.scorers.judges import Grader, JudgeFailed
from llmops_tui.scorers.judges.asking import form_of, told

MODEL = Model("gateway/m", "gateway", "m", "openai")
CASE = Case("c", {"question": "How long?"}, expected="You have 30 days. Keep the receipt.")
CHUNKS = (Chunk("docs/a.md", "Within 30 days.", 2.0), Chunk("docs/b.md", "A card.", 1.0))
OUTPUT = Output("You have 30 days. Coffee is free.", retrieved=CHUNKS)
NAMES = sorted(rag_wording.RAG_JUDGES)


def use(name: str, votes: int = 1, **options: Any) -> ScorerUse:
    settled = {"method": "judge", "input": None, "value": None, **options}
    return ScorerUse(name, settled, label=name, judge=Judge(MODEL, votes=votes))


class Says:
    """An `Ask` that says these texts in turn, and keeps what it was asked."""

    def __init__(self, *replies: Any) -> None:
        self._replies = [r if isinstance(r, (str, Failure)) else json.dumps(r) for r in replies]
        self.asked: list[tuple[ChatRequest, str, int]] = []

    async def __call__(self, model: Model, request: ChatRequest, step: str, occurrence: int) -> Call:
        self.asked.append((request, step, occurrence))
        reply = self._replies[min(len(self.asked), len(self._replies)) - 1]
        if isinstance(reply, Failure):
            raise JudgeFailed(reply)
        draw = Draw(0, 0, step, occurrence)
        return Call(request_key(model, request), draw, model.id, request, reply, sent_at=9e9)

    @property
    def data(self) -> str:
        return str(self.asked[0][0].messages[1]["content"])

    @property
    def rules(self) -> str:
        return str(self.asked[0][0].messages[0]["content"])

    @property
    def schema(self) -> dict[str, Any]:
        form = self.asked[0][0].response_format
        assert form is not None
        return dict(form["json_schema"]["schema"]["properties"])


def claim(text: str, verdict: str = "supported", reason: str = "passage 1") -> dict[str, str]:
    return {"claim": text, "reason": reason, "verdict": verdict}


def verdict(verdict: str, reason: str = "so") -> dict[str, str]:
    return {"reason": reason, "verdict": verdict}


async def grade(ask: Says, used: ScorerUse, output: Output = OUTPUT, case: Case = CASE) -> Score:
    return await Grader().grade(used, output, case, ask)


# -- faithfulness


async def test_each_claim_is_checked_and_the_unsupported_ones_are_named() -> None:
    ask = Says(
        {
            "sentence_1": [claim("You have 30 days.")],
            "sentence_2": [claim("Coffee is free.", "unsupported", "no passage is about coffee")],
        }
    )
    score = await grade(ask, use("faithfulness"))
    assert (score.value, score.passed) == (0.5, False)
    assert score.reason == (
        '1 of 2 claims supported; not supported: "Coffee is free." (no passage is about coffee)'
    )
    assert len(ask.asked) == 1
    assert list(ask.schema) == ["sentence_1", "sentence_2"]
    assert list(ask.schema["sentence_1"]["items"]["properties"]) == ["claim", "reason", "verdict"]


async def test_the_judge_sees_question_passages_and_sentences_and_nothing_else() -> None:
    ask = Says({"sentence_1": [claim("a")], "sentence_2": []})
    await grade(ask, use("faithfulness"))
    assert "<<<QUESTION\nHow long?\nQUESTION>>>" in ask.data
    assert (
        "Passage 1 that was looked up:\n<<<PASSAGE_1\n[docs/a.md]\nWithin 30 days.\nPASSAGE_1>>>" in ask.data
    )
    assert "<<<SENTENCE_2\nCoffee is free.\nSENTENCE_2>>>" in ask.data
    assert "receipt" not in ask.data


async def test_sentences_without_claims_do_not_count_and_an_answer_without_any_is_unscored() -> None:
    greeting = Output("Hello! You have 30 days.", retrieved=CHUNKS)
    score = await grade(
        Says({"sentence_1": [], "sentence_2": [claim("30 days")]}), use("faithfulness"), greeting
    )
    assert (score.value, score.passed) == (1.0, True)
    score = await grade(Says({"sentence_1": [], "sentence_2": []}), use("faithfulness"), greeting)
    assert (score.value, score.passed, score.error) == (None, None, None)
    assert score.reason == "the answer claims nothing"


async def test_of_several_votes_on_claims_the_mean_counts() -> None:
    both = {"sentence_1": [claim("a")], "sentence_2": [claim("b")]}
    one = {"sentence_1": [claim("a")], "sentence_2": [claim("b", "unsupported", "not said")]}
    score = await grade(Says(both, one, both), use("faithfulness", votes=3))
    assert score.value == pytest.approx((1 + 0.5 + 1) / 3)
    assert score.passed is False
    assert "the votes differ: 1, 0.5, 1" in score.reason


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("It is fine.", "it holds no JSON object"),
        ({"sentence_1": [claim("a")]}, "`sentence_2` is missing"),
        ({"sentence_1": [], "sentence_2": [], "sentence_3": []}, "`sentence_3` was not asked for"),
        ({"sentence_1": "supported", "sentence_2": []}, "`sentence_1` is no list of claims"),
        ({"sentence_1": [claim("a", "maybe")], "sentence_2": []}, '`verdict` is "maybe"'),
        ({"sentence_1": [claim(" ")], "sentence_2": []}, "`claim` must be a text"),
    ],
)
async def test_no_usable_verdict_is_an_error_and_never_a_zero(reply: Any, says: str) -> None:
    ask = Says(reply)
    score = await grade(ask, use("faithfulness"))
    assert (score.value, score.passed) == (None, None)
    assert f"gave no verdict that can be used: {says}" in str(score.error)
    assert len(ask.asked) == 2  # it is told once what is wrong


async def test_a_long_answer_is_asked_about_in_portions_that_leave_nothing_out() -> None:
    long = Output(" ".join(f"Fact number {n}." for n in range(150)), retrieved=CHUNKS)
    ask = Says("")
    await grade(ask, use("faithfulness"), long)
    assert len(ask.schema) == 50
    assert "Fact number 149." in ask.data


async def test_an_embedded_judge_is_held_to_lengths() -> None:
    local = msgspec.structs.replace(MODEL, client="local")
    ask = Says("")
    await grade(ask, msgspec.structs.replace(use("faithfulness"), judge=Judge(local)))
    assert ask.schema["sentence_1"]["maxItems"] == 4


# -- context_recall


async def test_each_statement_of_the_reference_is_judged_and_the_answer_is_not_shown() -> None:
    ask = Says({"statement_1": verdict("supported"), "statement_2": verdict("unsupported", "nothing of it")})
    score = await grade(ask, use("context_recall"))
    assert (score.value, score.passed) == (0.5, False)
    assert score.reason == ('1 of 2 statements supported; not supported: "Keep the receipt." (nothing of it)')
    assert "Coffee" not in ask.data
    assert "<<<STATEMENT_2\nKeep the receipt.\nSTATEMENT_2>>>" in ask.data


async def test_more_than_half_of_the_votes_decide_on_each_statement() -> None:
    yes = {"statement_1": verdict("supported"), "statement_2": verdict("supported")}
    no = {"statement_1": verdict("supported"), "statement_2": verdict("unsupported", "missing")}
    assert (await grade(Says(no, yes, yes), use("context_recall", votes=3))).value == 1.0
    score = await grade(Says(no, yes), use("context_recall", votes=2))
    assert score.value == 0.5
    assert "the votes differ" in score.reason


# -- context_precision


async def test_each_passage_is_judged_and_early_ones_count_more() -> None:
    ask = Says({"passage_1": verdict("irrelevant", "about cards"), "passage_2": verdict("relevant")})
    score = await grade(ask, use("context_precision"))
    assert (score.value, score.passed) == (0.5, True)
    assert score.reason == (
        "1 of 2 passages relevant; not relevant: 1 (docs/a.md); of passage 1: about cards"
    )
    assert "as the reference does" in ask.rules
    assert "<<<REFERENCE\nYou have 30 days." in ask.data


async def test_without_a_reference_the_question_alone_decides() -> None:
    ask = Says({"passage_1": verdict("relevant"), "passage_2": verdict("relevant")})
    score = await grade(ask, use("context_precision"), case=Case("c", {"a": "x", "b": 1, "c": "y"}))
    assert (score.value, score.reason) == (1.0, "2 of 2 passages relevant")
    assert "reference" not in ask.rules
    assert "<<<QUESTION\nx\ny\nQUESTION>>>" in ask.data


# -- answer_relevance


@pytest.mark.parametrize(
    ("said", "value", "passed"), [("fully", 1.0, True), ("partly", 0.5, False), ("not", 0.0, False)]
)
async def test_how_far_the_answer_is_one_to_the_question(said: str, value: float, passed: bool) -> None:
    ask = Says(verdict(said, "it says why"))
    score = await grade(ask, use("answer_relevance"))
    assert (score.value, score.passed) == (value, passed)
    assert score.reason.endswith(": it says why")
    assert "Within 30 days" not in ask.data


async def test_of_words_said_equally_often_the_worst_counts() -> None:
    score = await grade(Says(verdict("fully"), verdict("not", "evades")), use("answer_relevance", votes=2))
    assert (score.value, score.reason) == (
        0.0,
        "does not answer it, the votes differ (1 × fully, 1 × not): evades",
    )


# -- all of them


@pytest.mark.parametrize(
    ("name", "output", "value"),
    [
        ("faithfulness", Output("", retrieved=CHUNKS), None),
        ("answer_relevance", Output(" ", retrieved=CHUNKS), 0.0),
        ("context_recall", Output("x"), 0.0),
        ("context_precision", Output("x"), None),
    ],
)
async def test_what_needs_no_judge_asks_none(name: str, output: Output, value: float | None) -> None:
    ask = Says("")
    score = await grade(ask, use(name), output)
    assert (score.value, score.error, score.calls, ask.asked) == (value, None, (), [])


async def test_claims_of_an_answer_without_passages_are_judged_as_such() -> None:
    ask = Says({"sentence_1": [claim("a", "unsupported")]})
    score = await grade(ask, use("faithfulness"), Output("You have 30 days."))
    assert score.value == 0.0
    assert "Nothing was looked up" in ask.data
    assert "PASSAGE" not in ask.data


@pytest.mark.parametrize("name", NAMES)
async def test_the_question_is_the_variable_that_is_named(name: str) -> None:
    case = Case("c", {"question": "no", "ask": "this one"}, expected="30 days")
    ask = Says("")
    await grade(ask, use(name, input="ask"), case=case)
    assert "<<<QUESTION\nthis one\nQUESTION>>>" in ask.data
    score = await grade(Says(""), use(name, input="nonesuch"), case=case)
    assert score.error == "there is no variable 'nonesuch' for `input` (variables: question, ask)"


async def test_of_a_conversation_the_last_turn_is_the_question() -> None:
    case = Case("c", {"question": "first"}, turns=({"question": "second"}, {"question": "third"}))
    ask = Says(verdict("fully"))
    await grade(ask, use("answer_relevance"), case=case)
    assert "<<<QUESTION\nthird\nQUESTION>>>" in ask.data


DATA = st.text() | st.text(alphabet="<>ANSWERPG_12\n .")


@given(answer=DATA, question=DATA, chunk=DATA, expected=DATA)
def test_no_data_leaves_its_place_or_takes_another(
    answer: str, question: str, chunk: str, expected: str
) -> None:
    output = Output(answer, retrieved=(Chunk("docs/a.md", chunk, 1.0), Chunk(chunk, "b", 1.0)))
    case = Case("c", {"question": question}, expected=["one", f"x{expected}"])
    for name in NAMES:
        form = form_of(use(name), output, case)
        rules, data = told(use(name), form, output, case)
        text = data["content"]
        parts = list(form.parts(case))
        for part in parts:
            assert text.count(f"<<<{part}\n") == text.count(f"\n{part}>>>") == 1
        assert text.count("<<<") == text.count(">>>") == len(parts)
        assert not any(part and part in rules["content"] for part in (question, answer) if len(part) > 40)


# -- the calls of a score


async def test_a_score_names_every_call_that_was_asked_for_it() -> None:
    good = {"statement_1": verdict("supported"), "statement_2": verdict("supported")}
    ask = Says("no verdict", good, good)
    score = await grade(ask, use("context_recall", votes=2))
    assert score.value == 1.0
    assert [(ref.step, ref.occurrence) for ref in score.calls] == [
        ("scorer/context_recall", 0),
        ("scorer/context_recall", 0),  # told what was wrong with the first
        ("scorer/context_recall", 1),
    ]
    assert [ref.key for ref in score.calls] == [request_key(MODEL, asked[0]) for asked in ask.asked]


async def test_a_score_that_failed_names_the_calls_that_were_answered() -> None:
    score = await grade(Says("no verdict"), use("answer_relevance"))
    assert score.error is not None
    assert len(score.calls) == 2
    failed = await grade(Says(Failure("timeout", "it took too long")), use("answer_relevance"))
    assert failed.error == "the judge could not be asked: it took too long"
    assert failed.calls == ()


async def test_the_calls_of_a_score_stay_when_secrets_are_taken_out() -> None:
    score = await grade(Says(verdict("fully", "it says sk-secret")), use("answer_relevance"))
    clean = Redactor(["sk-secret"]).redact_struct(score)
    assert clean.calls == score.calls
    assert clean.reason == "answers the question: it says [redacted]"


async def test_other_judges_name_their_calls_too() -> None:
    judged = ScorerUse("judge", {"rubric": "Kind?", "scale": "pass_fail", "sees": []}, judge=Judge(MODEL))
    score = await grade(Says(verdict("pass")), judged)
    assert [(ref.step, ref.occurrence) for ref in score.calls] == [("scorer/judge", 0)]


# -- versions


def test_their_wording_is_part_of_their_version_and_of_no_other_judge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rubric = ScorerUse("judge", {"rubric": "Kind?", "scale": "pass_fail"}, judge=Judge(MODEL))
    before, other = judge_version(use("faithfulness")), judge_version(rubric)
    monkeypatch.setattr(rag_wording, "SYSTEM", rag_wording.SYSTEM + " Be kind.")
    rag_wording.rag_wording_hash.cache_clear()
    try:
        assert judge_version(use("faithfulness")) != before
        assert judge_version(rubric) == other
    finally:
        monkeypatch.undo()
        rag_wording.rag_wording_hash.cache_clear()
    assert judge_version(use("faithfulness")) == before
