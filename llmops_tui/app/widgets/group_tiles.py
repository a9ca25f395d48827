"""The six groups of live figures: tiles where there is room, else rows."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.geometry import Size
from textual.strip import Strip

from llmops_tui.app.group_lines import ACROSS, row_heading, row_line, tiled
from llmops_tui.app.lines import EMPTY, Line, line_width
from llmops_tui.app.paint import Paint
from llmops_tui.app.widgets.row_list import RowList
from llmops_tui.domain.live.overview import GroupView

#: Cells and lines from which on there are tiles.
_WIDE, _TALL = 96, 9
_GAP = 1


class GroupTiles(RowList):
    """Keys are names of groups."""

    BINDING_GROUP_TITLE = "Live"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.views: dict[str, GroupView] = {}
        self._drawn: tuple[object, list[list[tuple[Line, bool]]]] = (None, [])

    def show(self, views: Sequence[GroupView], *, at: str = "") -> None:
        """Show these.

        Args:
            at: the group under the cursor, until the person has moved it.
        """
        self.views = {view.group: view for view in views}
        self._drawn = (None, [])
        touched = self.touched
        self.set_keys(list(self.views))
        if at and not touched and at in self.views:
            self.move_to(at)
            self.touched = False

    @property
    def current(self) -> GroupView | None:
        return self.views.get(self.cursor) if self.cursor is not None else None

    @property
    def is_tiled(self) -> bool:
        size = self.scrollable_content_region.size
        return size.width >= _WIDE and size.height >= _TALL

    @property
    def head(self) -> int:  # type: ignore[override]
        return 0 if self.is_tiled and self.keys else 1

    def heading(self, width: int) -> Line:  # noqa: ARG002 - the same at every width
        return row_heading()

    def row(self, key: str, width: int) -> tuple[Line, str]:
        return row_line(self.views[key], width), ""

    # -- tiles

    @property
    def _tile_height(self) -> int:
        rows = -(-max(len(self.keys), 1) // ACROSS)
        return max((self.scrollable_content_region.height - _GAP * (rows - 1)) // rows, 1)

    def _measure(self) -> None:
        if self.is_tiled:
            self.virtual_size = Size(*self.scrollable_content_region.size)
        else:
            super()._measure()

    def _refresh_row(self, index: int) -> None:
        if self.is_tiled:
            self.refresh()
        else:
            super()._refresh_row(index)

    def _keep_in_sight(self) -> None:
        if self.is_tiled:
            self.scroll_to(y=0, animate=False, immediate=True)
        else:
            super()._keep_in_sight()

    def move(self, where: str) -> None:
        if self.is_tiled and where in ("up", "down"):
            self.step(ACROSS if where == "down" else -ACROSS)
        else:
            super().move(where)

    def step(self, by: int) -> None:
        """Go on by so many groups; stays where there is none."""
        at = self.cursor_index + by
        if self.keys and 0 <= at < len(self.keys):
            self.move_to(self.keys[at])

    def render_line(self, y: int) -> Strip:
        if not self.is_tiled or not self.keys:
            return super().render_line(y)
        paint: Paint = self.app.paint  # type: ignore[attr-defined]
        width, base = self.scrollable_content_region.width, self.rich_style
        made_for = (width, self._tile_height, self.cursor)
        if self._drawn[0] != made_for:
            views = list(self.views.values())
            self._drawn = made_for, tiled(views, width, self._tile_height, self.cursor or "")
        lines = self._drawn[1]
        if y >= len(lines) or not lines[y]:
            return paint.strip(EMPTY, width, base)
        over = "cursor" if self.has_focus else "cursor-blurred"
        strips = [
            paint.strip(piece, line_width(piece), base, over if chosen else "") for piece, chosen in lines[y]
        ]
        return Strip.join(strips).adjust_cell_length(width, base)

    def on_click(self, event: events.Click) -> None:
        if not self.is_tiled:
            super().on_click(event)
            return
        place = event.get_content_offset_capture(self)
        each = max((self.scrollable_content_region.width + _GAP) // ACROSS, 1)
        across, down = min(place.x // each, ACROSS - 1), place.y // (self._tile_height + _GAP)
        at = down * ACROSS + across
        if at < len(self.keys):
            self.move_to(self.keys[at])
