"""`docs/commands.md`, from the program's own help; run as a module it prints the page."""

from __future__ import annotations

import click

from llmops_tui.cli.group import VERBS, command_line

WIDTH = 96

INTRODUCTION = """\
# Commands

This page is made from the program's own help, by `python -m llmops_tui.cli.reference > docs/commands.md`.

Without a command, `llmops-tui` opens the app on the workspace you are in; it needs a terminal.

A **version** is named `v3`, by the start of its hash (four digits or more), by a label, or as `baseline` (the
promoted one), `latest` (the one on disk) or `previous` (the one before it).

The **workspace** is the nearest folder, from the current one upwards, with `llmops.yaml` or `configs/`;
`--workspace DIR` names another. Where it holds several configurations, `--config NAME` says which one a
command is about; `check` reads all.

Answers go to stdout; warnings, errors and progress to stderr. With `--json` the answer is one object,
described in [json.md](json.md). Colours only appear on a terminal, and not with `NO_COLOR`.

| exit code | meaning |
| --- | --- |
| 0 | fine; of `gate`: pass, or inconclusive where that is let pass |
| 1 | `gate` says fail |
| 2 | the workspace, the call or the budget says no |
| 3 | some outputs could not be had; of `gate`: more than `max_errors` |
| 4 | `gate` says inconclusive |
| 70 | a defect of llmops-tui itself |
| 130 | interrupted; what was done is kept |
"""


def commands_markdown() -> str:
    """The page."""
    root = _context("llmops-tui", command_line, None)
    sections = [INTRODUCTION, _section(root)]
    for name in VERBS:
        command = command_line.get_command(root, name)
        assert command is not None
        sections.append(_section(_context(name, command, root)))
    return "\n".join(sections)


def _context(name: str, command: click.Command, parent: click.Context | None) -> click.Context:
    return command.make_context(
        name, [], parent, resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    )


def _section(ctx: click.Context) -> str:
    return f"## {ctx.command_path}\n\n```\n{ctx.get_help()}\n```\n"


if __name__ == "__main__":
    click.echo(commands_markdown(), nl=False)
