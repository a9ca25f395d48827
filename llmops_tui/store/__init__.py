"""What is kept, in SQLite: versions, calls, outputs, scores and runs. See docs/store.md."""

from llmops_tui.store.bulk import kept_for_long
from llmops_tui.store.gc import Swept
from llmops_tui.store.lock import WorkspaceLock
from llmops_tui.store.outputs import OutputRow
from llmops_tui.store.record import Result
from llmops_tui.store.served import Served
from llmops_tui.store.store import Store

__all__ = ["OutputRow", "Result", "Served", "Store", "Swept", "WorkspaceLock", "kept_for_long"]
