"""The verbs. A verb's file is imported when it is used, and no sooner."""

from __future__ import annotations

import keyword
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from llmops_tui import __version__
from llmops_tui.cli.options import config_option, workspace_option

#: Verb → (file, what it does), in the order of the help. The file holds a command of that name, whose help
#: starts with these very words (a test says so).
VERBS = {
    "demo": ("demo", "Make a workspace, evaluate it on the embedded model, and open the app on it."),
    "init": ("init", "Make a workspace from the template."),
    "check": ("check", "Read every file of the workspace and name every mistake."),
    "run": ("run", "Evaluate what is on disk, as far as it was not evaluated before."),
    "compare": ("compare", "Show what changed between two versions, case by case."),
    "gate": ("gate", "Tell whether a version is worse than the baseline: pass, fail or inconclusive."),
    "try": ("try_", "Try other models, parameters or prompts without touching a file, and rank them."),
    "ask": ("ask", "Ask the baseline and what is on disk something, and see both answers."),
    "trace": ("trace", "Show how an output came about, step by step, and where two versions part ways."),
    "replay": (
        "replay",
        "Run a recorded output again from one of its steps, and see it beside the original.",
    ),
    "matrix": ("matrix", "Show how every case did, version by version or model by model."),
    "review": ("review", "Walk through the changed cases, and accept or reject each."),
    "explain": (
        "explain",
        "Tell which changed part did how much of the difference between two versions.",
    ),
    "versions": ("versions", "List the versions of a configuration, newest first."),
    "show": ("versions", "Show one version: its parts and how it did."),
    "label": ("versions", "Give a version a name of your own."),
    "promote": ("versions", "Make a version the baseline that others are held against."),
    "alerts": ("alerts", "Show the alert rules: what fires, since when, and each figure against its limit."),
    "report": ("report", "Write a comparison as markdown, for a pull request or a mail."),
    "bundle": ("bundle", "Carry versions and their answers from one database to another."),
    "bisect": ("bisect", "Find the version, or the commit, that broke a case."),
    "collect": ("collect", "Receive traces and signals of a live system, over OTLP."),
    "live": ("live", "Show production at a glance: quality, cost, latency, safety, signals and errors."),
    "queue": ("queue", "List the live requests that are most worth a look, and say why."),
    "case": ("case", "Make a case of a live request, with the answer that it should have had."),
    "guards": (
        "guards",
        "Show how every guardrail does: how often it fires, precision, recall, false alarms, and what waits.",
    ),
    "attack": ("attack", "Try the attacks on what is on disk, and hold it against the baseline."),
    "rollout": ("rollout", "Tell whether it is safe to go on with a version that has live traffic."),
    "signal": ("signal", "Note what a user did with an answer: a thumb, a rating, an edit, a retry."),
    "judge": ("judge", "Hold models that judge against people."),
    "canary": (
        "canary",
        "Ask the baseline its eval set anew, and tell whether its provider has changed the model.",
    ),
    "doctor": (
        "doctor",
        "Tell where the workspace stands: Baseline, Repeatable or Mature, item by item, and what to do next.",
    ),
    "schema": ("schema", "Print the JSON Schema of a workspace's files."),
    "trust": ("trust", "Allow the Python of this workspace to run."),
    "gc": ("gc", "Drop stored outputs that no version and no review needs."),
    "completion": ("completion", "Print the script that completes commands in your shell."),
}


class Verbs(click.Group):
    """A group that knows its verbs by name and imports one when it is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        file = VERBS[cmd_name][0]
        # A verb that is a word of Python is named like its file.
        command = getattr(
            import_module(f"llmops_tui.cli.{file}"), file if keyword.iskeyword(cmd_name) else cmd_name
        )
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-") and not ctx.resilient_parsing:
            from llmops_tui.domain.errors import Problem, UsageError, did_you_mean

            raise UsageError(Problem(f"there is no command '{args[0]}'", did_you_mean(args[0], set(VERBS))))
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of verbs, from `VERBS`: help imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_file, summary) in VERBS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [CompletionItem(n, help=s) for n, (_f, s) in VERBS.items() if n.startswith(incomplete)]


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Versions are named v3, by the start of their hash, by a label, or baseline, latest and previous. "
    "Exit codes: 0 fine, 1 the gate fails (or an alert fires, or a rollout should stop), 2 the workspace, "
    "the call or the budget says no, 3 some outputs could not be had, 4 the gate is inconclusive, "
    "130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", message="llmops-tui %(version)s")
@workspace_option
@config_option
@click.pass_context
def command_line(ctx: click.Context, workspace: Path | None, config: str | None) -> None:
    """Prompt iteration and regression review in the terminal.

    Without a command, llmops-tui opens the app on the workspace you are in.
    """
    given = {k: v for k, v in (("workspace", workspace), ("config", config)) if v is not None}
    ctx.default_map = dict.fromkeys(VERBS, given)
