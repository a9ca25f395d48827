"""Event streams → an answer: the same answer wherever the network cuts them."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.providers.answer_parts import (
    MAX_ANSWER_BYTES,
    AnswerParts,
    ErrorInAnswer,
    Malformed,
)
from llmops_tui.providers.faults import Said, clean, read_error


def parts() -> AnswerParts:
    return AnswerParts(time.perf_counter(), lambda _: None)


def event(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"choices": [choice]}, ensure_ascii=False).encode() + b"\n\n"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))), st.integers(1, 50))
def test_an_answer_does_not_depend_on_where_it_is_cut(texts: list[str], size: int) -> None:
    data = b"".join(event({"content": t}) for t in texts) + event({}, "stop") + b"data: [DONE]\n\n"
    gathered = parts()
    for i in range(0, len(data), size):
        gathered.feed(data[i : i + size])
    gathered.end()
    assert gathered.is_complete
    assert gathered.answer().text == "".join(texts)


@given(st.binary())
@pytest.mark.parametrize("way", ["stream", "event", "whole"])
def test_rubbish_is_an_answer_or_one_of_two_errors(way: str, data: bytes) -> None:
    gathered = parts()
    with contextlib.suppress(ErrorInAnswer, Malformed):
        if way == "whole":
            gathered.whole(data)
        else:
            gathered.feed(b"data: " + data if way == "event" else data)
            gathered.end()
        assert isinstance(gathered.answer().text, str)


@pytest.mark.parametrize(
    ("chunks", "text"),
    [
        ([r"smile \ud83d", r"\ude00."], "smile \U0001f600."),
        ([r"half \ud83d", " gone"], "half \ufffd gone"),
    ],
)
def test_a_character_that_was_cut_in_two_is_whole_again(chunks: list[str], text: str) -> None:
    gathered = parts()
    for chunk in chunks:
        gathered.feed(b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % chunk.encode())
    gathered.end()
    assert gathered.answer().text == text
    whole = parts()
    whole.whole(b'{"model":"m\\ud800","choices":[{"message":{"content":"%s"}}]}' % "".join(chunks).encode())
    assert (whole.answer().text, whole.answer().served_model) == (text, "m\ufffd")


def test_other_choices_are_left_out() -> None:
    gathered = parts()
    body = {"choices": [{"index": 1, "message": {"content": "b"}}, {"index": 0, "message": {"content": "a"}}]}
    gathered.whole(json.dumps(body).encode())
    assert gathered.answer().text == "a"


def test_an_endless_answer_is_not_read_into_memory() -> None:
    gathered = parts()
    with pytest.raises(Malformed, match="longer than 32 MiB"):
        gathered.feed(b"x" * (MAX_ANSWER_BYTES + 1))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error":"model is loading"}', Said("model is loading")),
        (b'{"message":"no","code":"x"}', Said("no", "x")),
        (b'{"error":{"message":"no","type":"t","param":"p","code":7}}', Said("no", "7", "t", "p")),
        (b'{"errors":[{"message":"no"}]}', Said("no")),
        (b'{"detail":[{"loc":["body","seed"],"msg":"is extra"}]}', Said("seed: is extra")),
        (b"[]", Said()),
        (b"null", Said()),
        (b"", Said()),
        (b"<HTML><title>Just a\nmoment</title>", Said("Just a moment")),
        (b"plain \x1b[1m words", Said("plain [1m words")),
    ],
)
def test_what_an_error_says_in_all_its_forms(body: bytes, said: Said) -> None:
    assert read_error(body) == said


@given(st.binary())
def test_no_error_body_is_too_odd(body: bytes) -> None:
    assert len(read_error(body).message) <= 300


@given(st.text())
def test_quoted_words_are_one_printable_line(text: str) -> None:
    assert clean(text).isprintable()
