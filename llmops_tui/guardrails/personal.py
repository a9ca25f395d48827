"""pii: personal data in a text, by its shape and what libraries say of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from llmops_tui.domain.personal import (
    CARD,
    DIGITS,
    EMAIL,
    IBAN,
    IPV4,
    IPV6,
    NATIONAL,
    PHONE,
    SPELT_EMAIL,
    Shape,
    Span,
    is_dated,
    places,
    signs_of,
)
from llmops_tui.guardrails.allowing import allowing
from llmops_tui.guardrails.national_numbers import is_national
from llmops_tui.guardrails.plain_form import plain_form, plain_forms
from llmops_tui.guardrails.portions import found_in
from llmops_tui.guardrails.registry import NOTHING, About, Check, Deadline, Found, Match, guardrail

#: Whether characters [start, end) of a text are one.
Tell = Callable[[str, int, int], bool]

#: Prefixes and lengths of the networks that issue cards (ISO/IEC 7812; Visa, Mastercard, American Express,
#: Diners, JCB, Maestro and Discover, UnionPay). Luhn's digit alone is right for one number in ten.
_CARD = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11,16}|35\d{14,17}|(?:5[0678]|6\d)\d{11,17}|81\d{14,17}"
)
#: Names of files and of versions of packages that look like addresses: `icon@2x.png`, `lodash@4.17.21`.
_NO_DOMAIN = re.compile(
    r".*\.(?:png|jpe?g|gif|svg|webp|ico|css|js|ts|py|json|[a-z-]*\d[\w-]*)", re.IGNORECASE
)
_VERSION = re.compile(
    r"(?:\b(?:v|ver|versions?|release|build|firmware|section|chapter|clause|article|step|figure|table)|§|[<>=~!^])[\s:.=]*$",
    re.IGNORECASE,
)
_CALLS = re.compile(
    r"\b(?:tele?(?:ph|f)on\w*|tel|phones?|mobiles?|mobil|cell|call|ring|fax|whatsapp|sms|text me|handy|"
    r"rufnummer|telefoon|gsm|m[óo]vil|t[ée]l[ée]phone|portable|cellulare)\b",
    re.IGNORECASE,
)
#: What has a number and is no telephone.
_OTHER_NUMBERS = re.compile(
    r"\b(?:orders?|invoices?|tickets?|ref(?:erence)?|isbn|issn|ean|upc|sku|serial|part|tracking|parcel|"
    r"customers?|accounts?|article|item|bestell\w*|rechnung\w*|case|id)\b"
    r"(?:[\s:.#=-]|no|nr|num|number|is|was|code|id)*+$",
    re.IGNORECASE,
)
_NEAR = 40
#: Of the signs of all shapes.
_LONGEST_SIGN = 300
_SPELT = (" dot ", "at)", "at]", "at}", "at )", "at ]", "at }")
#: As North America writes them.
_NORTH_AMERICAN = re.compile(r"(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}")
_AREA_IN_BRACKETS = re.compile(r"\(0\d{1,4}\)[ ./-]?\d[\d ./-]{4,}")

_NOUNS = {
    "email": ("e-mail address", "e-mail addresses"),
    "iban": ("bank account", "bank accounts"),
    "card": ("card number", "card numbers"),
    "ip": ("IP address", "IP addresses"),
    "ssn": ("national number", "national numbers"),
    "phone": ("telephone number", "telephone numbers"),
}


def _is_email(text: str, start: int, end: int) -> bool:
    return _NO_DOMAIN.fullmatch(text, text.index("@", start), end) is None


def _always(_text: str, _start: int, _end: int) -> bool:
    return True


def _is_iban(text: str, start: int, end: int) -> bool:
    from stdnum import iban

    return bool(iban.is_valid(text[start:end], check_country=False))


def _is_card(text: str, start: int, end: int) -> bool:
    from stdnum import luhn

    digits = re.sub(r"\D", "", text[start:end])
    return _CARD.fullmatch(digits) is not None and luhn.is_valid(digits)


def _is_ip(text: str, start: int, end: int) -> bool:
    import ipaddress

    try:
        address = ipaddress.ip_address(text[start:end])
    except ValueError:
        return False
    if address.is_loopback or address.is_unspecified or address.is_link_local:
        return False
    if address.version == 4 and address.is_reserved:
        return False
    # `1::2` is an address as well, and a slice of Python; `1.2.3.4` a version or a section.
    if address.version == 6:
        return any(len(group) > 2 for group in text[start:end].split(":"))
    return _VERSION.search(text, max(0, start - _NEAR), start) is None


def _is_phone(regions: tuple[str, ...], text: str, start: int, end: int) -> bool:
    """By its international prefix, as one of the regions, or by how it is written and what is said before."""
    number = text[start:end]
    digits = sum(map(str.isdigit, number))
    if not 7 <= digits <= 15 or is_dated(number):
        return False
    if number[0] == "+":
        return _is_number(number, None, strictly=False)
    if number.startswith("00"):
        return _is_number("+" + number[2:], None, strictly=True)
    before = max(0, start - _NEAR), start
    if _OTHER_NUMBERS.search(text, *before):
        return False
    if any(_is_number(number, region, strictly=True) for region in regions):
        return True
    if _NORTH_AMERICAN.fullmatch(number) or _AREA_IN_BRACKETS.fullmatch(number):
        return True
    return _CALLS.search(text, *before) is not None


def _is_number(number: str, region: str | None, *, strictly: bool) -> bool:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) if strictly else phonenumbers.is_possible_number(parsed)


#: In this order: a card's number is no telephone's.
_SHAPES: dict[str, tuple[tuple[Shape, Tell], ...]] = {
    "email": ((EMAIL, _is_email), (SPELT_EMAIL, _always)),
    "iban": ((IBAN, _is_iban),),
    "card": ((CARD, _is_card),),
    "ip": ((IPV4, _is_ip), (IPV6, _is_ip)),
    "ssn": ((NATIONAL, is_national),),
}


@guardrail("pii")
def personal(options: dict[str, Any]) -> Check:
    # Now, and not in the time of the first look.
    import phonenumbers  # noqa: F401
    from stdnum import iban, luhn  # noqa: F401

    wanted = options["value"]
    regions = options["region"]
    of_regions: Tell = partial(_is_phone, tuple([regions] if isinstance(regions, str) else regions))
    shapes = {**_SHAPES, "phone": ((PHONE, of_regions),)}
    rules = [(name, *each) for name, several in shapes.items() if name in wanted for each in several]
    is_allowed = allowing(options["allow"])
    plain_forms()

    def check(text: str, _about: About, deadline: Deadline) -> Found:
        plain = plain_form(text, deadline)
        rest, found = plain.text, []
        signs: dict[re.Pattern[str], list[Span]] = {}
        for name, shape, tell in _worth_looking(rest, rules, deadline):

            def is_one(start: int, end: int, rest: str = rest, tell: Tell = tell) -> bool:
                deadline.check()
                return tell(rest, start, end)

            # Several kinds have the same signs; blotting out what was found adds none.
            if shape.signs not in signs:
                signs[shape.signs] = list(
                    signs_of(rest, shape, found_in(shape.signs, rest, deadline, longest=_LONGEST_SIGN))
                )
            spans = list(places(rest, shape, is_one, _timed(signs[shape.signs], deadline)))
            deadline.check()
            found += [
                Match(*plain.span(*span), f"[{name}]") for span in spans if not is_allowed(rest[slice(*span)])
            ]
            rest = _without(rest, spans)
        if not found:
            return NOTHING
        return Found(1.0, _counted(match.label for match in found), tuple(sorted(found, key=_start)))

    return check


def _timed(spans: Iterable[Span], deadline: Deadline) -> Iterator[Span]:
    for span in spans:
        deadline.check()
        yield span


def _worth_looking(
    text: str, rules: list[tuple[str, Shape, Tell]], deadline: Deadline
) -> Iterable[tuple[str, Shape, Tell]]:
    """The rules that may find something: most texts have neither an @ nor many digits."""
    has_digits = next(found_in(DIGITS, text, deadline, longest=4), None) is not None
    lower = text.lower()
    for rule in rules:
        name, shape, _ = rule
        if shape is SPELT_EMAIL:
            if any(sign in lower for sign in _SPELT):
                yield rule
        elif "@" in text if name == "email" else has_digits:
            yield rule


def _without(text: str, spans: list[Span]) -> str:
    """The text with what was found blotted out, at the same places."""
    if not spans:
        return text
    parts, done = [], 0
    for start, end in spans:
        parts += [text[done:start], "\0" * (end - start)]
        done = end
    return "".join([*parts, text[done:]])


def _start(match: Match) -> int:
    return match.start


def _counted(labels: Iterable[str]) -> str:
    """`2 e-mail addresses, 1 card number`."""
    counts: dict[str, int] = {}
    for label in labels:
        counts[label[1:-1]] = counts.get(label[1:-1], 0) + 1
    return ", ".join(f"{n:,} {_NOUNS[name][n > 1]}" for name, n in counts.items())
