"""What the words of an attack tell: what it is after, what to call it, whether it is there already."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Collection

from llmops_tui.domain.attack import Family
from llmops_tui.domain.safe_text import whole_text

#: Tag characters → the ASCII that they mirror.
_SPOKEN = {0xE0000 + code: code for code in range(0x20, 0x7F)}
#: Characters of an attack that are kept.
LONGEST = 20_000
_ID_WORDS, _ID_LENGTH = 5, 48

_ORDERS = re.compile(
    r"\b(ignore|disregard|forget|override|instead|instructions?|system prompt|you are now|you must|from now "
    r"on|pretend|jailbreak|developer mode|do anything|reveal|repeat|send (?:your|the|all)|do not tell)\b",
    re.IGNORECASE,
)
_FAMILIES: tuple[tuple[Family, re.Pattern[str]], ...] = (
    (
        "leakage",
        re.compile(
            r"system prompt|\b(?:your|all|the) (?:instructions|rules|prompt)\b.{0,40}\b(?:verbatim|word for "
            r"word)|\b(?:repeat|reveal|print|show|tell)\b.{0,40}\b(?:prompt|instructions|text above|first "
            r"line)",
            re.IGNORECASE | re.DOTALL,
        ),
    ),
    (
        "jailbreak",
        re.compile(
            r"\bdan\b|do anything now|developer mode|no (?:rules|limits|restrictions|filters)|jailbreak|"
            r"without (?:any )?(?:rules|limits|restrictions)|pretend (?:to be|you are)",
            re.IGNORECASE,
        ),
    ),
    (
        "pii",
        re.compile(
            r"\b(?:other|all|every|another) (?:customer|user|client|person|people)s?\b|"
            r"\b(?:card|passport|social security|phone) numbers? of\b|\b(?:e-?mail|home) address(?:es)? of\b",
            re.IGNORECASE,
        ),
    ),
)
#: Part of a category's name, as lists of attacks call it → family; the first that is there counts.
_CATEGORIES: tuple[tuple[str, Family], ...] = (
    ("leak", "leakage"),
    ("extract", "leakage"),
    ("system_prompt", "leakage"),
    ("pii", "pii"),
    ("privacy", "pii"),
    ("personal", "pii"),
    ("jailbreak", "jailbreak"),
    ("dan", "jailbreak"),
    ("harm", "jailbreak"),
    ("inject", "injection"),
    ("hijack", "injection"),
    ("override", "injection"),
)


def family_of(text: str) -> Family:
    """What a text seems to be after; `injection` where nothing else shows."""
    return next((family for family, pattern in _FAMILIES if pattern.search(text)), "injection")


def family_of_category(name: str) -> Family | None:
    """The family that a category of another tool is (`prompt-extraction`, `pii:direct`); None: none known."""
    low = name.lower().replace("-", "_").replace(" ", "_")
    return next((family for part, family in _CATEGORIES if part in low), None)


def orders(text: str) -> int:
    """How many words it has that give orders to a model."""
    return len(_ORDERS.findall(text))


def named(text: str) -> str:
    """An id made of its first words."""
    words = re.findall(r"[a-z0-9]+", text.lower())[:_ID_WORDS]
    return "-".join(words)[:_ID_LENGTH].strip("-") or "attack"


def unique(id_: str, taken: Collection[str]) -> str:
    """The id, or one of `id-2`, `id-3` … that is free: the first, where none is left out."""
    if id_ not in taken:
        return id_
    # A list may hold thousands that begin alike: go in steps that double, then look between the last two.
    free = 2
    while f"{id_}-{free}" in taken:
        free *= 2
    first = bisect_left(range(free), True, free // 2 + 1, key=lambda k: f"{id_}-{k}" not in taken)
    return f"{id_}-{first}"


def normalised(text: str) -> str:
    """Equal for texts that differ in case, white space, width, accents' form, what is not drawn, or the marks
    at the end.

    What is written in tag characters is part of it: it is all that such an attack says.
    """
    folded = unicodedata.normalize("NFKC", text.translate(_SPOKEN)).casefold()
    seen = " ".join("".join(c for c in folded if unicodedata.category(c) != "Cf").split())
    return seen.rstrip(".!?… ") or seen


def kept_text(text: str) -> str:
    """As a file can hold it, with its disguise: only NUL and lone surrogates are not kept."""
    return whole_text(text).replace("\x00", "").strip()[:LONGEST]
