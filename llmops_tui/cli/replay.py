"""`replay`: a recorded output run again from one of its steps, beside the original."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options, version_option
from llmops_tui.cli.shell import Shell, warn, with_engine
from llmops_tui.cli.weights import fetch_weights

if TYPE_CHECKING:
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.replaying import Replayed

#: The answer could not be had.
INCOMPLETE = 3


@click.command()
@click.argument("case")
@click.option(
    "--from",
    "start",
    required=True,
    metavar="STEP",
    help="Where to begin: a step of a chain, STEP/model, or (of a plain prompt) retrieval, prompt or model.",
)
@click.option(
    "--with",
    "run_with",
    metavar="CONFIG",
    help="Run it with this configuration on disk, or this version; by default with the version itself.",
)
@version_option("--version", "version", "Whose output: v3, a hash, a label … (default: latest).")
@click.option("--model", metavar="NAME", help="The model that answered, or a part of its name.")
@click.option("--trial", type=click.IntRange(min=1), metavar="N", help="The trial; the first one is 1.")
@click.option("--yes", "agreed", is_flag=True, help="Ask even where it costs more than the budget.")
@shared_options()
@click.pass_obj
def replay(
    shell: Shell,
    case: str,
    start: str,
    run_with: str | None,
    version: str | None,
    model: str | None,
    trial: int | None,
    agreed: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Run a recorded output again from one of its steps, and see it beside the original.

    What came before the step is handed over as it was recorded. The models are asked anew, and what they
    answer belongs to no run: a version's results stay as they are. Exits with 3 where there is no answer.
    """

    async def body(engine: Engine) -> int:
        from llmops_tui.engine.replaying import Replay, ReplayRequest

        await fetch_weights(shell, engine)
        name = engine.configuration(config).name
        warn(shell, engine.workspace)
        found = engine.queries.side(name, version or "latest")
        request = ReplayRequest(
            *(name, found, case, start, model or found.model or None),
            trial=None if trial is None else trial - 1,
            run_with=run_with,
            agreed=agreed,
        )
        done = await Replay(engine).run(request)
        _tell(shell, done)
        return INCOMPLETE if done.output is None else 0

    return with_engine(workspace, body, writing=True, evaluating=True)


def _tell(shell: Shell, done: Replayed) -> None:
    from llmops_tui.domain.trace_diff import diff_traces
    from llmops_tui.report.replay_text import replay_json, replay_lines
    from llmops_tui.report.text import print_lines

    diff = diff_traces(done.before, done.after)
    if shell.as_json:
        shell.print_json(replay_json(done.output, done.scores, done.failure, done.calls, done.cost_usd, diff))
        return
    for said in done.said:
        shell.say(said)
    lines = replay_lines(done.output, done.scores, done.failure, done.calls, done.cost_usd, diff)
    print_lines(lines, sys.stdout)
