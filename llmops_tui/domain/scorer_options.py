"""Options of the built-in scorers, as a person writes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from llmops_tui.domain.json_schema import checked_schema
from llmops_tui.domain.judge import MAX_VOTES, scale_ends


class Options(BaseModel):
    """Options of a scorer. `value` is what stands right behind its name: `{contains: "30 days"}`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


def _as_text(value: Any) -> Any:
    """`contains: 30` means the text; `1.50` and `true` would lose how they were written."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, (bool, float)):
        raise ValueError(f'a text is wanted here: put it in quotes, "{str(value).lower()}"')
    return value


Text = Annotated[str, Field(min_length=1), BeforeValidator(_as_text)]
Texts = Annotated[list[Text], Field(min_length=1)]

_CASE = "Upper and lower case differ."
_EXPECTED = "without it, the case's `expected`"
_FENCES = "Where the output has a ``` block, judge what is in the first one."


class Nothing(Options):
    """No options."""


class OneText(Options):
    value: Text | None = Field(None, description=f"The text; {_EXPECTED}.")
    case_sensitive: bool = Field(True, description=_CASE)


class AtK(Options):
    k: int | None = Field(None, ge=1, le=1_000, description="Only so many of the best; else all.")


class SeveralTexts(Options):
    value: Texts | None = Field(None, description=f"The texts; {_EXPECTED}, a list.")
    case_sensitive: bool = Field(True, description=_CASE)


class Unwanted(Options):
    value: Text | Texts = Field(description="The text, or a list of texts.")
    case_sensitive: bool = Field(True, description=_CASE)


class Guardrails(Options):
    value: Text | Texts | None = Field(None, description="The guardrail, or several; without it, any.")


class Equals(Options):
    value: Any = Field(None, description=f"What the output should be; {_EXPECTED}.")
    case_sensitive: bool = Field(True, description=_CASE)


class Regex(Options):
    value: str = Field(min_length=1, description="The pattern, as Python has it; `(?m)` and the like work.")
    case_sensitive: bool = Field(True, description=_CASE)
    whole: bool = Field(False, description="The pattern must match the whole output, not a part of it.")

    @field_validator("value")
    @classmethod
    def _compiles(cls, value: str) -> str:
        import regex

        try:
            regex.compile(value)
        except regex.error as error:
            raise ValueError(f"the pattern can't be read: {error}") from None
        return value


class Limit(Options):
    value: int = Field(ge=0, description="The limit; as many are fine.")


class Json(Options):
    fences: bool = Field(False, description=_FENCES)


class JsonSchema(Json):
    value: dict[str, Any] = Field(description="The JSON Schema (2020-12 unless its `$schema` says else).")

    @field_validator("value")
    @classmethod
    def _is_schema(cls, value: dict[str, Any]) -> dict[str, Any]:
        return checked_schema(value)


class JsonField(Json):
    path: str = Field(
        min_length=1, description="Where: `answer.items[0].id`, or a JSON Pointer `/answer/items/0/id`."
    )
    equals: Any = Field(None, description=f"What should be there; {_EXPECTED}.")


class Number(Options):
    value: float | None = Field(
        None, allow_inf_nan=False, description=f"The number; {_EXPECTED} (a number, or a text with one)."
    )
    tolerance: float = Field(0.0, ge=0, allow_inf_nan=False, description="How far off is still right.")
    relative: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="The same as a share of the number: `0.01` is 1 %."
    )
    pick: Literal["any", "first", "last"] = Field("any", description="Which number of the output counts.")
    decimal: Literal[".", ","] = Field(".", description="The decimal mark; the other one groups thousands.")


class Similarity(Options):
    value: Text | Texts | None = Field(
        None, description=f"The reference, or several of which the nearest counts; {_EXPECTED}."
    )
    case_sensitive: bool = Field(True, description=_CASE)
    method: Literal["ratio", "partial", "token_sort", "token_set"] = Field(
        "ratio",
        description="`ratio`: the whole texts; `partial`: the best part of the longer one; "
        "`token_sort`: words in "
        "any order; `token_set`: words in any order and however often.",
    )


class WordOverlap(Options):
    value: Text | Texts | None = Field(
        None, description=f"The reference, or several of which the nearest counts; {_EXPECTED}."
    )
    case_sensitive: bool = Field(False, description=_CASE)


class Seconds(Options):
    value: float = Field(gt=0, allow_inf_nan=False, description="Seconds.")


class Usd(Options):
    value: float = Field(ge=0, allow_inf_nan=False, description="US dollars.")


class Refusal(Options):
    value: bool = Field(True, description="`true`: the model should refuse; `false`: it should answer.")
    phrases: list[Text] = Field(
        default_factory=list,
        description="Further phrases that make an answer a refusal, besides the built-in English ones.",
    )


# -- scorers that ask a model

Sees = Annotated[
    list[Literal["request", "context", "expected"]],
    Field(
        description="What is shown with the answer: variables of the case, what was retrieved, `expected`."
    ),
]


class Judged(Options):
    """Who judges: a judge of `llmops.yaml`, or a model named here."""

    model: Text | None = Field(None, description="The judge, `provider/name`; without it, that of `use`.")
    use: Text | None = Field(
        None, description="A judge of `judges` in llmops.yaml; without it, the one named `default`."
    )
    params: dict[str, Any] | None = Field(
        None, description="Parameters as sent, in place of those of the judge of llmops.yaml."
    )
    votes: int | None = Field(None, ge=1, le=MAX_VOTES, description="How often it is asked; 1.")


class Rubric(Judged):
    rubric: Text | None = Field(None, description="The rule, in words; or a file:")
    rubric_file: Text | None = Field(None, description="Text file of the workspace that holds the rule.")
    scale: str = Field(
        "pass_fail", description="`pass_fail`, or grades: `1-5`, `0-10`. `threshold` is then a grade."
    )
    sees: Sees = ["request", "context"]

    @field_validator("scale")
    @classmethod
    def _is_scale(cls, value: str) -> str:
        scale_ends(value)
        return "".join(value.split())

    @model_validator(mode="after")
    def _has_one_rubric(self) -> Self:
        if (self.rubric is None) == (self.rubric_file is None):
            raise ValueError("give `rubric`, or `rubric_file`")
        return self


class CriterionEntry(Options):
    """One rule of several. Its name says it, or `rubric` does."""

    name: Text = Field(description="What people see.")
    rubric: Text | None = Field(None, description="The rule, in words.")
    weight: float = Field(1.0, gt=0, allow_inf_nan=False, description="Its share in the value.")


def _as_criterion(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class SeveralRules(Judged):
    criteria: Annotated[
        list[Annotated[CriterionEntry, BeforeValidator(_as_criterion)]], Field(min_length=1, max_length=50)
    ] = Field(
        description="The rules: a text, or `{name, rubric, weight}`; `rubric` says more than the name can."
    )
    sees: Sees = ["request", "context"]

    @field_validator("criteria")
    @classmethod
    def _differ(cls, value: list[CriterionEntry]) -> list[CriterionEntry]:
        names = [each.name for each in value]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"'{twice}' is there twice")
        return value


Share = Annotated[float, Field(ge=0, le=1)]


class RelationValues(Options):
    """What each relation of an answer to the reference is worth."""

    equal: Share = 1.0
    wording: Share = 1.0
    superset: Share = 0.8
    subset: Share = 0.5
    disagrees: Share = 0.0


class Facts(Judged):
    value: Text | None = Field(None, description=f"The reference; {_EXPECTED}.")
    values: RelationValues = Field(
        default_factory=RelationValues,
        description="What a relation is worth: `{subset: 0.8}` lets an answer that leaves facts out pass.",
    )
    sees: Sees = ["request"]
