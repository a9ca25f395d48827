"""`trace import`: traces that another tool has kept, into the live database."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of

if TYPE_CHECKING:
    from llmops_tui.domain.live.arrival import Aside, Batch
    from llmops_tui.tracing.importers import Reached

#: Nothing of what was named could be read.
NOTHING = 2
#: Reasons that are told.
_REASONS = 3


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "format_",
    metavar="NAME",
    help="langfuse, langsmith, phoenix, litellm, openai, otlp or plain; by default told from the records.",
)
@click.option(
    "--map",
    "entries",
    multiple=True,
    metavar="WORD=FIELD",
    help="Of plain records: what is what, as input=question.text. Repeatable (docs/trace-import.md).",
)
@click.option("--feature", metavar="NAME", help="The feature of requests that name none.")
@click.option("--version", "version", metavar="VERSION", help="The version of requests that name none: v3.")
@click.option("--dry-run", is_flag=True, help="Read and count, write nothing.")
@shared_options()
@click.pass_obj
def trace_import(
    shell: Shell,
    files: tuple[str, ...],
    format_: str | None,
    entries: tuple[str, ...],
    feature: str | None,
    version: str | None,
    dry_run: bool,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Import traces that another tool has kept, into the live database.

    Exports of Langfuse, LangSmith and Phoenix, logs of litellm, chat in OpenAI's shapes, files of OTLP, or
    any JSON lines with --map. Importing a file twice adds nothing: ids stay. What can't be read is counted,
    kept aside and shown. A FILE may be gzip; - is standard input. --config, --version and --feature are for
    requests that don't say. Exits with 2 where nothing could be read.
    """
    from llmops_tui.domain import semconv as a
    from llmops_tui.tracing.importers import CannotImport, mapping_of, read_files

    root = root_of(workspace)
    given = {a.FEATURE: feature, a.CONFIG: config, a.VERSION: version}
    reached = read_files(
        files,
        format=format_ or "",
        mapping=mapping_of(list(entries)),
        defaults={name: value for name, value in given.items() if value},
        say=(lambda _text: None) if shell.as_json else shell.say,
    )
    counts = _Counts()
    try:
        with _writing(root, dry_run) as write, _progress() as show:
            for each in reached:
                counts.take(each, write(each.batch))
                show(each, counts)
    except CannotImport:
        if counts.records and not shell.as_json:  # of the files before it
            _tell(shell, counts, dry_run)
        raise
    _tell(shell, counts, dry_run)
    return 0 if counts.records else NOTHING


@contextmanager
def _writing(root: Path, dry_run: bool) -> Iterator[Callable[[Batch], tuple[int, int, int, int]]]:
    """What takes a batch and gives how many spans were new and known, signals and scores."""
    if dry_run:
        yield lambda batch: (len(batch.spans), 0, len(batch.signals), len(batch.scores))
        return
    from llmops_tui.engine.collecting import taking_in
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore

    _settings, prepare = taking_in(root)
    with LiveStore.open(root / LIVE_DATABASE) as store:

        def write(batch: Batch) -> tuple[int, int, int, int]:
            done = store.ingest([prepare(batch)], time.time())
            return done.spans, done.duplicates, done.signals, done.scores

        yield write


class _Counts:
    """What came of it so far."""

    def __init__(self) -> None:
        self.records = self.new = self.known = self.signals = self.scores = self.aside = 0
        self.files: list[str] = []
        self.reasons: list[Aside] = []

    def take(self, reached: Reached, written: tuple[int, int, int, int]) -> None:
        new, known, signals, scores = written
        self.records = reached.records
        self.new += new
        self.known += known
        self.signals += signals
        self.scores += scores
        self.aside += len(reached.batch.aside)
        self.reasons += reached.batch.aside[: _REASONS - len(self.reasons)]
        if reached.file and reached.file not in self.files:
            self.files.append(reached.file)


def _tell(shell: Shell, counts: _Counts, dry_run: bool) -> None:
    if shell.as_json:
        reasons = [{"file": x.source, "place": x.place, "why": x.why} for x in counts.reasons]
        shell.print_json(
            {
                "files": counts.files,
                "records": counts.records,
                "spans": counts.new,
                "known": counts.known,
                "signals": counts.signals,
                "scores": counts.scores,
                "aside": counts.aside,
                "reasons": reasons,
                "dry_run": dry_run,
            }
        )
        return
    from llmops_tui.domain import format as fmt
    from llmops_tui.domain.safe_text import clean_line

    done = "would import" if dry_run else "imported"
    parts = [fmt.plural(counts.new, "new span"), f"{fmt.count(counts.known)} known already"]
    parts = parts[:1] if dry_run else parts
    for number, noun in ((counts.scores, "score"), (counts.signals, "signal")):
        parts += [fmt.plural(number, noun)] if number else []
    shell.print(f"{done} {', '.join(parts)} from {fmt.plural(counts.records, 'record')}")
    if counts.aside:
        shell.print(f"set aside: {fmt.plural(counts.aside, 'record')}")
        for reason in counts.reasons:
            shell.print(f"  {clean_line(f'{reason.source}, {reason.place}: {reason.why}')}")
        if counts.aside > len(counts.reasons):
            shell.print("  …")


@contextmanager
def _progress() -> Iterator[Callable[[Reached, _Counts], Any]]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _reached, _counts: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from llmops_tui.domain import format as fmt
    from llmops_tui.domain.safe_text import clean_line

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[figures]}", markup=False),
    )
    console = Console(stderr=True, highlight=False)
    with Progress(*columns, console=console, transient=True, refresh_per_second=8) as bar:
        task = bar.add_task("reading", total=None, figures="")

        def show(reached: Reached, counts: _Counts) -> None:
            figures = f"{fmt.plural(counts.records, 'record')} · {fmt.plural(counts.new, 'new span')}"
            if counts.aside:
                figures += f" · {fmt.count(counts.aside)} set aside"
            bar.update(
                task,
                description=clean_line(reached.file) or "reading",
                completed=reached.done,
                total=reached.size or None,
                figures=figures,
            )

        yield show
