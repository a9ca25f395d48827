"""`check`: every mistake in the workspace's files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of

if TYPE_CHECKING:
    from llmops_tui.domain.errors import Problem


@click.command()
@shared_options()
@click.pass_obj
def check(shell: Shell, workspace: Path | None, config: str | None) -> int:
    """Read every file of the workspace and name every mistake.

    Each with its file, line, what is wrong and what would be right. Without --config, all configurations
    are checked. Warnings alone exit with 0.
    """
    from llmops_tui.domain import format as fmt
    from llmops_tui.domain.errors import Problem, UsageError, WorkspaceError, did_you_mean
    from llmops_tui.domain.safe_text import clean
    from llmops_tui.report.json import problem_json
    from llmops_tui.workspace import load

    root = root_of(workspace)
    if config is not None and not (root / "configs" / f"{config}.yaml").is_file():
        known = {p.stem for p in (root / "configs").glob("*.yaml")}
        raise UsageError(Problem(f"there is no configuration '{config}'", did_you_mean(config, known)))
    found = load(root, only=config)
    problems = (*found.problems, *_beside(root))
    errors = [p for p in problems if not p.warning]
    if shell.as_json:
        if errors:
            raise WorkspaceError(*problems)
        shell.print_json(
            {
                "ok": True,
                "workspace": str(root),
                "configurations": [
                    {
                        "name": c.name,
                        "file": c.file,
                        "hash": c.manifest.hash,
                        "models": [m.id for m in c.models],
                        "cases": len(c.cases),
                    }
                    for c in found.configurations.values()
                ],
                "problems": [problem_json(p) for p in problems],
            }
        )
        return 0
    for problem in problems:
        shell.print(clean(f"warning: {problem}" if problem.warning else str(problem)))
    if errors:
        shell.print(f"{fmt.plural(len(errors), 'mistake')} found")
        return WorkspaceError.exit_code
    for c in found.configurations.values():
        models = ", ".join(m.id for m in c.models)
        shell.print(clean(f"{c.file} is fine: {fmt.plural(len(c.cases), 'case')} on {models}"))
    return 0


def _beside(root: Path) -> list[Problem]:
    """Mistakes of the files that are read only when something is evaluated."""
    from llmops_tui.domain.errors import WorkspaceError
    from llmops_tui.workspace import baselines
    from llmops_tui.workspace.connection import read_env_file

    problems: list[Problem] = []
    for read in (read_env_file, baselines.read):
        try:
            read(root)
        except WorkspaceError as error:
            problems += error.problems
    return problems
