"""The requests behind a figure."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.app.lines import Line
from llmops_tui.app.request_lines import columns, decimals_of, heading, request_line
from llmops_tui.app.widgets.row_list import RowList
from llmops_tui.domain.live.listing import LiveRequest


class RequestList(RowList):
    """One row a request; keys are their numbers."""

    BINDING_GROUP_TITLE = "Live"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.requests: dict[int, LiveRequest] = {}
        self._dated = False
        self._decimals = 2

    def show(self, requests: Sequence[LiveRequest], *, same: bool) -> None:
        """Show these.

        Args:
            same: it is the list that was shown, read anew: the request under the cursor stays, also where it
                would not be among them any more.
        """
        found = {each.id: each for each in requests}
        held = self.current
        if same and self.touched and held is not None and held.id not in found:
            found[held.id] = held
        self.requests = found
        times = [each.request.start for each in requests]
        self._dated = bool(times) and max(times) - min(times) > 86_400
        self._decimals = decimals_of(each.request for each in requests)
        self.set_keys(list(found), reset=not same)

    @property
    def current(self) -> LiveRequest | None:
        """The request under the cursor."""
        return self.requests.get(self.cursor) if self.cursor is not None else None

    def heading(self, width: int) -> Line:
        return heading(columns(width, dated=self._dated, decimals=self._decimals))

    def row(self, key: int, width: int) -> tuple[Line, str]:
        return request_line(
            self.requests[key].request, columns(width, dated=self._dated, decimals=self._decimals)
        ), ""
