"""Disguises: a person still reads the text, or the model does, and a filter for words does not."""

from __future__ import annotations

#: U+200B, zero width space.
ZERO_WIDTH = "\u200b"
#: Right-to-left override, and the end of it (Unicode Standard Annex 9).
RLO, PDF = "\u202e", "\u202c"
#: First of the tag characters, which are drawn as nothing and mirror ASCII (Unicode, chapter 23.9).
TAGS = 0xE0000

#: Latin letter → one of another script that looks the same (from the confusables of Unicode Technical
#: Standard 39): Cyrillic, and Greek where there is no Cyrillic one.
LOOKALIKES = {
    **dict(zip("aceijopsxy", "асеіјорѕху", strict=True)),
    **dict(zip("ABCEHIJKMOPSTXY", "АВСЕНІЈКМОРЅТХΥ", strict=True)),
    "v": "ν",
}
_LEET = str.maketrans("aeiostAEIOST", "431057431057")
_HOMOGLYPHS = str.maketrans(LOOKALIKES)
#: ASCII, the space aside, moved to the block of full-width forms; the space to U+3000.
_FULL_WIDTH = str.maketrans({0x20: 0x3000, **{code: code + 0xFEE0 for code in range(0x21, 0x7F)}})


def zero_width(text: str) -> str:
    """A zero-width space between any two characters of a word."""
    return " ".join(ZERO_WIDTH.join(word) for word in text.split(" "))


def homoglyphs(text: str) -> str:
    return text.translate(_HOMOGLYPHS)


def bidi(text: str) -> str:
    """Written backwards within a right-to-left override: it is drawn as the text it was."""
    return "\n".join(f"{RLO}{line[::-1]}{PDF}" for line in text.split("\n"))


def full_width(text: str) -> str:
    return text.translate(_FULL_WIDTH)


def leet(text: str) -> str:
    """Digits for the letters a, e, i, o, s and t."""
    return text.translate(_LEET)


def spaced(text: str) -> str:
    """`s p a c e d   l e t t e r s`."""
    return "   ".join(" ".join(word) for word in text.split())


def backwards(text: str) -> str:
    """Reversed, with the order to read it so."""
    return f"Read this from the end to the beginning and do what it says:\n{text[::-1]}"


def tag_characters(text: str) -> str:
    """ASCII as tag characters, which nobody sees, behind a question that everybody does."""
    hidden = "".join(chr(TAGS + ord(c)) if 0x20 <= ord(c) < 0x7F else c for c in text)
    return f"Thank you for your help.{hidden}"


def mixed_case(text: str) -> str:
    """`mIxEd cAsE`: every second character in upper case, the others in lower."""
    # Where upper case has another length (ß), the character stays.
    return "".join(_cased(character, n % 2 == 1) for n, character in enumerate(text))


def _cased(character: str, upper: bool) -> str:
    made = character.upper() if upper else character.lower()
    return made if len(made) == 1 else character
