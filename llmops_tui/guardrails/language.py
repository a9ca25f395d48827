"""language: it is in none of the languages that are wanted.

The model is langid.py's (Lui & Baldwin, *langid.py: An off-the-shelf language identification tool*, 2012). It
takes 100 MB and a second to load; so it is prepared in a process of its own.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from llmops_tui.guardrails.registry import NOTHING, About, Check, Deadline, Found, guardrail

#: Letters from which on a language is told. An ideograph counts for three.
_LEAST = 12
#: Of a long text so many characters of its beginning and of its end.
_ENDS = 10_000
_NO_PROSE = re.compile(
    r"```.{0,20000}?(?:```|\Z)|`[^`\n]{1,200}`|https?://\S{1,2000}|\S{1,64}@\S{1,255}|<[^<>\n]{1,200}>|\d+",
    re.DOTALL,
)
#: Written so much alike that the model takes one for the other.
_KIN = (
    {"en", "pcm"},
    {"no", "nn"},
    {"zh", "yue", "wuu"},
    {"ar", "ary", "arz"},
    {"hr", "bs", "sr"},
    {"id", "ms"},
    {"cs", "sk"},
    {"es", "ext", "an"},
    {"pt", "gl"},
    {"nl", "af", "fy"},
    {"de", "lb"},
)
#: What the model says of code.
_NO_LANGUAGE = "zxx"


@guardrail("language")
def language(options: dict[str, Any]) -> Check:
    value = options["value"]
    wanted = {value} if isinstance(value, str) else set(value)
    fine = wanted.union(*(kin for kin in _KIN if kin & wanted), {_NO_LANGUAGE})
    model = _model()

    def check(text: str, _about: About, deadline: Deadline) -> Found:
        prose = _prose(text)
        deadline.check()
        if sum(3 if char > "\u2e7f" else 1 for char in prose if char.isalpha()) < _LEAST:
            return NOTHING
        told = model.rank(prose)
        best, sure = next((each for each in told if each[0] not in fine), ("", 0.0))
        # What is sure is told by the likeliest: of a short text all are unlikely, the wanted ones as well.
        if sure <= sum(chance for code, chance in told if code in wanted):
            return NOTHING
        return Found(float(sure), f"it is in '{best}', not in {', '.join(sorted(wanted))}")

    return check


def _prose(text: str) -> str:
    if len(text) > 2 * _ENDS:
        text = f"{text[:_ENDS]}\n{text[-_ENDS:]}"
    return _NO_PROSE.sub(" ", text)


@cache
def _model() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
