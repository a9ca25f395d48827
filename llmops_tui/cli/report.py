"""`report`: a comparison as markdown."""

from __future__ import annotations

import time
from pathlib import Path

import click

from llmops_tui.cli.options import shared_options, version_argument
from llmops_tui.cli.shell import Shell, choose_config, open_engine
from llmops_tui.cli.stored import comparable


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
    """
    from llmops_tui.domain.errors import Problem, UsageError
    from llmops_tui.report.markdown import markdown

    engine = open_engine(workspace, writing=False)
    try:
        name = choose_config(engine, config)
        comparison, changes = comparable(shell, engine, name, a, b)
        texts = engine.queries.texts(comparison.baseline.version, comparison.candidate.version)
        text = markdown(comparison, changes, texts, engine.queries.detail, written_at=time.time())
    finally:
        engine.close()
    if output is not None:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(
                Problem(
                    f"the report can't be written to {output}: {error.strerror}", "name another file with -o"
                )
            ) from error
    if shell.as_json:
        names = (comparison.baseline.version.name, comparison.candidate.version.name)
        file = str(output) if output else None
        shell.print_json(
            {"config": name, "baseline": names[0], "candidate": names[1], "file": file, "markdown": text}
        )
    elif output is not None:
        shell.print(f"written to {output}")
    else:
        shell.print(text.rstrip("\n"))
    return 0
