"""secrets: keys, tokens and passwords in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from llmops_tui.guardrails.allowing import allowing
from llmops_tui.guardrails.plain_form import plain_form, plain_forms
from llmops_tui.guardrails.portions import PORTION, found_in
from llmops_tui.guardrails.registry import NOTHING, About, Check, Deadline, Found, Match, guardrail
from llmops_tui.guardrails.secret_shapes import LEAST, SecretShape, is_placeholder, shapes

LABEL = "[secret]"

#: Characters [start, end), and what it is.
_Place = tuple[int, int, str]

#: What stands within a private key, with line ends as they are or as JSON has them.
_BODY = r"(?:\\[nr]|[\sA-Za-z0-9+/=:,.]|-(?!-)){16,20000}+"
_KIND = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_PRIVATE_KEYS = (
    re.compile(rf"-----BEGIN {_KIND}{_BODY}(?:-----END {_KIND})?"),
    re.compile(rf"PuTTY-User-Key-File-\d:{_BODY}"),
)
_LONGEST_KEY, _LONGEST_ADDRESS = 45_000, 310
_PRIVATE = ("PRIVATE KEY", "PuTTY-User-Key-File")
_ADDRESS = re.compile(r"://[^\s:/?#\[\]@\"'<>]{0,100}:(?P<secret>[^\s/@\"'<>]{1,200})@")
_SPACE = re.compile(r"\s")
#: What a secret is called where one is told, in small letters.
_CALLED = re.compile(
    r"pass ?word|passwd|passphrase|pwd|passwort|wachtwoord|contraseña|mot de passe|credentials?|bearer"
    r"|(?:secret|api|access|auth|account|private|master|encryption)[ _-]?key|secret|token"
)
#: Of `_CALLED`: `encryption_key`.
_LONGEST_NAME = 20
_CALLED_SIGNS = ("pass", "pwd", "wachtwoord", "contrase", "secret", "token", "credential", "key", "bearer")
#: What stands between its name and itself.
_BEHIND = re.compile(
    r"[\"'`\])*_\\]{0,3}(?P<sign>\s{0,4}(?:=>|:=|==?|:)\s{0,4}|\s{1,4}(?:is|was|ist|est|es|lautet)(?::|\s)\s{0,3}|\s{1,4})"
    r"(?P<quote>[\"'`*\\]{0,3})(?P<value>[^\s\"'`,;<>{}()\\]{6,400})"
)
_PASSWORD = ("pass", "pwd", "wacht", "contra", "mot")


def _told(text: str, lower: str, deadline: Deadline) -> Iterator[_Place]:
    """`password: hunter2`, `API_KEY="…"`, `Bearer …`: (start, end, noun)."""
    if not any(sign in lower for sign in _CALLED_SIGNS):
        return
    done = 0
    for called in found_in(_CALLED, lower, deadline, longest=_LONGEST_NAME):
        told = _BEHIND.match(text, called.end()) if called.start() >= done else None
        if told is None:
            continue
        value = told["value"] if told["quote"] else told["value"].rstrip(".!?:*_")
        is_password = called[0].startswith(_PASSWORD)
        if _is_told(value, is_password, told["sign"].strip(), bool(told["quote"])):
            done = told.start("value") + len(value)
            yield told.start("value"), done, "password" if is_password else "key or token"


def _lower(text: str, deadline: Deadline) -> str:
    """In small letters, of the same length: `İ` has no single small one."""
    if text.isascii():
        return text.lower()
    parts = []
    for start in range(0, len(text), PORTION):
        deadline.check()
        part = text[start : start + PORTION]
        lower = part.lower()
        parts.append(lower if len(lower) == len(part) else "".join(char.lower()[0] for char in part))
    return "".join(parts)


def _is_told(value: str, is_password: bool, sign: str, is_quoted: bool) -> bool:
    """Whether what follows a name is a secret and not the next word.

    Args:
        sign: what stands between: empty for white space alone.
    """
    if len(value) < 6 or is_placeholder(value) or len(set(value)) < 4:
        return False
    has_letter, has_digit = any(c.isalpha() for c in value), any(c.isdigit() for c in value)
    if not sign:
        return len(value) >= 20 and has_letter and has_digit
    if not is_password:
        return len(value) >= 12 and has_letter and has_digit
    # A number by itself may be a password only where it is set like one.
    is_set = sign in (":", "=", ":=", "=>", "==") or is_quoted
    has_mark = any(not c.isalnum() and c not in "-./:" for c in value)
    return (has_letter and (has_digit or has_mark)) or (is_set and has_digit and value.isdigit())


@guardrail("secrets")
def secrets(options: dict[str, Any]) -> Check:
    known = [(hint, shape) for shape in shapes() for hint in shape.hints]
    is_allowed = allowing(options["allow"])
    plain_forms()

    def check(text: str, _about: About, deadline: Deadline) -> Found:
        plain = plain_form(text, deadline)
        found = list(_secrets(plain.text, known, deadline))
        found = _apart(each for each in found if not is_allowed(plain.text[each[0] : each[1]]))
        if not found:
            return NOTHING
        matches = tuple(Match(*plain.span(start, end), LABEL) for start, end, _ in found)
        return Found(1.0, _named(noun for *_, noun in found), matches)

    return check


def _secrets(text: str, known: list[tuple[str, SecretShape]], deadline: Deadline) -> Iterator[_Place]:
    if any(sign in text for sign in _PRIVATE):
        for pattern in _PRIVATE_KEYS:
            for match in found_in(pattern, text, deadline, longest=_LONGEST_KEY):
                yield *match.span(), "private key"
    if "://" in text and "@" in text:
        for match in found_in(_ADDRESS, text, deadline, longest=_LONGEST_ADDRESS):
            if not is_placeholder(match["secret"]):
                yield *match.span("secret"), "address with a password"
    for start, end in _long_words(text, deadline):
        deadline.check()
        word = text[start:end]
        for hint, shape in known:
            if len(word) > PORTION:
                deadline.check()
            if hint in word:
                yield from _of_shape(text, shape, start, end, deadline)
    yield from _told(text, _lower(text, deadline), deadline)


def _long_words(text: str, deadline: Deadline) -> Iterator[tuple[int, int]]:
    """Words that may hold a key; hardly any of running text are so long."""
    at, part_end = 0, 0
    while part_end < len(text):
        deadline.check()
        part_start, part_end = part_end, _word_end(text, part_end + PORTION)
        for word in text[part_start:part_end].split():
            if len(word) >= LEAST:
                at = text.index(word, max(at, part_start))
                yield at, at + len(word)
                at += len(word)


def _word_end(text: str, place: int) -> int:
    """Where the word ends that a place is in."""
    space = _SPACE.search(text, place)
    return len(text) if space is None else space.start()


def _of_shape(text: str, shape: SecretShape, start: int, end: int, deadline: Deadline) -> Iterator[_Place]:
    # From the white space before: some patterns want to see it.
    for match in shape.pattern.finditer(text, max(start - 1, 0), end):
        if shape.holds(match[shape.group]):
            yield *match.span(shape.group), shape.noun
        deadline.check()


def _apart(found: Iterable[_Place]) -> list[_Place]:
    """In order, and those that overlap as one."""
    apart: list[_Place] = []
    for start, end, noun in sorted(found, key=lambda each: (each[0], -each[1])):
        if apart and start < apart[-1][1]:
            first, last, kept = apart[-1]
            apart[-1] = (first, max(last, end), kept)
        else:
            apart.append((start, end, noun))
    return apart


def _named(nouns: Iterable[str]) -> str:
    """`AWS key, 2 passwords`."""
    counts: dict[str, int] = {}
    for noun in nouns:
        counts[noun] = counts.get(noun, 0) + 1
    return ", ".join(noun if n == 1 else f"{n:,} × {noun}" for noun, n in counts.items())
