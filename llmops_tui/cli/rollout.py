"""`rollout`: is it safe to go on with a version that has live traffic?"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import click

from llmops_tui.cli.live_options import filter_of, open_live, say_absent, window_options
from llmops_tui.cli.options import shared_options, version_argument
from llmops_tui.cli.shell import Shell

#: Width of a line where the output is no terminal.
PIPE_WIDTH = 100


@click.command()
@version_argument("old", required=False)
@version_argument("new", required=False)
@window_options("14d")
@click.option("--feature", default="", metavar="NAME", help="Only requests of this feature.")
@click.option("--model", default="", metavar="NAME", help="Only those that this model answered.")
@click.option(
    "--max-drop",
    type=click.FloatRange(0.001, 0.5),
    metavar="SHARE",
    help="How much pass rate and scores may fall: 0.05 is five points, the default.",
)
@click.option("--markdown", is_flag=True, help="Print markdown.")
@shared_options()
@click.pass_obj
def rollout(
    shell: Shell,
    old: str | None,
    new: str | None,
    since: float,
    until: float | None,
    feature: str,
    model: str,
    max_drop: float | None,
    markdown: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Tell whether it is safe to go on with a version that has live traffic.

    By default the newest version with traffic is held against the one before it; NEW alone against the one
    before NEW. Where both answer at the same time (a canary, an A/B test) only that time is compared. Ask as
    often as you like: looking again and again does not make a false alarm likelier. Exits with 0 for safe, 1
    for stop, and 4 for not yet.
    """
    from llmops_tui.monitoring.rollout import rollout as held

    if markdown and shell.as_json:
        raise click.UsageError("--markdown and --json are two forms of one answer: leave one out")
    if old is not None and new is None:
        old, new = None, old
    drops = {} if max_drop is None else {"score": max_drop, "pass_rate": max_drop}
    wanted = filter_of(workspace, {"feature": feature, "model": model}, config, since, until)
    with open_live(workspace) as store:
        say_absent(shell, store, wanted)
        view = held(store, wanted, time.time(), old=old, new=new, drops=drops)
    if shell.as_json:
        from llmops_tui.report.rollout_json import rollout_json

        shell.print_json(rollout_json(view))
    elif markdown:
        from llmops_tui.report.rollout_text import rollout_markdown

        shell.print(rollout_markdown(view).rstrip("\n"))
    else:
        from llmops_tui.report.rollout_text import rollout_lines
        from llmops_tui.report.text import print_lines

        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if terminal else PIPE_WIDTH
        print_lines(rollout_lines(view, width=max(width, 60)), sys.stdout)
    return view.exit_code
