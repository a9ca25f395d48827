"""How live traffic is taken in and watched: what `llmops.yaml` says, resolved."""

from __future__ import annotations

from typing import Literal

import msgspec

from llmops_tui.domain.case import ScorerUse
from llmops_tui.domain.live.listing import LiveFilter

Severity = Literal["info", "warning", "critical"]
#: `guards_sample` where nothing is said.
GUARDS_SAMPLE = 0.1
#: What `redact` knows by name.
REDACTED = ("email", "iban", "card", "ip", "phone")
#: What stands before the dot in the metric of a rule about drift.
DRIFT = "drift."


class Sampling(msgspec.Struct, frozen=True):
    """Which requests are judged online.

    Attributes:
        rate: share of them, by feature in `features` where it is named there.
        always: those that failed, were flagged or got a bad signal are judged in any case.
        per_day_usd, per_minute: at most.
        scorers: who judges.
    """

    rate: float = 0.0
    features: dict[str, float] = {}
    always: bool = True
    per_day_usd: float | None = None
    per_minute: int = 60
    scorers: tuple[ScorerUse, ...] = ()


class Canary(msgspec.Struct, frozen=True):
    """A scheduled eval of a configuration's baseline on its pinned models, asked anew."""

    config: str
    every_s: float


class AlertRule(msgspec.Struct, frozen=True):
    """When to tell somebody.

    Exactly one of `above`, `below`, `increase` and `decrease` is set; of a drift none is.

    Attributes:
        metric: a name of `live.metrics`, or `drift.` and what may drift: `drift.input_words`.
        window_s: the figure is that of the requests in so many seconds.
        increase, decrease: relative to the reference: 0.5 is half as much again.
        reference: `before`: the day before the window; `same_hours`: the same time of the days before;
            `version`: the version before, for a figure by version.
        min_n: observations in the window below which nothing is said.
        for_s: how long it must hold.
        false_alarms_per_day: that are put up with where nothing changed.
        to: names of `Channel`s, each once; the screen always shows it.
        config, version, feature, model, provider: only requests of these; empty: all.
    """

    name: str
    metric: str
    window_s: float = 900.0
    above: float | None = None
    below: float | None = None
    increase: float | None = None
    decrease: float | None = None
    reference: Literal["before", "same_hours", "version"] = "before"
    min_n: int = 30
    for_s: float = 0.0
    severity: Severity = "warning"
    false_alarms_per_day: float = 0.01
    to: tuple[str, ...] = ()
    config: str = ""
    version: str = ""
    feature: str = ""
    model: str = ""
    provider: str = ""

    @property
    def is_drift(self) -> bool:
        return self.metric.startswith(DRIFT)

    @property
    def is_change(self) -> bool:
        """It is held against a reference, not against a limit that somebody wrote."""
        return self.increase is not None or self.decrease is not None

    @property
    def is_falling(self) -> bool:
        """Less of it is worse."""
        return self.below is not None or self.decrease is not None

    def filter(self, since: float = 0.0, until: float = 1e12) -> LiveFilter:
        """The requests that it is about."""
        return LiveFilter(since, until, self.config, self.version, self.feature, self.model, self.provider)


class Channel(msgspec.Struct, frozen=True):
    """Where alerts go: a command that gets JSON on its standard input, or a webhook that JSON is posted to.

    Attributes:
        command: words. url, headers: with keys named (`${KEY}`), not filled in.
    """

    name: str
    command: tuple[str, ...] = ()
    url: str = ""
    headers: dict[str, str] = {}


#: What holds where `llmops.yaml` says nothing of alerts: only changes, as nobody said what is usual.
DEFAULT_RULES = (
    AlertRule("errors", "error_rate", 900.0, increase=1.0, severity="critical"),
    AlertRule("slow", "latency_p95", 900.0, increase=0.5),
    AlertRule("cost", "cost_per_request", 3_600.0, increase=0.5),
    AlertRule("answers", "pass_rate", 3_600.0, decrease=0.1, severity="critical"),
    AlertRule("complaints", "complaint_rate", 3_600.0, increase=1.0),
    AlertRule("guardrails", "guardrail_rate", 3_600.0, increase=1.0),
)


class LiveSettings(msgspec.Struct, frozen=True):
    """All of it.

    Attributes:
        token: named (`${KEY}`), not filled in; needed where others than this machine may send.
        keep_days, max_mb: of the raw traces; sums are kept for ever.
        hash_users: user ids are kept as a keyed hash.
        redact: regular expressions, or names of built-in ones; what matches is replaced on entry.
        guards_sample: share of the requests that guardrails let pass which is kept for review.
    """

    port: int = 4318
    token: str = ""
    keep_days: float = 30.0
    max_mb: float = 2000.0
    hash_users: bool = False
    redact: tuple[str, ...] = ()
    sampling: Sampling = Sampling()
    canary: Canary | None = None
    rules: tuple[AlertRule, ...] = ()
    channels: tuple[Channel, ...] = ()
    guards_sample: float = GUARDS_SAMPLE

    @property
    def secrets(self) -> tuple[str, ...]:
        """What may be a key, as written: it should name a variable."""
        places = [text for channel in self.channels for text in (channel.url, *channel.headers.values())]
        return tuple(text for text in (self.token, *places) if text)
