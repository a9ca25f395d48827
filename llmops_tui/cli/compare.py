"""`compare`: two versions, case by case."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options, version_argument
from llmops_tui.cli.shell import Shell, choose_config, with_engine
from llmops_tui.cli.stored import comparable
from llmops_tui.domain.errors import Problem, UsageError

if TYPE_CHECKING:
    from llmops_tui.domain.comparison import Comparison
    from llmops_tui.engine.engine import Engine

#: Width of a line where the output is no terminal.
PIPE_WIDTH = 100


@click.command()
@version_argument("a", required=False)
@version_argument("b", required=False)
@click.option(
    "--csv",
    "target",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Write one row for each case and model as CSV, to FILE or stdout.",
)
@click.option("--texts", "with_texts", is_flag=True, help="With --csv: the outputs of the first trial too.")
@shared_options()
@click.pass_obj
def compare(
    shell: Shell,
    a: str | None,
    b: str | None,
    target: str | None,
    with_texts: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Show what changed between two versions, case by case.

    A is the baseline and B the candidate; by default the promoted baseline and the latest version. v3@MODEL
    is one model of a version, so v3@gpt v3@llama holds two models side by side. Asks no model: what was not
    evaluated is shown as such. Put --csv after A and B, or before another option.
    """
    if target is None and with_texts:
        raise UsageError(Problem("--texts goes with --csv", "add --csv"))
    if target is not None and shell.as_json:
        raise UsageError(Problem("--csv and --json are two formats", "choose one"))

    async def body(engine: Engine) -> int:
        name = choose_config(engine, config)
        comparison, changes = await comparable(shell, engine, name, a, b)
        if target is not None:
            _csv(shell, engine, comparison, target, with_texts=with_texts)
        elif shell.as_json:
            from llmops_tui.report.json import compare_json, output_ids

            ids = output_ids(comparison)
            texts, looks = engine.store.outputs.texts(ids), engine.store.outputs.looks(ids)
            drift = engine.queries.drift(comparison)
            failed = [engine.queries.guard_failures(s) for s in (comparison.baseline, comparison.candidate)]
            shell.print_json(compare_json(comparison, changes, texts, drift, looks, failed))
        else:
            print_comparison(engine, name, a, b)
        return 0

    return with_engine(workspace, body, writing=False)


def _csv(shell: Shell, engine: Engine, comparison: Comparison, target: str, *, with_texts: bool) -> None:
    """Write the rows to a file, or to stdout where it is `-`."""
    from llmops_tui.domain.review import decisions_of
    from llmops_tui.report.csv import comparison_csv
    from llmops_tui.report.json import output_ids
    from llmops_tui.workspace import reviews

    configuration = engine.workspace.configurations.get(comparison.candidate.version.config)
    tags = {c.id: c.tags for c in configuration.cases} if configuration is not None else {}
    decisions = decisions_of(reviews.read(engine.root), comparison)
    texts = engine.store.outputs.texts(output_ids(comparison)) if with_texts else None
    data = comparison_csv(comparison, tags, decisions, texts).encode("utf-8", "replace")
    if target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        Path(target).write_bytes(data)
    except OSError as error:
        raise UsageError(
            Problem(f"{target} can't be written: {error.strerror}", "name another file with --csv")
        ) from error
    shell.print(f"written to {target}")


def print_comparison(engine: Engine, config: str, a: str | None, b: str | None) -> None:
    """The comparison as text on stdout, in colour on a terminal."""
    from llmops_tui.report.text import comparison_lines, print_lines

    comparison, changes = engine.queries.compare(config, a, b)
    texts = engine.queries.texts(comparison.baseline.version, comparison.candidate.version)
    drift = engine.queries.drift(comparison)
    width = shutil.get_terminal_size((PIPE_WIDTH, 40)).columns if sys.stdout.isatty() else PIPE_WIDTH
    failed = [engine.queries.guard_failures(side) for side in (comparison.baseline, comparison.candidate)]
    lines = comparison_lines(
        *(comparison, changes, texts, engine.queries.detail),
        width=max(width, 60),
        drift=drift,
        guard_failures=failed,
    )
    print_lines(lines, sys.stdout)
