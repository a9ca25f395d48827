"""What the collector answers: OTLP's responses and errors, in the content type of the request.

The messages are small and their classes are not: they are written by hand (protobuf's wire format; OTLP
1.7, "OTLP/HTTP Response"; `google.rpc.Status`).
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
ContentType = Literal["application/x-protobuf", "application/json"]

#: HTTP status → code of `google.rpc.Status`.
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 408: 4, 413: 8, 415: 3, 429: 8, 500: 13, 503: 14}


class Refusal(Exception):
    """A request that is not taken.

    Attributes:
        status: of HTTP.
        sentence: what is wrong, and what would be right.
        retry_s: seconds after which it may be tried again.
        headers: more of the answer's.
        closes: the connection can't be used any more.
    """

    def __init__(
        self,
        status: int,
        sentence: str,
        *,
        retry_s: int | None = None,
        headers: dict[str, str] | None = None,
        closes: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.closes = closes
        self.headers = dict(headers or {})
        if retry_s is not None:
            self.headers["Retry-After"] = str(retry_s)

    def body(self, kind: ContentType) -> bytes:
        """As a `google.rpc.Status`."""
        code = _CODES.get(self.status, 2)
        if kind == JSON:
            return msgspec.json.encode({"code": code, "message": self.sentence})
        return b"\x08" + _varint(code) + _field(2, self.sentence.encode("utf-8", "replace"))


def success(kind: ContentType, rejected: int = 0, message: str = "", noun: str = "Spans") -> bytes:
    """`ExportTraceServiceResponse` or its like for logs and metrics.

    Args:
        noun: what was rejected, as its JSON has it: `Spans`, `LogRecords`, `DataPoints`.
    """
    if not rejected and not message:
        return b"{}" if kind == JSON else b""
    if kind == JSON:
        # OTLP/JSON writes int64 as a text.
        partial = {f"rejected{noun}": str(rejected), "errorMessage": message}
        return msgspec.json.encode({"partialSuccess": partial})
    count = b"\x08" + _varint(rejected) if rejected else b""
    return _field(1, count + _field(2, message.encode("utf-8", "replace")))


def _field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
