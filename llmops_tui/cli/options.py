"""Options that several verbs share, defined once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])


def workspace_option(function: F) -> F:
    return click.option(
        "--workspace",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="The workspace; by default the nearest folder from here upwards with llmops.yaml or configs/.",
    )(function)


def config_option(function: F) -> F:
    return click.option(
        "--config",
        metavar="NAME",
        shell_complete=_config_names,
        help="The configuration (its file's name without .yaml); needed where there are several.",
    )(function)


def json_option(function: F) -> F:
    return click.option(
        "--json", "_as_json", is_flag=True, expose_value=False, help="Print one JSON object (docs/json.md)."
    )(function)


def debug_option(function: F) -> F:
    return click.option(
        "--debug", "_debug", is_flag=True, expose_value=False, help="Show the traceback of an error."
    )(function)


def shared_options(*, workspace: bool = True, config: bool = True) -> Callable[[F], F]:
    """`--workspace`, `--config`, `--json` and `--debug`, as far as they fit the verb."""

    def add(function: F) -> F:
        function = json_option(debug_option(function))
        if config:
            function = config_option(function)
        return workspace_option(function) if workspace else function

    return add


def version_argument(name: str, *, required: bool = True) -> Callable[[F], F]:
    """A version: `v3`, a hash prefix, a label, `baseline`, `latest` or `previous`."""
    return click.argument(name, required=required, shell_complete=_version_names)


def version_option(flag: str, name: str, help_: str) -> Callable[[F], F]:
    """The same as an option."""
    return click.option(flag, name, metavar="VERSION", help=help_, shell_complete=_version_names)


def _config_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    root = _root(ctx)
    names = sorted(p.stem for p in (root / "configs").glob("*.yaml")) if root else []
    return [CompletionItem(n) for n in names if n.startswith(incomplete)]


def _version_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    names = ["baseline", "latest", "previous", *_recorded(ctx)]
    return [CompletionItem(n) for n in names if n.startswith(incomplete)]


def _recorded(ctx: click.Context) -> list[str]:
    """Names of recorded versions; nothing where they can't be had: completion never complains."""
    root = _root(ctx)
    if root is None or not (root / ".llmops").is_dir():
        return []
    from llmops_tui.domain.errors import LlmopsError
    from llmops_tui.engine.engine import DATABASE
    from llmops_tui.store import Store

    try:
        with Store.open(root / DATABASE, read_only=True) as store:
            named = ctx.params.get("config")
            configs = [named] if named else store.versions.configs()
            versions = [v for config in configs for v in store.versions.list(config)]
    except (LlmopsError, OSError):
        return []
    return list(dict.fromkeys(name for v in versions for name in (v.name, *v.labels)))


def _root(ctx: click.Context) -> Path | None:
    from llmops_tui.cli.shell import root_of
    from llmops_tui.domain.errors import LlmopsError

    try:
        return root_of(ctx.params.get("workspace"))
    except (LlmopsError, OSError):
        return None
