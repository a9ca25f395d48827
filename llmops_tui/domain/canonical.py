"""One way to write a value down, and one way to hash it.

Every key of the cache and every part of a version goes through here, so two values that mean
the same give the same bytes: sorted keys, no white space, LF line ends, `0` for `0.0`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import msgspec

#: Part of every key. Raise it when the meaning of a key changes: old entries are then never hit.
KEY_SCHEMA = 1


def normalise(value: Any) -> Any:
    """The value with integral floats as ints, CR LF as LF and mappings as plain dicts."""
    kind = type(value)
    if kind is str:
        return lf(value)
    if kind is dict:
        return {str(k): normalise(v) for k, v in value.items()}
    if kind is list or kind is tuple:
        return [normalise(v) for v in value]
    if kind is float:
        if not math.isfinite(value):
            return f"\0{value}"  # JSON has no infinity; no text that a person writes is equal to this
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Mapping):
        return normalise(dict(value))
    raise TypeError(f"{kind.__name__} has no canonical form")


def lf(text: str) -> str:
    """Line ends as LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def canonical_json(value: Any) -> bytes:
    """Canonical JSON, UTF-8: keys sorted, no white space. Lone surrogates survive as themselves."""
    plain = normalise(value)
    try:
        return msgspec.json.encode(plain, order="sorted")
    except (UnicodeEncodeError, OverflowError):
        # Lone surrogates, and integers beyond 64 bits: rare, and the standard library's to write.
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
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
