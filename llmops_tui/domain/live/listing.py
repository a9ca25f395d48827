"""Which requests of live traffic are wanted, and how they are listed."""

from __future__ import annotations

import msgspec

from llmops_tui.domain.live.request import Request, Series


class LiveFilter(msgspec.Struct, frozen=True):
    """Which requests. Empty: any.

    Attributes:
        since, until: Unix seconds: they began in [since, until).
        only: `failed`, `refused`, `flagged`, `bad` (a bad signal), `scored`, `low` (a score below 0.5) or
            `worth` (any of failed, refused, flagged, bad).
        error: they failed in this way. user, session: of this one.
    """

    since: float = 0.0
    until: float = 1e12
    config: str = ""
    version: str = ""
    feature: str = ""
    model: str = ""
    provider: str = ""
    user: str = ""
    session: str = ""
    only: str = ""
    error: str = ""

    def takes(self, series: Series) -> bool:
        """Whether a series is wanted."""
        return all(
            not wanted or wanted == has
            for wanted, has in (
                (self.config, series.config),
                (self.version, series.version),
                (self.feature, series.feature),
                (self.model, series.model),
                (self.provider, series.provider),
            )
        )

    @property
    def is_of_series(self) -> bool:
        """It can be answered from sums."""
        return not (self.user or self.session or (self.error and self.only))

    @property
    def dimensions(self) -> list[str]:
        """What of a series it asks about."""
        return [name for name in Series.__struct_fields__ if getattr(self, name)]


class LiveRequest(msgspec.Struct, frozen=True):
    """A request as it is listed: its number and what is known of it."""

    id: int
    request: Request
    arrived_at: float = 0.0
