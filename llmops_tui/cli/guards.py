"""`guards`: how guardrails do in live traffic, what waits for a person's word, and their thresholds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmops_tui.cli.guards_tune import set_option, uses_on_disk, write_threshold
from llmops_tui.cli.live_options import filter_of, open_live, say_absent, window_options
from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from llmops_tui.domain.live.guards import GuardReview, GuardTrial
    from llmops_tui.domain.live.listing import LiveFilter
    from llmops_tui.report.text import Line
    from llmops_tui.store.live import LiveStore

#: Width of a line where the output is no terminal.
PIPE_WIDTH = 120
#: Items that are listed of a named guardrail, and of each where none is named.
MOST_OF_ONE, MOST_OF_EACH = 10, 3
#: The subcommand that is meant where none is named.
DEFAULT = "figures"
_FILTERS = {
    "version": "Only requests that this version answered.",
    "feature": "Only requests of this feature.",
    "model": "Only those that this model answered.",
}


def _series_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for name, help_ in reversed(_FILTERS.items()):
        function = click.option(f"--{name}", name, default="", metavar="NAME", help=help_)(function)
    return function


@click.command(DEFAULT)
@window_options("7d")
@_series_options
@click.option("--markdown", is_flag=True, help="Print markdown.")
@shared_options()
@click.pass_obj
def figures(
    shell: Shell,
    /,
    since: float,
    until: float | None,
    markdown: bool,
    workspace: Path | None,
    config: str | None,
    **names: str,
) -> int:
    """Show how every guardrail does: how often it fires, precision, recall, false alarms, and what waits.

    Precision and recall are estimated from what people reviewed, each with its 95 % interval
    (docs/guards.md). Below them, the newest runs over attacks, version by version.
    """
    from llmops_tui.monitoring import guards as live_guards

    _refuse_two_forms(shell, markdown)
    now = time.time()
    wanted = filter_of(workspace, names, config, since, min(until or now, now))
    with open_live(workspace) as store:
        say_absent(shell, store, wanted)
        found = live_guards.figures(store, wanted, now, _phrases(workspace))
    trials = _trials(root_of(workspace), config)
    if shell.as_json:
        from llmops_tui.report.guards_json import guards_json

        shell.print_json(guards_json(found, trials, wanted))
    elif markdown:
        from llmops_tui.report.guards_markdown import guards_markdown

        shell.print(guards_markdown(found, trials, wanted).rstrip("\n"))
    else:
        from llmops_tui.report.guards_text import guards_lines

        _print(guards_lines(found, trials, wanted, width=_width()))
    return 0


@click.command("review")
@click.argument("guardrail", required=False)
@click.option(
    "--queue",
    type=click.Choice(["firings", "sample", "suspected", "failures", "reviewed"]),
    default="firings",
    show_default=True,
    help="Firings, the random sample of passes, passes that look like misses, requests in which it failed"
    " itself, or what was reviewed.",
)
@click.option("--right", multiple=True, metavar="ID…", help="It did right there; several with commas.")
@click.option("--wrong", multiple=True, metavar="ID…", help="A false alarm, or a miss.")
@click.option("--undo", multiple=True, metavar="ID…", help="Take back what was said.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help=f"How many of a guardrail.  [default: {MOST_OF_ONE}; where none is named, {MOST_OF_EACH} of each]",
)
@window_options("7d")
@_series_options
@shared_options()
@click.pass_obj
def review(
    shell: Shell,
    /,
    guardrail: str | None,
    queue: str,
    right: tuple[str, ...],
    wrong: tuple[str, ...],
    undo: tuple[str, ...],
    limit: int | None,
    since: float,
    until: float | None,
    workspace: Path | None,
    config: str | None,
    **names: str,
) -> int:
    """List what waits for a person's word, or say of requests whether a guardrail was right.

    Take firings and the sample in the order in which they are listed: it is random, so that what was
    reviewed stands for the rest. IDs are of traces, eight digits at least.
    """
    wanted = filter_of(workspace, names, config, since, until)
    said = {True: _ids(right), False: _ids(wrong), None: _ids(undo)}
    if any(said.values()):
        return _say(shell, workspace, guardrail, said, wanted)
    from llmops_tui.monitoring import guards as live_guards

    with open_live(workspace) as store:
        say_absent(shell, store, wanted)
        asked = (
            [_named(store, guardrail, wanted)]
            if guardrail
            else live_guards.names_of(store, wanted, time.time())
        )
        phrases = _phrases(workspace) if queue == "suspected" else {}
        limit = limit or (MOST_OF_ONE if guardrail else MOST_OF_EACH)
        there = live_guards.counts(store, queue, wanted, phrases)
        found = {
            name: live_guards.reviewed(store, name, wanted, limit)
            if queue == "reviewed"
            else live_guards.items(store, name, queue, wanted, limit, phrases)  # type: ignore[arg-type]
            for name in asked
        }
    if shell.as_json:
        from llmops_tui.report.guards_json import items_json

        shell.print_json(
            {
                "guardrails": [
                    items_json(name, queue, each, there.get(name, 0)) for name, each in found.items()
                ]
            }
        )
        return 0
    from llmops_tui.report.guards_text import item_lines

    now = time.time()
    _print(
        [
            line
            for name, items in found.items()
            for line in item_lines(name, queue, items, now, there.get(name, 0), width=_width())
        ]
    )
    return 0


@click.command("tune")
@click.argument("guardrail")
@set_option
@window_options("30d")
@_series_options
@click.option("--markdown", is_flag=True, help="Print markdown.")
@shared_options()
@click.pass_obj
def tune(
    shell: Shell,
    /,
    guardrail: str,
    value: float | None,
    since: float,
    until: float | None,
    markdown: bool,
    workspace: Path | None,
    config: str | None,
    **names: str,
) -> int:
    """Show what would be with other thresholds, from what was reviewed; or write one with --set.

    What is written is a save like any other: the next run knows it as a new version. Comments stay.

    Above the threshold it has now, reviewed firings say all; below it, reviewed passes with their scores
    are needed as well. Exits with 4 where there is no curve.
    """
    from llmops_tui.monitoring import guards as live_guards

    if value is not None:
        return write_threshold(shell, guardrail, value, workspace, config, since)
    _refuse_two_forms(shell, markdown)
    wanted = filter_of(workspace, names, config, since, until)
    uses = uses_on_disk(workspace, guardrail, config)
    with open_live(workspace) as store:
        say_absent(shell, store, wanted)
        found = live_guards.curve(store, _named(store, guardrail, wanted), wanted, time.time(), uses)
    if shell.as_json:
        from llmops_tui.report.guards_json import curve_json

        shell.print_json(curve_json(found))
    elif markdown:
        from llmops_tui.report.guards_markdown import curve_markdown

        shell.print(curve_markdown(found).rstrip("\n"))
    else:
        from llmops_tui.report.guards_text import curve_lines

        _print(curve_lines(found))
    return 4 if found.problem else 0


class _Guards(click.Group):
    """`guards` is `guards figures`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # What was given before the verb is for its subcommands as well.
        ctx.default_map = dict.fromkeys(self.commands, ctx.default_map)
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


#: Its options are those of the subcommand that it stands for.
guards = _Guards(
    "guards",
    commands={DEFAULT: figures, "review": review, "tune": tune},
    params=[param for param in figures.params if isinstance(param, click.Option)],
    subcommand_metavar="",
    help=figures.help,
)


def _ids(given: tuple[str, ...]) -> list[str]:
    return [id_.strip().lower() for each in given for id_ in each.split(",") if id_.strip()]


def _say(
    shell: Shell,
    workspace: Path | None,
    guardrail: str | None,
    said: Mapping[bool | None, Sequence[str]],
    wanted: LiveFilter,
) -> int:
    """Keep reviews, all of them or none."""
    from llmops_tui.domain.errors import Problem, UsageError
    from llmops_tui.monitoring import guards as live_guards
    from llmops_tui.workspace import git

    twice = UsageError(Problem("a request is named twice", "say one thing of each"))
    every = [id_ for ids in said.values() for id_ in ids]
    if len(set(every)) < len(every):
        raise twice
    by = git.user_name(root_of(workspace)) or ""
    with open_live(workspace, writing=True) as store, store.transaction():
        name = _named(store, guardrail, wanted)
        made = [
            each
            for right in (True, False)
            if said[right]
            for each in live_guards.review(store, name, said[right], right, time.time(), by, wanted)
        ]
        if len({each.trace_id for each in made}) < len(made):
            raise twice  # once by more of its digits
        undone = live_guards.take_back(store, name, said[None])
    if shell.as_json:
        from llmops_tui.report.guards_json import review_json

        shell.print_json({"reviewed": [review_json(each) for each in made], "taken_back": undone})
        return 0
    if made:
        shell.print(f"{len(made)} reviewed{_apart(made)}")
    if said[None]:
        shell.print(f"{undone} taken back")
    return 0


def _apart(made: Sequence[GuardReview]) -> str:
    """Of those that were picked: what they count for."""
    firings = sum(each.triggered and not each.drawn for each in made)
    passes = sum(not each.triggered and not each.drawn for each in made)
    early = f"; {firings} of them out of turn: they count once their turn has come" if firings else ""
    return early + (f"; {passes} of them not of the random sample, so no part of any rate" if passes else "")


def _named(store: LiveStore, guardrail: str | None, wanted: LiveFilter) -> str:
    """The guardrail that is meant; the only one, where none is named.

    Raises:
        UsageError: there is none of this name, or one must be named.
    """
    from llmops_tui.domain.errors import Problem, UsageError, did_you_mean
    from llmops_tui.domain.safe_text import clean_line
    from llmops_tui.monitoring.guards import ALL, names_of

    there = names_of(store, wanted, time.time())
    if guardrail is None:
        if len(there) == 1:
            return there[0]
        names = clean_line(", ".join(there)) or "none looked at anything in this window"
        raise UsageError(Problem("name the guardrail", f"there are {names}" if there else names))
    everywhere = set(there) or set(names_of(store, ALL, time.time()))
    if guardrail not in everywhere:
        remedy = (
            did_you_mean(guardrail, everywhere) or f"there are {clean_line(', '.join(sorted(everywhere)))}"
        )
        raise UsageError(Problem(f"no guardrail '{clean_line(guardrail)}' looked at anything", remedy))
    return guardrail


def _phrases(workspace: Path | None) -> Mapping[str, Sequence[str]]:
    from llmops_tui.engine.guard_phrases import phrases_of
    from llmops_tui.workspace import load_cached

    root = root_of(workspace)
    return phrases_of(root, load_cached(root))


def _trials(root: Path, config: str | None) -> tuple[GuardTrial, ...]:
    """Evaluations; nothing where none was ever made."""
    from llmops_tui.engine.engine import DATABASE
    from llmops_tui.engine.guard_trials import trials
    from llmops_tui.store import Store

    if not (root / DATABASE).exists():
        return ()
    with Store.open(root / DATABASE, read_only=True) as store:
        return trials(store, config)


def _refuse_two_forms(shell: Shell, markdown: bool) -> None:
    if markdown and shell.as_json:
        raise click.UsageError("--markdown and --json are two forms of one answer: leave one out")


def _print(lines: Sequence[Line]) -> None:
    import sys

    from llmops_tui.report.text import print_lines

    print_lines(lines, sys.stdout)


def _width() -> int:
    import shutil
    import sys

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if terminal else PIPE_WIDTH
    return max(width, 60)
