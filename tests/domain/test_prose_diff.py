"""Two texts side by side: words, lines, JSON, and what is too long."""

from __future__ import annotations

import json
import re

from hypothesis import example, given
from hypothesis import strategies as st

from llmops_tui.domain.matching import opcodes
from llmops_tui.domain.prose_diff import Diff, DiffLine, diff, diff_words

PROSE = st.text(st.sampled_from("ab 1\n\t.,'-—é\u0301天👍\u200d#"), max_size=80)


def side(result: Diff, which: str) -> str:
    lines = [getattr(line, which) for line in result.lines]
    return "\n".join("".join(s.text for s in line) for line in lines if line is not None)


def marked(line: DiffLine) -> str:
    """`a [-b-][+c+] d`, as git's word diff writes it."""
    marks = {"same": "{}", "removed": "[-{}-]", "added": "[+{}+]"}
    return "".join(marks[s.kind].format(s.text) for s in line.segments)


@given(PROSE | st.text(), PROSE | st.text())
@example("a\n\n\nb", "\n\nb\n")
def test_each_side_is_its_text_character_for_character(a: str, b: str) -> None:
    result = diff_words(a, b)
    assert side(result, "left") == a.replace("\r\n", "\n")
    assert side(result, "right") == b.replace("\r\n", "\n")


@given(PROSE, PROSE)
def test_lines_are_numbered_in_order_and_unchanged_ones_are_equal(a: str, b: str) -> None:
    result = diff_words(a, b)
    lines_a, lines_b = (a.count("\n") + 1 if a else 0), (b.count("\n") + 1 if b else 0)
    assert [n.left_number for n in result.lines if n.left_number] == list(range(1, lines_a + 1))
    assert [n.right_number for n in result.lines if n.right_number] == list(range(1, lines_b + 1))
    for line in result.lines:
        if line.change == "same":
            assert line.left == line.right
        elif line.change == "changed":
            assert line.left != line.right


@given(PROSE)
def test_identical_texts_say_so(text: str) -> None:
    result = diff(text, text)
    assert result.identical
    assert result.hunks == ()
    assert diff(text, text + "x").identical is False


BEFORE = st.lists(st.sampled_from(["don't", "1,000.50", "a@b.org", "e\u0301te\u0301", "हिन्दी", "naïve", "x"]))
AFTER = st.lists(st.sampled_from(["don't", "1,000.55", "a@b.com", "e\u0301te", "हिन्द", "naïf", "x"]))


@given(BEFORE, AFTER)
def test_marks_never_split_a_word(a: list[str], b: list[str]) -> None:
    known = {*a, *b}
    for line in diff_words(" ".join(a), " ".join(b)).lines:
        for segment in line.segments:
            assert set(segment.text.split()) <= known


def test_what_changed_in_a_sentence_is_marked_by_the_word() -> None:
    (line,) = diff(
        "You have 30 days from delivery to ask for a refund.",
        "You can ask for a refund at any time by contacting support.",
    ).lines
    assert marked(line) == (
        "You [-have 30 days from delivery to-][+can+] ask for a refund[+ at any time by contacting support+]."
    )


def test_white_space_between_two_words_is_not_marked_where_it_stays() -> None:
    (line,) = diff("the cat sat here", "the dog sat here").lines
    assert marked(line) == "the [-cat-][+dog+] sat here"


def test_one_word_between_two_long_changes_is_part_of_the_change() -> None:
    (line,) = diff("one two three the four five six", "uno dos tres the quatro cinco seis").lines
    assert marked(line) == "[-one two three the four five six-][+uno dos tres the quatro cinco seis+]"


def test_emoji_and_flags_and_ideographs_stay_whole() -> None:
    (line,) = diff("ok 👍🏽 🇩🇪 你好", "ok 👍🏿 🇫🇷 你们").lines
    assert marked(line) == "ok [-👍🏽 🇩🇪-][+👍🏿 🇫🇷+] 你[-好-][+们+]"


def test_an_inserted_line_moves_no_other() -> None:
    result = diff("one\ntwo", "zero\none\ntwo")
    assert [line.change for line in result.lines] == ["added", "same", "same"]
    assert (result.lines[0].left, result.lines[0].left_number) == (None, None)
    assert result.hunks == (0,)


def test_lines_of_a_block_stand_beside_those_they_share_words_with() -> None:
    result = diff("alpha beta gamma\nred green blue", "new line here\nalpha beta delta\nred green white")
    assert [marked(line) for line in result.lines] == [
        "[+new line here+]",
        "alpha beta [-gamma-][+delta+]",
        "red green [-blue-][+white+]",
    ]


def test_a_line_that_moved_up_a_number_is_found_again() -> None:
    result = diff(
        "1. Log in.\n2. Choose the order.\n3. Print the label.\nEnd",
        "1. Log in first.\n2. Print the label.\n3. Drop the parcel at any post office.\nEnd",
    )
    assert [marked(line) for line in result.lines] == [
        "1. Log in[+ first+].",
        "[-2. Choose the order.-]",
        "[-3-][+2+]. Print the label.",
        "[+3. Drop the parcel at any post office.+]",
        "End",
    ]


def test_beside_an_empty_text_every_line_is_added_or_removed() -> None:
    assert [line.change for line in diff("", "one\n\ntwo").lines] == ["added", "added", "added"]
    assert [line.change for line in diff("one\n\ntwo", "").lines] == ["removed", "removed", "removed"]
    assert diff("", "").identical


def test_windows_line_ends_are_no_change() -> None:
    assert diff("a\r\nb", "a\nb").identical


def test_json_is_compared_by_structure_with_its_keys_aligned() -> None:
    result = diff('{"days": 30, "unit": "day"}', '{"unit": "day",\n "days": 14, "new": []}')
    assert result.mode == "json"
    assert [marked(line) for line in result.lines] == [
        "{",
        '  "days": [-30-][+14+],',
        '[+  "new": [],+]',
        '  "unit": "day"',
        "}",
    ]


def test_json_that_differs_in_layout_only_says_so() -> None:
    result = diff('{"a": 1, "b": [2]}', '{ "b": [2],\n"a": 1 }')
    assert result.note == "the same JSON, laid out differently"
    assert not result.identical
    assert result.hunks == ()


def test_scalars_broken_json_and_endless_nesting_are_compared_as_text() -> None:
    for a, b in [("1", "2"), ('{"a": 1}', '{"a": 1'), ("[NaN]", "[1]"), ("[" * 20_000, "[" * 20_000 + "]")]:
        assert diff(a, b).mode == "text"


@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=5), st.lists(st.integers(), max_size=4))
def test_json_lines_are_the_pretty_printed_values(a: dict[str, int], b: list[int]) -> None:
    text_a, text_b = json.dumps(a), json.dumps(b)
    result = diff(text_a, text_b)
    assert json.loads(side(result, "left")) == a
    assert json.loads(side(result, "right")) == b


def test_more_than_five_thousand_changed_words_are_compared_by_lines() -> None:
    a = "\n".join(f"line {i} has six words here" for i in range(1_000))
    result = diff(a, a.replace("six", "6"))
    assert result.note == "some 6,000 words in changed lines: compared by lines"
    assert result.lines[0].segments[0].text == "line 0 has six words here"
    assert len(result.hunks) == 1


def test_a_long_text_with_a_small_change_still_shows_the_word() -> None:
    a = "\n".join(f"line {i} has six words here" for i in range(15_000))
    result = diff(a, a.replace("line 7000 has", "line 7000 had"))
    assert result.note == ""
    (first,) = result.hunks
    assert marked(result.lines[first]) == "line 7000 [-has-][+had+] six words here"


def test_more_than_twenty_thousand_lines_are_said_to_be_too_many() -> None:
    a = "\n".join(
        ["first", *(f"a{i}" for i in range(10_000)), "shared", *(f"a{i}" for i in range(10_000)), "last"]
    )
    b = a.replace("a", "b").replace("shbred", "shared").replace("lbst", "last")
    result = diff(a, b)
    assert "20,001 lines between the common start and end: too many" in result.note
    same = [marked(line) for line in result.lines if line.change == "same"]
    assert same == ["first", "shared", "last"]
    assert side(result, "left") == a
    assert side(result, "right") == b


def test_texts_made_of_the_same_few_words_are_cut_short_and_stay_true() -> None:
    a, b = "\n".join("ab" * 4_000), "\n".join("ba" * 4_000)
    result = diff(a, b)
    assert "many of them alike" in result.note
    assert side(result, "left") == a
    assert side(result, "right") == b


FEW = st.lists(st.sampled_from("abc "), max_size=25)


@given(FEW, FEW, st.sampled_from([1, 3]))
@example(list("xyzw"), list("xyzqyzw"), 3)
def test_blocks_cover_both_sequences_in_order(a: list[str], b: list[str], gram: int) -> None:
    blocks, cut_short = opcodes(a, b, gram=gram)
    assert not cut_short
    rebuilt: list[str] = []
    i = j = 0
    for n, (tag, i1, i2, j1, j2) in enumerate(blocks):
        assert (i1, j1) == (i, j)
        assert n == 0 or tag != blocks[n - 1][0]
        assert (tag == "equal") == (a[i1:i2] == b[j1:j2])
        rebuilt += a[i1:i2] if tag == "equal" else b[j1:j2]
        i, j = i2, j2
    assert (i, j) == (len(a), len(b))
    assert rebuilt == b


def test_the_order_of_sides_is_removed_before_added() -> None:
    for line in diff("a b c d e", "a x c y e").lines:
        kinds = "".join(s.kind[0] for s in line.segments)
        assert re.fullmatch(r"s?(?:r?a?s?)*", kinds)
        assert "ar" not in kinds
