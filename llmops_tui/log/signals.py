"""What users do with the answers."""

from __future__ import annotations

import os
import time

from llmops_tui.log.bounded import Bound
from llmops_tui.log.context import CURRENT
from llmops_tui.log.faults import guarded
from llmops_tui.log.outbox import OUTBOX
from llmops_tui.log.settings import SETTINGS


@guarded
def signal(
    kind: str,
    value: float = 1.0,
    *,
    trace: str = "",
    session: str = "",
    user: str = "",
    feature: str = "",
    comment: str = "",
    edited: str = "",
) -> None:
    """What a user did: `thumb` (1 up, 0 down), `rating` in [0, 1], `edit`, `retry`, `copy`, `escalation`,
    `abandon`.

    Args:
        trace: id of the trace (`r.trace_id`); by default that of the request at work, and without one the
            newest request of the session is meant.
        edited: of an edit, the text as the user left it.
    """
    if SETTINGS.is_off:
        return
    inner = CURRENT.get()
    if not trace and not session and inner is not None:
        trace = inner.trace_id
    bound = Bound()
    found = {
        "id": os.urandom(16).hex(),
        "kind": str(kind)[:40],
        "value": float(value),
        "at": time.time(),
        "trace_id": trace,
        "session": session,
        "user": user,
        "feature": feature,
        "comment": comment,
        "edited": edited,
    }
    OUTBOX.put({k: bound.of(v) for k, v in found.items() if v not in ("", None)}, bound.used)
