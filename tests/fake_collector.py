"""A collector on loopback that takes OTLP over HTTP and answers as it is told."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Reply(NamedTuple):
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})


class Collector:
    """What came in, and what is answered: `replies` in turn, then 200.

    Attributes:
        requests: as decoded, those that were answered with an error too.
        headers, paths, sizes: of every request; sizes are those of the packed bodies.
        gate: called before an answer.
    """

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.sizes: list[int] = []
        self.replies: list[Reply] = []
        self.gate: Callable[[], Any] = lambda: None
        self.url = ""

    @property
    def names(self) -> list[str]:
        """Names of all spans, in the order in which they came."""
        scopes = [s for request in self.requests for r in request.resource_spans for s in r.scope_spans]
        return [span.name for scope in scopes for span in scope.spans]


def partial(refused: int, message: str = "") -> bytes:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = refused
    answer.partial_success.error_message = message
    return answer.SerializeToString()


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.headers.append({name.lower(): value for name, value in self.headers.items()})
            collector.paths.append(self.path)
            collector.sizes.append(len(body))
            collector.requests.append(ExportTraceServiceRequest.FromString(gzip.decompress(body)))
            collector.gate()
            reply = collector.replies.pop(0) if collector.replies else Reply()
            self.send_response(reply.status)
            kind = {"Content-Type": "application/x-protobuf", "Content-Length": str(len(reply.body))}
            for name, value in {**kind, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
