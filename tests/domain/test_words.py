"""The one normal form of texts, and the one idea of a word."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from llmops_tui.domain.words import plain, words


@given(st.text())
@example("\u0390")
def test_the_normal_form_is_composed_and_its_own(text: str) -> None:
    for sensitive in (True, False):
        once = plain(text, case_sensitive=sensitive)
        assert unicodedata.is_normalized("NFC", once)
        assert plain(once, case_sensitive=sensitive) == once


@given(st.text(st.characters(max_codepoint=0x24F)))
def test_upper_case_is_equal_where_case_does_not_matter(text: str) -> None:
    assert plain(text.casefold(), case_sensitive=False) == plain(text, case_sensitive=False)


def test_words_have_no_punctuation_and_keep_their_apostrophes() -> None:
    assert words("“Don’t!” — he said, at 9:30.") == ["don't", "he", "said", "at", "9", "30"]
    assert words("Ａｂｃ ﬁne", case_sensitive=True) == ["Abc", "fine"]
    assert words("日本語 text") == ["日", "本", "語", "text"]
    assert words(" \n…") == []
