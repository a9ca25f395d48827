"""Guardrails that ask a model: what it is told, and what its answer says.

The text is a stranger's, and so is the answer of a model that read it: the text stands between delimiters
that it does not hold, and an answer that is not in the form is a failure of the guardrail, never a pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from llmops_tui.domain.call import ChatRequest
from llmops_tui.domain.canonical import digest
from llmops_tui.domain.guardrails import wording
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.domain.safe_text import whole_text
from llmops_tui.guardrails.registry import About, CannotCheck, Check, Deadline, Found
from llmops_tui.guardrails.watch import Watched
from llmops_tui.scorers.wording import clipped

#: Characters of the text, and of what was retrieved, that a judge is shown. A text that is longer is not
#: judged: what was left out could be the attack.
LONGEST = 60_000
#: `both` asks where the heuristics are this near to the threshold.
BAND = 0.35
#: Characters of an answer that are read: one in the form is short, and a long one could take long to read.
_LONGEST_ANSWER = 20_000
# Possessive: an answer that repeats itself must not be tried in every way.
_WORD = re.compile(r"\W*+(yes|no)\b(?:\W++(\d{1,3})\b)?+\W*+", re.IGNORECASE)


class Judged:
    """Asks about one text at a time.

    Args:
        check: the heuristics of `method: both`.
    """

    def __init__(self, use: GuardrailUse, check: Check | None = None) -> None:
        self._use = use
        self._check = check

    async def __call__(self, text: str, about: About, watched: Watched) -> Found:
        """
        Raises:
            CannotCheck: it can't be asked, or did not answer in the form.
            TooSlow: the heuristics took too long.
        """
        use = self._use
        before: Found | None = None
        if self._check is not None:
            before = self._check(text, about, Deadline(use.timeout_s))
            if abs(before.score - use.threshold) > BAND:
                return before
        if use.judge is None:
            raise CannotCheck("no model is named that judges")
        request = ChatRequest(told(use, text, about), use.judge.params)
        found = read_answer(await watched.ask(use.judge.model, request))
        if not found.reason and found.score >= use.threshold:
            found = msgspec.structs.replace(found, reason=_REASONS[use.kind])
        # Where both see something, the heuristics know the place.
        matches = before.matches if before is not None and found.score >= use.threshold else ()
        return msgspec.structs.replace(found, matches=matches)


_REASONS = {
    "injection": "the judge sees orders to the model",
    "topic": "the judge sees a topic that is not allowed",
    "grounded": "the judge sees what no passage says",
}


def told(use: GuardrailUse, text: str, about: About) -> tuple[dict[str, Any], ...]:
    """Messages: the question, and between delimiters what it is about.

    Raises:
        CannotCheck: it is too long to be judged whole.
    """
    parts = [("TEXT", text)]
    if use.kind == "grounded":
        parts = [("PASSAGE", each) for each in about.context] + [("ANSWER", text)]
    shown = [(name, whole_text(each)) for name, each in parts]
    if sum(len(each) for _, each in shown) > LONGEST:
        raise CannotCheck(f"it has more than {LONGEST:,} characters, too many for a judge")
    fence = _fence([each for _, each in shown])
    lines = []
    for n, (name, each) in enumerate(shown, 1):
        lines.append(f"{wording.PARTS[name].format(n=n)}\n<<<{fence}\n{each}\n{fence}>>>")
    system = wording.SYSTEM.format(name=fence, question=_question(use))
    user = "\n\n".join([*lines, wording.NOW])
    return {"role": "system", "content": system}, {"role": "user", "content": user}


def _question(use: GuardrailUse) -> str:
    if use.kind == "injection":
        return wording.INJECTION
    if use.kind == "grounded":
        return wording.GROUNDED
    if use.kind == "topic":
        allowed, denied = use.options.get("allowed", ()), use.options.get("denied", ())
        return wording.TOPIC.format(
            allowed=wording.TOPIC_ALLOWED.format(topics="; ".join(allowed)) if allowed else "",
            denied=wording.TOPIC_DENIED.format(topics="; ".join(denied)) if denied else "",
        )
    raise CannotCheck(f"no judge knows what '{use.kind}' is")


def _fence(texts: list[str]) -> str:
    """A word that none of the texts holds, since it is made of their hash; equal requests stay equal."""
    return f"DATA_{digest(texts)[:16]}"


def read_answer(text: str) -> Found:
    """`{"answer": "yes", "confidence": 90}`, or `yes 90`: how sure it is that the guardrail should fire.

    Without a confidence, yes is 1 and no is 0. Of several answers, none is taken: one may be quoted from the
    text.

    Raises:
        CannotCheck: it is neither.
    """
    if len(text) > _LONGEST_ANSWER:
        raise CannotCheck(f"the judge answered with more than {_LONGEST_ANSWER:,} characters")
    read: Callable[[str], Found | None]
    for read in (_as_json, _as_word):
        if (found := read(text)) is not None:
            return found
    said = clipped(text, 40)
    # What it says may be the stranger's text: a little of it is enough to see what went wrong.
    raise CannotCheck(f'the judge did not answer yes or no: "{said}"' if said else "the judge said nothing")


def _as_json(text: str) -> Found | None:
    from llmops_tui.scorers.judges.replies import NotInForm, read_reply

    try:
        return read_reply(text, _of_object)
    except NotInForm:
        return None


def _of_object(reply: dict[str, Any]) -> Found:
    from llmops_tui.scorers.judges.replies import NotInForm

    said, sure = reply.get("answer"), reply.get("confidence", 100)
    if isinstance(said, bool):
        said = "yes" if said else "no"
    if isinstance(sure, str) and re.fullmatch(r"\d{1,3}\s*%?", sure.strip()):
        sure = int(sure.strip(" %"))
    if not isinstance(said, str) or said.strip().lower() not in ("yes", "no"):
        raise NotInForm("`answer` must be yes or no")
    if isinstance(sure, bool) or not isinstance(sure, int | float) or not 0 <= sure <= 100:
        raise NotInForm("`confidence` must be from 0 to 100")
    return _found(said.strip().lower() == "yes", sure)


def _as_word(text: str) -> Found | None:
    match = _WORD.fullmatch(text.strip())
    if match is None or int(match[2] or 100) > 100:
        return None
    return _found(match[1].lower() == "yes", int(match[2] or 100))


def _found(is_yes: bool, sure: float) -> Found:
    """A yes is at least 0.5, and a no below, however sure it is."""
    return Found(0.5 + sure / 200 if is_yes else 0.49 * (1 - sure / 100))
