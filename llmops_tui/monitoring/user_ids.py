"""User ids as keyed hashes: the same user stays the same, and nobody can tell who it is without the key."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from llmops_tui.domain.errors import Problem, StoreError

#: Within the workspace; whoever has it can test whether a hash is of a known id.
KEY_FILE = Path(".llmops") / "live-users.key"
_KEY_BYTES = 32
_HASHED = re.compile("[usi]_[0-9a-f]{16}")
#: Names of attributes and keys that hold who used it, without dots, dashes, underscores and capitals.
_NAMES = ("userid", "useremail", "username", "userfullname", "enduserpseudoid")
_SHORT_NAMES = frozenset(["user", "enduser", "openairequestuser", "genairequestuser"])
#: The same within JSON that is kept as text, perhaps escaped. Backslashes are looked at from their first
#: alone: many of them would take time with the square of their number.
_IN_JSON = re.compile(
    r'((?<!\\)\\*"(?:end[_-]?)?user(?:[_-]?(?:id|email|name))?\\*"\s*:\s*\\*")([^"\\]{1,200})', re.IGNORECASE
)
#: Shorter ids are replaced where they stand as an id, and not in the middle of a text.
_SHORTEST = 4
#: Users of one trace, above which looking for each by itself takes too long.
FEW = 32


def user_key(root: Path) -> bytes:
    """The workspace's key, made where there is none; only its owner can read it.

    Raises:
        StoreError: it can't be read or written.
    """
    path = root / KEY_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _checked(path)
        with os.fdopen(file, "wb") as target:
            target.write(os.urandom(_KEY_BYTES))
            target.flush()
            os.fsync(target.fileno())
        return _checked(path)
    except OSError as error:
        raise StoreError(
            Problem(
                f"the key of user ids can't be had ({error.strerror or error})",
                "make the file and its folder readable and writable",
                file=str(path),
            )
        ) from error


def _checked(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise StoreError(
            Problem(
                "the key of user ids is cut off",
                "put it back from a backup, or remove it: users get new hashes then",
                file=str(path),
            )
        )
    return key


@lru_cache(maxsize=4_096)
def is_user_name(name: str) -> bool:
    """Whether an attribute of this name tells who the user is."""
    plain = re.sub("[^a-z]", "", name.lower())
    return plain.endswith(_NAMES) or plain in _SHORT_NAMES


class UserIds:
    """Hashes user ids.

    Args:
        key: of the workspace.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def hashed(self, id_: str, start: str = "u") -> str:
        """`u_` and 16 hexadecimal digits; a hash stays as it is, and so does nothing."""
        if not id_ or _HASHED.fullmatch(id_):
            return id_
        digest = blake2b(id_.encode(errors="replace"), key=self._key, digest_size=8)
        return f"{start}_{digest.hexdigest()}"

    def in_json(self, text: str) -> str:
        """A text with the user ids hashed that stand in it as JSON."""
        if "user" not in text and "User" not in text:
            return text
        return _IN_JSON.sub(lambda match: match[1] + self.hashed(match[2]), text)

    def pattern(self, ids: Iterable[str]) -> Any:
        """A pattern that finds these ids as whole words in any text; None where there are none."""
        wanted = sorted((id_ for id_ in ids if len(id_) >= _SHORTEST), key=lambda id_: (-len(id_), id_))
        if not wanted:
            return None
        if len(wanted) > FEW:
            import regex

            # A table of them, and not one after the other. Not cached: it would keep the ids.
            return regex.compile(r"(?<!\w)\L<ids>(?!\w)", ids=wanted, cache_pattern=False)
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, wanted))})(?!\w)")


def ids_in(value: Any, depth: int = 0) -> Iterable[str]:
    """User ids among attributes, by the names that they stand under."""
    if isinstance(value, dict) and depth < 20:
        for name, each in value.items():
            if isinstance(name, str) and is_user_name(name):
                if isinstance(each, str | int) and not isinstance(each, bool):
                    yield str(each)
            elif isinstance(each, dict):
                yield from ids_in(each, depth + 1)
