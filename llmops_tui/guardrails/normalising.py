"""Text as phrases are looked for in it, with the way back to where they are in the original.

What a person reads as `ignore` may be written with letters of other scripts, with invisible characters
between them or with escapes. `folded` undoes this character by character, so it is linear in any text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources

import msgspec


class View(msgspec.Struct, frozen=True):
    """A text that was made of another.

    Attributes:
        starts, ends: for each character of `text` what it was made of, [start, end) in `made_of`, or in the
            original where there is none; None: it was made character by character.
        made_of: the view that this one was made of.
    """

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None
    made_of: View | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters [start, end), at least one, are in the original."""
        if self.starts is not None and self.ends is not None:
            # The characters may have been turned round: the first of them is then the last of the original.
            edges = (start, end - 1)
            start, end = min(self.starts[i] for i in edges), max(self.ends[i] for i in edges)
        return (start, end) if self.made_of is None else self.made_of.span(start, end)


def folded(text: str, made_of: View | None = None) -> View:
    """Without what can't be seen, compatibility forms and look-alikes as the plain letter, accents away.

    Case stays: what is encoded may depend on it. Sources: NFKC (UAX #15), confusables (UTS #39).
    """
    if text.isascii() and text.translate(_NO_LINES).isprintable():
        return View(text, made_of=made_of)
    forms = {char: form for char in set(text) - _PLAIN if (form := _form(char)) != char}
    if all(len(form) == 1 for form in forms.values()):
        if len(forms) <= _FEW:
            for char, form in forms.items():
                text = text.replace(char, form)
        else:
            text = text.translate({ord(char): form for char, form in forms.items()})
        return View(text, made_of=made_of)
    return _resized(text, [(i, i + 1, forms[c]) for i, c in enumerate(text) if c in forms], made_of)


def replaced(view: View, pattern: re.Pattern[str], form: Callable[[re.Match[str]], str]) -> View | None:
    """The view with another text where the pattern matches; None where it nowhere does."""
    pieces = [(match.start(), match.end(), form(match)) for match in pattern.finditer(view.text)]
    return _resized(view.text, pieces, view) if pieces else None


def turned_round(view: View) -> View:
    """Read from the end."""
    places = list(range(len(view.text) - 1, -1, -1))
    return View(view.text[::-1], places, [place + 1 for place in places], view)


def _resized(text: str, pieces: Iterable[tuple[int, int, str]], made_of: View | None) -> View:
    """(start, end, what stands there now), in order."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for start, end, form in pieces:
        parts += (text[done:start], form)
        starts += range(done, start)
        ends += range(done + 1, start + 1)
        starts += [start] * len(form)
        ends += [end] * len(form)
        done = end
    parts.append(text[done:])
    starts += range(done, len(text))
    ends += range(done + 1, len(text) + 1)
    return View("".join(parts), starts, ends, made_of)


_NO_LINES = str.maketrans("\t\n\r", "   ")
_PLAIN = frozenset(map(chr, range(32, 127))) | {"\t", "\n", "\r"}
#: Up to so many different characters are replaced one after the other, which is faster.
_FEW = 24
#: Forms of characters that were met; there are a million, and hostile texts have many of them.
_MET: dict[str, str] = {
    **dict.fromkeys("“”„‟«»〝〞", '"'),
    **dict.fromkeys("‘’‚‛‹›", "'"),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **{"ß": "s", "æ": "a", "œ": "o", "Æ": "A", "Œ": "O", "€": "e", "ı": "i", "…": ".", "\x0b": " "},
}
_MOST_MET = 20_000
#: Letters whose marks are accents; elsewhere (kana, Devanagari) a mark makes another letter.
_ACCENTED = 0x0590


def _form(char: str) -> str:
    form = _MET.get(char)
    if form is None:
        form = _new_form(char)
        if len(_MET) < _MOST_MET:
            _MET[char] = form
    return form


def _new_form(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cf", "Mn", "Me", "Cc", "Cs", "Cn", "Co"):
        return ""
    if category[0] == "Z":
        return "\n" if category != "Zs" else " "
    form = unicodedata.normalize("NFKC", char)
    base = unicodedata.normalize("NFKD", form)[:1]
    if ord(base) < _ACCENTED and len(form) == 1:
        form = base
    if form.isascii():
        return form
    if len(form) > 1:
        return "".join(c if c.isascii() else _new_form(c) for c in form if c != char)
    if category[0] in "SPL" and (letter := _look_alikes().get(form) or _named(form)):
        return letter
    if category[0] in "SP":
        return " "
    # One for one in nearly all cases, so that a text in Greek or Russian keeps its places.
    return form.casefold()


@cache
def _look_alikes() -> dict[str, str]:
    """Character → the ASCII letter or digit that it looks like."""
    data = resources.files("confusable_homoglyphs").joinpath("confusables.json").read_bytes()
    confusable: dict[str, list[dict[str, str]]] = msgspec.json.decode(data)
    found: dict[str, str] = {}
    for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789":
        for other in confusable.get(letter, ()):
            if len(other["c"]) == 1 and not other["c"].isascii():
                found.setdefault(other["c"], letter)
    # UTS #39 takes a capital I for an l.
    found.update({char: "i" for char in found if _IOTA.search(unicodedata.name(char, ""))})
    return found


_IOTA = re.compile(r"LETTER (?:\S+ )?(?:I|IOTA)$")
#: Letters by name: negative squared, regional indicators, small capitals, turned ones, with a stroke.
_NAMED = re.compile(
    r"\b(?:LETTER|INDICATOR SYMBOL LETTER)(?: SMALL CAPITAL| TURNED| REVERSED)* ([A-Z])(?: WITH .*)?$"
)


def _named(char: str) -> str:
    match = _NAMED.search(unicodedata.name(char, ""))
    return match[1].lower() if match is not None and _LATIN.search(match.string) else ""


_LATIN = re.compile("LATIN|REGIONAL")
