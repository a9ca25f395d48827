"""`trace`: how an output came about, step by step, and where two versions part ways."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options, version_option
from llmops_tui.cli.shell import Shell, choose_config, open_engine
from llmops_tui.cli.stored import record_disk
from llmops_tui.cli.trace_export import trace_export
from llmops_tui.cli.trace_import import trace_import

if TYPE_CHECKING:
    from llmops_tui.domain.run import VersionInfo
    from llmops_tui.domain.trace import Trace
    from llmops_tui.engine.engine import Engine
    from llmops_tui.report.text import Line

#: Width of a line where the output is no terminal.
PIPE_WIDTH = 100
#: The subcommand that is meant where none is named.
DEFAULT = "show"


@click.command()
@click.argument("case")
@version_option("--version", "version", "Whose output: v3, a hash, a label … (default: latest).")
@version_option("--against", "against", "Hold it against this version's output, step by step.")
@click.option("--model", metavar="NAME", help="The model that answered, or a part of its name.")
@click.option("--trial", type=click.IntRange(min=1), metavar="N", help="The trial; the first one is 1.")
@click.option("--markdown", is_flag=True, help="Print markdown.")
@click.option("--full", is_flag=True, help="All that went in and came out; of two, every step that differs.")
@shared_options()
@click.pass_obj
def show(
    shell: Shell,
    case: str,
    version: str | None,
    against: str | None,
    model: str | None,
    trial: int | None,
    markdown: bool,
    full: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Show the steps of one output: what went in, what came out, time, tokens and cost.

    With --against, both versions' steps are aligned (= the same, ~ changed, + new, − gone), and ▶ marks the
    first step where they part, with its diff. Asks no model.
    """
    if markdown and shell.as_json:
        raise click.UsageError("--markdown and --json are two forms of one answer: leave one out")
    engine = open_engine(workspace, writing=False)
    try:
        name = choose_config(engine, config)
        record_disk(shell, engine, name)
        side = _side(engine, name, version or "latest", model)
        place = None if trial is None else trial - 1
        found = _trace(engine, side, case, place)
        if against is None:
            _tell(shell, found, markdown, full)
        else:
            other = _other_side(engine, name, against, model or side.model, strict=model is not None)
            _tell_both(shell, _trace(engine, other, case, place), found, markdown, full)
    finally:
        engine.close()
    return 0


class _Traces(click.Group):
    """`trace CASE` is `trace show CASE`; a case that is named like a subcommand is reached with `show`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # What was given before the verb is for its subcommands as well.
        ctx.default_map = dict.fromkeys(self.commands, ctx.default_map)
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


#: Its options are those of the subcommand that it stands for: its help lists them, and that one reads them.
trace = _Traces(
    "trace",
    commands={DEFAULT: show, "export": trace_export, "import": trace_import},
    params=[param for param in show.params if isinstance(param, click.Option)],
    subcommand_metavar="CASE",
    help="""Show how an output came about, step by step, and where two versions part ways.

    CASE alone is show CASE: what went in and came out of each step, time, tokens and cost. With --against,
    both versions' steps are aligned (= the same, ~ changed, + new, − gone), and ▶ marks the first step where
    they part, with its diff. Asks no model.
    """,
)


def _side(engine: Engine, config: str, ref: str, model: str | None) -> VersionInfo:
    """The version, and the model of it that is meant: the one that is named, else its first.

    Raises:
        UsageError: there is no such version, or it has no such model.
    """
    import msgspec

    if model is not None:
        return engine.queries.side(config, f"{ref.partition('@')[0]}@{model}")
    found = engine.queries.side(config, ref)
    models = engine.queries.models(found)
    return found if found.model or not models else msgspec.structs.replace(found, model=models[0])


def _other_side(engine: Engine, config: str, ref: str, model: str, *, strict: bool) -> VersionInfo:
    """The same model of another version; where it was not named and is not there, that version's first.

    Raises:
        UsageError: there is no such version, or it has no such model.
    """
    if "@" in ref:
        return _side(engine, config, ref, None)
    if not strict and model not in engine.queries.models(engine.queries.side(config, ref)):
        return _side(engine, config, ref, None)
    return _side(engine, config, ref, model or None)


def _trace(engine: Engine, side: VersionInfo, case: str, trial: int | None) -> Trace:
    from llmops_tui.engine.traces import Traces

    return Traces(engine.store).of(side, case, side.model or None, trial)


def _tell(shell: Shell, found: Trace, markdown: bool, full: bool) -> None:
    if shell.as_json:
        from llmops_tui.report.trace_json import trace_json

        shell.print_json(trace_json(found))
    elif markdown:
        from llmops_tui.report.trace_markdown import trace_markdown

        shell.print(trace_markdown(found, full=full).rstrip("\n"))
    else:
        from llmops_tui.report.trace_text import trace_lines

        _print(trace_lines(found, width=_width(), full=full))


def _tell_both(shell: Shell, before: Trace, after: Trace, markdown: bool, full: bool) -> None:
    from llmops_tui.domain.trace_diff import diff_traces

    diff = diff_traces(before, after)
    if shell.as_json:
        from llmops_tui.report.trace_json import trace_diff_json

        shell.print_json(trace_diff_json(diff, full=full))
    elif markdown:
        from llmops_tui.report.trace_markdown import trace_diff_markdown

        shell.print(trace_diff_markdown(diff, full=full).rstrip("\n"))
    else:
        from llmops_tui.report.trace_text import trace_diff_lines

        _print(trace_diff_lines(diff, width=_width(), full=full))


def _print(lines: list[Line]) -> None:
    from llmops_tui.report.text import print_lines

    print_lines(lines, sys.stdout)


def _width() -> int:
    return max(shutil.get_terminal_size((PIPE_WIDTH, 40)).columns, 40) if sys.stdout.isatty() else PIPE_WIDTH
