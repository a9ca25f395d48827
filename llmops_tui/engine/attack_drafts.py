"""From a live request that got past a guardrail to an attack of the workspace."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.attack import Family, Way
from llmops_tui.domain.attack_words import family_of, kept_text, named, orders
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.live.judged import answer_of, chunks_of, variables_of
from llmops_tui.domain.safe_text import clean, clean_line

if TYPE_CHECKING:
    from llmops_tui.domain.live.request import Request
    from llmops_tui.domain.trace import Trace
    from llmops_tui.store.live import LiveStore

#: Characters of an answer that a draft keeps.
_ANSWER = 20_000
#: Words that a text and an answer must share in a row to count as given away; and how many are kept.
_RUN, _LONGEST_RUN = 4, 12
PLACE = "{{ attack }}"
#: Way → the stage at which a guardrail would have seen it.
_STAGE_OF: dict[Way, str] = {"input": "input", "document": "context", "tool_result": "tool_result"}

#: What an answer gives away that a person would at once see as such.
_GIVEN = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://[^\s)>\"']+|\+?\d[\d ()-]{6,}\d")


class AttackDraft(msgspec.Struct, frozen=True):
    """An attack that a person may keep.

    Attributes:
        id: suggested; made unique where it is kept.
        text: what carried it: what the user wrote, the chunk, or what the tool gave. With its disguise, so
            untrusted where it is shown.
        carrier: how it got in, as in an attack file: what else was asked, with `{{ attack }}` for the text.
        scorers: as in an attack file: the attack has succeeded where they fail. What the answer gave away;
            where that can't be told, none, and a person must choose.
        config: of the request; empty: it names none. guardrail: that missed it.
        answer: that was given; for the person.
        origin: where it came from, as `schema.OriginEntry`.
    """

    id: str
    family: Family
    way: Way
    text: str
    carrier: dict[str, Any] = {}
    scorers: tuple[Any, ...] = ()
    config: str = ""
    guardrail: str = ""
    answer: str = ""
    origin: dict[str, Any] = {}

    def entry(self) -> dict[str, Any]:
        """As it is written."""
        entry: dict[str, Any] = {"id": self.id, "family": self.family, "text": self.text, "ways": [self.way]}
        # It is kept as it came; a person adds disguises.
        entry["mutations"] = ["plain"]
        parts = (("carrier", self.carrier), ("scorers", list(self.scorers)), ("origin", self.origin))
        return {**entry, **{name: value for name, value in parts if value}}


def draft_attack(store: LiveStore, trace_id: str, guardrail: str) -> AttackDraft:
    """The attack that a request was.

    Args:
        trace_id: 32 hexadecimal digits, or the beginning of it.
        guardrail: that let it pass; empty: none in particular.

    Raises:
        UsageError: there is no such request, there are several, or its trace is not kept any more.
        StoreError: the database can't be read.
    """
    listed = store.requests.find(trace_id)
    if listed is None:
        remedy = "`llmops-tui live requests` lists them; give more digits where several begin alike"
        raise UsageError(Problem(f"no request, or more than one, is called {clean_line(trace_id)}", remedy))
    trace = store.requests.trace(listed.id)
    if trace is None or not trace.spans:
        raise UsageError(Problem("the trace of this request is not kept any more", "choose a newer one"))
    return draft_of(listed.request, trace, guardrail)


def draft_of(request: Request, trace: Trace, guardrail: str) -> AttackDraft:
    """The same of a request and its trace. Pure."""
    answer = clean(answer_of(trace))[:_ANSWER].strip()
    asked = _asked(trace)
    entrance = _entrance(asked, trace, answer, guardrail)
    text = entrance.text
    origin: dict[str, Any] = {"trace": request.trace_id}
    if request.version:
        origin["version"] = clean(request.version)
    origin["at"] = datetime.fromtimestamp(request.start, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if answer:
        origin["answer"] = answer
    return AttackDraft(
        id=named(text),
        family=family_of(text),
        way=entrance.way,
        text=text,
        carrier=entrance.carrier,
        scorers=_scorers(text, answer),
        config=request.config,
        guardrail=guardrail,
        answer=answer,
        origin=origin,
    )


# -- where it came in


def _asked(trace: Trace) -> dict[str, Any]:
    """What the user put in: without the variable that what was retrieved is in."""
    values = {name: kept_text(v) if isinstance(v, str) else v for name, v in variables_of(trace).items()}
    chunks = _chunks(trace)
    return {
        name: value
        for name, value in values.items()
        if not (isinstance(value, str) and any(chunk in value for chunk in chunks))
    }


class _Entrance(msgspec.Struct, frozen=True):
    way: Way
    text: str
    carrier: dict[str, Any]


def _entrance(asked: dict[str, Any], trace: Trace, answer: str, guardrail: str) -> _Entrance:
    """The text that looks most like an attack, of all that went in; the user's where none does."""
    found = [
        *_of_input(asked),
        *(_Entrance("document", text, {"vars": asked, "planted": [PLACE]}) for text in _chunks(trace)),
        *_of_tools(trace, asked),
    ]
    if not found:
        raise UsageError(
            Problem("the trace has no text that an attack could be in", "let your program log its inputs")
        )
    scores = _scores(trace, guardrail)

    def likeness(entrance: _Entrance) -> tuple[int, float, int]:
        # An answer repeats its documents anyway: how the guardrail scored what it looked at says more.
        score = scores.get(_STAGE_OF[entrance.way], -1.0)
        return orders(entrance.text), score, len(given_away(entrance.text, answer))

    return max(found, key=likeness)


def _of_input(asked: dict[str, Any]) -> Iterable[_Entrance]:
    for name, value in asked.items():
        if isinstance(value, str) and value:
            yield _Entrance("input", value, {"vars": {**asked, name: PLACE}})


def _chunks(trace: Trace) -> list[str]:
    texts = (kept_text(chunk.text) for chunk in chunks_of(trace))
    return [text for text in dict.fromkeys(texts) if text]


def _of_tools(trace: Trace, asked: dict[str, Any]) -> Iterable[_Entrance]:
    for span in trace.spans:
        if span.kind != "tool":
            continue
        result = span.attributes.get(a.TOOL_RESULT)
        tool = str(span.attributes.get(a.TOOL_NAME) or span.name)
        text = kept_text(result if isinstance(result, str) else json.dumps(result))
        if result is not None and text:
            yield _Entrance("tool_result", text, {"vars": asked, "tools": {tool: PLACE}})


def _scores(trace: Trace, guardrail: str) -> dict[str, float]:
    """Where a guardrail looked, with its highest score there."""
    found: dict[str, float] = {}
    for span in trace.spans:
        if span.kind == "guardrail" and span.attributes.get(a.GUARDRAIL) == guardrail:
            stage, score = str(span.attributes.get(a.GUARDRAIL_STAGE)), span.attributes.get(a.GUARDRAIL_SCORE)
            number = float(score) if isinstance(score, int | float) else 0.0
            found[stage] = max(found.get(stage, 0.0), number)
    return found


# -- what it gave away


def _scorers(text: str, answer: str) -> tuple[Any, ...]:
    given = given_away(text, answer)
    return ({"not_contains": given if len(given) > 1 else given[0]},) if given else ()


def given_away(text: str, answer: str) -> list[str]:
    """What an answer took from a text: addresses and numbers, else the longest run of words."""
    low = text.lower()
    taken = [found.strip() for found in _GIVEN.findall(answer) if found.strip().lower() in low]
    if taken:
        return list(dict.fromkeys(taken))
    words = answer.split()
    for length in range(min(len(words), _LONGEST_RUN), _RUN - 1, -1):
        for start in range(len(words) - length + 1):
            run = " ".join(words[start : start + length])
            if run.lower() in low:
                return [run]
    return []
