"""The files of a workspace: read, checked, watched.

What is here is the room's door; each function imports what it needs when it is called, since
reading a workspace takes libraries that a start of the app does without.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    import threading

    from llmops_tui.domain.configuration import Configuration, Otlp, Workspace
    from llmops_tui.domain.messages import ProviderSetup
    from llmops_tui.domain.model import Model
    from llmops_tui.domain.variants import Variant


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` that is a workspace.

    Raises:
        WorkspaceError: there is none.
    """
    from llmops_tui.workspace.root import find_root

    return find_root(start)


def load(root: Path, *, only: str | None = None) -> Workspace:
    """Read every file; mistakes are in the result's `problems`, all of them.

    Args:
        only: name of the one configuration to read.

    Raises:
        WorkspaceError: `root` is no folder.
    """
    from llmops_tui.workspace.memo import load

    return load(root, only=only)


def load_cached(root: Path, on_change: Callable[[], None] = lambda: None) -> Workspace:
    """As `load`; taken from `.llmops/cache/` where no file has changed.

    Args:
        on_change: called before anything is read, where something has changed.

    Raises:
        WorkspaceError: `root` is no folder.
    """
    from llmops_tui.workspace.memo import load_cached

    return load_cached(root, on_change)


def warm_up() -> None:
    """Import what reading needs, so that the first save after a start from the memo is quick."""
    from llmops_tui.workspace.memo import warm_up

    warm_up()


def connect(
    workspace: Workspace, providers_in_use: set[str]
) -> tuple[tuple[ProviderSetup, ...], tuple[str, ...], dict[str, str]]:
    """Providers with their keys filled in, what must be redacted, and variables for the worker.

    Raises:
        WorkspaceError: a variable that a provider in use needs is not set.
    """
    from llmops_tui.workspace.connection import connect

    return connect(workspace, providers_in_use)


def collector_token(root: Path, named: str) -> str:
    """The token that senders need, from the environment or `.env`; empty where there is none.

    Args:
        named: as the settings have it: `${NAME}`; empty for the variable LLMOPS_TUI_TOKEN.

    Raises:
        WorkspaceError: a variable is not set, or `.env` can't be read.
    """
    from llmops_tui.workspace.connection import collector_token

    return collector_token(root, named)


def otlp_target(root: Path, otlp: Otlp, file: str | None = None) -> Otlp:
    """Where traces are sent, with variables filled in from the environment and `.env`.

    Args:
        file: that names the variables, for messages.

    Raises:
        WorkspaceError: a variable is not set.
    """
    from llmops_tui.workspace.connection import otlp_target

    return otlp_target(root, otlp, file)


def watch(
    root: Path,
    files: Iterable[Path] = (),
    *,
    debounce_ms: int = 50,
    stop: asyncio.Event | threading.Event | None = None,
) -> AsyncIterator[frozenset[str]]:
    """Paths whose content changed, save by save. Begin it before `load`, so that no save is missed.

    Args:
        files: further files outside the workspace.
    """
    from llmops_tui.workspace.watcher import watch

    return watch(root, files, debounce_ms=debounce_ms, stop=stop)


def user_folder() -> Path:
    """The folder for this user's data; `LLMOPS_TUI_HOME` overrides it. It may not exist yet."""
    from llmops_tui.workspace.places import user_data

    return user_data()


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind of file: `config`, `evals` or `workspace`.

    Raises:
        UsageError: another kind.
    """
    from llmops_tui.workspace.validation import json_schema

    return json_schema(kind)


def read_variants(root: Path, name: str, wanted: Sequence[Variant]) -> list[Configuration]:
    """Variants of a configuration on disk, in order; no file is touched.

    Raises:
        UsageError: an option is wrong, or a file that a variant names has a mistake.
    """
    from llmops_tui.workspace.overlay import read_variants

    return read_variants(root, name, wanted)


def variables_of(content: Mapping[str, Any], query: str = "") -> dict[str, bool]:
    """Variables that a versioned prompt reads → whether each must be given, in the order of reading."""
    from llmops_tui.workspace.prompts import variables_of

    return variables_of(content, query)


def resolve_models(root: Path, ids: Iterable[str]) -> tuple[Model, ...]:
    """The exact models behind names, by the settings on disk.

    Raises:
        WorkspaceError: one can't be had here; says why.
    """
    from llmops_tui.domain.errors import WorkspaceError
    from llmops_tui.workspace.models import resolve_model
    from llmops_tui.workspace.reader import Reader
    from llmops_tui.workspace.settings import read_settings

    reader = Reader(root)
    settings = read_settings(reader)
    found = [resolve_model(reader, settings, id_, "", None) for id_ in ids]
    errors = [p for p in reader.problems if not p.warning]
    if errors:
        raise WorkspaceError(*errors)
    return tuple(model for model in found if model is not None)
