"""Text as it is compared: one normal form, and one idea of a word, for scorers and retrieval."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from llmops_tui.domain.canonical import lf

#: Scripts written without spaces (kana, ideographs): each character counts as a word.
CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2007": " "})


@cache
def _word() -> re.Pattern[str]:
    return re.compile(rf"[{CJK}]|[^\W_{CJK}]+(?:['’_][^\W_{CJK}]+)*")


def plain(text: str, *, case_sensitive: bool = True) -> str:
    """The form in which two texts are held against each other.

    NFC (composed and decomposed accents are equal; `²` and `2` are not), line ends as LF, no-break
    spaces as spaces; without `case_sensitive` Unicode's full case folding (`ß` = `SS`).
    """
    if text.isascii():
        text = lf(text)
        return text if case_sensitive else text.lower()
    text = unicodedata.normalize("NFC", lf(text)).translate(_SPACES)
    return text if case_sensitive else unicodedata.normalize("NFC", text.casefold())


def words(text: str, *, case_sensitive: bool = False) -> list[str]:
    """The words of a text in order, without punctuation, NFKC, case-folded unless asked not to.

    `don’t` is one word and equal to `don't`; an ideograph is a word of its own.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("’", "'")
    return _word().findall(text if case_sensitive else text.casefold())
