"""The body of a request: read within its limits, unpacked within others."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

from llmops_tui.domain.safe_text import clean_line
from llmops_tui.monitoring.collector.answers import JSON, PROTOBUF, ContentType, Refusal

if TYPE_CHECKING:
    from aiohttp import web

    from llmops_tui.monitoring.collector.room import Held
    from llmops_tui.monitoring.collector.settings import CollectorSettings

_KINDS: dict[str, ContentType] = {PROTOBUF: PROTOBUF, "application/protobuf": PROTOBUF, JSON: JSON}
#: Packings → how zlib is told of them; `deflate` is with or without zlib's head, as programs disagree.
_PACKINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
#: Files of gzip may stand one behind the other; more than these are no honest body.
_MEMBERS = 64
_SHOWN = 60


def kind_of(request: web.BaseRequest) -> ContentType | None:
    """What the body is said to be; None where it is nothing that is understood."""
    said = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return _KINDS.get(said)


def packing_of(request: web.BaseRequest) -> str:
    """How the body is packed; empty for not at all.

    Raises:
        Refusal: in a way that is not understood.
    """
    said = request.headers.get("Content-Encoding", "").strip().lower()
    if said in ("", "identity"):
        return ""
    if said not in _PACKINGS:
        raise Refusal(
            415,
            f"a body packed as '{clean_line(said)[:_SHOWN]}' can't be read: send gzip, deflate or no packing",
            headers={"Accept-Encoding": "gzip, deflate"},
        )
    return said


async def read(request: web.BaseRequest, settings: CollectorSettings, held: Held) -> bytes:
    """The body as sent; what it takes is added to `held`.

    Raises:
        Refusal: it is too large, takes too long, or ends early; or there is no room.
    """
    from aiohttp.web import RequestPayloadError

    limit = settings.packed_bytes
    length = request.content_length
    if length is not None and length > limit:
        raise _too_large(limit, "")
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(settings.body_s):
            async for piece in request.content.iter_any():
                size += len(piece)
                if size > limit:
                    raise _too_large(limit, "")
                held.add(len(piece))
                pieces.append(piece)
    except TimeoutError:
        text = f"the body did not come within {settings.body_s:g} s: send smaller batches"
        raise Refusal(408, text, closes=True) from None
    except (ConnectionError, RequestPayloadError):  # it went away, or its chunks are wrong
        raise Refusal(400, "the body broke off", closes=True) from None
    return b"".join(pieces)


def unpack(body: bytes, packing: str, limit: int) -> bytes:
    """The body as it is read.

    Raises:
        Refusal: it is damaged, or larger than `limit`, of which nothing more is unpacked.
    """
    if not packing:
        if len(body) > limit:
            raise _too_large(limit, "")
        return body
    wbits = _PACKINGS[packing]
    if packing == "deflate" and not _has_zlib_head(body):
        wbits = -15
    pieces: list[bytes] = []
    size, rest = 0, body
    for _ in range(_MEMBERS):
        unpacking = zlib.decompressobj(wbits)
        try:
            piece = unpacking.decompress(rest, limit - size + 1)
        except zlib.error as error:
            raise Refusal(400, f"the body is not {packing}: {clean_line(str(error))}") from None
        size += len(piece)
        if size > limit:
            raise _too_large(limit, " when it is unpacked")
        pieces.append(piece)
        if not unpacking.eof:
            raise Refusal(400, f"the body ends in the middle of its {packing}")
        rest = unpacking.unused_data
        if not rest:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    raise Refusal(400, f"the body is more than {_MEMBERS} files of {packing}, one behind the other")


def _has_zlib_head(body: bytes) -> bool:
    """RFC 1950, 2.2: method 8, and the first two bytes a multiple of 31."""
    return len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _too_large(limit: int, when: str) -> Refusal:
    shown = f"{limit >> 20} MB" if limit >= 1 << 20 else f"{limit} bytes"
    return Refusal(413, f"the body is larger than {shown}{when}: send smaller batches", closes=not when)
