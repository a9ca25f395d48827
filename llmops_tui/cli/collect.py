"""`collect`: receives traces and signals of a live system."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="N",
    help="Where it listens; by default live.port of llmops.yaml, which is 4318. 0 takes any free one.",
)
@click.option(
    "--host",
    metavar="HOST",
    help="Listen for other machines too, on this address of this one; takes a token. By default loopback.",
)
@click.option("--quiet", is_flag=True, help="Print nothing but faults.")
@shared_options(config=False)
@click.pass_obj
def collect(shell: Shell, port: int | None, host: str | None, quiet: bool, workspace: Path | None) -> int:
    """Receive traces and signals of a live system, over OTLP.

    Point any program that is instrumented with OpenTelemetry at it, by OTEL_EXPORTER_OTLP_ENDPOINT
    (docs/collect.md). What it acknowledges is on disk. Ends on Ctrl-C, when all of it is.
    """
    from llmops_tui.engine.collecting import collect as receive
    from llmops_tui.engine.collecting import collector_lock, collector_of, taking_in
    from llmops_tui.engine.collecting_beside import tasks_beside
    from llmops_tui.monitoring.collector.reporting import Report

    root = root_of(workspace)
    with collector_lock(root):
        settings, intake = taking_in(root)
        collector = collector_of(root, settings, host=host, port=port, say=shell.say, intake=intake)

        def started() -> None:
            if shell.as_json:
                # One line: whoever started it reads lines.
                shell.print(json.dumps({"url": collector.url, "pid": os.getpid()}))
            elif not quiet:
                shell.print(f"collecting at {collector.url} (OTEL_EXPORTER_OTLP_ENDPOINT={collector.url})")
            sys.stdout.flush()

        tasks = tasks_beside(root, settings, shell.say)
        if sys.stderr.isatty() and not quiet:
            tasks.append(Report(collector.figures, shell.say))
        asyncio.run(receive(collector, tasks, started))
    return 0
