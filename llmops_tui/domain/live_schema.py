"""The part of `llmops.yaml` that is about live traffic, as pydantic models.

`workspace.live_settings` turns them into `live.settings`. Durations are written `15m`, `6h` or `7d`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Share = Annotated[float, Field(ge=0, le=1)]
#: A number, or a text with a unit: `4s`, `5%`.
Amount = float | str


class SampleEntry(_Part):
    """Which requests are judged online, and by whom."""

    rate: Share = Field(default=0.0, description="Share of the requests that is judged.")
    features: dict[str, Share] = Field(default_factory=dict, description="Feature → its own share.")
    always: bool = Field(
        default=True, description="Judge those that failed, were flagged or got a bad signal in any case."
    )
    scorers: list[str | dict[str, Any]] = Field(
        default_factory=list, description="Who judges, as in an eval file; without `expected`."
    )
    per_day_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    per_minute: int = Field(default=60, ge=1, le=100_000, description="Requests judged in a minute at most.")


class CanaryEntry(_Part):
    """A configuration's baseline, evaluated anew from time to time on its pinned models."""

    config: str = Field(description="A configuration of this workspace.")
    every: str = Field(default="1d", description="How often: `6h`, `1d`.")


class LiveEntry(_Part):
    """How live traffic is taken in, kept and judged."""

    port: int = Field(default=4318, ge=0, le=65_535, description="Where `collect` listens.")
    token: str | None = Field(
        default=None,
        min_length=1,
        description="`${NAME}`, read from the environment or `.env`; senders give it.",
    )
    keep_days: float = Field(
        default=30.0, gt=0, le=100_000, description="Days that raw traces are kept; sums are kept for ever."
    )
    max_mb: float = Field(default=2000.0, ge=10, le=10_000_000, description="Size that live.db stays under.")
    hash_users: bool = Field(default=False, description="Keep user ids as a keyed hash only.")
    redact: list[str] = Field(
        default_factory=list,
        description="What is replaced on entry: names of built-in patterns, or regular expressions.",
    )
    guards_sample: Share = Field(
        default=0.1, description="Share of the requests that guardrails let pass which is kept for review."
    )
    sample: SampleEntry = Field(default_factory=SampleEntry)
    canary: CanaryEntry | None = None


class ChannelEntry(_Part):
    """Where alerts go: exactly one of `command` and `webhook`."""

    command: str | list[str] | None = Field(
        default=None, description="A program that gets the alert as JSON on its standard input."
    )
    webhook: str | None = Field(
        default=None, min_length=1, description="A URL that JSON is posted to; `${NAME}` as in `headers`."
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="Sent along; `${NAME}` is read from the environment or `.env`."
    )


class AlertEntry(_Part):
    """When to tell somebody: exactly one of `above`, `below`, `increase` and `decrease`."""

    name: str = Field(min_length=1, max_length=60, description="Letters, digits, dots, `-` and `_`.")
    metric: str = Field(description="A figure, such as `error_rate`, `latency_p95` or `score.faithful`.")
    window: str = Field(default="15m", description="The figure is that of so much time.")
    above: Amount | None = Field(default=None, description="A limit: `4s`, `5%`, 0.02.")
    below: Amount | None = None
    increase: Amount | None = Field(default=None, description="Against the reference: `20%` more of it.")
    decrease: Amount | None = Field(default=None, description="Against the reference: `10%` less of it.")
    reference: Literal["before", "same_hours", "version"] | None = Field(
        default=None,
        description="Of increase and decrease: the day before, the same hour of the days before, or the "
        "version before.",
    )
    min_n: int = Field(default=30, ge=1, le=1_000_000, description="Fewer in the window say nothing.")
    for_: str = Field(default="0s", alias="for", description="How long it must hold.")
    severity: Literal["info", "warning", "critical"] = "warning"
    false_alarms_per_day: float = Field(
        default=0.01, gt=0, le=1, description="That are put up with where nothing changed."
    )
    to: list[str] = Field(
        default_factory=list, description="Names of `channels`; the screen always shows it."
    )
    config: str | None = None
    version: str | None = None
    feature: str | None = None
    model: str | None = None
    provider: str | None = None
