"""`run`: evaluate what is on disk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of, warn, with_engine
from llmops_tui.cli.weights import fetch_weights
from llmops_tui.cli.working import INTERRUPTED, REFUSED, interruptible

if TYPE_CHECKING:
    from llmops_tui.domain.run import Reason
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.events import AskFirst, NothingToDo, RunEnded, RunRequest

#: Some outputs could not be had.
INCOMPLETE = 3


@click.command()
@click.option(
    "--case", "ids", multiple=True, metavar="ID", help="Only this case; may be given several times."
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only cases with this tag; likewise.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N of those.")
@click.option("--fresh", is_flag=True, help="Ask everything anew; what was answered before is kept.")
@click.option("--failed", "only_failed", is_flag=True, help="Ask again what could not be had.")
@click.option("--yes", "agreed", is_flag=True, help="Run even where it costs more than the budget.")
@click.option(
    "--trust", "trusting", is_flag=True, help="Allow the workspace's Python to run, as `trust` does."
)
@shared_options()
@click.pass_obj
def run(
    shell: Shell,
    ids: tuple[str, ...],
    tags: tuple[str, ...],
    limit: int | None,
    fresh: bool,
    only_failed: bool,
    agreed: bool,
    trusting: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Evaluate what is on disk, as far as it was not evaluated before.

    What has an answer already is not asked again. Ctrl-C keeps what is done. Exits with 3 where some
    outputs could not be had, and with 2 where the run would cost more than the budget in llmops.yaml.
    """
    from llmops_tui.engine.events import RunRequest, Subset

    if trusting:
        from llmops_tui.workspace import trust

        trust.trust(root_of(workspace))
    subset = Subset(ids, tags, limit)
    reason: Reason = "fresh" if fresh else "retry" if only_failed else "manual"

    async def body(engine: Engine) -> int:
        await fetch_weights(shell, engine)
        name = engine.configuration(config).name
        warn(shell, engine.workspace)
        request = RunRequest(name, reason, subset, fresh=fresh, only_failed=only_failed, agreed=agreed)
        return await _run(shell, engine, request)

    return with_engine(workspace, body, writing=True, evaluating=True)


async def _run(shell: Shell, engine: Engine, request: RunRequest) -> int:
    import msgspec

    from llmops_tui.domain.errors import BudgetError, Problem
    from llmops_tui.engine.events import AskFirst

    result, interrupted = await evaluate(shell, engine, request)
    if isinstance(result, AskFirst):
        if shell.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise BudgetError(
                Problem(result.why, "raise the budget, ask for fewer cases, or agree with --yes")
            )
        if not click.confirm(f"{result.why}.\nRun it all the same?", err=True):
            return REFUSED
        result, interrupted = await evaluate(shell, engine, msgspec.structs.replace(request, agreed=True))
        assert not isinstance(result, AskFirst)
    return await _tell(shell, engine, request.config, result, interrupted)


async def evaluate(
    shell: Shell, engine: Engine, request: RunRequest
) -> tuple[RunEnded | NothingToDo | AskFirst, bool]:
    """Evaluate with a progress bar; the first Ctrl-C cancels and keeps what is done, a second one ends it.

    Returns:
        What the engine says, and whether the person interrupted it.
    """
    from llmops_tui.cli.progress import progress_of

    with interruptible(engine) as state, progress_of(shell) as on_event:
        return await engine.evaluate(request, on_event), state.on


async def _tell(
    shell: Shell, engine: Engine, config: str, result: RunEnded | NothingToDo, interrupted: bool
) -> int:
    from llmops_tui.engine.events import RunEnded
    from llmops_tui.report.json import run_json

    ended = result if isinstance(result, RunEnded) else None
    run_info = ended.run if ended else None
    failures = ended.failures if ended else ()
    tally = result.tally
    failed = engine.queries.guard_failures(engine.queries.snapshot(result.version))
    if shell.as_json:
        shown = run_json(result.version, run_info, tally, failed)
        shell.print_json({**shown, "failures": list(failures)})
    else:
        from llmops_tui.report.run_text import run_lines
        from llmops_tui.report.text import print_lines

        baseline = engine.store.versions.baseline(config)
        if baseline is not None and baseline.id != result.version.id:
            await engine.rescore(baseline)
        comparison, _changes = engine.queries.compare(config, None, result.version.name)
        print_lines(run_lines(result.version, run_info, tally, failures, comparison, failed), sys.stdout)
        for sentence in engine.queries.drift(comparison):
            shell.say(f"warning: {sentence}")
    if interrupted:
        shell.say("interrupted; what was done is kept, and the next run goes on from there")
        return INTERRUPTED
    if run_info is not None and run_info.state != "complete" and not tally.errors:
        return REFUSED  # the budget stopped it, and said so
    return INCOMPLETE if tally.errors else 0
