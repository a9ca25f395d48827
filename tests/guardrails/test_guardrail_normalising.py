"""Folding keeps the way back to the original."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.guardrails.encodings import unescaped
from llmops_tui.guardrails.normalising import folded, replaced, turned_round

ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=80)
LOOK_ALIKES = st.sampled_from("аеорсіΙΟᎪⅠ１ℓ𝐚ßﬁ½ﷺ\u200b\u0301\u00ad\u202e\0\ud800😀é İ忽ガ")
MIXED = st.lists(st.one_of(st.characters(codec="ascii"), LOOK_ALIKES), max_size=80).map("".join)


def test_what_reads_alike_is_folded_alike() -> None:
    for text in (
        "іgnоrе", "ｉｇｎｏｒｅ", "𝐢𝐠𝐧𝐨𝐫𝐞", "i\u200bg\u200bn\u200bo\u200br\u200be", "ígñórè", "ⓘⓖⓝⓞⓡⓔ",
        "🅘🅖🅝🅞🅡🅔", "ɪɢɴᴏʀᴇ", "i̶g̶n̶o̶r̶e̶", "ιgnoгe",
    ):  # fmt: skip
        assert folded(text).text.lower() in ("ignore", "ignoгe"), text


def test_accents_go_and_other_scripts_keep_their_letters() -> None:
    assert folded("naïve café, über “Straße” — 5 €").text == 'naive cafe, uber "Strase" - 5 e'
    assert folded("ガプ").text == "ガプ"
    assert folded("नमस्ते").text.startswith("नम")


def test_lower_case_never_changes_the_length_of_what_was_folded() -> None:
    every = "".join(map(chr, range(0x20000)))
    for start in range(0, len(every), 4096):
        text = folded(every[start : start + 4096]).text
        assert len(text.lower()) == len(text)


@given(st.one_of(ANY, MIXED))
def test_every_character_comes_from_where_it_says(text: str) -> None:
    view = folded(text)
    last = 0
    for i in range(len(view.text)):
        start, end = view.span(i, i + 1)
        assert last <= start < end <= len(text)
        assert view.text[i] in folded(text[start:end]).text
        last = start


@given(st.one_of(ANY, MIXED))
def test_folding_twice_changes_nothing(text: str) -> None:
    once = folded(text).text
    assert folded(once).text == once


@given(MIXED, st.integers(0, 80), st.integers(1, 20))
def test_a_view_of_a_view_leads_back_to_the_original(text: str, start: int, length: int) -> None:
    view = turned_round(folded(text))
    assert view.text == folded(text).text[::-1]
    end = min(start + length, len(view.text))
    if start < end:
        place = view.span(start, end)
        assert 0 <= place[0] < place[1] <= len(text)
        assert view.text[start:end][::-1] in folded(text[place[0] : place[1]]).text


def test_an_escape_is_the_place_of_its_character() -> None:
    view = unescaped(folded("a %69&#103;\\u006e b"))
    assert view is not None
    assert view.text == "a ign b"
    assert [view.span(i, i + 1) for i in (2, 3, 4)] == [(2, 5), (5, 11), (11, 17)]
    assert view.span(2, 5) == (2, 17)
    assert unescaped(folded("100 & more\\")) is None


def test_nothing_replaced_is_no_view() -> None:
    assert replaced(folded("abc"), re.compile("x"), lambda match: "y") is None
