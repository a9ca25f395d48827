"""Judges of answers from retrieved context: faithfulness, answer_relevance, context_*.

The measures are those of Es et al. (RAGAS: Automated Evaluation of Retrieval Augmented Generation, 2023),
each in one request. What is judged is counted here and not by the judge: it can leave no sentence,
statement or passage out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from llmops_tui.domain import rag_wording as wording
from llmops_tui.domain.case import Case, ScorerUse
from llmops_tui.domain.output import Output
from llmops_tui.domain.sentences import sentences
from llmops_tui.scorers.grounding import precision, question_of, statements
from llmops_tui.scorers.judges.form import limit_of, majority, object_schema, split, text_schema
from llmops_tui.scorers.judges.replies import NotInForm, fields, one_of, reason_of
from llmops_tui.scorers.registry import CannotJudge, Judgement
from llmops_tui.scorers.wording import as_text, clipped

#: Sentences, statements or passages of one request: longer answers are asked about in this many portions.
_MOST_PARTS = 60
#: Claims of one sentence that the embedded server may write: it writes until its schema ends.
_MOST_CLAIMS = 4
#: What a reason has room to name.
_NAMED = 3

SUPPORT = ["supported", "unsupported"]
RELEVANCE = ["relevant", "irrelevant"]
ADDRESSES = {"fully": 1.0, "partly": 0.5, "not": 0.0}
_SAID = {"fully": "answers the question", "partly": "answers it in part", "not": "does not answer it"}

Parts = list[tuple[str, str]]
"""Name of a part with its number (`PASSAGE_2`) and its text."""

Verdict = tuple[bool, str]
Claim = tuple[str, bool, str]
"""Claim, whether it is supported, reason."""


class Grounded:
    """What these forms share.

    Args:
        settled: a judgement that needs no judge; None: it is asked.
    """

    passes_from: float | None = 1.0

    def __init__(self, use: ScorerUse) -> None:
        self._limit = limit_of(use)
        self.settled: Judgement | None = None
        self.shown: Parts = []
        self.keys: list[str] = []

    def task(self) -> str:
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        raise NotImplementedError

    def parts(self, _case: Case) -> dict[str, str]:
        return dict(self.shown)

    def read(self, reply: dict[str, Any]) -> Any:
        raise NotImplementedError

    def combine(self, votes: Sequence[Any]) -> Judgement:
        raise NotImplementedError

    def _show(self, name: str, texts: Sequence[str]) -> list[str]:
        """Show texts as numbered parts; gives the keys under which they are decided on."""
        keys = [f"{name}_{n}" for n in range(1, len(texts) + 1)]
        self.shown += zip(keys, texts, strict=True)
        return [key.lower() for key in keys]

    def _show_passages(self, output: Output) -> list[str]:
        if not output.retrieved:
            self.shown.append(("NO_PASSAGES", ""))
        return self._show("PASSAGE", [f"[{chunk.source}]\n{chunk.text}" for chunk in output.retrieved])


class Faithfulness(Grounded):
    """The share of the claims that are supported; of several votes the mean, and what the nearest says."""

    def __init__(self, use: ScorerUse, output: Output, case: Case) -> None:
        super().__init__(use)
        said = sentences(output.text)
        if not said:
            self.settled = Judgement(None, "the answer claims nothing: it is empty")
        self._is_local = self._limit is not None
        self.shown.append(("QUESTION", question_of(use.options, case)))
        self._show_passages(output)
        self.keys = self._show("SENTENCE", _portions(said))

    def task(self) -> str:
        each = '[{"claim": "…", "reason": "…", "verdict": "supported" or "unsupported"}, …]'
        return wording.FAITHFULNESS.format(form=_form(self.keys, each))

    def schema(self) -> dict[str, Any]:
        claim = object_schema(
            {
                "claim": text_schema(self._limit),
                "reason": text_schema(self._limit),
                "verdict": {"type": "string", "enum": SUPPORT},
            }
        )
        claims: dict[str, Any] = {"type": "array", "items": claim}
        if self._is_local:
            claims["maxItems"] = _MOST_CLAIMS
        return object_schema(dict.fromkeys(self.keys, claims))

    def read(self, reply: dict[str, Any]) -> list[Claim]:
        found: list[Claim] = []
        for key, claims in zip(self.keys, fields(reply, self.keys), strict=True):
            if not isinstance(claims, list):
                raise NotInForm(f"`{key}` is no list of claims")
            for each in claims:
                claim, reason, verdict = fields(each, ["claim", "reason", "verdict"])
                if not isinstance(claim, str) or not claim.strip():
                    raise NotInForm("`claim` must be a text")
                supported = one_of(verdict, SUPPORT, "verdict") == "supported"
                found.append((clipped(claim, 200), supported, reason_of(reason)))
        return found

    def combine(self, votes: Sequence[list[Claim]]) -> Judgement:
        shares = [sum(ok for _, ok, _ in vote) / len(vote) for vote in votes if vote]
        if 2 * len(shares) <= len(votes):
            return Judgement(None, "the answer claims nothing")
        mean = sum(shares) / len(shares)
        # Of votes that are equally near, the one that found more amiss.
        share, vote = min(
            zip(shares, (v for v in votes if v), strict=True), key=lambda each: (abs(each[0] - mean), each[0])
        )
        amiss = [(claim, reason) for claim, ok, reason in vote if not ok]
        told = f"{len(vote) - len(amiss)} of {len(vote)} claims supported"
        if len(set(shares)) > 1:
            said = ", ".join(f"{each:.2g}" for each in shares)
            told += f" (the votes differ: {said}; this is the one with {share:.2g})"
        if amiss:
            told += _not_supported([f'"{clipped(c, 100)}" ({clipped(why, 60)})' for c, why in amiss])
        return Judgement(mean, told)


class Each(Grounded):
    """One of two verdicts on each of several parts; of several votes, more than half decide on each."""

    verdicts: list[str]

    def task(self) -> str:
        each = f'{{"reason": "…", "verdict": "{self.verdicts[0]}" or "{self.verdicts[1]}"}}'
        return self._rule(_form(self.keys, each))

    def _rule(self, form: str) -> str:
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        verdict = {"type": "string", "enum": self.verdicts}
        each = object_schema({"reason": text_schema(self._limit), "verdict": verdict})
        return object_schema(dict.fromkeys(self.keys, each))

    def read(self, reply: dict[str, Any]) -> list[Verdict]:
        found = []
        for each in fields(reply, self.keys):
            reason, verdict = fields(each, ["reason", "verdict"])
            found.append((one_of(verdict, self.verdicts, "verdict") == self.verdicts[0], reason_of(reason)))
        return found


class ContextRecall(Each):
    """The share of the statements of the reference that the passages support."""

    verdicts = SUPPORT

    def __init__(self, use: ScorerUse, output: Output, case: Case) -> None:
        super().__init__(use)
        self._statements = _portions(statements(use.options, case))
        if not output.retrieved:
            self.settled = Judgement(0.0, "nothing was retrieved")
        self.shown.append(("QUESTION", question_of(use.options, case)))
        self._show_passages(output)
        self.keys = self._show("STATEMENT", self._statements)

    def _rule(self, form: str) -> str:
        return wording.CONTEXT_RECALL.format(form=form)

    def combine(self, votes: Sequence[list[Verdict]]) -> Judgement:
        amiss = []
        for n, statement in enumerate(self._statements):
            passes = [vote[n][0] for vote in votes]
            if not majority(passes):
                said = clipped(split(passes, [vote[n][1] for vote in votes]), 120)
                amiss.append(f'"{clipped(statement, 100)}" ({said})')
        n, of = len(self._statements) - len(amiss), len(self._statements)
        told = f"{n} of {of} statement{'' if of == 1 else 's'} supported"
        if amiss:
            told += _not_supported(amiss)
        return Judgement(n / of, told)


class ContextPrecision(Each):
    """Average precision over the passages."""

    verdicts = RELEVANCE
    passes_from: float | None = 0.5

    def __init__(self, use: ScorerUse, output: Output, case: Case) -> None:
        super().__init__(use)
        if not output.retrieved:
            self.settled = Judgement(None, "nothing was retrieved")
        if len(output.retrieved) > _MOST_PARTS:
            raise CannotJudge(
                f"{len(output.retrieved)} passages were retrieved; at most {_MOST_PARTS} are judged"
            )
        self._retrieved = output.retrieved
        value = use.options.get("value")
        value = case.expected if value is None else value
        self._has_reference = value is not None
        self.shown.append(("QUESTION", question_of(use.options, case)))
        if self._has_reference:
            self.shown.append(("REFERENCE", as_text(value)))
        self.keys = self._show_passages(output)

    def _rule(self, form: str) -> str:
        reference = wording.BY_REFERENCE if self._has_reference else ""
        return wording.CONTEXT_PRECISION.format(reference=reference, form=form)

    def combine(self, votes: Sequence[list[Verdict]]) -> Judgement:
        relevant = [majority([vote[n][0] for vote in votes]) for n in range(len(self.keys))]
        found = precision(relevant, self._retrieved)
        at = next((n for n, yes in enumerate(relevant) if not yes), None)
        if at is None:
            return found
        said = split([vote[at][0] for vote in votes], [vote[at][1] for vote in votes])
        return Judgement(found.value, f"{found.reason}; of passage {at + 1}: {said}")


class AnswerRelevance(Grounded):
    """How far the answer is one to the question. Of votes the most frequent; of equal ones, the worst."""

    def __init__(self, use: ScorerUse, output: Output, case: Case) -> None:
        super().__init__(use)
        if not output.text.strip():
            self.settled = Judgement(0.0, "the answer is empty")
        self.shown += [("QUESTION", question_of(use.options, case)), ("ANSWER", output.text)]

    def task(self) -> str:
        return wording.ANSWER_RELEVANCE

    def schema(self) -> dict[str, Any]:
        verdict = {"type": "string", "enum": list(ADDRESSES)}
        return object_schema({"reason": text_schema(self._limit), "verdict": verdict})

    def read(self, reply: dict[str, Any]) -> tuple[str, str]:
        reason, verdict = fields(reply, ["reason", "verdict"])
        return one_of(verdict, list(ADDRESSES), "verdict"), reason_of(reason)

    def combine(self, votes: Sequence[tuple[str, str]]) -> Judgement:
        counts = Counter(verdict for verdict, _ in votes)
        most = max(counts.values())
        verdict = min((v for v, n in counts.items() if n == most), key=ADDRESSES.__getitem__)
        told = _SAID[verdict]
        if len(counts) > 1:
            told += f", the votes differ ({', '.join(f'{n} × {v}' for v, n in counts.most_common())})"
        return Judgement(ADDRESSES[verdict], f"{told}: {next(r for v, r in votes if v == verdict)}")


RAG_FORMS: dict[str, Callable[[ScorerUse, Output, Case], Grounded]] = {
    "faithfulness": Faithfulness,
    "answer_relevance": AnswerRelevance,
    "context_recall": ContextRecall,
    "context_precision": ContextPrecision,
}


def heading(name: str) -> str:
    """What stands above a part: `Passage 2 that was looked up:`."""
    kind, _, number = name.rpartition("_")
    return wording.PARTS[name] if name in wording.PARTS else wording.PARTS[kind].format(n=number)


def _not_supported(named: Sequence[str]) -> str:
    more = f"; and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"; not supported: {'; '.join(named[:_NAMED])}{more}"


def _form(keys: Sequence[str], each: str) -> str:
    return "{" + ", ".join(f"{json.dumps(key)}: {each}" for key in keys) + "}"


def _portions(texts: Sequence[str]) -> list[str]:
    """At most `_MOST_PARTS` texts, neighbours together where there are more."""
    size = -(-len(texts) // _MOST_PARTS) or 1
    return [" ".join(texts[at : at + size]) for at in range(0, len(texts), size)]
