"""Untrusted text made harmless, and secrets out of it."""

from __future__ import annotations

import json
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain.call import ChatRequest, Failure
from llmops_tui.domain.redact import MARK, Redactor
from llmops_tui.domain.safe_text import clean, clean_line
from llmops_tui.domain.score import Score

NASTY = st.text(
    st.sampled_from("ab[]0;m\\ \n\t\r\x07\x08\x1b\x7f\x90\x9b\x9c\x9d\u202e\u2028\ud800é👍"), max_size=60
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r0m\x1b\\dcs", "dcs"),
        ("\x9b31mred", "red"),
        ("\x1bcreset", "reset"),
        ("\x1b(0line", "line"),
        ("no end \x1b]0;kept\nnext", "no end 0;kept\nnext"),
        ("back\x08\x08space\x00\x07", "backspace"),
        ("over\rwritten\r\nnext\u2028and", "over\nwritten\nnext\nand"),
        ("tab\tstays", "tab\tstays"),
        ("abc\u202edef\u2066", "abc<U+202E>def<U+2066>"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("[bold]markup[/bold] is text", "[bold]markup[/bold] is text"),
        ("שלום 👨\u200d👩\u200d👧 naïve", "שלום 👨\u200d👩\u200d👧 naïve"),
    ],
)
def test_what_a_terminal_would_obey_is_taken_out(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.one_of(NASTY, st.text(st.characters(), max_size=40)))
def test_nothing_that_controls_is_left_and_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert all(c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") for c in once)
    once.encode()


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"])))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert clean(text) == text


@given(NASTY)
def test_one_line_is_one_line(text: str) -> None:
    line = clean_line(text)
    assert len(line.splitlines()) <= 1
    assert "\t" not in line


def test_a_megabyte_of_unfinished_escapes_is_cleaned() -> None:
    assert clean("\x1b]" * 500_000) == ""
    assert clean("\x1b[" + "0" * 1_000_000).count("0") == 1_000_000


SECRETS = st.lists(st.text(st.sampled_from("abXY09/+ \"é"), min_size=4, max_size=12), max_size=4)  # fmt: skip
TEXTS = st.text(st.sampled_from("abXY09/+ \"é\n"), max_size=40)  # fmt: skip


@given(SECRETS, TEXTS, TEXTS)
def test_no_secret_is_left_in_any_form(secrets: list[str], before: str, after: str) -> None:
    redactor = Redactor(secrets)
    for secret in (s.strip() for s in secrets):
        if len(secret) < 4:
            continue
        for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe="")):
            assert form not in redactor.redact(before + form + after)


def test_of_secrets_that_start_alike_nothing_stays() -> None:
    redactor = Redactor(["sk-abcd", "sk-abcd-1234"])
    assert redactor.redact("key sk-abcd-1234, sk-abcd") == f"key {MARK}, {MARK}"


def test_empty_and_short_values_are_no_secrets() -> None:
    assert Redactor(["", "  ", "abc"]).redact("abc is a word") == "abc is a word"
    assert Redactor([]).redact("text") == "text"


def test_nested_values_are_redacted_with_their_keys() -> None:
    value = {"a": ["x s3cr3t y", {"s3cr3t": 1, "n": None}], "t": ("s3cr3t", 2.5, True)}
    redacted = Redactor(["s3cr3t"]).redact_json(value)
    assert redacted == {"a": [f"x {MARK} y", {MARK: 1, "n": None}], "t": (MARK, 2.5, True)}


def test_structs_come_back_as_what_they_were() -> None:
    redactor = Redactor(["s3cr3t"])
    request = ChatRequest(({"role": "user", "content": "s3cr3t?"},), {"temperature": 0, "stop": ["s3cr3t"]})
    assert redactor.redact_struct(request) == ChatRequest(
        ({"role": "user", "content": f"{MARK}?"},), {"temperature": 0, "stop": [MARK]}
    )
    score = Score("k", "mine", 0.5, True, "says s3cr3t", None, 2.0)
    assert redactor.redact_struct(score) == Score("k", "mine", 0.5, True, f"says {MARK}", None, 2.0)
    failure = redactor.redact_failure(Failure("auth", "401: bad key s3cr3t", "check s3cr3t"))
    assert str(failure) == f"401: bad key {MARK}; check {MARK}"
