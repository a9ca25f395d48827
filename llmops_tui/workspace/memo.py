"""A workspace as last read, kept in `.llmops/cache/` by the content of everything consulted.

Nothing changed → what was read is decoded (msgspec), and neither pydantic nor YAML nor Jinja2 is
imported. A folder that can't be written just means no memo.
"""

from __future__ import annotations

import contextlib
import sys
from functools import lru_cache
from pathlib import Path

import msgspec

import llmops_tui
from llmops_tui.domain.configuration import Workspace
from llmops_tui.workspace import trust
from llmops_tui.workspace.facts import content_hash, look_up, stat_value
from llmops_tui.workspace.places import write_atomically

MEMO = ".llmops/cache/workspace.msgpack"
SCHEMAS = ".llmops/schemas"


class _Head(msgspec.Struct, array_like=True):
    """What must still be true for the memo to be good; it is read before the rest is decoded."""

    tool: str
    facts: dict[str, str]
    workspace: msgspec.Raw


def load(root: Path, *, only: str | None = None) -> Workspace:
    """See `llmops_tui.workspace.load`."""
    from llmops_tui.workspace.loading import read_workspace
    from llmops_tui.workspace.reader import Reader

    return _with_trust(read_workspace(Reader(root), only=only))


def load_cached(root: Path) -> Workspace:
    """See `llmops_tui.workspace.load_cached`."""
    root = root.resolve()
    head = _head(root)
    if head is not None and (known := _recall(root, head)) is not None:
        return _with_trust(known)
    from llmops_tui.workspace.loading import read_workspace
    from llmops_tui.workspace.reader import Reader

    reader = Reader(root)
    workspace = read_workspace(reader)
    if head is None:
        write_schemas(root)
    if not _holds_secrets(workspace):
        _remember(root, workspace, reader.facts)
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
    return workspace if workspace.root == str(root) else None


def _remember(root: Path, workspace: Workspace, facts: dict[str, str]) -> None:
    body = msgspec.Raw(msgspec.msgpack.encode(workspace))
    with contextlib.suppress(OSError):  # then it is read anew next time
        write_atomically(root / MEMO, msgspec.msgpack.encode(_Head(tool_version(), facts, body)))


def _holds_secrets(workspace: Workspace) -> bool:
    """A key that is written out in `llmops.yaml` must not be copied anywhere."""
    return any(
        (setup.api_key and "${" not in setup.api_key)
        or "@" in setup.base_url
        or any("${" not in value for value in setup.headers.values())
        for setup in workspace.setups
    )


def _with_trust(workspace: Workspace) -> Workspace:
    if not workspace.code.modules or not trust.is_trusted(Path(workspace.root)):
        return workspace
    return msgspec.structs.replace(workspace, code=msgspec.structs.replace(workspace.code, trusted=True))


@lru_cache(maxsize=1)
def tool_version() -> str:
    """Changes with every release, and with every edit of a checkout."""
    package = Path(llmops_tui.__file__).parent
    sources = sorted([*(package / "workspace").glob("*.py"), *(package / "domain").glob("*.py")])
    marks = "\n".join(f"{path.name} {stat_value(path)}" for path in sources)
    return f"{llmops_tui.__version__} {sys.version_info[:2]} {content_hash(marks.encode())}"
