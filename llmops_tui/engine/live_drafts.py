"""A live request as a case that a person may keep: what the sheet shows, and what comes of it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import msgspec

from llmops_tui.domain.errors import Problem, StoreError, UsageError
from llmops_tui.domain.safe_text import clean
from llmops_tui.engine.live_events import LiveDraft

if TYPE_CHECKING:
    from llmops_tui.domain.playground import NewCase
    from llmops_tui.engine.engine import Engine

_GONE = Problem("the trace of this request is not kept any more", "choose a newer one")
_NOTHING_EXPECTED = Problem(
    "a case needs something to be held against", "type what should have been answered as expected"
)


def draft_of(engine: Engine, config: str | None, id_: int) -> LiveDraft:
    """The case that a request would be.

    Args:
        config: whose case it becomes where the request names no configuration of the workspace.
        id_: number of the request.

    Raises:
        UsageError: its trace is not kept any more, or lacks something that the prompt reads.
        WorkspaceError: the files have mistakes.
        StoreError: the database can't be read.
    """
    from llmops_tui.engine.live_cases import LIVE_FILE, alike, case_of_request
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore

    with LiveStore.open(engine.root / LIVE_DATABASE, read_only=True) as store:
        listed, trace = store.requests.get(id_), store.requests.trace(id_)
    if listed is None or trace is None or not trace.spans:
        raise UsageError(_GONE)
    request = listed.request
    named = request.config if request.config in engine.workspace.configurations else config
    configuration = engine.configuration(named)
    new = case_of_request(engine, configuration.name, request, trace, expected=None)
    files = dict.fromkeys((LIVE_FILE, *(case.file for case in configuration.cases)))
    near = alike(new, configuration.cases)
    return LiveDraft(
        configuration.name,
        new,
        str(new.origin.get("answer", "")),
        tuple(file for file in files if file.endswith((".yaml", ".yml"))),
        tuple(f"{each.case_id} ({each.likeness:.0f} %): {each.text}" for each in near),
    )


def keep_draft(engine: Engine, config: str, new: NewCase, file: str) -> tuple[str, str]:
    """Write it, and note that the request was looked at.

    Raises:
        UsageError: its id is taken, nothing is expected of it, or the file can't take it.
        WorkspaceError: the files have mistakes, or can't be written.
    """
    from llmops_tui.engine.live_cases import keep, with_scorers
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore
    from llmops_tui.workspace.made_up import judges_by_default

    if isinstance(new.expected, str) and not clean(new.expected).strip():
        new = msgspec.structs.replace(new, expected=None)
    if new.expected is None and not new.scorers and not judges_by_default(engine.root, file):
        raise UsageError(_NOTHING_EXPECTED)
    kept = keep(engine, config, with_scorers(engine, new, file), file)
    # The case is written: where this can't be noted, `queue` shows the request once more.
    with contextlib.suppress(StoreError), LiveStore.open(engine.root / LIVE_DATABASE) as store:
        store.looked.mark(str(new.origin.get("trace", "")), time.time(), f"case {kept.id}")
    return kept.id, kept.file
