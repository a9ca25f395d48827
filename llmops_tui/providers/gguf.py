"""What a GGUF file says about itself, as far as it is needed (GGUF specification, version 2 and later)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

#: Type → bytes of a value; 8 is a text, 9 a list.
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_TEXT, _LIST = 8, 9
#: More entries than this has no sane file.
_MOST = 100_000


def has_pooling(path: str) -> bool:
    """Whether the model says how the vectors of a text's tokens become one: those for embeddings do.

    False where the file can't be read; loading it says why.
    """
    try:
        with Path(path).open("rb") as file:
            return _has_key(file, b".pooling_type")
    except (OSError, ValueError, RecursionError, struct.error):
        return False


def _has_key(file: BinaryIO, ending: bytes) -> bool:
    if file.read(4) != b"GGUF":
        return False
    _version, _tensors, entries = struct.unpack("<IQQ", file.read(20))
    for _ in range(min(entries, _MOST)):
        if _text(file).endswith(ending):
            return True
        _pass(file, _number(file, 4))
    return False


def _number(file: BinaryIO, size: int) -> int:
    data = file.read(size)
    if len(data) != size:
        raise ValueError("the file ends too early")
    return int.from_bytes(data, "little")


def _text(file: BinaryIO) -> bytes:
    length = _number(file, 8)
    if length > 1 << 16:
        raise ValueError("a name of this length is none")
    return file.read(length)


def _pass(file: BinaryIO, kind: int) -> None:
    """Go past a value."""
    if kind == _TEXT:
        file.seek(_number(file, 8), 1)
    elif kind == _LIST:
        inner, count = _number(file, 4), _number(file, 8)
        if inner in _SIZES:
            file.seek(_SIZES[inner] * count, 1)
        else:
            for _ in range(count):
                _pass(file, inner)
    elif kind in _SIZES:
        file.seek(_SIZES[kind], 1)
    else:
        raise ValueError(f"a value of an unknown kind ({kind})")
