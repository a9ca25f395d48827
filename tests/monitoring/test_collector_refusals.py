"""What the collector refuses, in what words, and that it is still up afterwards."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from receiving_end import JSON, PROTOBUF, End, body_of, is_still_up, json_of, receiving, request_of, until

from llmops_tui.domain.errors import UsageError
from llmops_tui.monitoring.collector import CollectorSettings
from llmops_tui.monitoring.collector.answers import Refusal
from llmops_tui.monitoring.collector.guard import check_place
from llmops_tui.monitoring.collector.weight import check_weight


def bomb(size: int) -> bytes:
    packing = zlib.compressobj(9, wbits=31)
    piece = bytes(1 << 20)
    return b"".join(packing.compress(piece) for _ in range(size >> 20)) + packing.flush()


def nested(depth: int) -> bytes:
    """An attribute with lists in lists."""
    inner = b""
    for _ in range(depth):
        inner = b"\x0a" + varint(len(inner)) + inner  # a list's value
        inner = b"\x2a" + varint(len(inner)) + inner  # a value that is a list
    attribute = b"\x12" + varint(len(inner)) + inner
    span = b"\x4a" + varint(len(attribute)) + attribute
    for tag in (b"\x12", b"\x12", b"\x0a"):
        span = tag + varint(len(span)) + span
    return span


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


WRONG_UTF8 = body_of((1, 1), name="chat").replace(b"chat", b"ch\xff\xfe")
WRONG_LENGTH = b"\x0a\xff\xff\xff\xff\x0f" + body_of((1, 1))
DEEP_JSON = b'{"resourceSpans":' + b"[" * 100_000


class TestABody:
    @pytest.mark.parametrize(
        ("body", "headers", "status", "said"),
        [
            (b"no protobuf", {}, 400, "protobuf"),
            (WRONG_LENGTH, {}, 400, "protobuf"),
            (WRONG_UTF8, {}, 400, ""),
            (nested(5_000), {}, 400, ""),
            (gzip.compress(body_of((1, 1)))[:-9], {"Content_Encoding": "gzip"}, 400, "ends in the middle"),
            (b"no gzip", {"Content_Encoding": "gzip"}, 400, "not gzip"),
            (gzip.compress(b"") * 100, {"Content_Encoding": "gzip"}, 400, "one behind the other"),
            (bomb(40 << 20), {"Content_Encoding": "gzip"}, 413, "larger than 16 MB when it is unpacked"),
            (body_of((1, 1)), {"Content_Encoding": "br"}, 415, "gzip, deflate"),
            (body_of((1, 1)), {"kind": "text/plain"}, 415, "application/x-protobuf"),
            (body_of((1, 1)), {"kind": None}, 415, "without a content type"),
            (b"{", {"kind": JSON}, 400, ""),
            (DEEP_JSON, {"kind": JSON}, 400, "nested"),
            (b"\xff\xfe{}", {"kind": JSON}, 400, ""),
            (bytes(9 << 20), {}, 413, "larger than 8 MB"),
        ],
        ids=[
            "rubbish", "wrong length", "wrong UTF-8", "nested", "gzip cut off", "no gzip", "many gzips",
            "gzip bomb", "brotli", "text", "no type", "JSON cut off", "nested JSON", "UTF-16", "large",
        ],
    )  # fmt: skip
    async def test_that_is_wrong_is_told_what_is_wrong(
        self, tmp_path: Path, body: bytes, headers: dict[str, Any], status: int, said: str
    ) -> None:
        async with receiving(tmp_path) as end:
            answer = await end.post(body, **headers)
            assert answer.status == status
            assert said in answer.message
            assert answer.message
            kind = headers.get("kind", PROTOBUF)
            assert answer.headers["Content-Type"] == (kind if kind in (JSON, PROTOBUF) else JSON)
            assert end.said == []
            await is_still_up(end)

    async def test_in_chunks_is_not_read_beyond_its_limit(self, tmp_path: Path) -> None:
        sent = 0

        async def endless():
            nonlocal sent
            while True:
                sent += 1
                yield bytes(1 << 16)

        async with receiving(tmp_path, packed_bytes=1 << 20) as end:
            with contextlib.suppress(OSError):  # it may be cut off while it sends
                assert (await end.post(endless())).status == 413
            assert sent < 1_000
            await is_still_up(end)

    @pytest.mark.parametrize("part", [b"\x4a\x00", b"\x4a\x02\x0a\x00", b"\x5a\x00"])
    def test_of_tiny_parts_alone_is_too_heavy(self, part: bytes) -> None:
        span = part * 600_000
        for tag in (b"\x12", b"\x12", b"\x0a"):
            span = tag + varint(len(span)) + span
        with pytest.raises(Refusal) as refusal:
            check_weight(span, 10_000, 250_000, is_json=False)
        assert refusal.value.status == 413
        with pytest.raises(Refusal):
            check_weight(b'{"a": [' + b"{}," * 500_000, 10_000, 250_000, is_json=True)

    @pytest.mark.parametrize("part", [b"[],", b"{},", b"1,", b'"a":1,'])
    def test_of_json_within_a_text_is_too_heavy(self, part: bytes) -> None:
        text = b"[" + part * 1_100_000
        value = b"\x0a" + varint(len(text)) + text
        value = b"\x12" + varint(len(value)) + value
        span = b"\x4a" + varint(len(value)) + value
        for tag in (b"\x12", b"\x12", b"\x0a"):
            span = tag + varint(len(span)) + span
        with pytest.raises(Refusal) as refusal:
            check_weight(span, 10_000, 250_000, is_json=False)
        assert refusal.value.status == 413

    def test_of_long_prose_is_not_too_heavy(self) -> None:
        text = b"If it does not fit, send it back within 30 days, and we pay. " * 400_000
        check_weight(text, 10_000, 250_000, is_json=False)

    def test_of_spans_is_not_too_heavy(self) -> None:
        spans = [(n, 1) for n in range(1, 2_001)]
        body = body_of(*spans, text="The desk is open from 9 to 5, " * 20)
        parts = 2 + 2_000 * 3  # a resource and a scope; spans, an attribute of each, and its value
        check_weight(body, 2_000, parts, is_json=False)
        with pytest.raises(Refusal):
            check_weight(body, 2_000, parts - 1, is_json=False)
        with pytest.raises(Refusal, match="1999 spans"):
            check_weight(body, 1_999, parts, is_json=False)
        check_weight(json_of(*spans), 2_000, 100_000, is_json=True)
        with pytest.raises(Refusal, match="1999 spans"):
            check_weight(json_of(*spans), 1_999, 100_000, is_json=True)

    def test_of_logs_is_weighed_too(self) -> None:
        request = ExportLogsServiceRequest()
        scope = request.resource_logs.add().scope_logs.add()
        for _ in range(1_000):
            record = scope.log_records.add(event_name="x" * 2_000)
            record.body.array_value.values.add().kvlist_value.values.add().value.int_value = 1
        body, parts = request.SerializeToString(), 2 + 1_000 * 7
        check_weight(body, 1_000, parts, is_json=False, of_logs=True)
        with pytest.raises(Refusal):
            check_weight(body, 1_000, parts - 1, is_json=False, of_logs=True)
        with pytest.raises(Refusal, match="999 log records"):
            check_weight(body, 999, parts, is_json=False, of_logs=True)

    async def test_that_does_not_come_is_given_up(self, tmp_path: Path) -> None:
        async with receiving(tmp_path, body_s=0.05) as end:
            reader, writer = await asyncio.open_connection("127.0.0.1", end.port)
            writer.write(head(end, 1000) + b"\x0a")
            await writer.drain()
            assert b" 408 " in await reader.readline()
            writer.close()
            await is_still_up(end)

    async def test_that_breaks_off_loses_nothing_of_others(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            body = body_of((1, 1), (1, 2))
            _, writer = await asyncio.open_connection("127.0.0.1", end.port)
            writer.write(head(end, len(body)) + body[:40])
            await writer.drain()
            sending = asyncio.create_task(end.post(body_of((2, 1))))
            writer.transport.abort()
            assert (await sending).status == 200
            assert end.spans() == [(2, 1)]
            await until(lambda: end.collector._receiver.under_way == 0)
            await is_still_up(end)

    async def test_with_wrong_chunks_is_refused(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            reader, writer = await asyncio.open_connection("127.0.0.1", end.port)
            chunked = head(end, None, "Transfer-Encoding: chunked")
            writer.write(chunked + b"zz\r\nrubbish\r\n")
            await writer.drain()
            assert b" 400 " in await reader.readline()
            writer.close()
            await is_still_up(end)


def head(end: End, length: int | None, *more: str) -> bytes:
    lines = ["POST /v1/traces HTTP/1.1", f"Host: 127.0.0.1:{end.port}", f"Content-Type: {PROTOBUF}", *more]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class TestAHead:
    async def test_that_does_not_come_is_given_up(self, tmp_path: Path) -> None:
        async with receiving(tmp_path, header_s=0.1) as end:
            reader, writer = await asyncio.open_connection("127.0.0.1", end.port)
            writer.write(b"POST /v1/traces HTTP/1.1\r\nHost: 127")
            await writer.drain()
            async with asyncio.timeout(30):
                assert await reader.read() == b""
            writer.close()
            await is_still_up(end)

    @pytest.mark.parametrize(
        "wrong",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n",
            b"POST /v1/traces HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
            b"POST /v1/traces HTTP/1.1\r\n" + b"A: b\r\n" * 5_000 + b"\r\n",
            b"POST /v1/traces HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            b"POST /v1/traces HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        ],
        ids=["TLS", "long", "many", "two lengths", "no length"],
    )
    async def test_that_is_wrong_is_refused(self, tmp_path: Path, wrong: bytes) -> None:
        async with receiving(tmp_path) as end:
            reader, writer = await asyncio.open_connection("127.0.0.1", end.port)
            writer.write(wrong)
            async with asyncio.timeout(30):
                assert b" 400 " in await reader.readline()
            writer.close()
            assert end.said == []
            await is_still_up(end)

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/v1/traces", 405),
            ("POST", "/health", 405),
            ("OPTIONS", "/v1/traces", 405),
            ("POST", "/v1/other", 404),
            ("GET", "/\x1b[31m", 404),
        ],
    )
    async def test_of_another_path_or_method_is_told_so(
        self, tmp_path: Path, method: str, path: str, status: int
    ) -> None:
        async with receiving(tmp_path) as end:
            answer = await end.ask(method, path, {}, None)
            assert answer.status == status
            assert "\x1b" not in answer.message
            assert "Access-Control-Allow-Origin" not in answer.headers


class TestWhoSends:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Authorization": "Bearer s3cret-ü"},
            {"Authorization": "bearer s3cret-ü"},
            {"x-api-key": "s3cret-ü"},
            {"Authorization": "Basic " + base64.b64encode("pk-1:s3cret-ü".encode()).decode()},
        ],
    )
    async def test_with_the_token_is_let_in(self, tmp_path: Path, headers: dict[str, str]) -> None:
        async with receiving(tmp_path, token="s3cret-ü") as end:
            answer = await end.ask(
                "POST", "/v1/traces", {"Content-Type": PROTOBUF, **headers}, body_of((1, 1))
            )
            assert answer.status == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer "},
            {"Authorization": "Bearer s3cre"},
            {"Authorization": "s3cret"},
            {"Authorization": "Basic s3cret"},
            {"Authorization": "Basic \u20ac"},
            {"x-api-key": ""},
        ],
    )
    async def test_without_it_is_not(self, tmp_path: Path, headers: dict[str, str]) -> None:
        async with receiving(tmp_path, token="s3cret") as end:
            answer = await end.ask(
                "POST", "/v1/traces", {"Content-Type": PROTOBUF, **headers}, body_of((1, 1))
            )
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert "token" in answer.message
            assert "s3cret" not in answer.message
            assert (await end.ask("GET", "/health", headers)).status == 401
            assert end.spans() == []

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("localhost:4318", 200),
            ("127.0.0.1", 200),
            ("[::1]:4318", 200),
            ("host.docker.internal:4318", 200),
            ("attacker.example:4318", 403),
            ("localhost.attacker.example", 403),
            ("192.168.1.2:4318", 403),
            ("", 403),
        ],
    )
    async def test_to_another_name_is_not_let_in(self, tmp_path: Path, host: str, status: int) -> None:
        async with receiving(tmp_path) as end:
            assert (await end.post(body_of((1, 1)), Host=host)).status == status

    @pytest.mark.parametrize("origin", ["http://attacker.example", "null", "http://localhost:1", ""])
    async def test_from_a_web_page_is_not_let_in(self, tmp_path: Path, origin: str) -> None:
        async with receiving(tmp_path) as end:
            answer = await end.post(json_of((1, 1)), kind=JSON, Origin=origin)
            assert answer.status == 403
            assert "web page" in answer.message
            assert (await end.post(body_of((2, 1)), Origin=end.collector.url)).status == 200

    def test_from_elsewhere_needs_a_token(self) -> None:
        with pytest.raises(UsageError, match="LLMOPS_TUI_TOKEN"):
            check_place("0.0.0.0", "", on_loopback=False)
        check_place("0.0.0.0", "s3cret", on_loopback=False)

    async def test_over_ipv6_is_let_in(self, tmp_path: Path) -> None:
        async with receiving(tmp_path) as end:
            try:
                reader, writer = await asyncio.open_connection("::1", end.port)
            except OSError:
                pytest.skip("this machine has no IPv6")
            writer.write(b"GET /health HTTP/1.1\r\nHost: [::1]\r\n\r\n")
            assert b" 200 " in await reader.readline()
            writer.close()


def test_refusals_say_the_same_in_both_forms() -> None:
    from opentelemetry.proto.trace.v1.trace_pb2 import Status

    long = "what is wrong; " * 20
    refusal = Refusal(400, long)
    assert Status.FromString(refusal.body(PROTOBUF)).message == long
    assert refusal.body(PROTOBUF)[:2] == b"\x08\x03"
    assert json.loads(refusal.body(JSON)) == {"code": 3, "message": long}


def test_limits_fit_each_other() -> None:
    settings = CollectorSettings()
    assert settings.packed_bytes <= settings.received_bytes
    assert settings.patience_s < 10  # what SDKs wait for an answer
    # The batches of an OpenTelemetry Collector.
    batch = request_of(*[(n, 1) for n in range(1, 8_193)]).SerializeToString()
    check_weight(batch, settings.spans, settings.parts, is_json=False)
