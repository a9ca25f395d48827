"""Sending, against a collector on loopback; waiting is counted and takes no time."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
from fake_collector import Collector, Reply, collecting, partial
from sample_traces import plain_trace, whole_trace

from llmops_tui.tracing import Sender, SendError, request_of


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    monkeypatch.setenv("NO_PROXY", "*")
    with collecting() as found:
        yield found


class Waits(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def sender(collector: Collector, waits: Waits | None = None, **rest: Any) -> Sender:
    return Sender(collector.url, sleep=waits if waits is not None else Waits(), now=lambda: 1_000.0, **rest)


def refused(sending: Sender) -> str:
    with pytest.raises(SendError) as error:
        sending.send([plain_trace(1)])
    return str(error.value)


class TestWhatIsSent:
    def test_is_the_request_packed(self, collector: Collector) -> None:
        sent = sender(collector).send([whole_trace()])
        assert collector.requests == [request_of([whole_trace()])]
        assert (sent.spans, sent.requests, sent.refused) == (6, 1, 0)
        assert collector.headers[0]["content-encoding"] == "gzip"
        assert collector.headers[0]["content-type"] == "application/x-protobuf"
        assert collector.sizes[0] < collector.requests[0].ByteSize()

    def test_has_its_headers_and_project(self, collector: Collector) -> None:
        sender(collector, headers={"x-api-key": "abc"}, project="mine").send([plain_trace(1)])
        assert collector.headers[0]["x-api-key"] == "abc"
        resource = collector.requests[0].resource_spans[0].resource
        assert "mine" in [each.value.string_value for each in resource.attributes]

    def test_goes_in_portions(self, collector: Collector) -> None:
        told: list[int] = []
        traces = [plain_trace(n, filling="x" * 500_000) for n in range(1, 6)]
        sent = sender(collector).send(traces, lambda so_far: told.append(so_far.spans))
        assert sent.requests == len(collector.requests) == 3
        assert told == [2, 4, 5]
        assert collector.names == [f"case {n}" for n in range(1, 6)]

    def test_nothing_asks_nobody(self, collector: Collector) -> None:
        assert sender(collector).send([]).requests == 0
        assert collector.requests == []


class TestTheEndpoint:
    @pytest.mark.parametrize(
        ("given", "path"),
        [
            ("", "/v1/traces"),
            ("/", "/v1/traces"),
            ("/otel", "/otel/v1/traces"),
            ("/api/public/otel/v1/traces", "/api/public/otel/v1/traces"),
            ("/v1/traces/", "/v1/traces"),
            ("/otel?tenant=a", "/otel/v1/traces?tenant=a"),
        ],
    )
    def test_is_a_base_or_the_place_itself(self, collector: Collector, given: str, path: str) -> None:
        Sender(collector.url + given).send([plain_trace(1)])
        assert collector.paths == [path]

    def test_may_have_a_name_and_a_password(self, collector: Collector) -> None:
        url = collector.url.replace("//", "//pk-1:s%20k@")
        sending = Sender(url)
        sending.send([plain_trace(1)])
        kind, _, token = collector.headers[0]["authorization"].partition(" ")
        assert (kind, base64.b64decode(token)) == ("Basic", b"pk-1:s k")
        assert "pk-1" not in sending.place

    @pytest.mark.parametrize(
        "given", ["", "localhost:4318", "ftp://host", "http://", "http://host:99999", "http://h ost"]
    )
    def test_that_is_no_url_is_said_and_not_shown(self, given: str) -> None:
        with pytest.raises(SendError, match="the endpoint is not a URL; write it as http"):
            Sender(given)

    @pytest.mark.parametrize(("name", "value"), [("a b", "x"), ("x", "a\nb"), ("", "x"), ("x", "ключ")])
    def test_a_header_that_cannot_be_sent_is_named_without_its_value(self, name: str, value: str) -> None:
        with pytest.raises(SendError) as error:
            Sender("http://localhost", {name: value})
        assert "can't be sent" in str(error.value)
        assert value not in str(error.value).replace("header 'x'", "")


class TestAgain:
    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_where_the_protocol_says_so(self, collector: Collector, status: int) -> None:
        collector.replies = [Reply(status), Reply(status)]
        waits = Waits()
        assert sender(collector, waits).send([plain_trace(1)]).spans == 1
        assert waits == [1, 2]
        assert len(collector.requests) == 3
        assert collector.requests[0] == collector.requests[2]

    def test_after_the_time_that_was_asked_for(self, collector: Collector) -> None:
        date = formatdate(1_007, usegmt=True)
        collector.replies = [
            Reply(429, headers={"Retry-After": "3"}),
            Reply(503, headers={"Retry-After": date}),
        ]
        waits = Waits()
        sender(collector, waits).send([plain_trace(1)])
        assert waits == [3, 7]

    def test_not_where_it_asks_for_too_long(self, collector: Collector) -> None:
        collector.replies = [Reply(429, headers={"Retry-After": "3600"})]
        waits = Waits()
        assert "asks to wait 3600 s" in refused(sender(collector, waits))
        assert waits == []

    def test_and_then_no_more(self, collector: Collector) -> None:
        collector.replies = [Reply(503)] * 9
        assert "(HTTP 503)" in refused(sender(collector, retries=2))
        assert len(collector.requests) == 3


class TestErrors:
    def test_say_what_the_endpoint_said(self, collector: Collector) -> None:
        # google.rpc.Status: 1 code (varint), 2 message (text).
        collector.replies = [Reply(400, b"\x08\x03\x12\x0bspan is bad")]
        assert refused(sender(collector)).endswith(
            "/v1/traces did not take the spans (HTTP 400): span is bad"
        )
        assert len(collector.requests) == 1

    def test_say_it_from_json_too(self, collector: Collector) -> None:
        body = json.dumps({"message": "no \x1b[31mproject"}).encode()
        collector.replies = [Reply(401, body, {"Content-Type": "application/json"})]
        said = refused(sender(collector))
        assert "(HTTP 401): no project; give the endpoint's key" in said

    def test_leave_out_pages_for_browsers(self, collector: Collector) -> None:
        collector.replies = [Reply(404, b"<html>no</html>", {"Content-Type": "text/html"})]
        said = refused(sender(collector))
        assert "<html>" not in said
        assert "look at the path" in said

    def test_carry_no_key_elsewhere(self, collector: Collector) -> None:
        with collecting() as elsewhere:
            collector.replies = [Reply(307, headers={"Location": elsewhere.url})]
            said = refused(sender(collector, headers={"x-api-key": "sesame"}))
            assert elsewhere.requests == []
        assert "it leads elsewhere" in said
        assert "sesame" not in said

    def test_say_what_was_sent_before(self, collector: Collector) -> None:
        collector.replies = [Reply(), Reply(400)]
        traces = [plain_trace(n, filling="x" * 900_000) for n in (1, 2)]
        with pytest.raises(SendError, match="1 span went before"):
            sender(collector).send(traces)

    def test_nobody_listens(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
            waits = Waits()
            sending = Sender(f"http://127.0.0.1:{taken.getsockname()[1]}", sleep=waits, retries=1)
            assert "can't be reached: Connection refused; is it running" in refused(sending)
            assert waits == [1]


class TestPartialSuccess:
    def test_is_counted_and_told(self, collector: Collector) -> None:
        collector.replies = [Reply(200, partial(2, "too \x1b[1mold"))]
        sent = sender(collector).send([whole_trace()])
        assert (sent.spans, sent.refused, sent.said) == (4, 2, ("too old",))

    def test_is_read_from_json(self, collector: Collector) -> None:
        body = b'{"partialSuccess": {"rejectedSpans": "1", "errorMessage": "why"}, "more": 1}'
        collector.replies = [Reply(200, body, {"Content-Type": "application/json"})]
        assert sender(collector).send([whole_trace()]).refused == 1

    @pytest.mark.parametrize("body", [b"", b"ok", b"\xff\xff", b"{"])
    @pytest.mark.parametrize("kind", ["application/x-protobuf", "application/json", "text/plain"])
    def test_an_answer_that_says_nothing_refuses_nothing(
        self, collector: Collector, body: bytes, kind: str
    ) -> None:
        collector.replies = [Reply(200, body, {"Content-Type": kind})]
        assert sender(collector).send([whole_trace()]).spans == 6
