"""`versions`, `show`, `label`, `promote`: what has been, and what people say about it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options, version_argument
from llmops_tui.cli.shell import Shell, choose_config, open_engine, with_engine
from llmops_tui.cli.stored import judge_alike, record_disk

if TYPE_CHECKING:
    from llmops_tui.domain.case import Case
    from llmops_tui.engine.engine import Engine


@contextmanager
def _opened(
    shell: Shell, workspace: Path | None, config: str | None, *, writing: bool
) -> Iterator[tuple[Engine, str]]:
    """The engine, and the configuration that the command is about."""
    engine = open_engine(workspace, writing=writing)
    try:
        name = choose_config(engine, config)
        record_disk(shell, engine, name)
        yield engine, name
    finally:
        engine.close()


def _cases(engine: Engine, config: str) -> tuple[Case, ...]:
    """The cases on disk, whose tags the figures of versions are told by."""
    configuration = engine.workspace.configurations.get(config)
    return configuration.cases if configuration is not None else ()


@click.command()
@shared_options()
@click.pass_obj
def versions(shell: Shell, workspace: Path | None, config: str | None) -> int:
    """List the versions of a configuration, newest first.

    A commit with a + had changes that were not committed.
    """
    from llmops_tui.report.json import summary_json
    from llmops_tui.report.run_text import version_table
    from llmops_tui.report.text import print_lines

    with _opened(shell, workspace, config, writing=False) as (engine, name):
        summaries = engine.queries.history(name, _cases(engine, name))
        if shell.as_json:
            shell.print_json({"config": name, "versions": [summary_json(s) for s in summaries]})
        else:
            print_lines(version_table(summaries, time.time()), sys.stdout)
    return 0


@click.command()
@version_argument("version")
@shared_options()
@click.pass_obj
def show(shell: Shell, version: str, workspace: Path | None, config: str | None) -> int:
    """Show one version: its parts and how it did.

    VERSION is v3, the start of a hash, a label, baseline, latest or previous.
    """
    from llmops_tui.report.json import show_json
    from llmops_tui.report.run_text import version_lines
    from llmops_tui.report.text import print_lines

    with _opened(shell, workspace, config, writing=False) as (engine, name):
        found = engine.queries.resolve(name, version)
        summary = engine.queries.summary(found, _cases(engine, name))
        manifest = engine.store.versions.manifest(found.id)
        if shell.as_json:
            shell.print_json(show_json(summary, manifest))
        else:
            print_lines(version_lines(summary, manifest), sys.stdout)
    return 0


@click.command()
@version_argument("version")
@click.argument("text")
@shared_options()
@click.pass_obj
def label(shell: Shell, version: str, text: str, workspace: Path | None, config: str | None) -> int:
    """Give a version a name of your own.

    The label can be used wherever a version is named.
    """
    from llmops_tui.report.figures import version_words
    from llmops_tui.report.json import version_json

    with _opened(shell, workspace, config, writing=True) as (engine, name):
        found = engine.queries.resolve(name, version)
        labelled = engine.store.versions.label(found.id, text)
        if shell.as_json:
            shell.print_json({"config": name, "version": version_json(labelled)})
        else:
            shell.print(version_words(labelled))
    return 0


@click.command()
@version_argument("version")
@click.option("--force", is_flag=True, help="Also where its gate does not pass; needs --note.")
@click.option("--note", metavar="TEXT", default="", help="Why, for people; kept in baselines.yaml.")
@shared_options()
@click.pass_obj
def promote(
    shell: Shell, version: str, force: bool, note: str, workspace: Path | None, config: str | None
) -> int:
    """Make a version the baseline that others are held against.

    It is written to baselines.yaml, which belongs into git. Refused while its gate against the current
    baseline fails or is inconclusive, and where its run is not complete. Asks no model.
    """

    async def body(engine: Engine) -> int:
        from llmops_tui.engine import promotion
        from llmops_tui.report.json import version_json

        name = choose_config(engine, config)
        record_disk(shell, engine, name)
        found = engine.queries.resolve(name, version)
        before = engine.store.versions.baseline(name)
        await judge_alike(shell, engine, [v for v in (before, found) if v is not None])
        promoted = promotion.promote(engine, found, force=force, note=note)
        if shell.as_json:
            shell.print_json(
                {
                    "config": name,
                    "baseline": version_json(promoted),
                    "before": before.name if before else None,
                    "file": "baselines.yaml",
                }
            )
        else:
            instead = f" instead of {before.name}" if before and before.id != promoted.id else ""
            shell.print(f"{promoted.name} is the baseline of {name}{instead}; written to baselines.yaml")
        return 0

    return with_engine(workspace, body, writing=True)
