"""Files with records in them, imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llmops_tui.domain.live.arrival import Batch
from llmops_tui.domain.trace import Span
from llmops_tui.tracing.importers import read_files


def written(folder: Path, name: str, records: list[Any] | str | bytes) -> str:
    """A file: bytes and texts as they are, records a line."""
    path = folder / name
    if isinstance(records, list):
        records = "\n".join(json.dumps(each) for each in records) + "\n"
    path.write_bytes(records.encode() if isinstance(records, str) else records)
    return str(path)


def all_of(*paths: str, **how: Any) -> Batch:
    """Everything that the files hold."""
    whole = Batch([], [], [], [])
    for reached in read_files(paths, **how):
        whole.spans += reached.batch.spans
        whole.signals += reached.batch.signals
        whole.scores += reached.batch.scores
        whole.aside += reached.batch.aside
    return whole


def spans_of(batch: Batch) -> dict[str, Span]:
    """By name."""
    return {arrived.span.name: arrived.span for arrived in batch.spans}


def text(role: str, said: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": said}]}
