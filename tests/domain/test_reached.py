"""Which words of a chunk reached the answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.reached import RUN, STOPPED, reached
from llmops_tui.domain.words import words

POLICY = "Refunds: you have 30 days from delivery to ask for a refund. Shipping is paid by you."


def marked(chunk: str, answer: str) -> list[tuple[str, str]]:
    return [(chunk[m.start : m.end], m.kind) for m in reached(chunk, answer).marks]


def test_words_in_a_row_are_marked_as_a_run_and_single_ones_as_words() -> None:
    answer = "Ask within the 30 days from delivery; shipping costs extra."
    assert marked(POLICY, answer) == [("30 days from delivery", "run"), ("ask", "word"), ("Shipping", "word")]


def test_the_share_counts_words_that_tell_something() -> None:
    found = reached(POLICY, "You have 30 days.")
    # refunds 30 days delivery ask refund shipping paid
    assert (found.found, found.total, found.longest) == (2, 8, 4)
    assert found.share == 0.25


def test_function_words_alone_do_not_count_but_do_in_a_run() -> None:
    assert marked("It is the end of it.", "This is it, and the rest.") == []
    assert marked("at the end of the day", "By the end of the week") == [("the end of the", "run")]


def test_case_accents_and_width_make_no_difference() -> None:
    assert marked("STRASSE caf\u00e9 ＡＢＣ", "straße cafe\u0301 abc") == [
        ("STRASSE caf\u00e9 ＡＢＣ", "run")
    ]


def test_ideographs_count_one_by_one() -> None:
    assert marked("返金は三十日以内です", "三十日以内") == [("三十日以内", "run")]


def test_runs_that_touch_but_stand_apart_in_the_answer_are_no_longer_one() -> None:
    found = reached("one two three four five six", "four five six; one two three")
    assert found.longest == 3
    assert [m.kind for m in found.marks] == ["run", "run"]


def test_nothing_reached_where_there_is_nothing() -> None:
    assert reached("", "something").share is None
    assert reached("the of and", "the of").share is None
    assert (reached(POLICY, "").found, reached(POLICY, "").marks) == (0, ())


WORD = st.sampled_from(["red", "green", "blue", "the", "of", "x", "y", "z", "Z"])
WORDS = st.lists(WORD, max_size=25).map(" ".join)


@given(WORDS, WORDS)
def test_marks_are_apart_and_each_word_of_them_is_in_the_answer(chunk: str, answer: str) -> None:
    found = reached(chunk, answer)
    said = words(answer)
    at = 0
    for mark in found.marks:
        assert at <= mark.start < mark.end
        at = mark.end
        inside = words(chunk[mark.start : mark.end])
        assert set(inside) <= set(said)
        assert len(inside) >= RUN if mark.kind == "run" else inside[0] not in STOPPED
    assert 0 <= found.found <= found.total


@given(WORDS, WORDS)
def test_the_longest_run_is_the_longest_that_both_have(chunk: str, answer: str) -> None:
    one, two = words(chunk), words(answer)
    best = 0
    for i in range(len(one)):
        for j in range(len(two)):
            n = 0
            while i + n < len(one) and j + n < len(two) and one[i + n] == two[j + n]:
                n += 1
            best = max(best, n)
    assert reached(chunk, answer).longest == (best if best >= RUN else 0)
    in_run = sum(len(words(chunk[m.start : m.end])) for m in reached(chunk, answer).marks if m.kind == "run")
    expected = set()
    for i in range(len(one) - RUN + 1):
        if any(one[i : i + RUN] == two[j : j + RUN] for j in range(len(two) - RUN + 1)):
            expected |= set(range(i, i + RUN))
    assert in_run == len(expected)


@given(st.text(), st.text())
def test_any_text_will_do(chunk: str, answer: str) -> None:
    found = reached(chunk, answer)
    assert all(0 <= m.start < m.end <= len(chunk) for m in found.marks)
