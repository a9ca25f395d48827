"""Options of the scorers of answers from retrieved context, as a person writes them."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from llmops_tui.domain.scorer_options import Judged, Text, Texts

_INPUT = (
    "The variable that holds the question; without it `question`, `query` or `input`, or else all texts of "
    "the case together."
)
_METHOD = "`judge`: a model decides; `words`: words are compared, and no model is asked."


class Grounded(Judged):
    """Judged by a model, or by words."""

    method: Literal["judge", "words"] = Field("judge", description=_METHOD)
    input: Text | None = Field(None, description=_INPUT)

    @model_validator(mode="after")
    def _words_ask_nobody(self) -> Self:
        if self.method == "words":
            named = next(
                (n for n in ("model", "use", "params", "votes") if getattr(self, n) is not None), None
            )
            if named is not None:
                raise ValueError(f"`method: words` asks no model: leave out `{named}`, or `method`")
        return self


class Faithfulness(Grounded):
    pass


class ContextRecall(Grounded):
    value: Text | Texts | None = Field(
        None,
        description="The reference: a text, taken sentence by sentence, or a list of statements; without it, "
        "the case's `expected`.",
    )

    @field_validator("value")
    @classmethod
    def _is_no_method(cls, value: Any) -> Any:
        if value in ("words", "judge"):
            raise ValueError(f"'{value}' stands where the reference does; write {{method: {value}}}")
        return value


class ContextPrecision(Grounded):
    value: Text | Texts | None = Field(
        None, description="The reference; without it, the case's `expected`, where there is one."
    )


class AnswerRelevance(Grounded):
    @field_validator("method")
    @classmethod
    def _has_no_plain_method(cls, value: str) -> str:
        if value == "words":
            raise ValueError(
                "by words nobody can tell whether an answer is one to its question; leave `method` out and "
                "name a judge, or hold the answer against `expected` with token_f1 or contains"
            )
        return value
