"""`d`: only one version, feature, model, …, of those that traffic has. For the Live screen and the Guards."""

from __future__ import annotations

from typing import ClassVar, Protocol

import msgspec
from textual.widget import Widget

from llmops_tui.app.lines import cut, shown_line
from llmops_tui.app.screens.chooser import Choice, Chooser
from llmops_tui.app.screens.frame import Frame
from llmops_tui.domain import format as fmt
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.overview import Dimension

#: Values of a dimension that are offered; typed ones (`/`) may be any.
MOST_CHOICES = 200
_LONGEST = 60


class Windowed(Protocol):
    """A filter with a window."""

    @property
    def wanted(self) -> LiveFilter: ...

    @property
    def window(self) -> str: ...

    def filter_at(self, now: float) -> LiveFilter: ...


class Narrowing(Frame, inherit_bindings=False):
    """Part of a screen of live traffic.

    Attributes:
        DIMENSIONS: in the order in which they are offered.
    """

    DIMENSIONS: ClassVar[tuple[Dimension, ...]] = (
        *("version", "feature", "model", "provider", "user", "config"),
    )

    def windowed(self) -> Windowed:
        """What is narrowed."""
        raise NotImplementedError

    def narrow_to(self, wanted: LiveFilter) -> None:
        """Show what this takes."""
        raise NotImplementedError

    def panes(self) -> list[Widget]:
        """Those that can be focused, in order."""
        raise NotImplementedError

    def show_pane(self, pane: Widget) -> None:
        """Focus one, in sight."""
        raise NotImplementedError

    def action_next_pane(self) -> None:
        self._step_pane(1)

    def action_previous_pane(self) -> None:
        self._step_pane(-1)

    def _step_pane(self, step: int) -> None:
        if self.zoomed:
            return
        panes = self.panes()
        at = next((n for n, pane in enumerate(panes) if pane is self.focused), 0)
        self.show_pane(panes[(at + step) % len(panes)])

    def action_narrow(self) -> None:
        def chosen(dimension: Dimension | None) -> None:
            if dimension is not None:
                self._choose_value(dimension)

        wanted = self.windowed().wanted
        choices = []
        for name in self.DIMENSIONS:
            now = getattr(wanted, name)
            choices.append(Choice(name, f"{name:<10}{f' only {shown_line(now)}' if now else ' any'}"))
        self.app.push_screen(Chooser("Only one …", choices), chosen)

    def _choose_value(self, dimension: Dimension) -> None:
        at = self.windowed().filter_at(self.owner.clock())

        def listed(values: list[tuple[str, int]]) -> None:
            if not values:
                self.say(f"No request of the last {self.windowed().window} names a {dimension}.")
                return
            longest = max(min(max(fmt.cell_width(shown_line(v)) for v, _ in values), _LONGEST), 12)
            choices = [
                Choice("", f"{fmt.pad('any', longest)}  {fmt.plural(sum(n for _, n in values), 'request')}")
            ]
            choices += [
                Choice(value, f"{fmt.pad(cut(shown_line(value), longest), longest)}  {fmt.count(n)}")
                for value, n in values[:MOST_CHOICES]
            ]
            self.app.push_screen(Chooser(f"Only one {dimension}", choices), chosen)

        def chosen(value: str | None) -> None:
            if value is not None:
                self.narrow_to(msgspec.structs.replace(self.windowed().wanted, **{dimension: value}))

        self.when_done(self.owner.session.live_choices(at, dimension), listed)
