"""Options of the built-in kinds, as a person writes them."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import Field, field_validator

from llmops_tui.domain.guardrails.kind import GuardrailOptions

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
        default_factory=list, description="Further phrases that only an attacker would write."
    )


class Topic(GuardrailOptions):
    allowed: list[str] = Field(
        default_factory=list, description="What it may be about: words or descriptions."
    )
    denied: list[str] = Field(default_factory=list, description="What it may not be about.")
    method: Literal["words", "judge"] = "words"


class Pattern(GuardrailOptions):
    value: str | list[str] = Field(description="A regular expression, or several.")
    case_sensitive: bool = False
    require: bool = Field(default=False, description="Fires where it does not match.")


class Schema(GuardrailOptions):
    value: dict[str, Any] = Field(description="A JSON schema.")


class Grounded(GuardrailOptions):
    method: Literal["words", "judge"] = "words"


class MaxLength(GuardrailOptions):
    value: int | None = Field(default=None, ge=0, description="Characters.")
    words: int | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0, description="About four characters each.")


class Refusal(GuardrailOptions):
    pass


class Language(GuardrailOptions):
    value: list[str] = Field(min_length=1, description="ISO 639-1 codes of those that are fine: `[en, nl]`.")
