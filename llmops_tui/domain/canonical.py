"""One way to write a value down, and one way to hash it.

Every key of the cache and every part of a version goes through here, so two values that mean
the same give the same bytes: sorted keys, no white space, LF line ends, `0` for `0.0`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

#: Part of every key. Raise it when the meaning of a key changes: old entries are then never hit.
KEY_SCHEMA = 1


def normalise(value: Any) -> Any:
    """The value with integral floats as ints, CR LF as LF and mappings as plain dicts."""
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, str):
        return lf(value)
    if isinstance(value, Mapping):
        return {str(k): normalise(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [normalise(v) for v in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")


def lf(text: str) -> str:
    """Line ends as LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def canonical_json(value: Any) -> bytes:
    """Canonical JSON, UTF-8. Lone surrogates survive as themselves."""
    text = json.dumps(normalise(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 of a text as stored (no normalisation), as 64 hex digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def short(hash_: str) -> str:
    """The first ten digits: what people are shown."""
    return hash_[:10]
