"""`demo`: a workspace from the template, evaluated on the embedded model, and the app on it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import debug_option, json_option
from llmops_tui.cli.shell import Shell, with_engine
from llmops_tui.cli.weights import fetch_weights

if TYPE_CHECKING:
    from llmops_tui.engine.engine import Engine


@click.command()
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(file_okay=False, path_type=Path))
@click.option("--reset", is_flag=True, help="Start over: the demo's folder is made anew.")
@click.option(
    "--verdicts",
    is_flag=True,
    help="Show on a copy how the gate comes to pass, fail and inconclusive; yours stays as it is.",
)
@click.option(
    "--live",
    is_flag=True,
    help="Send a day of traffic through a copy of the demo, with a bad deployment and a slow provider.",
)
@click.option(
    "--month",
    is_flag=True,
    help="Let a team climb the ladder in a workspace of its own: a month, and what the doctor says each day.",
)
@click.option(
    "--attacks",
    is_flag=True,
    help="Show on a copy how an injection in a document gets past one version, and is stopped by the next.",
)
@json_option
@debug_option
@click.pass_obj
def demo(
    shell: Shell,
    folder: Path | None,
    reset: bool,
    verdicts: bool,
    live: bool,
    month: bool,
    attacks: bool,
) -> int:
    """Make a workspace, evaluate it on the embedded model, and open the app on it.

    The baseline is evaluated, a sentence of the prompt is edited, and that is evaluated too: every figure
    comes from the model then and there. Without a terminal the comparison is printed. A second demo opens
    at once from what is stored and keeps your edits.
    """
    from llmops_tui.engine import demo as steps

    root = (folder or steps.default_folder()).resolve()
    if verdicts + live + month + attacks > 1:
        raise click.UsageError("--verdicts, --live, --month and --attacks are demos of their own: choose one")
    if attacks:
        from llmops_tui.cli.demo_attacks import show_attacks

        return show_attacks(shell, root, reset=reset)
    if month:
        from llmops_tui.cli.demo_month import show_month

        return show_month(shell, root)
    if live:
        from llmops_tui.cli.demo_live import show_live

        return show_live(shell, root)
    if verdicts:
        from llmops_tui.cli.demo_verdicts import show_verdicts

        return show_verdicts(shell, root, reset=reset)
    steps.create(root, reset=reset)
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty() and not shell.as_json
    shell.say(f"The demo's workspace is {root}")

    async def body(engine: Engine) -> int:
        await fetch_weights(shell, engine)
        await _evaluate(shell, engine)
        if not on_terminal:
            _print(shell, engine)
            shell.say(f"Edit {root / steps.PROMPT} and save with the app open: llmops-tui --workspace {root}")
        return 0

    code = with_engine(root, body, writing=True, evaluating=True)
    if code or not on_terminal:
        return code
    shell.say(f"Open {root / steps.PROMPT} in your editor and save: the app shows what that did.")
    return shell.open_app(root, steps.CONFIG)


async def _evaluate(shell: Shell, engine: Engine) -> None:
    """Baseline, edit, candidate: as much of it as is not done yet."""
    from llmops_tui.cli.run import evaluate
    from llmops_tui.domain.errors import Problem, UsageError
    from llmops_tui.engine import demo as steps
    from llmops_tui.engine.events import AskFirst, RunRequest

    async def run() -> None:
        result, interrupted = await evaluate(shell, engine, RunRequest(steps.CONFIG, "demo"))
        if isinstance(result, AskFirst):
            raise UsageError(Problem(result.why, "raise the budget in llmops.yaml"))
        if interrupted:
            raise click.Abort

    if engine.store.versions.baseline(steps.CONFIG) is None:
        shell.say("Evaluating the baseline on the embedded model …")
        await run()
    if len(engine.store.versions.list(steps.CONFIG)) == 1 and not steps.is_edited(engine.root):
        steps.edit(engine.root)
        engine.load()
        shell.say("Edited a sentence of the prompt; evaluating what that touched …")
    # A demo that was cut short goes on here; one that is whole asks nothing.
    await run()


def _print(shell: Shell, engine: Engine) -> None:
    from llmops_tui.cli.compare import print_comparison
    from llmops_tui.engine import demo as steps

    if shell.as_json:
        from llmops_tui.report.json import compare_json, output_ids

        comparison, changes = engine.queries.compare(steps.CONFIG, None, None)
        texts = engine.store.outputs.texts(output_ids(comparison))
        shell.print_json(compare_json(comparison, changes, texts, engine.queries.drift(comparison)))
    else:
        print_comparison(engine, steps.CONFIG, None, None)
