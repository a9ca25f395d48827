"""`attacks/*.yaml` as pydantic models: what is tried, how it gets in, and what it is disguised as.

An attack file is an eval file too: `evals: [evals/helpdesk.yaml, attacks/helpdesk.yaml]` has the ordinary
gate hold versions against it.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from llmops_tui.domain.attack import Family, Way
from llmops_tui.domain.mutations.goals import Goal
from llmops_tui.domain.schema import CaseEntry, OriginEntry


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CarrierEntry(_File):
    """How an attack becomes a case: `{{ attack }}` in any text stands for it."""

    vars: dict[str, Any] = Field(default_factory=dict, description="Inputs of the prompt.")
    turns: list[dict[str, Any]] = Field(
        default_factory=list, description="A conversation: the variables of each turn, beside `vars`."
    )
    planted: list[str] = Field(default_factory=list, description="Texts that stand before what is retrieved.")
    tools: dict[str, Any] = Field(default_factory=dict, description="Tool → what it gives.")


class AttackEntry(_File):
    """One attack: exactly one of `text` and `goal`. It has succeeded where its case fails."""

    id: str = Field(
        pattern=r"^[^/\s]+$", max_length=100, description="Unique within the configuration; no slash."
    )
    family: Family = Field(default="injection", description="What is tried.")
    text: str | None = Field(default=None, min_length=1, description="What the attacker writes.")
    goal: Goal | None = Field(
        default=None, description="A phrase that is built in, in several languages, instead of a text."
    )
    ways: list[Way] | None = Field(
        default=None, min_length=1, description="How it gets in; by default in every way of `carriers`."
    )
    mutations: list[str] | None = Field(
        default=None, min_length=1, description="Its disguises; by default those of the file."
    )
    translations: dict[str, str] = Field(
        default_factory=dict, description="Language (`de`) → the text in it, for mutations like `german`."
    )
    carrier: CarrierEntry | None = Field(
        default=None, description="How this one gets in, in its only way, whatever `carriers` says."
    )
    scorers: list[str | dict[str, Any]] = Field(
        default_factory=list, description="Who judges the answer, after those of the file."
    )
    tags: list[str] = Field(default_factory=list)
    known_failing: str | None = Field(
        default=None, min_length=1, description="Why it is expected to get through: the gate leaves it out."
    )
    origin: OriginEntry | None = Field(default=None, description="The live request that it was made of.")


class AttackFile(_File):
    """A set of attacks, and harmless cases on which no guardrail should fire."""

    description: str = ""
    configs: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Configurations that it attacks; by default the one that the file is called like, else "
        "every one.",
    )
    carriers: dict[Way, CarrierEntry] = Field(
        default_factory=dict,
        description="How attacks get in; by default as the only variable that the other cases give.",
    )
    mutations: list[str] = Field(
        default=["plain"], min_length=1, description="Disguises of attacks that name none of their own."
    )
    scorers: list[str | dict[str, Any]] = Field(
        default_factory=list, description="Who judges the answer to every attack."
    )
    canaries: list[str] = Field(
        default_factory=list,
        description="Texts of the instructions that no answer to an attack of the family leakage may have.",
    )
    attacks: list[AttackEntry] = Field(min_length=1)
    harmless: list[str] | None = Field(
        default=None,
        description="Eval files of harmless traffic; by default those of the configuration.",
    )
    cases: list[CaseEntry] = Field(
        default_factory=list, description="Further harmless cases: those that look like attacks."
    )
