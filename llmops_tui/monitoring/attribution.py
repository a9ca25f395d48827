"""Which version of a configuration a live call was made with.

A span may say so. Else its prompt does: by the hash of its template, or by its system message, held against
what does not change in each recorded version's. Where several versions fit, none is named: what live figures
compare must not be a guess.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.domain.canonical import text_digest
from llmops_tui.domain.manifest import Manifest
from llmops_tui.domain.program import prompt_blob
from llmops_tui.domain.prompt import prompt_text

#: Langfuse's names of the prompt that a generation was made with.
_PROMPT_NAMES = ("langfuse.observation.prompt.name", "langfuse.prompt.name")
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_OPENS = re.compile(r"\{%-?\s*(?:if|for|macro|call|filter|block|with|set\s+\w+\s*-?%)\b")
_CLOSES = re.compile(r"\{%-?\s*end")
_HASH = re.compile("[0-9a-f]{8,64}")
_NUMBER = re.compile("v?([0-9]{1,9})")
#: Characters of fixed text below which a system message says nothing about its version.
_SHORTEST = 12
#: System messages whose version is remembered.
_REMEMBERED = 2_000


class Recorded(msgspec.Struct, frozen=True):
    """A version as traffic is matched with it."""

    config: str
    number: int
    hash: str
    manifest: Manifest

    @property
    def name(self) -> str:
        return f"v{self.number}"


class _Wanted(msgspec.Struct, frozen=True):
    """What does not change in a rendered message: pieces in this order.

    Attributes:
        is_whole: it begins with the first piece; ends: it ends with the last.
    """

    pieces: tuple[str, ...]
    begins: bool
    ends: bool

    def fits(self, text: str) -> bool:
        at = 0
        for n, piece in enumerate(self.pieces):
            found = text.find(piece, at)
            if found < 0 or (n == 0 and self.begins and found != 0):
                return False
            at = found + len(piece)
        return not self.ends or text.endswith(self.pieces[-1])


def fixed_parts(source: str) -> _Wanted | None:
    """Pieces of a template that are in all it renders; None where they say too little.

    What stands within a block (`{% if … %}`) may be left out, so it says nothing.
    """
    pieces: list[str] = []
    at, depth, begins, ends = 0, 0, True, True
    source = _plain(source)
    for match in _JINJA.finditer(source):
        if depth == 0:
            pieces.append(source[at : match.start()])
        if _OPENS.match(match[0]):
            depth += 1
        elif _CLOSES.match(match[0]):
            depth = max(depth - 1, 0)
        if not pieces[0].strip():
            begins = False
        at = match.end()
    if depth == 0:
        pieces.append(source[at:])
    ends = bool(pieces) and at < len(source) and depth == 0 and bool(pieces[-1].strip())
    kept = tuple(piece.strip() for piece in pieces if piece.strip())
    return _Wanted(kept, begins, ends) if sum(map(len, kept)) >= _SHORTEST else None


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


class VersionIndex:
    """Versions by what their prompts look like in traffic."""

    def __init__(self, versions: Iterable[Recorded] = ()) -> None:
        self._by_name: dict[tuple[str, str], Recorded] = {}
        self._by_hash: dict[str, list[Recorded]] = {}
        self._by_prompt: dict[str, list[Recorded]] = {}
        self._systems: dict[_Wanted, list[Recorded]] = {}
        self._users: dict[tuple[str, int], list[_Wanted]] = {}
        self._remembered: dict[str, tuple[Recorded, ...]] = {}
        self.size = 0
        for version in versions:
            self._add(version)

    def _add(self, version: Recorded) -> None:
        self.size += 1
        self._by_name[version.config, version.name] = version
        self._by_hash.setdefault(version.hash, []).append(version)
        for part in version.manifest.of_kind("prompt"):
            content = part.value
            if not isinstance(content, dict) or not isinstance(content.get("messages"), list):
                continue
            sources = [_plain(str(source)) for _role, source in content["messages"]]
            whole = prompt_text(content)
            for text in {whole, *sources, "\n\n".join(sources), "\n".join(sources)}:
                self._put(text_digest(_plain(text)), version)
            self._put(text_digest(prompt_blob(content)), version)
            self._put(part.hash, version)
            for role, source in content["messages"]:
                wanted = fixed_parts(str(source))
                if wanted is not None and role == "system":
                    self._systems.setdefault(wanted, []).append(version)
                elif wanted is not None and role == "user":
                    self._users.setdefault((version.config, version.number), []).append(wanted)

    def _put(self, digest: str, version: Recorded) -> None:
        there = self._by_prompt.setdefault(digest, [])
        if version not in there:
            there.append(version)

    # -- asking

    def named(self, attributes: Mapping[str, Any]) -> Recorded | None:
        """The version that attributes name: by its hash, or as people call it in a configuration."""
        config, name = attributes.get(a.CONFIG), attributes.get(a.VERSION)
        for hash_ in (attributes.get(a.VERSION_HASH), name):
            if isinstance(hash_, str) and _HASH.fullmatch(hash_) and not hash_.isdigit():
                found = [v for full, vs in self._by_hash.items() if full.startswith(hash_) for v in vs]
                if isinstance(config, str) and config:
                    found = [v for v in found if v.config == config]
                if len(found) == 1:
                    return found[0]
        number = _NUMBER.fullmatch(str(name)) if isinstance(name, str | int) else None
        if number is None or not isinstance(config, str):
            return None
        return self._by_name.get((config, f"v{int(number[1])}"))

    def matched(self, attributes: Mapping[str, Any]) -> Recorded | None:
        """The version that a span's prompt is of; None where none is, or more than one."""
        found: list[Recorded] | tuple[Recorded, ...] = ()
        digest = attributes.get(a.PROMPT_HASH)
        if isinstance(digest, str) and digest:
            found = self._by_prompt.get(digest, ())
        template = attributes.get(a.TEMPLATE)
        if not found and isinstance(template, str) and template:
            found = self._by_prompt.get(text_digest(_plain(template)), ())
        if not found and self._systems:
            messages = attributes.get(a.INPUT_MESSAGES)
            found = self._of_system(messages)
            if len(found) > 1:
                found = self._of_user(found, _said_by(messages, ("user",)))
        return _only(found, attributes)

    def _of_system(self, messages: Any) -> tuple[Recorded, ...]:
        text = _said_by(messages, ("system", "developer"))
        if not text:
            return ()
        if text not in self._remembered:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            fitting = [(wanted, vs) for wanted, vs in self._systems.items() if wanted.fits(text)]
            # Of two templates that fit, the one with more fixed text holds the other's.
            most = max((sum(map(len, wanted.pieces)) for wanted, _ in fitting), default=0)
            self._remembered[text] = tuple(
                version for wanted, vs in fitting if sum(map(len, wanted.pieces)) == most for version in vs
            )
        return self._remembered[text]

    def _of_user(self, found: tuple[Recorded, ...], text: str) -> tuple[Recorded, ...]:
        """Those whose message of the user fits as well, where any of these has fixed text."""
        own = {(v.config, v.number): self._users.get((v.config, v.number), ()) for v in found}
        fitting = {key for key, wanted in own.items() if any(each.fits(text) for each in wanted)}
        return tuple(v for v in found if (v.config, v.number) in fitting) or found


def _only(found: Iterable[Recorded], attributes: Mapping[str, Any]) -> Recorded | None:
    """The one of several that the configuration, the prompt's name or the model leaves."""
    left = list({(v.config, v.number): v for v in found}.values())
    hints = [attributes.get(a.CONFIG), *(attributes.get(name) for name in _PROMPT_NAMES)]
    for hint in hints:
        if len(left) > 1 and isinstance(hint, str) and hint:
            left = [v for v in left if v.config == hint] or left
    model = attributes.get(a.MODEL)
    if len(left) > 1 and isinstance(model, str) and model:
        name = model.rpartition("/")[2]
        left = [
            v
            for v in left
            if any(part.name.rpartition("/")[2] == name for part in v.manifest.of_kind("models"))
        ]
    return left[0] if len(left) == 1 else None


def _said_by(messages: Any, roles: tuple[str, ...]) -> str:
    """The first message of one of these roles."""
    if not isinstance(messages, list):
        return ""
    for message in messages:
        if isinstance(message, dict) and message.get("role") in roles:
            parts = message.get("parts")
            texts = [
                part["content"]
                for part in (parts if isinstance(parts, list) else ())
                if isinstance(part, dict) and isinstance(part.get("content"), str)
            ]
            return _plain("\n".join(texts))
    return ""


class WorkspaceVersions:
    """The versions of a workspace's database, read again when it changed. For any thread.

    Args:
        path: of the database; it may not be there yet.
    """

    #: Looked for changes so often.
    EVERY_S = 2.0

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at: float | None = None
        self._seen: tuple[Any, ...] = ()
        self._known: dict[int, Recorded] = {}
        self._index = VersionIndex()

    def __call__(self) -> VersionIndex:
        """The index, as new as a moment ago."""
        with self._lock:
            now = self._clock()
            if self._looked_at is None or now - self._looked_at >= self.EVERY_S:
                self._looked_at = now
                seen = tuple(_stat(self._path.with_name(self._path.name + end)) for end in ("", "-wal"))
                if seen != self._seen and self._read():
                    self._seen = seen
            return self._index

    def _read(self) -> bool:
        """Take in versions that are new; where the database can't be read now, what was known stays."""
        from llmops_tui.domain.errors import LlmopsError
        from llmops_tui.store import Store

        if not self._path.exists():
            return True
        try:
            with Store.open(self._path, read_only=True) as store:
                infos = [v for config in store.versions.configs() for v in store.versions.list(config)]
                known = {
                    v.id: self._known.get(v.id)
                    or Recorded(v.config, v.number, v.hash, store.versions.manifest(v.id))
                    for v in infos
                    if v.number > 0
                }
        except LlmopsError:
            return False
        if known.keys() != self._known.keys():
            self._known = known
            self._index = VersionIndex(known.values())
        return True


def _stat(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
