"""Long texts in portions: nothing is lost at an edge, and no character with another form is forgotten."""

from __future__ import annotations

import re
import unicodedata

from llmops_tui.guardrails.plain_form import plain_form, plain_forms
from llmops_tui.guardrails.portions import PORTION, found_in
from llmops_tui.guardrails.registry import Deadline


def test_a_pattern_finds_in_portions_what_it_finds_at_once() -> None:
    pattern = re.compile(r"(?<!x)ab{1,20}(?!c)")
    for shift in range(30):
        text = "-" * (PORTION - shift) + "xab abbbbbbbbbbbbbbbc abb" + "ab" * (PORTION // 10)
        found = [match.span() for match in found_in(pattern, text, Deadline(60.0), longest=30)]
        assert found == [match.span() for match in pattern.finditer(text)]


def test_every_digit_and_every_form_of_one_character_is_known() -> None:
    forms = plain_forms().of
    for point in range(0x80, 0x110000):
        char = chr(point)
        digit = unicodedata.decimal(char, None)
        form = unicodedata.normalize("NFKC", char) if digit is None else str(digit)
        if len(form) == 1 and form != char:
            assert point in forms, hex(point)
    assert not any(ord(char) in forms for form in forms.values() for char in form)


def test_places_hold_beyond_the_first_portion() -> None:
    text = "é\u200b" * 15_000 + "４\u200b２"
    plain = plain_form(text, Deadline(60.0))
    assert plain.text == "é" * 15_000 + "42"
    assert plain.span(15_000, 15_002) == (30_000, 30_003)
