"""What is personal data is found where it stands, and what only looks like it stays."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.domain.guardrails.options import PERSONAL
from llmops_tui.guardrails import personal
from llmops_tui.guardrails.plain_form import plain_form
from llmops_tui.guardrails.registry import About, Deadline, Found, TooSlow

ABOUT = About("output")


def look(text: str, *, limit_s: float = 60.0, **options: Any) -> Found:
    given = GUARDRAILS["pii"].options.model_validate(options).model_dump()
    return personal.personal(given)(text, ABOUT, Deadline(limit_s))


def redacted(text: str, **options: Any) -> str:
    found, done, parts = look(text, **options), 0, []
    for match in found.matches:
        assert done <= match.start < match.end <= len(text)
        parts += [text[done : match.start], match.label]
        done = match.end
    assert found.score == float(bool(found.matches))
    return "".join([*parts, text[done:]])


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "jane.doe+x@mail.example.org"),
        ("email", "jürgen@example.de"),
        ("email", "jane@example.photography"),
        ("email", "jane (at) example (dot) com"),
        ("email", "jane[at]example.com"),
        ("email", "jane at example dot com"),
        ("email", "ｊａｎｅ＠example.com"),
        ("email", "jane\u200b@\u200bexample.com"),
        ("phone", "+49 30 1234567"),
        ("phone", "+1 415 555 2671"),
        ("phone", "+14155552671"),
        ("phone", "+44 20 7946 0958"),
        ("phone", "+1-555-123-4567"),
        ("phone", "0044 20 7946 0958"),
        ("phone", "(030) 123-4567"),
        ("phone", "(415) 555-2671"),
        ("phone", "415-555-2671"),
        ("phone", "415.555.2671"),
        ("phone", "＋４９ ３０ １２３４５６７"),
        ("phone", "+49\u200b30\u200b1234567"),
        ("card", "4111 1111 1111 1111"),
        ("card", "4111-1111-1111-1111"),
        ("card", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"),
        ("card", "4111\u00a01111\u00a01111\u00a01111"),
        ("card", "5555555555554444"),
        ("card", "3782-822463-10005"),
        ("card", "6011111111111117"),
        ("card", "４１１１ １１１１ １１１１ １１１１"),
        ("card", "4111\u200d1111\u200d1111\u200d1111"),
        ("card", "𝟒𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "DE89-3704-0044-0532-0130-00"),
        ("iban", "GB29NWBK60161331926819"),
        ("iban", "nl91abna0417164300"),
        ("iban", "MT84 MALT 0110 0001 2345 MTLC AST0 01S"),
        ("ip", "203.0.113.9"),
        ("ip", "192.168.0.254"),
        ("ip", "2001:db8::8a2e:370:7334"),
        ("ssn", "536-90-4399"),
    ],
)
def test_it_is_found_and_nothing_around_it(kind: str, text: str) -> None:
    assert redacted(text) == f"[{kind}]"
    assert redacted(f"So {text}, he said BANK 2 times.") == f"So [{kind}], he said BANK 2 times."
    assert redacted(f'{{"x": "{text}"}}') == f'{{"x": "[{kind}]"}}'
    assert redacted(text, value=[each for each in PERSONAL if each != kind]).count(f"[{kind}]") == 0


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("My SSN is", "536904399"),
        ("social security:", "536 90 4399"),
        ("BSN", "111222333"),
        ("Steuer-ID:", "36574261809"),
        ("DNI", "54362315-K"),
        ("NIE:", "X-2482300W"),
        ("n° de sécurité sociale", "2 95 10 99 126 111 93"),
        ("AHV", "756.9217.0769.85"),
        ("PESEL", "44051401359"),
        ("CPF", "390.533.447-05"),
        ("Aadhaar no.", "234123412346"),
        ("NHS number", "943 476 5919"),
    ],
)
def test_a_national_number_is_one_where_its_name_stands_before_it(said: str, number: str) -> None:
    assert redacted(f"{said} {number}.") == f"{said} [ssn]."
    assert "[ssn]" not in redacted(f"Parcel {number}.")


@pytest.mark.parametrize(
    ("said", "number"),
    [("call me on", "030 1234567"), ("Tel.:", "01234 567890"), ("my mobile:", "0612345678")],
)
def test_a_local_number_is_a_telephones_where_that_is_said(said: str, number: str) -> None:
    assert redacted(f"{said} {number}") == f"{said} [phone]"
    assert redacted(f"We sent {number}.") == f"We sent {number}."


def test_a_region_tells_its_numbers() -> None:
    assert redacted("We sent 030 1234567.", region="DE") == "We sent [phone]."
    assert redacted("We sent 030 1234567.", region=["US", "DE"]) == "We sent [phone]."
    assert redacted("We sent 030 1234567.", region="US") == "We sent 030 1234567."


@pytest.mark.parametrize(
    "text",
    [
        "on 2026-11-28 at 10:20:30 we had 12 items",
        "between 28.11.2026 and 01.12.2026, or 11/28/2026",
        "it costs $1,234,567.89 or 1 234 567,89 €",
        "3 x 45.20 EUR = 135.60 EUR",
        "order 4111 1111 1111 1112",
        "Order no. 555-123-4567 was sent",
        "ticket 0123456789",
        "order number 2026-000123-4",
        "invoice 2026 1128 0045",
        "ISBN 978-3-16-148410-0 and ISBN-10 3-16-148410-0",
        "EAN 4006381333931",
        "IMEI 490154203237518",
        "tracking 1Z999AA10123456784",
        "DE00 3704 0044 0532 0130 00",
        "part AB12 3456 7890 1234 5678",
        "version 1.2.3.4 of the API",
        "see section 3.2.1.4",
        "Requires-Dist: stubs>=1.2.0.0, other==4.10.0.0",
        "[fe80::1] and 169.254.10.20",
        "300.400.1.2",
        "listens on 127.0.0.1 and 0.0.0.0, mask 255.255.255.0",
        "a[1::2]",
        "user@localhost or a @ b",
        "npm install lodash@4.17.21",
        "icon@2x.png",
        "meet me at example.com, dot your i's",
        "they sat at a table (at noon)",
        "The range 10-20 and 3:4, 16:9.",
        "π is 3.14159265358979, e is 2.718281828459045",
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12",
        "10 20 30 40 50 60 70 80 90",
        "commit 3c78ec6 of 7e3763a0c130b6866b719e",
        "550e8400-e29b-41d4-a716-446655440000",
        "temperature 0.7, max_tokens 2048, seed 1234567890",
        "epoch 1732780800",
        "48.8566, 2.3522",
        "987-65-4320",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert redacted(text) == text


def test_what_is_allowed_stays() -> None:
    text = "Write to help@lark-desk.example or jane@example.org, call +49 30 1234567."
    allow = ["*@LARK-desk.example", "+49 (30) 123-4567"]
    assert redacted(text, allow=allow) == text.replace("jane@example.org", "[email]")


def test_the_reason_counts_kinds_and_repeats_nothing() -> None:
    found = look("a@example.org, b@example.org, 4111 1111 1111 1111")
    assert found.reason == "2 e-mail addresses, 1 card number"


def test_a_card_beside_a_telephone_hides_neither() -> None:
    text = "4111 1111 1111 1111, +49 30 1234567; 2 4111 1111 1111 1111 7"
    assert redacted(text) == "[card], [phone]; 2 [card] 7"


def test_a_region_that_is_none_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="'XX' is no country"):
        look("", region="XX")


@given(st.text(st.sampled_from("4111 +-.(@)at dotexample\u200b１:dDE89\n"), max_size=80))
@settings(deadline=None)
def test_matches_are_in_order_and_within_the_text_whatever_the_text(text: str) -> None:
    redacted(text)


@given(st.text(max_size=60))
def test_a_plain_form_knows_where_its_characters_stood(text: str) -> None:
    plain = plain_form(text, Deadline(60))
    for at, char in enumerate(plain.text):
        start, end = plain.span(at, at + 1)
        assert end == start + 1
        assert plain_form(text[start], Deadline(60)).text == char


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1 ",
        "+1",
        "(1",
        "a@",
        "a.",
        "1.1.",
        "ab:",
        "DE89 ",
        "0 (at) ",
        "x at x dot ",
        "1-",
        "１",
        "\u200b1",
    ],
)
def test_a_megabyte_is_told_or_is_too_slow_and_never_hangs(piece: str) -> None:
    with contextlib.suppress(TooSlow):
        look(piece * (1_000_000 // len(piece)), limit_s=0.5)
