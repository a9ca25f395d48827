"""The live export of an engine: opened when a run needs it, told of what is committed, closed at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from llmops_tui.domain.configuration import Otlp, Workspace
from llmops_tui.domain.run import VersionInfo
from llmops_tui.engine.events import Event, ItemsDone

if TYPE_CHECKING:
    from llmops_tui.engine.live_export import LiveExport

Emit = Callable[[Event], None]


class LiveExports:
    """At most one export at a time: that of the settings as they are.

    Args:
        database: of the workspace.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._export: LiveExport | None = None
        self._target: Otlp | None = None
        self._emit: Emit = lambda _event: None

    def beside(self, workspace: Workspace, version: VersionInfo, emit: Emit) -> Emit:
        """What a run is to tell its events: `emit`, and the export where the settings ask for one."""
        target = workspace.otlp
        if target is None or not target.live:
            return emit
        self._emit = emit
        if self._export is None or target != self._target:
            self.close()
            from llmops_tui.engine.live_export import opened

            loop = asyncio.get_running_loop()

            def later(event: Event) -> None:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(lambda: self._emit(event))

            self._target = target
            self._export = opened(workspace, self._database, later)
        export = self._export
        if export is None:
            return emit

        def told(event: Event) -> None:
            if isinstance(event, ItemsDone):
                from llmops_tui.engine.live_export import Kept

                export.outputs(Kept(version, event.run_id, item) for item in event.items)
            emit(event)

        return told

    def close(self) -> None:
        """Send what is left; waits a few seconds at most."""
        if self._export is not None:
            self._export.close()
            self._export = None
