"""What the commands about live traffic share: the window, the filter, and the database."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llmops_tui.cli.shell import Shell, root_of

if TYPE_CHECKING:
    from llmops_tui.domain.live.listing import LiveFilter, LiveRequest
    from llmops_tui.domain.live.settings import LiveSettings
    from llmops_tui.domain.trace import Trace
    from llmops_tui.store.live import LiveStore

F = TypeVar("F", bound=Callable[..., Any])
_AGO = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) *(m|min|h|d|w)", re.IGNORECASE)
_SECONDS = {"m": 60.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
#: Option → which requests it keeps.
_FILTERS = {
    "feature": "Only requests of this feature.",
    "version": "Only those that this version answered.",
    "model": "Only those that this model answered.",
    "provider": "Only those that this provider answered.",
    "user": "Only those of this user.",
    "session": "Only those of this session.",
}


class Moment(click.ParamType[float]):
    """`24h` (so long ago), `2026-11-23`, `2026-11-23T18:00`, or `all`: Unix seconds; 0 for all."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if not isinstance(value, str):
            return float(value)
        text = value.strip()
        if text.lower() == "all":
            return 0.0
        if (found := _AGO.fullmatch(text)) is not None:
            return max(time.time() - float(found[1]) * _SECONDS[found[2].lower()], 1.0)
        try:
            return datetime.fromisoformat(text).astimezone().timestamp()
        except (ValueError, OverflowError, OSError):
            self.fail(f"'{text}' is no time: write 24h, 7d, 2026-11-23 or 2026-11-23T18:00", param, ctx)


def window_options(since: str) -> Callable[[F], F]:
    """`--since` and `--until`."""

    def add(function: F) -> F:
        function = click.option(
            *("--until", "until"),
            type=Moment(),
            metavar="TIME",
            help="Up to then; by default until now.",
        )(function)
        return click.option(
            *("--since", "since"),
            type=Moment(),
            default=since,
            show_default=True,
            metavar="TIME",
            help="From then on: 24h, 7d, a date, or all.",
        )(function)

    return add


def filter_options(function: F) -> F:
    """`--feature`, `--version` and so on."""
    for name, help_ in reversed(_FILTERS.items()):
        function = click.option(f"--{name}", name, default="", metavar="NAME", help=help_)(function)
    return function


def filter_of(
    workspace: Path | None, given: dict[str, Any], config: str | None, since: float, until: float | None
) -> LiveFilter:
    """The filter that the options mean; a user is looked for by the hash, where only that is kept."""
    from llmops_tui.domain.live.listing import LiveFilter

    names = {name: given[name] for name in _FILTERS if name in given}
    if names.get("user") and live_settings(workspace).hash_users:
        from llmops_tui.monitoring.user_ids import UserIds, user_key

        names["user"] = UserIds(user_key(root_of(workspace))).hashed(names["user"])
    return LiveFilter(since=since, until=until or 1e12, config=config or "", **names)


def open_live(workspace: Path | None, *, writing: bool = False) -> LiveStore:
    """The database of live traffic of the workspace that a command is about.

    Raises:
        WorkspaceError: there is no workspace.
        UsageError: no traffic has ever come in.
        StoreError: the database can't be had.
    """
    from llmops_tui.domain.errors import Problem, UsageError
    from llmops_tui.store.live import LIVE_DATABASE, LiveStore

    path = root_of(workspace) / LIVE_DATABASE
    if not path.exists():
        remedy = "start `llmops-tui collect` and let your program send its traces there"
        raise UsageError(Problem("no live traffic has come in yet", remedy))
    return LiveStore.open(path, read_only=not writing)


def say_absent(shell: Shell, store: LiveStore, wanted: LiveFilter) -> None:
    """A line on stderr for each name in a filter that nothing in its window has."""
    from llmops_tui.monitoring.absent import absent

    for sentence in absent(store, wanted, time.time()):
        shell.say(sentence)


def live_settings(workspace: Path | None) -> LiveSettings:
    """What `llmops.yaml` says of live traffic; what can't be read there is left at its defaults."""
    from llmops_tui.workspace import load_cached

    return load_cached(root_of(workspace)).live


def found_request(store: LiveStore, trace_id: str) -> LiveRequest:
    """The request of a trace id, or of its beginning.

    Raises:
        UsageError: there is none, or more than one begins so.
    """
    from llmops_tui.domain.errors import Problem, UsageError

    digits = trace_id.replace("-", "").lower()
    if re.fullmatch(r"[0-9a-f]{8,32}", digits) is None:
        raise UsageError(
            Problem(f"'{trace_id[:40]}' is no trace id", "give 8 to 32 of its hexadecimal digits")
        )
    found = store.requests.find(digits)
    if found is None:
        remedy = "`llmops-tui live requests` lists them; give more digits where several begin alike"
        raise UsageError(Problem(f"no trace, or more than one, is called {digits}", remedy))
    return found


def trace_of(store: LiveStore, listed: LiveRequest) -> Trace:
    """The spans of a request.

    Raises:
        UsageError: they are not kept any more.
    """
    from llmops_tui.domain.errors import Problem, UsageError

    found = store.requests.trace(listed.id)
    if found is None or not found.spans:
        raise UsageError(
            Problem("the raw trace is not kept any more", "`live: keep_days` and `max_mb` say how long it is")
        )
    return found
