"""`alerts`: how the alert rules stand; for cron, whether one fires."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from llmops_tui.cli.options import shared_options
from llmops_tui.cli.shell import Shell, root_of
from llmops_tui.domain.safe_text import clean_line

if TYPE_CHECKING:
    from llmops_tui.domain.live.alert_event import AlertEvent
    from llmops_tui.domain.live.alerting import AlertState
    from llmops_tui.domain.live.settings import AlertRule, Channel, LiveSettings

#: A rule fires; a channel could not be told.
FIRING, UNTOLD = 1, 3
#: Events that are shown.
_SHOWN = 10


def _rule_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    from llmops_tui.domain.errors import LlmopsError
    from llmops_tui.workspace import load_cached

    try:
        rules = load_cached(root_of(ctx.params.get("workspace"))).live.rules
    except (LlmopsError, OSError):
        return []
    return [CompletionItem(rule.name) for rule in rules if rule.name.startswith(incomplete)]


@click.command()
@click.option("--check", is_flag=True, help="Bring every rule up to now first; exit with 1 where one fires.")
@click.option(
    "--test",
    "test",
    metavar="RULE",
    shell_complete=_rule_names,
    help="Send a test of this rule through its channels.",
)
@shared_options(config=False)
@click.pass_obj
def alerts(shell: Shell, check: bool, test: str | None, workspace: Path | None) -> int:
    """Show the alert rules: what fires, since when, and each figure against its limit.

    While `collect` runs, it looks at the traffic once a minute and tells the channels. Without it, --check
    does both, from cron for example: 1 says that a rule fires. Rules are written in llmops.yaml
    (docs/alerts.md).
    """
    if check and test is not None:
        raise click.UsageError("--check and --test are two things: choose one")
    root = root_of(workspace)
    settings = _settings(root)
    if test is not None:
        return _test(shell, root, settings, test)
    checked = check and _check(shell, root, settings)
    return _show(shell, root, settings, check=check, checked=checked)


def _settings(root: Path) -> LiveSettings:
    """What `llmops.yaml` says; its mistakes end the command, those of other files don't."""
    from llmops_tui.domain.errors import WorkspaceError
    from llmops_tui.workspace import load_cached
    from llmops_tui.workspace.root import SETTINGS_FILE

    found = load_cached(root)
    wrong = [problem for problem in found.errors if problem.file == SETTINGS_FILE]
    if wrong:
        raise WorkspaceError(*wrong)
    return found.live


def _check(shell: Shell, root: Path, settings: LiveSettings) -> bool:
    """Bring the rules up to date; whether that was done, and not by another process just now."""
    import asyncio

    from llmops_tui.monitoring import channels
    from llmops_tui.monitoring.alerting import AlertTask
    from llmops_tui.monitoring.regressions import RegressionTask
    from llmops_tui.store.live import LIVE_DATABASE

    if not (root / LIVE_DATABASE).exists():
        return False

    async def send(where: Path, channel: Channel, event: AlertEvent) -> str:
        why = await channels.send(where, channel, event)
        what = f"not sent: {why}" if why else f"sent to {channel.name}"
        shell.say(clean_line(f"{event.what}: {event.rule or 'alerts'}: {what}"))
        return why

    async def look() -> bool:
        if await AlertTask(root, settings, send=send).look() is None:
            return False
        await RegressionTask(root, settings, send=send).look()
        return True

    return asyncio.run(look())


def _show(shell: Shell, root: Path, settings: LiveSettings, *, check: bool, checked: bool) -> int:
    import sys
    import time

    from llmops_tui.monitoring.absent import absent_of_rules
    from llmops_tui.monitoring.regressions import open_regressions
    from llmops_tui.report.alerts_json import alerts_json
    from llmops_tui.report.alerts_text import alerts_lines
    from llmops_tui.report.text import print_lines
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore

    states, events, regressed = {}, [], []
    if (root / LIVE_DATABASE).exists():
        with LiveStore.open(root / LIVE_DATABASE, read_only=True) as store:
            states, events = store.alerts.states(), store.alerts.events(limit=_SHOWN)
            regressed = open_regressions(store)
            for sentence in absent_of_rules(store, settings.rules, time.time()):
                shell.say(sentence)
    board = [(rule, _of_this_rule(rule, states.get(rule.name))) for rule in settings.rules]
    if shell.as_json:
        shell.print_json(alerts_json(board, events, checked=checked, regressed=regressed))
    else:
        print_lines(alerts_lines(board, events, time.time(), regressed), sys.stdout)
    fires = bool(regressed) or any(state is not None and state.phase == "firing" for _rule, state in board)
    return FIRING if check and fires else 0


def _of_this_rule(rule: AlertRule, state: AlertState | None) -> AlertState | None:
    """A state of the rule as it is written now; what another had, it starts without."""
    from llmops_tui.domain.live.alerting import mark_of

    return state if state is not None and state.mark == mark_of(rule) else None


def _test(shell: Shell, root: Path, settings: LiveSettings, name: str) -> int:
    import asyncio
    import sys
    import time

    from llmops_tui.domain.errors import Problem, UsageError, did_you_mean
    from llmops_tui.monitoring.alerting import tell, trial_event
    from llmops_tui.report.alerts_json import told_json
    from llmops_tui.report.alerts_text import told_lines
    from llmops_tui.report.text import print_lines

    rules = {rule.name: rule for rule in settings.rules}
    if name not in rules:
        raise UsageError(Problem(f"there is no alert '{name}'", did_you_mean(name, set(rules))))
    rule = rules[name]
    if not rule.to:
        raise UsageError(Problem(f"the alert '{name}' goes to the screen only", "name channels: to: [chat]"))
    results = asyncio.run(tell(root, settings, trial_event(rule, None, time.time()), rule.to))
    if shell.as_json:
        shell.print_json(told_json(rule, results))
    else:
        print_lines(told_lines(results), sys.stdout)
    return UNTOLD if any(results.values()) else 0
