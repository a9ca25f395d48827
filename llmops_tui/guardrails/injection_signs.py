"""Signs of an injection that are no words.

Role tags, fake delimiters, comments with orders, images that carry data away, invisible characters.
"""

from __future__ import annotations

import re

from llmops_tui.guardrails.normalising import View
from llmops_tui.guardrails.registry import Deadline

_TAGS = "imitates the marks of a prompt"
_COMMENT, _AWAY = "gives orders in a comment", "sends data elsewhere"

_ROLE = r"(?:system|instructions?|assistant|response)(?: prompt| message)?"
_PARTS = "document|instructions?|prompt|context|user input|conversation|system prompt|data"
_READ = "context|documents?|user_input|user|input|query|question|data|untrusted|source"
_ORDER = "ignore|instruct|ai|assistant|llm|must|system|prompt|tell|answer|always|do not"
_INVISIBLE = "display: ?none|font-size: ?0|opacity: ?0|visibility: ?hidden|color: ?(?:white|#fff)"
_DATA = r"\[|\{|<|followed|data|secret|conversation|history|prompt|\s?\+"

#: (the character or the word that must be there, weight, family, pattern over the folded text in lower case).
_SIGNS: tuple[tuple[str, float, str, re.Pattern[str]], ...] = tuple(
    (there, weight, family, re.compile(pattern, re.MULTILINE))
    for there, weight, family, pattern in (
        ("<", 0.65, _TAGS, r"<\|[a-z_]{2,24}\|>|<</?sys>>"),
        ("[", 0.65, _TAGS, r"\[/?inst\]|\[(?:system|admin|developer)(?: [a-z]{1,20})?\]"),
        (
            "<",
            0.55,
            _TAGS,
            r"</?(?:system|assistant|instructions?|developer|system_prompt)(?:\s[^<>]{0,80})?>",
        ),
        ("<", 0.4, _TAGS, rf"</(?:{_READ})>"),
        ("#", 0.5, _TAGS, rf"^[ \t]{{0,3}}#{{2,5}} ?(?:new )?{_ROLE}:?[ \t]{{0,9}}$"),
        ("#", 0.4, _TAGS, rf"#{{2,5}} ?(?:new )?{_ROLE}:"),
        (
            "system",
            0.4,
            _TAGS,
            r"^\W{0,4}system(?: prompt| message| note| override| instructions?)?\W{0,3}:"
            r"(?! (?:windows|mac|linux|ios|android))",
        ),
        ("system", 0.55, _TAGS, r"[\"']role[\"']\s{0,3}:\s{0,3}[\"']system[\"']"),
        ("assistant", 0.3, _TAGS, r"^\W{0,4}assistant:"),
        ("end", 0.35, _TAGS, rf"\bend of (?:the )?(?:{_PARTS})\b"),
        ("begin", 0.35, _TAGS, r"\bbegin (?:system|new|admin|developer) (?:prompt|instructions?|message)\b"),
        ("<", 0.5, _COMMENT, rf"<!--[^>]{{0,400}}?\b(?:{_ORDER})\b"),
        ("[", 0.5, _COMMENT, rf"\[//\]: ?#? ?[(\"'][^)\n]{{0,400}}?\b(?:{_ORDER})\b"),
        ("style", 0.3, "hides text from people", rf"style ?= ?[\"'][^\"']{{0,100}}(?:{_INVISIBLE})"),
        ("[", 0.65, _AWAY, r"!\[[^\]\n]{0,100}\]\(\s?https?://[^)\s]{0,300}[?&/=][^)\s]{0,100}[\[{<$]"),
        ("[", 0.3, _AWAY, r"!\[[^\]\n]{0,100}\]\(\s?https?://[^)\s]{0,300}\?[^)\s]{1,300}="),
        ("<", 0.4, _AWAY, r"<img\s[^>]{0,200}src ?= ?[\"']?https?://[^\s\"'>]{0,200}\?[^\s\"'>]{1,200}="),
        ("=", 0.5, _AWAY, rf"https?://[^\s)]{{1,200}}[?&][a-z_]{{1,20}}=(?:{_DATA})"),
    )
)

_UNSEEN = "[\u200b-\u200d\u2060-\u2064\ufeff\u180e\u00ad]"
#: The letter before is looked for behind the first of them: `re` looks quickly for a set of characters.
_IN_WORD = re.compile(f"{_UNSEEN}(?<=[A-Za-z]{_UNSEEN}){_UNSEEN}*+(?=[A-Za-z])")
#: A flag of a part of a country has five of them at most, and an end.
_TAG_CHARACTERS = re.compile("[\U000e0020-\U000e007e]{8,}")
_OVERRIDES = re.compile("[\u202d\u202e][^\u202c\n]{0,400}")
_HIDDEN, _FEW_IN_WORD = "hides characters", 2


def signs(view: View, lower: str, words: set[str], deadline: Deadline) -> list[tuple[str, float, int, int]]:
    """(family, weight, place in the original) of each."""
    found: list[tuple[str, float, int, int]] = []
    for there, weight, family, pattern in _SIGNS:
        if there in words or (len(there) == 1 and there in lower):
            deadline.check()
            found += [(family, weight, *view.span(*match.span())) for match in pattern.finditer(lower)]
    return found


def hidden(text: str) -> list[tuple[str, float, int, int]]:
    """What can't be seen and is no part of a script, an emoji or a flag: weak evidence by itself."""
    found = [(_HIDDEN, 0.45, *match.span()) for match in _TAG_CHARACTERS.finditer(text)]
    found += [(_HIDDEN, 0.25, *match.span()) for match in _OVERRIDES.finditer(text)]
    in_words = [match.span() for match in _IN_WORD.finditer(text)]
    if len(in_words) >= _FEW_IN_WORD:
        found += [(_HIDDEN, 0.25, *place) for place in in_words]
    return found
