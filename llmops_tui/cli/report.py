"""`report`: a comparison as markdown."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options, version_argument
from llmops_tui.cli.shell import Shell, choose_config, with_engine
from llmops_tui.cli.stored import comparable

if TYPE_CHECKING:
    from llmops_tui.engine.engine import Engine


@click.command()
@version_argument("a", required=False)
@version_argument("b", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it to this file; by default it is printed.",
)
@shared_options()
@click.pass_obj
def report(
    shell: Shell,
    a: str | None,
    b: str | None,
    output: Path | None,
    workspace: Path | None,
    config: str | None,
) -> int:
    """Write a comparison as markdown, for a pull request or a mail.

    A is the baseline and B the candidate; by default the promoted baseline and the latest version.
    The verdict on them comes first, and unfolds to its numbers. Asks no model.
    """

    async def body(engine: Engine) -> int:
        from llmops_tui.engine.export import report_text

        name = choose_config(engine, config)
        comparison, _changes = await comparable(shell, engine, name, a, b)
        versions = (comparison.baseline.version, comparison.candidate.version)
        text = report_text(engine, name, a, b, written_at=time.time())
        if output is not None:
            _write(output, text)
        if shell.as_json:
            answer = {"config": name, "baseline": versions[0].name, "candidate": versions[1].name}
            shell.print_json({**answer, "file": str(output) if output else None, "markdown": text})
        else:
            shell.print(f"written to {output}" if output is not None else text.rstrip("\n"))
        return 0

    return with_engine(workspace, body, writing=False)


def _write(target: Path, text: str) -> None:
    from llmops_tui.domain.errors import Problem, UsageError

    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            Problem(f"the report can't be written to {target}: {error.strerror}", "name another file with -o")
        ) from error
