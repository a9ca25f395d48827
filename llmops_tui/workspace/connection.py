"""Keys and other variables of providers, from the environment or the workspace's `.env`."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from llmops_tui.domain.configuration import Otlp, Workspace
from llmops_tui.domain.errors import Problem, WorkspaceError
from llmops_tui.domain.messages import ProviderSetup
from llmops_tui.workspace.root import SETTINGS_FILE

ENV_FILE = ".env"
#: The collector's token, where the settings name none.
TOKEN_VARIABLE = "LLMOPS_TUI_TOKEN"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)
#: Shorter values are no keys, and redacting them would tear texts apart.
_SHORTEST_SECRET = 8


def connect(
    workspace: Workspace, providers_in_use: set[str]
) -> tuple[tuple[ProviderSetup, ...], tuple[str, ...], dict[str, str]]:
    """See `llmops_tui.workspace.connect`."""
    root = Path(workspace.root)
    own, torn = read_env_file(root)
    variables = {**own, **os.environ}
    known = {setup.name: setup for setup in workspace.setups}
    setups, missing = [], []
    for name in sorted(providers_in_use):
        setup = known.get(name) or _default(name)
        names = [n for text in _texts(setup) for n in _VARIABLE.findall(text)]
        absent = [n for n in dict.fromkeys(names) if not variables.get(n)]
        missing += [_missing(root, name, variable) for variable in absent]
        setups.append(_filled(setup, variables))
    if missing:
        raise WorkspaceError(*missing, *torn)
    kept = {k: v for k, v in variables.items() if _SECRET_NAME.search(k)}.values()
    keys = [s.api_key for s in setups if s.api_key] + [
        value
        for s in setups
        for name, value in s.headers.items()
        if _SECRET_NAME.search(name) or _is_auth(name)
    ]
    tokens = [word for key in keys for word in (key, key.rpartition(" ")[2])]
    secrets = {value for value in (*kept, *tokens) if len(value) >= _SHORTEST_SECRET}
    return (
        tuple(setups),
        tuple(sorted(secrets, key=lambda s: (-len(s), s))),
        {k: v for k, v in own.items() if k not in os.environ},
    )


def otlp_target(root: Path, otlp: Otlp, file: str | None) -> Otlp:
    """See `llmops_tui.workspace.otlp_target`."""
    own, torn = read_env_file(root)
    variables = {**own, **os.environ}
    texts = (otlp.endpoint, *otlp.headers.values())
    names = dict.fromkeys(name for text in texts for name in _VARIABLE.findall(text))
    absent = [
        Problem(
            f"the place that traces are sent to needs the variable {name}, which is not set",
            f"set it in the environment, or write {name}=… into {ENV_FILE}",
            file,
        )
        for name in names
        if not variables.get(name)
    ]
    if absent:
        raise WorkspaceError(*absent, *torn)
    headers = {name: _fill(value, variables) for name, value in otlp.headers.items()}
    return msgspec.structs.replace(otlp, endpoint=_fill(otlp.endpoint, variables), headers=headers)


def collector_token(root: Path, named: str) -> str:
    """See `llmops_tui.workspace.collector_token`."""
    own, torn = read_env_file(root)
    variables = {**own, **os.environ}
    absent = [name for name in _VARIABLE.findall(named) if not variables.get(name)]
    if absent:
        text = f"live.token needs the variable {absent[0]}, which is not set"
        remedy = f"set it in the environment, or write {absent[0]}=… into {ENV_FILE}"
        raise WorkspaceError(Problem(text, remedy, SETTINGS_FILE), *torn)
    return _fill(named, variables) if named else variables.get(TOKEN_VARIABLE, "")


def read_env_file(root: Path) -> tuple[dict[str, str], list[Problem]]:
    """Variables of `.env`, empty where there is none; and its lines that set nothing.

    Raises:
        WorkspaceError: it can't be read.
    """
    if not (root / ENV_FILE).is_file():
        return {}, []
    from io import StringIO

    from dotenv.parser import parse_stream

    from llmops_tui.workspace.reader import Reader

    reader = Reader(root)
    text = reader.text(ENV_FILE)
    if text is None:
        raise WorkspaceError(*reader.problems)
    values, torn = {}, []
    # Its own reader tells of such lines through the log, which would land in the middle of the screen.
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            line = binding.original.line
            torn.append(Problem("is not NAME=value", "mend the line, or put # before it", ENV_FILE, line))
        elif binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return values, torn


def _default(name: str) -> ProviderSetup:
    if name == "local":
        options = {"slots": 1, "context": 2048, "prompt_cache": False}
        return ProviderSetup(name, "local", concurrency=1, options=options)
    return ProviderSetup(name, "echo" if name == "echo" else "litellm")


def _texts(setup: ProviderSetup) -> list[str]:
    return [setup.api_key or "", setup.base_url, *setup.headers.values()]


def _filled(setup: ProviderSetup, variables: dict[str, str]) -> ProviderSetup:
    return msgspec.structs.replace(
        setup,
        api_key=None if setup.api_key is None else _fill(setup.api_key, variables),
        base_url=_fill(setup.base_url, variables),
        headers={name: _fill(value, variables) for name, value in setup.headers.items()},
    )


def _fill(text: str, variables: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: variables.get(match.group(1), ""), text)


def _is_auth(header: str) -> bool:
    return "auth" in header.lower()


def _missing(root: Path, provider: str, variable: str) -> Problem:
    return Problem(
        f"the provider '{provider}' needs the variable {variable}, which is not set",
        f"set it in the environment, or write {variable}=… into {ENV_FILE}",
        SETTINGS_FILE,
        _line_of(root, provider, variable),
    )


def _line_of(root: Path, provider: str, variable: str) -> int | None:
    """The line that names the variable, at or below the provider's own."""
    try:
        lines = (root / SETTINGS_FILE).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    named = [n for n, line in enumerate(lines, 1) if f"${{{variable}}}" in line]
    own = next(
        (n for n, line in enumerate(lines, 1) if re.match(rf"\s+['\"]?{re.escape(provider)}\b", line)), 1
    )
    return next((n for n in named if n >= own), named[0] if named else None)
