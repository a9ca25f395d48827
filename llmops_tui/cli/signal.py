"""`signal`: what a user did with an answer, noted by hand or by a script."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from llmops_tui.cli.live_options import Moment, found_request, open_live
from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of
from llmops_tui.domain.errors import Problem, UsageError

_KINDS = ("thumb", "rating", "edit", "retry", "copy", "escalation", "abandon")
_FILE = click.Path(dir_okay=False, exists=True, path_type=Path)


@click.command()
@click.argument("kind", type=click.Choice(_KINDS))
@click.argument("value", required=False)
@click.option("--trace", metavar="TRACE_ID", help="Of this request; 8 of its digits are enough.")
@click.option("--session", default="", metavar="ID", help="Of the newest request of this session.")
@click.option("--user", default="", metavar="ID", help="Who did it.")
@click.option("--feature", default="", metavar="NAME", help="Where.")
@click.option("--comment", default="", metavar="TEXT", help="What they wrote.")
@click.option("--original", type=_FILE, help="Of an edit: a file with the answer as it was.")
@click.option("--edited", type=_FILE, help="Of an edit: a file with what was made of it.")
@click.option(
    "--at",
    type=Moment(),
    metavar="TIME",
    help="When: 2026-11-23T18:00, or 5m for five minutes ago; by default now.",
)
@shared_options(config=False)
@click.pass_obj
def signal(
    shell: Shell,
    kind: str,
    value: str | None,
    trace: str | None,
    session: str,
    user: str,
    feature: str,
    comment: str,
    original: Path | None,
    edited: Path | None,
    at: float | None,
    workspace: Path | None,
) -> int:
    """Note what a user did with an answer: a thumb, a rating, an edit, a retry.

    VALUE of a thumb is up or down; of a rating a number from 0 to 1; of an edit the share that was changed,
    unless --original and --edited give the two texts. It counts for the request that it is about at once, and
    for one that has not come in yet as soon as it does.
    """
    from llmops_tui.domain.live.arrival import Batch
    from llmops_tui.engine.collecting import taking_in
    from llmops_tui.monitoring.collector.signals import signal_of

    if (original is None) != (edited is None):
        raise UsageError(Problem("an edit has two texts", "give both --original and --edited"))
    now = time.time()
    item: dict[str, Any] = {"kind": kind, "at": now if at is None else at, "session": session, "user": user}
    item |= {"feature": feature, "comment": comment}
    if value is not None:
        item["value"] = _number(value)
    if original is not None and edited is not None:
        item |= {"original": _text(original), "edited": _text(edited)}
    with open_live(workspace, writing=True) as store:
        if trace is not None:
            whole = trace.replace("-", "")
            item["trace_id"] = whole if len(whole) == 32 else found_request(store, trace).request.trace_id
        _settings, prepared = taking_in(root_of(workspace))
        # As what comes over HTTP: patterns redacted, the user hashed.
        batch = prepared(Batch(signals=[signal_of(item, now)]))
        (made,) = batch.signals
        ingested = store.ingest([batch], now)
        about = store.requests.find(made.trace_id) if made.trace_id else None
    if shell.as_json:
        shell.print_json(
            {
                "id": made.id,
                "kind": made.kind,
                "value": made.value,
                "at": made.at,
                "trace_id": made.trace_id,
                "session": made.session,
                "new": bool(ingested.signals),
                "bad": made.is_bad,
            }
        )
        return 0
    state = "noted" if ingested.signals else "was noted already"
    waits = " · its request has not come in yet" if made.trace_id and about is None else ""
    shell.print(f"{made.kind} {made.value:g} {state}{waits}")
    return 0


def _number(text: str) -> Any:
    """A number where it is one; a thumb may be a word."""
    try:
        return float(text)
    except ValueError:
        return text


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(Problem("is not UTF-8 text", "save it as UTF-8", file=str(path))) from None
    except OSError as error:
        raise UsageError(Problem(f"can't be read: {error.strerror}", "", file=str(path))) from error
