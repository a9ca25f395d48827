"""A workspace as last read, kept in `.llmops/cache/` by the content of everything consulted.

Nothing changed → what was read is decoded (msgspec), and neither pydantic nor YAML nor Jinja2 is
imported. A folder that can't be written just means no memo.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from llmops_tui.domain.configuration import Workspace
from llmops_tui.workspace import trust
from llmops_tui.workspace.case_memo import CaseMemo
from llmops_tui.workspace.facts import look_up, tool_version
from llmops_tui.workspace.places import write_atomically

MEMO = ".llmops/cache/workspace.msgpack"
SCHEMAS = ".llmops/schemas"


class _Head(msgspec.Struct, array_like=True):
    """What must still be true for the memo to be good; it is read before the rest is decoded.

    `workspace` is without cases; `cases` says under which key each configuration has its own.
    """

    tool: str
    facts: dict[str, str]
    cases: dict[str, str]
    workspace: msgspec.Raw


#: Cases in memory, of the workspace that was read last.
_memo_of: dict[Path, CaseMemo] = {}


def load(root: Path, *, only: str | None = None) -> Workspace:
    """See `llmops_tui.workspace.load`."""
    from llmops_tui.workspace.loading import read_workspace
    from llmops_tui.workspace.reader import Reader

    return _with_trust(read_workspace(Reader(root), only=only))


def load_cached(root: Path, on_change: Callable[[], None]) -> Workspace:
    """See `llmops_tui.workspace.load_cached`."""
    root = root.resolve()
    head = _head(root)
    if head is not None and (known := _recall(root, head)) is not None:
        return _with_trust(known)
    on_change()
    from llmops_tui.workspace.loading import read_workspace
    from llmops_tui.workspace.reader import Reader

    reader = Reader(root, cases_in_memory(root))
    workspace = read_workspace(reader)
    if head is None:
        write_schemas(root)
    if not _holds_secrets(workspace):
        _remember(root, workspace, reader.facts, reader.case_keys)
    cases_in_memory(root).forget_others()
    return _with_trust(workspace)


def write_schemas(root: Path) -> None:
    """Put the JSON Schemas where the template's files point editors: `.llmops/schemas/`."""
    from llmops_tui.workspace.validation import FILE_KINDS, json_schema

    for kind in FILE_KINDS:
        path = root / SCHEMAS / f"{kind}.json"
        text = msgspec.json.format(msgspec.json.encode(json_schema(kind)), indent=1)
        with contextlib.suppress(OSError):  # editors do without
            if not path.is_file() or path.read_bytes() != text:
                write_atomically(path, text)


def warm_up() -> None:
    """See `llmops_tui.workspace.warm_up`."""
    import jinja2.sandbox  # noqa: F401

    from llmops_tui.workspace import loading  # noqa: F401


def _head(root: Path) -> _Head | None:
    """The memo, if there is one and this release wrote it."""
    try:
        head = msgspec.msgpack.decode((root / MEMO).read_bytes(), type=_Head)
    except (OSError, msgspec.DecodeError):
        return None
    return head if head.tool == tool_version() else None


def _recall(root: Path, head: _Head) -> Workspace | None:
    if any(look_up(root, fact) != value for fact, value in head.facts.items()):
        return None
    try:
        workspace = msgspec.msgpack.decode(head.workspace, type=Workspace)
    except msgspec.DecodeError:
        return None
    if workspace.root != str(root):
        return None
    memo = cases_in_memory(root)
    full = {}
    for name, configuration in workspace.configurations.items():
        cases = memo.get(head.cases.get(name, ""))
        if cases is None:
            return None
        full[name] = msgspec.structs.replace(configuration, cases=cases)
    return msgspec.structs.replace(workspace, configurations=full)


def _remember(root: Path, workspace: Workspace, facts: dict[str, str], cases: dict[str, str]) -> None:
    bare = {n: msgspec.structs.replace(c, cases=()) for n, c in workspace.configurations.items()}
    body = msgspec.Raw(msgspec.msgpack.encode(msgspec.structs.replace(workspace, configurations=bare)))
    with contextlib.suppress(OSError):  # then it is read anew next time
        write_atomically(root / MEMO, msgspec.msgpack.encode(_Head(tool_version(), facts, cases, body)))


def cases_in_memory(root: Path) -> CaseMemo:
    """Cases that were built before, of the workspace that was read last."""
    if root not in _memo_of:
        _memo_of.clear()
        _memo_of[root] = CaseMemo(root)
    return _memo_of[root]


def _holds_secrets(workspace: Workspace) -> bool:
    """A key that is written out in `llmops.yaml` must not be copied anywhere."""
    return any(
        (setup.api_key and "${" not in setup.api_key)
        or "@" in setup.base_url
        or any("${" not in value for value in setup.headers.values())
        for setup in workspace.setups
    ) or any("${" not in text for text in workspace.live.secrets)


def _with_trust(workspace: Workspace) -> Workspace:
    runs_code = any(each.target.needs_code for each in workspace.configurations.values())
    if not (workspace.code.modules or runs_code) or not trust.is_trusted(Path(workspace.root)):
        return workspace
    return msgspec.structs.replace(workspace, code=msgspec.structs.replace(workspace.code, trusted=True))
