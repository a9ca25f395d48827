"""Headings of a text in Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.headings import headings_of


def titles(text: str) -> list[tuple[int, str]]:
    return [(heading.level, heading.title) for heading in headings_of(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# One", [(1, "One")]),
        ("###   Three   deep  ###  ", [(3, "Three deep")]),
        ("   ## Two\n", [(2, "Two")]),
        ("## C#", [(2, "C#")]),
        ("#\n# #", [(1, ""), (1, "")]),
        ("#hashtag\n####### seven\n    # code", []),
        ("Title\n=====\nSub\n---\n", [(1, "Title"), (2, "Sub")]),
        ("two lines\nof text\n---\n", []),
        ("text\n\n---\n\n- point\n---\n| a | b |\n---\n> said\n---\n", []),
        ("```\n# code\n```\n# Real", [(1, "Real")]),
        ("````\n```\n# code\n````\n# Real", [(1, "Real")]),
        ("~~~ sh\n# code", []),
        ("---\na: b\n---\n# Real", [(1, "Real")]),
        ("---\n\n# Real\n\n---", [(1, "Real")]),
        ("", []),
    ],
)
def test_headings_are_those_of_commonmark(text: str, found: list[tuple[int, str]]) -> None:
    assert titles(text) == found


@given(st.text("#=-`~ a\n>|", max_size=80))
def test_headings_stand_one_behind_the_other_and_begin_lines(text: str) -> None:
    at = 0
    for heading in headings_of(text):
        assert at <= heading.start < heading.end <= len(text)
        assert heading.start == 0 or text[heading.start - 1] == "\n"
        assert heading.end == len(text) or text[heading.end - 1] == "\n"
        assert 1 <= heading.level <= 6
        at = heading.end
