"""Whether a passage supports a sentence, by words: no model, and so no understanding either.

Numbers, dates, times, names and addresses of the sentence must be in the passage; of its other words a share.
What words can't tell: a negation, who does what to whom, a claim in other words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Literal

import msgspec

from llmops_tui.domain.words import CJK, words
from llmops_tui.scorers.stop_words import number_words, same_words, stop_words, telling_words

#: Share of the words of a sentence that a passage has at least. Fixed before anything was measured.
WORDS_SHARE = 0.6
#: Words with the same beginning that are looked through.
_MOST_ALIKE = 500
#: Words before and behind a number among which its unit is looked for.
_NEAR = 4

Kind = Literal["word", "name", "number", "address", "stop"]

_ADDRESS = r"(?:https?://|www\.)[^\s<>\"']+[\w/]|(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+"
_NUMBER = (
    r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2}:\d{2}(?::\d{2})?"
    r"|\d{1,3}(?:[,.'’\u00a0\u202f]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*"
)
_ENDS = re.compile(r"([.!?…:]\s|\n)")
_IDEOGRAPH = re.compile(f"[{CJK}]")
_GROUPED = re.compile(r"\d{1,3}(?:([,.'’\s])\d{3})(?:\1\d{3})*")


class Token(msgspec.Struct, frozen=True):
    """A word or sign as it is compared (`form`) and as it stands (`text`).

    Attributes:
        unit: of a number, the word right behind it or its sign, as compared: `30 days`, `10 %`. Dates and
            times have none, nor has a number before an ideograph.
    """

    kind: Kind
    form: str
    text: str
    unit: str = ""


class Passage:
    """A text to be looked through, read once."""

    def __init__(self, text: str) -> None:
        self.tokens = tokens(text)
        spoken = [token for token in self.tokens if token.kind in ("word", "name")]
        self.nouns_have_capitals = _is_german(self.tokens)
        self._forms = {token.form for token in self.tokens}
        self._addresses = {token.form for token in self.tokens if token.kind == "address"}
        self._by_start: dict[str, list[str]] = {}
        for form in dict.fromkeys(token.form for token in spoken):
            alike = self._by_start.setdefault(form[:3], [])
            if len(alike) < _MOST_ALIKE:
                alike.append(form)
        self._numbers: dict[str, list[int]] = {}
        for at, token in enumerate(self.tokens):
            if token.kind == "number":
                for form in _number_forms(token.form, of_passage=True):
                    self._numbers.setdefault(form, []).append(at)

    def has_word(self, form: str) -> bool:
        return form in self._forms or any(_alike(form, other) for other in self._by_start.get(form[:3], ()))

    def has_address(self, address: Token) -> bool:
        return address.form in self._addresses

    def has_number(self, number: Token) -> bool:
        """Whether the number is there, and its unit near it."""
        places = [at for form in _number_forms(number.form) for at in self._numbers.get(form, ())]
        return any(not number.unit or self._near(at, number.unit) for at in places)

    def _near(self, at: int, unit: str) -> bool:
        behind = _spoken(self.tokens[at + 1 :])
        before = _spoken(reversed(self.tokens[:at]))
        return any(form == unit or _alike(form, unit) for form in (*behind, *before))


def _is_german(found: Sequence[Token]) -> bool:
    """German has capitals at all nouns: there a capital makes no name."""
    german, others = telling_words()
    return sum(token.form in german for token in found) > sum(token.form in others for token in found)


def _spoken(found: Sequence[Token] | Iterator[Token]) -> list[str]:
    """The first few words that are no stop words."""
    near: list[str] = []
    for token in found:
        if token.kind in ("word", "name"):
            near.append(token.form)
            if len(near) == _NEAR:
                break
    return near


def missing(sentence: str, passages: Sequence[Passage]) -> list[str] | None:
    """What the sentence says and the nearest passage does not have, as it stands in the sentence.

    It must be one passage: a number that only another one has, about something else, supports nothing.

    Returns:
        Nothing where a passage supports the sentence; None where the sentence says nothing.
    """
    said = said_in(sentence)
    return missing_of(said, passages) if said else None


def said_in(sentence: str) -> list[Token]:
    """What a sentence says: its words without those that say nothing."""
    return [token for token in tokens(sentence) if token.kind != "stop"]


def missing_of(said: list[Token], passages: Sequence[Passage]) -> list[str]:
    """As `missing`, of what was read already, which is not empty."""
    nearest = said
    for passage in passages:
        lacks, is_enough = _missing_in(said, passage)
        if is_enough:
            return []
        if len(lacks) < len(nearest):
            nearest = lacks
    return list(dict.fromkeys(token.text for token in nearest))


def _missing_in(said: list[Token], passage: Passage) -> tuple[list[Token], bool]:
    """What is not there, and whether it supports what is said nevertheless."""
    asked = {token.form: token for token in said if token.kind in ("word", "name")}
    loose = [token for token in asked.values() if not passage.has_word(token.form)]
    strict = [
        token
        for token in said
        if (token.kind == "number" and not passage.has_number(token))
        or (token.kind == "address" and not passage.has_address(token))
    ]
    is_named = passage.nouns_have_capitals or not any(token.kind == "name" for token in loose)
    is_enough = len(loose) <= (1 - WORDS_SHARE) * len(asked) + 1e-9
    return strict + loose, is_enough and is_named and not strict


def tokens(text: str) -> list[Token]:
    """A text, or a sentence, in order."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'")
    found: list[Token] = []
    at, starts = 0, True
    for match in _specials(text):
        found += _plain_words(text[at : match.start()], starts)
        starts, at = False, match.end()
        if match.lastgroup == "address":
            found.append(Token("address", match[0].casefold().rstrip("/"), match[0]))
        elif match.lastgroup == "number":
            found.append(Token("number", match[0], match[0]))
        else:
            found.append(Token("word", same_words()[match[0]], match[0]))
    found += _plain_words(text[at:], starts)
    if not number_words().keys().isdisjoint([token.form for token in found]):
        found = list(_with_numbers(found))
    numbers = [place for place, token in enumerate(found[:-1]) if token.kind == "number"]
    for place in numbers:
        number, unit = found[place], found[place + 1]
        if unit.kind == "word" and not _is_cjk(unit.form[0]) and not re.search(r"[:/-]", number.form):
            found[place] = msgspec.structs.replace(number, unit=unit.form)
    return found


def _specials(text: str) -> Iterable[re.Match[str]]:
    """Addresses, numbers and signs. The pattern is tried at every character: not where there can be none."""
    if "@" in text or "://" in text or "www." in text:
        return _special().finditer(text)
    return _number_or_sign().finditer(text) if _DIGIT_OR_SIGN.search(text) else ()


_PLAIN_SPECIALS = rf"(?<![^\W_{CJK}])(?P<number>{_NUMBER})|(?P<sign>[%€$£])"
_DIGIT_OR_SIGN = re.compile(r"[\d%€$£]")


@cache
def _special() -> re.Pattern[str]:
    return re.compile(rf"(?P<address>{_ADDRESS})|{_PLAIN_SPECIALS}")


@cache
def _number_or_sign() -> re.Pattern[str]:
    return re.compile(_PLAIN_SPECIALS)


def _plain_words(text: str, starts: bool) -> list[Token]:
    """Words of a text without numbers and addresses. `starts`: it begins a sentence."""
    found: list[Token] = []
    run = ""  # ideographs in a row: each pair of neighbours is a word
    for at, part in enumerate(_ENDS.split(text)):
        if at % 2:
            starts = True
            continue
        spoken = words(part, case_sensitive=True)
        if spoken and part.isascii():
            found.append(_token(spoken[0], starts))
            found += [_token(word, False) for word in spoken[1:]]
            run, starts = "", False
            continue
        for word in spoken:
            if len(word) == 1 and _is_cjk(word):
                if run:
                    found.append(Token("word", run + word, run + word))
                run = word
                continue
            found.append(_token(word, starts))
            run, starts = "", False
    return found


@lru_cache(8_192)
def _token(word: str, starts: bool) -> Token:
    form = word.casefold().removesuffix("'s")
    if form in stop_words() or len(form) < 2:
        return Token("stop", form, word)
    return Token("name" if _is_name(word, starts) else "word", same_words().get(form, form), word)


def _is_cjk(char: str) -> bool:
    return _IDEOGRAPH.match(char) is not None


def _is_name(word: str, starts: bool) -> bool:
    return any(c.isupper() for c in word[1:]) or (word[0].isupper() and not starts)


def _with_numbers(found: list[Token]) -> Iterator[Token]:
    """Number words as numbers: `two years`, `twenty-five`. `one` is one of many things, and stays."""
    at = 0
    while at < len(found):
        token = found[at]
        at += 1
        number = number_words().get(token.form) if token.kind in ("word", "name") else None
        if number is None:
            yield token
            continue
        text = token.text
        if number >= 20 and at < len(found) and 0 < (number_words().get(found[at].form) or 0) < 10:
            number += number_words()[found[at].form]
            text += f" {found[at].text}"
            at += 1
        yield Token("number", str(number), text)


def _number_forms(written: str, *, of_passage: bool = False) -> set[str]:
    """A number in the ways in which it may be meant: `1,234` is 1234 or 1.234; `4.90` is `4,9`.

    A passage's `14:00` is meant by `14` too, and not the other way round.
    """
    if re.search(r"[:/-]", written) or written.count(".") == 2:
        hour = re.fullmatch(r"0?(\d{1,2}):00", written)
        return {written, hour[1]} if hour is not None and of_passage else {written}
    forms = set()
    if grouped := _GROUPED.match(written):
        forms.add(re.sub(r"[^\d]", "", grouped[0]) + written[grouped.end() :].replace(",", "."))
    if len(re.findall(r"\D", written)) <= 1:
        forms.add(re.sub(r"\D", ".", written))
    return {_trimmed(form) for form in forms or {written}}


def _trimmed(number: str) -> str:
    whole, _, rest = number.partition(".")
    rest = rest.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{rest}" if rest else "")


def _alike(one: str, two: str) -> bool:
    """Forms of one word, by their beginning: `day` and `days`, `delivery` and `deliveries`. A rough rule."""
    if one == two:
        return True
    short, long = sorted((one, two), key=len)
    if len(short) < 3:
        return False
    if long.startswith(short):
        return len(long) - len(short) <= (1 if len(short) == 3 else 3)
    same = next(n for n in range(len(short) + 1) if n == len(short) or short[n] != long[n])
    return same >= 5 and same >= 0.7 * len(long)
