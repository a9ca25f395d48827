"""`live`: production at a glance, its requests, and the weekly report."""

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
    live_settings,
    open_live,
    say_absent,
    trace_of,
    window_options,
)
from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmops_tui.domain.live.listing import LiveFilter
    from llmops_tui.domain.live.overview import Dimension
    from llmops_tui.report.text import Line
    from llmops_tui.store.live import LiveStore

#: Width of a line where the output is no terminal.
PIPE_WIDTH = 120
#: The subcommand that is meant where none is named.
DEFAULT = "glance"
_DIMENSIONS = ("version", "feature", "model", "provider", "user", "config")
#: What is told by a dimension where no metric is named.
_BY = (
    "requests",
    "pass_rate",
    "cost_per_request",
    "latency_p95",
    "guardrail_rate",
    "complaint_rate",
    "error_rate",
)


@click.command(DEFAULT)
@window_options("24h")
@filter_options
@click.option("--by", type=click.Choice(_DIMENSIONS), help="Split the figures by this.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="This figure; may be given again.")
@click.option("--weekly", is_flag=True, help="The weekly report, as markdown: `live report`.")
@click.option("--markdown", is_flag=True, help="Print markdown.")
@shared_options()
@click.pass_obj
def glance(
    shell: Shell,
    /,
    since: float,
    until: float | None,
    by: Dimension | None,
    metrics: tuple[str, ...],
    weekly: bool,
    markdown: bool,
    workspace: Path | None,
    config: str | None,
    **names: str,
) -> int:
    """Show the six at a glance: quality, cost, latency, safety, signals and errors.

    Each figure with its 95 % interval, the same over the window before, and its course. With --by or
    --metric, those figures by version, feature, model, provider or user. Asks no model.
    """
    _refuse_two_forms(shell, markdown or weekly)
    for name in metrics:
        _check_metric(name)
    wanted = filter_of(workspace, names, config, since, until)
    with open_live(workspace) as store:
        say_absent(shell, store, wanted)
        if weekly:
            _weekly(shell, store, wanted, workspace, since_given=_is_given("since"))
        else:
            _glance(shell, store, wanted, by, metrics, markdown, workspace)
    return 0


@click.command("requests")
@window_options("24h")
@filter_options
@click.option(
    "--only",
    type=click.Choice(["failed", "refused", "flagged", "bad", "scored", "low", "worth"]),
    help="Only those; `bad` had a bad signal, `worth` is any that went wrong.",
)
@click.option("--error", default="", metavar="KIND", help="Only those that failed in this way.")
@click.option(
    "--order",
    type=click.Choice(["newest", "slowest", "dearest", "lowest"]),
    default="newest",
    show_default=True,
    help="Which come first.",
)
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, metavar="N", help="How many."
)
@shared_options()
@click.pass_obj
def requests(
    shell: Shell,
    /,
    since: float,
    until: float | None,
    only: str | None,
    error: str,
    order: str,
    limit: int,
    workspace: Path | None,
    config: str | None,
    **names: str,
) -> int:
    """List requests of live traffic."""
    import msgspec

    wanted = msgspec.structs.replace(
        filter_of(workspace, names, config, since, until), only=only or "", error=error
    )
    with open_live(workspace) as store:
        say_absent(shell, store, wanted)
        found = store.requests.listed(wanted, order=order, limit=limit)
        count = store.requests.count(wanted)
    if shell.as_json:
        from llmops_tui.report.live_json import request_json

        shell.print_json({"count": count, "requests": [request_json(each) for each in found]})
        return 0
    from llmops_tui.report.live_text import request_lines

    _print(request_lines(found, time.time(), width=_width()))
    if count > len(found):
        shell.say(f"{count - len(found)} more; --limit shows them")
    return 0


@click.command("show")
@click.argument("trace_id")
@click.option("--full", is_flag=True, help="All that went in and came out of each step.")
@click.option("--markdown", is_flag=True, help="Print markdown.")
@shared_options(config=False)
@click.pass_obj
def show(shell: Shell, trace_id: str, full: bool, markdown: bool, workspace: Path | None) -> int:
    """Show one request: its steps, and what scorers and users said of it."""
    _refuse_two_forms(shell, markdown)
    with open_live(workspace) as store:
        listed = found_request(store, trace_id)
        trace = trace_of(store, listed)
        scores, signals = store.requests.scores(listed.id), store.requests.signals(listed.id)
    if shell.as_json:
        from llmops_tui.report.live_json import request_json, verdicts_json
        from llmops_tui.report.trace_json import trace_json

        shell.print_json(
            {"request": request_json(listed), **verdicts_json(scores, signals), "trace": trace_json(trace)}
        )
    elif markdown:
        from llmops_tui.report.live_markdown import verdicts_markdown
        from llmops_tui.report.trace_markdown import trace_markdown

        parts = [trace_markdown(trace, full=full).rstrip("\n"), *verdicts_markdown(scores, signals)]
        shell.print("\n\n".join(parts))
    else:
        from llmops_tui.report.live_text import verdict_lines
        from llmops_tui.report.trace_text import trace_lines

        _print([*trace_lines(trace, width=_width(), full=full), *verdict_lines(scores, signals, time.time())])
    return 0


@click.command("report")
@window_options("7d")
@filter_options
@shared_options()
@click.pass_obj
def report(
    shell: Shell,
    /,
    since: float,
    until: float | None,
    workspace: Path | None,
    config: str | None,
    **names: str,
) -> int:
    """Write the weekly report as markdown: this week against the one before it."""
    _refuse_two_forms(shell, True)
    wanted = filter_of(workspace, names, config, since, until)
    with open_live(workspace) as store:
        say_absent(shell, store, wanted)
        _weekly(shell, store, wanted, workspace, since_given=True)
    return 0


class _Live(click.Group):
    """`live` is `live glance`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # What was given before the verb is for its subcommands as well.
        ctx.default_map = dict.fromkeys(self.commands, ctx.default_map)
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


#: Its options are those of the subcommand that it stands for.
live = _Live(
    "live",
    commands={DEFAULT: glance, "requests": requests, "show": show, "report": report},
    params=[param for param in glance.params if isinstance(param, click.Option)],
    subcommand_metavar="",
    help="""Show production at a glance: quality, cost, latency, safety, signals and errors.

    Each figure with its 95 % interval, the same over the window before, and its course. With --by or
    --metric, those figures by version, feature, model, provider or user. Asks no model.
    """,
)


def _glance(
    shell: Shell,
    store: LiveStore,
    wanted: LiveFilter,
    by: Dimension | None,
    metrics: tuple[str, ...],
    markdown: bool,
    workspace: Path | None,
) -> None:
    from llmops_tui.monitoring.overview import overview, plots

    now = time.time()
    view = overview(store, wanted, live_settings(workspace), now)
    drawn = plots(store, wanted, metrics or _BY, by, now) if by or metrics else ()
    if shell.as_json:
        from llmops_tui.report.live_json import overview_json, plots_json

        extra = [p.lines[0].figure for p in drawn if p.lines and p.by is None]
        answer = overview_json(view, extra)
        shell.print_json({**answer, "plots": plots_json(drawn)} if drawn else answer)
    elif markdown:
        from llmops_tui.report.live_markdown import overview_markdown

        shell.print(overview_markdown(view, drawn).rstrip("\n"))
    else:
        from llmops_tui.report.live_text import overview_lines, plot_lines

        width = _width()
        _print(plot_lines(drawn, width=width) if drawn else overview_lines(view, now, width=width))


def _weekly(
    shell: Shell, store: LiveStore, wanted: LiveFilter, workspace: Path | None, *, since_given: bool
) -> None:
    import msgspec

    from llmops_tui.engine.live_cases import cases_since
    from llmops_tui.monitoring.weekly import week
    from llmops_tui.report.live_markdown import weekly_markdown

    if not since_given:
        wanted = msgspec.structs.replace(wanted, since=0.0)
    found = week(store, wanted, live_settings(workspace), time.time())
    cases = cases_since(root_of(workspace), found.view.filter.since, found.view.filter.until)
    shell.print(weekly_markdown(found, cases).rstrip("\n"))


def _is_given(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _refuse_two_forms(shell: Shell, markdown: bool) -> None:
    if markdown and shell.as_json:
        raise click.UsageError("--markdown and --json are two forms of one answer: leave one out")


def _check_metric(name: str) -> None:
    from llmops_tui.domain.errors import Problem, UsageError, did_you_mean
    from llmops_tui.domain.live.metrics import METRICS, metric_of

    if metric_of(name) is not None:
        return
    stem = name.partition(".")[0]
    if (found := METRICS.get(stem)) is not None:
        remedy = f"write {stem}.{found.part.upper()}" if found.part else f"write {stem}"
        raise UsageError(Problem(f"'{name}' is no figure", remedy))
    names = {m.name + (f".{m.part.upper()}" if m.part else "") for m in METRICS.values()}
    remedy = did_you_mean(stem, set(METRICS)) or f"there are {', '.join(sorted(names))}"
    raise UsageError(Problem(f"there is no figure '{name}'", remedy))


def _print(lines: Sequence[Line]) -> None:
    from llmops_tui.report.text import print_lines

    print_lines(lines, sys.stdout)


def _width() -> int:
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if terminal else PIPE_WIDTH
    return max(width, 60)
