"""Bundles: versions with their answers in one file, so that another machine need not ask for them again.

A zip of JSON lines. Equal content gives equal bytes; loading runs nothing that is in it, believes no hash
that it can compute, and takes all or nothing.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.errors import Problem, UsageError
from llmops_tui.domain.manifest import make_manifest, make_part
from llmops_tui.store import Store
from llmops_tui.store.bundle_rows import CallLine, OutputLine, Rows, RunLine, Taken, VersionLine

FORMAT = "llmops-tui bundle"
SCHEMA = 1
#: Of all that is in a bundle, unpacked: what loading may hold in memory.
MOST_BYTES = 500_000_000
_HEAD = "bundle.json"
_LINES: dict[str, type] = {
    "versions": VersionLine,
    "calls": CallLine,
    "outputs": OutputLine,
    "runs": RunLine,
}
_NAMES = {_HEAD, *(f"{name}.jsonl" for name in _LINES)}


def save(store: Store, version_ids: Iterable[int], target: Path) -> Rows:
    """Write these versions, the newest run of each and what it shows; returns what is in the file.

    Raises:
        UsageError: the file can't be written.
    """
    from llmops_tui.workspace.places import write_atomically

    rows = store.bundles.give(version_ids)
    try:
        write_atomically(target, packed(rows))
    except OSError as error:
        raise UsageError(
            Problem(f"the bundle can't be written to {target}: {error.strerror}", "name another file")
        ) from error
    return rows


def packed(rows: Rows) -> bytes:
    """The bytes of a bundle."""
    import io

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        _add(file, _HEAD, _json({"format": FORMAT, "schema": SCHEMA}))
        for name in _LINES:
            _add(file, f"{name}.jsonl", "".join(_json(msgspec.to_builtins(r)) for r in getattr(rows, name)))
    return buffer.getvalue()


def _json(value: Any) -> str:
    # Escaped, so that half a surrogate pair in an answer survives.
    return json.dumps(value, sort_keys=True, separators=(",", ":")) + "\n"


def _add(file: zipfile.ZipFile, name: str, text: str) -> None:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # the time of writing is no content
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    file.writestr(entry, text)


def load(store: Store, source: Path) -> Taken:
    """Take a bundle into this database; a second time it changes nothing. Asks no model.

    Raises:
        UsageError: the file can't be read, is no bundle, is damaged, too large, or from a newer release.
    """
    try:
        rows = _read(source)
        for line in rows.versions:
            _check(line)
        return store.bundles.take(rows)
    except OSError as error:
        raise UsageError(Problem(f"{source} can't be read: {error.strerror}", "name another file")) from error
    except zipfile.BadZipFile as error:
        raise UsageError(Problem(f"{source} is no bundle, or damaged", "save it anew")) from error
    except (
        ValueError,
        KeyError,
        TypeError,
        OverflowError,
        NotImplementedError,
        RuntimeError,
        EOFError,
    ) as error:
        raise UsageError(
            Problem(f"{source} is a damaged bundle; nothing was taken", "save it anew")
        ) from error


def _read(source: Path) -> Rows:
    from zlib import error as zlib_error

    with zipfile.ZipFile(source) as file:
        names = file.namelist()
        if _HEAD not in names:
            raise UsageError(Problem(f"{source} is no bundle", "make one: llmops-tui bundle save FILE"))
        left = [MOST_BYTES]
        try:
            head = json.loads(_unpacked(file, _HEAD, left, source))
            if not isinstance(head, dict) or head.get("format") != FORMAT:
                raise UsageError(Problem(f"{source} is no bundle", "make one: llmops-tui bundle save FILE"))
            if not isinstance(head.get("schema"), int) or head["schema"] > SCHEMA:
                raise UsageError(
                    Problem(f"{source} is a bundle of a newer release", "update llmops-tui, or save it anew")
                )
            if sorted(names) != sorted(_NAMES):
                raise ValueError("other files than a bundle has")
            parts: dict[str, Any] = {
                name: tuple(
                    msgspec.convert(json.loads(line), type_)
                    for line in _unpacked(file, f"{name}.jsonl", left, source).splitlines()
                )
                for name, type_ in _LINES.items()
            }
        except (zlib_error, RecursionError) as error:
            raise ValueError("can't be unpacked") from error
    return Rows(**parts)


def _unpacked(file: zipfile.ZipFile, name: str, left: list[int], source: Path) -> bytes:
    """An entry, counted as it comes: what the file says of its size is not believed."""
    with file.open(name) as entry:
        data = entry.read(left[0] + 1)
    left[0] -= len(data)
    if left[0] < 0:
        raise UsageError(
            Problem(f"{source} unpacks to more than {MOST_BYTES / 1e6:,.0f} MB", "save fewer versions")
        )
    return data


def _check(line: VersionLine) -> None:
    parts = [make_part(p.kind, p.name, p.value) for p in line.manifest.parts]
    if make_manifest(parts).hash != line.manifest.hash or tuple(parts) != line.manifest.parts:
        raise ValueError("a version is not what its hash says")
    if any(text_digest(text) != hash_ for hash_, text in line.texts.items()):
        raise ValueError("a text is not what its hash says")
