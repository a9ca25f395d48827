"""`queue`: the live requests that are most worth a look."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.live_options import (
    filter_of,
    filter_options,
    found_request,
    open_live,
    window_options,
)
from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of

if TYPE_CHECKING:
    from llmops_tui.monitoring.queue import Queued

PIPE_WIDTH = 100
#: The subcommand that is meant where none is named.
DEFAULT = "list"


@click.command(DEFAULT)
@window_options("7d")
@filter_options
@click.option(
    "--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, metavar="N", help="How many."
)
@shared_options()
@click.pass_obj
def listed(
    shell: Shell,
    /,
    since: float,
    until: float | None,
    limit: int,
    workspace: Path | None,
    config: str | None,
    **names: str,
) -> int:
    """List the live requests that are most worth a look, and say why.

    Bad signals, failures, guardrails, low scores, scorers that disagree, slow outliers, inputs unlike all
    others. Of those that ask nearly the same, one stands for all; what was looked at is left out.
    """
    from llmops_tui.engine.live_cases import inputs_of
    from llmops_tui.monitoring.queue import queue as queued

    wanted = filter_of(workspace, names, config, since, until)
    known, cased = inputs_of(root_of(workspace), config)
    with open_live(workspace) as store:
        found = queued(store, wanted, limit, known, cased)
    if shell.as_json:
        shell.print_json({"queue": [_json(each) for each in found]})
    else:
        _print(found)
    return 0


@click.command("done")
@click.argument("trace_ids", nargs=-1, required=True, metavar="TRACE_ID…")
@click.option("--undo", is_flag=True, help="Put them back.")
@shared_options(config=False)
@click.pass_obj
def done(shell: Shell, trace_ids: tuple[str, ...], undo: bool, workspace: Path | None) -> int:
    """Note that requests were looked at: they leave the queue."""
    with open_live(workspace, writing=True) as store:
        ids = [found_request(store, each).request.trace_id for each in trace_ids]
        for trace_id in ids:
            if undo:
                store.looked.unmark(trace_id)
            else:
                store.looked.mark(trace_id, time.time(), "done")
    if shell.as_json:
        shell.print_json({"done": [] if undo else ids, "undone": ids if undo else []})
    else:
        shell.print(f"{len(ids)} put back" if undo else f"{len(ids)} looked at")
    return 0


class _Queue(click.Group):
    """`queue` is `queue list`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # What was given before the verb is for its subcommands as well.
        ctx.default_map = dict.fromkeys(self.commands, ctx.default_map)
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


#: Its options are those of the subcommand that it stands for.
queue = _Queue(
    "queue",
    commands={DEFAULT: listed, "done": done},
    params=[param for param in listed.params if isinstance(param, click.Option)],
    subcommand_metavar="",
    help=listed.help,
)


def _json(queued: Queued) -> dict[str, object]:
    from llmops_tui.report.live_json import request_json

    return {
        "trace_id": queued.listed.request.trace_id,
        "worth": queued.worth,
        "reasons": [{"weight": r.weight, "why": r.sentence} for r in queued.reasons],
        "alike": queued.alike,
        "request": request_json(queued.listed),
    }


def _print(found: list[Queued]) -> None:
    from llmops_tui.report.live_text import queue_lines
    from llmops_tui.report.text import print_lines

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if terminal else PIPE_WIDTH
    entries = [
        (each.listed, each.worth, tuple(r.sentence for r in each.reasons), each.alike) for each in found
    ]
    print_lines(queue_lines(entries, time.time(), width=max(width, 60)), sys.stdout)
