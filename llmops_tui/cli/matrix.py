"""`matrix`: how every case did, version by version or model by model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options, version_argument
from llmops_tui.cli.shell import Shell, choose_config, open_engine
from llmops_tui.cli.stored import record_disk
from llmops_tui.domain.errors import Problem, UsageError

if TYPE_CHECKING:
    from llmops_tui.domain.matrix import Matrix
    from llmops_tui.engine.engine import Engine

#: Versions that are shown where nobody says how many.
LAST = 12
_ORDERS = {
    "trouble": "trouble first",
    "file": "as in the file",
    "name": "by name",
    "flips": "most flips first",
}


@click.command()
@version_argument("version", required=False)
@click.option("--models", is_flag=True, help="The models of one version: VERSION, or the latest one.")
@click.option(
    "--last",
    metavar="N",
    type=click.IntRange(min=1),
    help=f"So many of the newest versions; {LAST} by default.",
)
@click.option("--all", "all_", is_flag=True, help="Every version.")
@click.option("--sort", type=click.Choice(list(_ORDERS)), default="trouble", help="Order of the cases.")
@click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="Only cases with this tag; may be repeated."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print one row for each cell as CSV.")
@shared_options()
@click.pass_obj
def matrix(
    shell: Shell,
    version: str | None,
    models: bool,
    last: int | None,
    all_: bool,
    sort: str,
    tags: tuple[str, ...],
    as_csv: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Show how every case did, version by version or model by model.

    What failed most lately comes first. Every version stands as it was evaluated and judged at the time;
    compare holds two of them against the cases on disk. Asks no model.
    """
    if version is not None and not models:
        raise UsageError(Problem("a version is named for its models", "add --models, or use --last N"))
    if (last is not None or all_) and models:
        raise UsageError(Problem("--models is about one version", "leave --last and --all out"))
    if last is not None and all_:
        raise UsageError(Problem("--last and --all are two answers", "choose one"))
    if as_csv and shell.as_json:
        raise UsageError(Problem("--csv and --json are two formats", "choose one"))
    engine = open_engine(workspace, writing=False)
    try:
        name = choose_config(engine, config)
        record_disk(shell, engine, name)
        found = _read(engine, name, version, models=models, last=None if all_ else last or LAST)
        _print(shell, engine, name, found, _ORDERS[sort], tags, as_csv=as_csv)
    finally:
        engine.close()
    return 0


def _read(engine: Engine, config: str, version: str | None, *, models: bool, last: int | None) -> Matrix:
    from llmops_tui.engine.matrix import models_matrix, versions_matrix

    if models:
        return models_matrix(engine.store, engine.queries.resolve(config, version or "latest"))
    return versions_matrix(engine.store, config, last)


def _print(
    shell: Shell,
    engine: Engine,
    config: str,
    found: Matrix,
    sort: str,
    tags: tuple[str, ...],
    *,
    as_csv: bool,
) -> None:
    from llmops_tui.domain.matrix_order import order
    from llmops_tui.report.matrix_text import matrix_csv, matrix_json, matrix_lines
    from llmops_tui.report.text import print_lines

    configuration = engine.workspace.configurations.get(config)
    tags_of = {c.id: c.tags for c in configuration.cases} if configuration is not None else {}
    rows = [n for n in order(found, sort) if all(tag in tags_of.get(found.rows[n][0], ()) for tag in tags)]
    if tags and not rows:
        from llmops_tui.domain.errors import did_you_mean

        known = {tag for own in tags_of.values() for tag in own}
        raise UsageError(Problem(f"no case has the tag '{' and '.join(tags)}'", did_you_mean(tags[0], known)))
    if shell.as_json:
        shell.print_json(matrix_json(config, found, rows))
    elif as_csv:
        sys.stdout.flush()
        sys.stdout.buffer.write(matrix_csv(found, rows, tags_of).encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    else:
        print_lines(matrix_lines(found, rows), sys.stdout)
