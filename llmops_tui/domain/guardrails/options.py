"""Options of the built-in kinds, as a person writes them."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from llmops_tui.domain.guardrails.kind import GuardrailOptions
from llmops_tui.domain.json_schema import checked_schema

#: What `pii` finds.
Personal = Literal["email", "phone", "card", "iban", "ip", "ssn"]
PERSONAL: tuple[Personal, ...] = get_args(Personal)


class Pii(GuardrailOptions):
    value: list[Personal] = Field(default=[*PERSONAL], description="What is looked for.")
    allow: list[str] = Field(
        default_factory=list,
        description="Texts that may be there, such as the shop's own address; `*` stands for anything.",
    )
    region: str | list[str] = Field(
        default_factory=list,
        description="Countries whose telephone numbers are known without a `+`: `DE`, or `[US, GB]`.",
    )

    @field_validator("region")
    @classmethod
    def _is_known(cls, value: str | list[str]) -> str | list[str]:
        from phonenumbers import SUPPORTED_REGIONS

        for region in [value] if isinstance(value, str) else value:
            if region not in SUPPORTED_REGIONS:
                raise ValueError(f"'{region}' is no country; write two capitals (ISO 3166), such as DE or US")
        return value


class Secrets(GuardrailOptions):
    allow: list[str] = Field(
        default_factory=list, description="Texts that may be there; `*` stands for anything."
    )


class Injection(GuardrailOptions):
    method: Literal["heuristics", "judge", "both"] = Field(
        default="heuristics", description="`both` asks the judge where the heuristics are not sure."
    )
    phrases: list[str] = Field(
        default_factory=list,
        description="Further phrases that only an attacker would write; case, accents, punctuation and "
        "look-alike letters do not matter.",
    )


class Topic(GuardrailOptions):
    allowed: list[str] = Field(
        default_factory=list, description="What it may be about: words or short descriptions."
    )
    denied: list[str] = Field(
        default_factory=list, description="What it may not be about: words or short descriptions."
    )
    method: Literal["words", "judge"] = Field(
        default="words", description="`words` sees a topic only by the words that are written here."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Topic:
        if not self.allowed and not self.denied:
            raise ValueError(
                "says neither what is 'allowed' nor what is 'denied'; write {topic: {denied: [medicine]}}"
            )
        return self


class Pattern(GuardrailOptions):
    value: str | list[str] = Field(
        min_length=1,
        description="A regular expression, as Python has it, or several: one that matches is enough.",
    )
    case_sensitive: bool = Field(default=False, description="Upper and lower case differ.")
    require: bool = Field(
        default=False, description="Fires where it does not match; of several, where one of them does not."
    )

    @field_validator("value")
    @classmethod
    def _compiles(cls, value: str | list[str]) -> str | list[str]:
        import regex

        for pattern in [value] if isinstance(value, str) else value:
            try:
                regex.compile(pattern)
            except (regex.error, OverflowError, RecursionError) as error:
                raise ValueError(f"the pattern '{pattern}' can't be read: {error}") from None
        return value


class Schema(GuardrailOptions):
    value: dict[str, Any] = Field(description="The JSON Schema (2020-12 unless its `$schema` says else).")
    fences: bool = Field(
        default=False, description="Where there is a ``` block, look at what is in the first."
    )

    @field_validator("value")
    @classmethod
    def _is_schema(cls, value: dict[str, Any]) -> dict[str, Any]:
        if far := _far_reference(checked_schema(value)):
            raise ValueError(f"refers to '{far}'; nothing is fetched: put that schema under $defs")
        return value


def _far_reference(schema: Any) -> str:
    """A `$ref` out of a schema; empty where there is none. One with an `$id` may refer to that."""
    if isinstance(schema, dict) and "$id" not in schema:
        ref = schema.get("$ref")
        if isinstance(ref, str) and not ref.startswith("#"):
            return ref
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    return next(filter(None, map(_far_reference, inner)), "")


class Grounded(GuardrailOptions):
    method: Literal["words", "judge"] = Field(
        default="words",
        description="`words`: numbers, names, addresses and most other words of a sentence must be in one of "
        "the texts; `judge` asks a model, which understands.",
    )


class MaxLength(GuardrailOptions):
    value: int | None = Field(default=None, ge=0, description="Characters, at most.")
    words: int | None = Field(default=None, ge=0, description="Words, at most.")
    tokens: int | None = Field(default=None, ge=0, description="Tokens, at most: four characters are one.")

    @model_validator(mode="after")
    def _limits_something(self) -> MaxLength:
        if self.value is None and self.words is None and self.tokens is None:
            raise ValueError("has no limit; write {max_length: 4000}, or give it words or tokens")
        return self


class Refusal(GuardrailOptions):
    pass


#: What py3langid knows (a test says so), by its ISO 639-1 codes, or 639-3 where there is none.
_LANGUAGES = """
ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et eu ext fa fi fo fr
fuv fy ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy id ig is it ja jv ka kab kik kk km kn ko
ku ky la lb lg lij ln lo lt ltg lv mg mk ml mn mr ms mt my ne nl nn no nso oc om or pa pcm pl ps pt qu ro ru
rw sa sdh se si sk sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz uzs vec vi vo wa wuu xh yo
yue zh zu
"""
LANGUAGES = frozenset(_LANGUAGES.split())


class Language(GuardrailOptions):
    value: str | list[str] = Field(
        min_length=1, description="Languages that are fine, by their ISO 639-1 codes: `en`, or `[en, nl]`."
    )

    @field_validator("value")
    @classmethod
    def _is_known(cls, value: str | list[str]) -> str | list[str]:
        for code in [value] if isinstance(value, str) else value:
            if code not in LANGUAGES:
                raise ValueError(f"'{code}' is no language that is known; write codes such as en, de or pt")
        return value
