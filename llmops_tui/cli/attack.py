"""`attack`: tries the workspace's attacks on a version, and adds to them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.attack_add import add, import_
from llmops_tui.cli.gate import PIPE_WIDTH
from llmops_tui.cli.options import shared_options, version_option
from llmops_tui.cli.shell import Shell, root_of, warn, with_engine
from llmops_tui.cli.weights import fetch_weights
from llmops_tui.cli.working import INTERRUPTED, REFUSED, carry_out
from llmops_tui.domain.attack import FAMILIES, WAYS

if TYPE_CHECKING:
    from llmops_tui.domain.attack_outcome import AttackOutcome
    from llmops_tui.engine.engine import Engine

#: The subcommand that is meant where none is named.
DEFAULT = "try"
#: Some answers could not be had.
INCOMPLETE = 3


@click.command(DEFAULT)
@version_option("--against", "baseline", "The version to hold it against; by default the promoted baseline.")
@click.option(
    *("--family", "families"),
    multiple=True,
    type=click.Choice(FAMILIES),
    help="Only attacks of this family; may be given several times.",
)
@click.option("--way", "ways", multiple=True, type=click.Choice(WAYS), help="Only those that get in so.")
@click.option("--mutation", "mutations", multiple=True, metavar="NAME", help="Only those in this disguise.")
@click.option("--fresh", is_flag=True, help="Ask both sides anew, side by side.")
@click.option(
    "--max-success",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Exit with 1 where a larger share of the attacks gets through (0.1 is 10%).",
)
@click.option("--yes", "agreed", is_flag=True, help="Ask even where it costs more than the budget.")
@click.option(
    "--trust", "trusting", is_flag=True, help="Allow the workspace's Python to run, as `trust` does."
)
@click.option("--markdown", is_flag=True, help="Print markdown.")
@shared_options()
@click.pass_obj
def try_(
    shell: Shell,
    baseline: str | None,
    families: tuple[str, ...],
    ways: tuple[str, ...],
    mutations: tuple[str, ...],
    fresh: bool,
    max_success: float | None,
    agreed: bool,
    trusting: bool,
    markdown: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Try the attacks on what is on disk, and hold it against the baseline.

    The attacks are those of attacks/*.yaml that are about the configuration, in all their disguises; beside
    them harmless cases tell where guardrails fire for nothing. What was answered before is not asked again.
    A rise of the attacks that get through, or of harmless cases that fail, is judged by the gate: exits with
    0, 1 and 4 for pass, fail and inconclusive, and with 0 where there is no baseline yet.
    """
    from llmops_tui.engine.events import AskFirst, AttackRequest

    if markdown and shell.as_json:
        raise click.UsageError("--markdown and --json are two forms: choose one")
    if trusting:
        from llmops_tui.workspace import trust

        trust.trust(root_of(workspace))

    async def body(engine: Engine) -> int:
        await fetch_weights(shell, engine)
        name = engine.configuration(config).name
        warn(shell, engine.workspace)
        request = AttackRequest(name, baseline, families, ways, mutations, fresh=fresh, agreed=agreed)
        outcome, interrupted = await carry_out(shell, engine, request)
        if isinstance(outcome, AskFirst):
            return REFUSED
        code = exit_code(outcome, max_success, interrupted=interrupted)
        show(shell, engine, outcome, code, markdown=markdown)
        if code == INTERRUPTED:
            shell.say("interrupted; what was answered is kept, and the next attack goes on from there")
        return code

    return with_engine(workspace, body, writing=True, evaluating=True)


def exit_code(outcome: AttackOutcome, max_success: float | None = None, *, interrupted: bool = False) -> int:
    """Of the command: the gate's, and 1 where more attacks than allowed get through."""
    if outcome.cancelled or interrupted:
        return REFUSED if outcome.over_budget and not interrupted else INTERRUPTED
    rate = outcome.figures.success.value
    if max_success is not None and rate is not None and rate > max_success:
        return 1
    if outcome.result is not None and outcome.result.exit_code:
        return outcome.result.exit_code
    # A limit that nothing could be held against is not kept.
    is_open = max_success is not None and rate is None
    return INCOMPLETE if is_open or (outcome.result is None and outcome.figures.errors) else 0


def show(shell: Shell, engine: Engine, outcome: AttackOutcome, code: int, *, markdown: bool = False) -> None:
    """Print it in the form that was asked for."""
    if shell.as_json:
        from llmops_tui.report.attack_json import attack_json

        old = outcome.baseline
        changes = engine.queries.changes(old, outcome.candidate) if old is not None else ()
        shell.print_json(attack_json(outcome, changes, code))
    elif markdown:
        from llmops_tui.report.attack_markdown import attack_document

        shell.print(attack_document(outcome))
    else:
        from llmops_tui.report.attack_text import attack_lines
        from llmops_tui.report.text import print_lines

        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if terminal else PIPE_WIDTH
        print_lines(attack_lines(outcome, width=max(width, 60)), sys.stdout)


class _Attack(click.Group):
    """`attack` is `attack try`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # What was given before the verb is for its subcommands as well.
        ctx.default_map = dict.fromkeys(self.commands, ctx.default_map)
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


#: Its options are those of the subcommand that it stands for.
attack = _Attack(
    "attack",
    commands={DEFAULT: try_, "import": import_, "add": add},
    params=[param for param in try_.params if isinstance(param, click.Option)],
    subcommand_metavar="",
    help=try_.help,
)
