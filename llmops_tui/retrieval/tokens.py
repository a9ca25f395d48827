"""Words of documents and queries as BM25 counts them."""

from __future__ import annotations

from llmops_tui.domain.words import words

_STOPPED = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then there "
    "these they this to was will with "
    "about am any anything been can can't could did didn't do does doesn't doing don't done each ever every "
    "from get got had has have having he her here him his how i i'd i'll i'm i've isn't it's its itself just "
    "let many may me might more most much must my myself of off our ours out own please s shall she should "
    "so some something t tell than that's them those through too until up upon us very via want we we'll "
    "we're were what what's when where where's whether which while who whom whose why will without won't "
    "would yes yet you you'd you'll you're your yours "
)

#: Words that say nothing about the matter: Lucene's English stop words, and those that questions are
#: made of. In a corpus of a few documents `how` or `until` would else be the rarest word, and so weigh most.
STOP_WORDS = frozenset(_STOPPED.split())


def tokens(text: str) -> list[str]:
    """Case-folded words without stop words, English plurals as singulars.

    Plurals by the three rules of the S-stemmer (Harman, "How effective is suffixing?", 1991): a
    question says `refunds` where the document says `refund`. Nothing else is stemmed.
    """
    return [_singular(word) for word in words(text) if word not in STOP_WORDS]


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s"):
        return word
    if word.endswith(("'s", "’s")):
        return word[:-2]
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if word.endswith(("us", "ss")):
        return word
    return word[:-1]
