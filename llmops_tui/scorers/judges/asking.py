"""One judgement: what the judge is told, its votes, and what goes wrong on the way.

What goes wrong is the score's error, never a zero and never a failure of the answer.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from llmops_tui.domain import judge_wording as wording
from llmops_tui.domain import rag_wording
from llmops_tui.domain.call import Call, ChatRequest, Failure
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.judge import Judge, judged_label
from llmops_tui.domain.model import Model
from llmops_tui.domain.output import Output
from llmops_tui.domain.score import Score, score_key
from llmops_tui.domain.trace import CallRef
from llmops_tui.scorers.judges.criteria import Criteria
from llmops_tui.scorers.judges.factuality import Factuality
from llmops_tui.scorers.judges.form import Form
from llmops_tui.scorers.judges.grounded import RAG_FORMS, Grounded, heading
from llmops_tui.scorers.judges.replies import NotInForm, read_reply
from llmops_tui.scorers.judges.rubric import rubric_form
from llmops_tui.scorers.registry import CannotJudge
from llmops_tui.scorers.wording import clipped

FORMS: dict[str, Callable[[ScorerUse], Form[Any]]] = {
    "judge": rubric_form,
    "criteria": Criteria,
    "factuality": Factuality,
}

REASON_CHARS = 600
#: What comes back to the judge of a reply that can't be used.
_QUOTED_CHARS = 2000
#: Rounds of one vote: a reply that could not be used is in the cache, and a later run asks beside it.
_MAX_ROUNDS = 20
#: Occurrence of a vote in a round; votes are fewer.
_ROUND = 100
_EPSILON = 1e-12


class JudgeFailed(Exception):
    """The judge gave no reply."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


class Ask(Protocol):
    """How a scorer asks a model: in the generation and trial of what is judged."""

    async def __call__(self, model: Model, request: ChatRequest, step: str, occurrence: int) -> Call:
        """
        Args:
            step, occurrence: of the draw.

        Raises:
            JudgeFailed: there is no reply.
        """


class _Recorded:
    """An `Ask` that notes every call it got."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._calls: list[CallRef] = []

    async def __call__(self, model: Model, request: ChatRequest, step: str, occurrence: int) -> Call:
        call = await self._ask(model, request, step, occurrence)
        self._calls.append(CallRef(call.key, step, occurrence))
        return call

    def calls(self) -> tuple[CallRef, ...]:
        """Vote by vote, and within a vote as they were asked."""
        return tuple(sorted(self._calls, key=lambda ref: (ref.occurrence % _ROUND, ref.occurrence)))


class Grader:
    """Runs model-graded scorers. Remembers which judges take a `response_format`."""

    def __init__(self) -> None:
        #: (provider, model, scorer) → whether the model takes the scorer's; one may take a flat form alone.
        self._takes_form: dict[tuple[str, str, str], bool] = {}

    async def grade(self, use: ScorerUse, output: Output, case: Case, ask: Ask) -> Score:
        """The score. Never raises for a fault of the judge: that is the score's `error`.

        Its `calls` are all that were answered for it, those that could not be used too.
        """
        asked = _Recorded(ask)
        score = await self._grade(use, output, case, asked)
        return msgspec.structs.replace(score, calls=asked.calls())

    async def _grade(self, use: ScorerUse, output: Output, case: Case, ask: Ask) -> Score:
        label = judged_label(use) if use.judge is not None else use.label
        key = score_key(use, case)
        try:
            if use.judge is None:
                raise CannotJudge("no model is named that judges")
            form = form_of(use, output, case)
            judgement = form.settled if isinstance(form, Grounded) else None
            if judgement is None:
                messages = told(use, form, output, case)
                judgement = form.combine(await self._votes(use, use.judge, form, messages, ask))
        except JudgeFailed as error:
            return Score(key, label, None, None, "", f"the judge could not be asked: {error}", use.weight)
        except CannotJudge as error:
            return Score(key, label, None, None, "", str(error), use.weight)
        value = judgement.value
        limit = form.passes_from if use.threshold is None else use.threshold
        passed = None if value is None or limit is None else value >= limit - _EPSILON
        return Score(key, label, value, passed, clipped(judgement.reason, REASON_CHARS), None, use.weight)

    async def _votes(
        self, use: ScorerUse, judge: Judge, form: Form[Any], messages: Messages, ask: Ask
    ) -> list[Any]:
        """Every vote: with one missing there is no majority, and so no word."""
        first = []
        if _who(use, judge) not in self._takes_form:
            # Whether it takes the form is learned once, not by all votes at the same time.
            first = [await self._vote(use, judge, form, messages, ask, 0)]
        rest = range(len(first), judge.votes)
        votes = [self._vote(use, judge, form, messages, ask, n) for n in rest]
        # Where one fails, the others are paid for: they are heard out, and found when it is asked again.
        found = await asyncio.gather(*votes, return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return first + found

    async def _vote(
        self, use: ScorerUse, judge: Judge, form: Form[Any], messages: Messages, ask: Ask, vote: int
    ) -> Any:
        """One vote: a reply that can't be used is told what is wrong with it, once.

        Both are answers, and kept; so a later run finds them, and asks in a further round.

        Raises:
            JudgeFailed: there is no reply.
            CannotJudge: there is none that can be used.
        """
        began = time.time()
        why = ""
        for round_ in range(_MAX_ROUNDS):
            talk, is_new = messages, False
            for _ in range(2):
                call = await self._ask(use, judge, form, talk, ask, vote + _ROUND * round_)
                is_new = is_new or call.sent_at >= began
                try:
                    return _read(call, form)
                except NotInForm as error:
                    why = str(error)
                if call.refused:
                    break
                talk = (*messages, *_corrected(call.text, why))
            if is_new:
                break
        raise CannotJudge(f"{judge.model.id} gave no verdict that can be used: {why}")

    async def _ask(
        self, use: ScorerUse, judge: Judge, form: Form[Any], messages: Messages, ask: Ask, occurrence: int
    ) -> Call:
        """A reply in the form of the schema, or in words where the judge's provider knows no schemas."""
        who = _who(use, judge)
        step = f"scorer/{use.name}"
        plain = ChatRequest(messages, judge.params)
        if self._takes_form.get(who) is False:
            return await ask(judge.model, plain, step, occurrence)
        schema = {"name": use.name, "strict": True, "schema": form.schema()}
        formed = ChatRequest(
            messages, judge.params, response_format={"type": "json_schema", "json_schema": schema}
        )
        try:
            call = await ask(judge.model, formed, step, occurrence)
            self._takes_form[who] = True
            return call
        except JudgeFailed as error:
            if self._takes_form.get(who) or error.failure.kind != "refused_request":
                raise
            refused = error
        try:
            call = await ask(judge.model, plain, step, occurrence)
        except JudgeFailed:
            raise refused from None  # it was not the form
        self._takes_form[who] = False
        return call


Messages = tuple[dict[str, Any], ...]


def _who(use: ScorerUse, judge: Judge) -> tuple[str, str, str]:
    return judge.model.provider, judge.model.name, use.name


def form_of(use: ScorerUse, output: Output, case: Case) -> Form[Any]:
    """The form of a use.

    Raises:
        CannotJudge: there is nothing to judge by.
    """
    if use.name in RAG_FORMS:
        return RAG_FORMS[use.name](use, output, case)
    return FORMS[use.name](use)


def told(use: ScorerUse, form: Form[Any], output: Output, case: Case) -> Messages:
    """The rules as system message, and what is judged as user message."""
    if isinstance(form, Grounded):
        body = [_fenced(heading(name), name, text) for name, text in form.parts(case).items()]
        return _messages(rag_wording.SYSTEM, form.task(), body, rag_wording.NOW)
    sees = use.options.get("sees", ())
    parts: dict[str, str] = {}
    if "request" in sees:
        parts["REQUEST"] = "\n".join(f"{name}: {_shown(value)}" for name, value in case.vars.items())
    if "context" in sees and output.retrieved:
        parts["CONTEXT"] = "\n\n".join(f"[{chunk.source}]\n{chunk.text}" for chunk in output.retrieved)
    if "expected" in sees and case.expected is not None:
        parts["REFERENCE"] = _shown(case.expected)
    parts |= form.parts(case)
    if output.tool_calls:
        parts["TOOL_CALLS"] = json.dumps(output.tool_calls, ensure_ascii=False)
    parts["ANSWER"] = output.text
    body = [_fenced(wording.PARTS[name], name, text) for name, text in parts.items()]
    return _messages(wording.SYSTEM, form.task(), body, wording.NOW)


def _messages(system: str, task: str, body: list[str], now: str) -> Messages:
    return (
        {"role": "system", "content": f"{system}\n\n{task}"},
        {"role": "user", "content": "\n\n".join([*body, now])},
    )


def _fenced(heading: str, name: str, text: str) -> str:
    """Data between its delimiters; a heading that says that there is none stands alone."""
    if name == "NO_PASSAGES":
        return heading
    return f"{heading}\n<<<{name}\n{_inert(text)}\n{name}>>>"


def _inert(text: str) -> str:
    """Data that can't end its part, nor begin another."""
    return re.sub(r"<{3,}|>{3,}", lambda match: " ".join(match[0]), text)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read(call: Call, form: Form[Any]) -> Any:
    if call.refused:
        raise NotInForm("it declined to judge")
    try:
        return read_reply(call.text, form.read)
    except NotInForm as error:
        if call.finish_reason == "length":
            raise NotInForm(f"it was cut short ({error}); max_tokens of the judge may be too low") from None
        raise


def _corrected(reply: str, why: str) -> Messages:
    said = reply[:_QUOTED_CHARS] or "(nothing)"
    return (
        {"role": "assistant", "content": said},
        {"role": "user", "content": wording.ASK_AGAIN.format(why=why)},
    )
