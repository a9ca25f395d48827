"""A collector on loopback that keeps what the log posts, as JSON, and answers as it is told."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class LogCollector:
    """`replies` in turn (status, headers), then 200. `spans` and `signals` are those that a 200 took."""

    def __init__(self) -> None:
        self.replies: list[tuple[int, dict[str, str]]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.spans: list[dict[str, Any]] = []
        self.resources: list[dict[str, Any]] = []
        self.signals: list[dict[str, Any]] = []
        self.bodies: list[Any] = []
        self.url = ""

    def span(self, name: str) -> dict[str, Any]:
        (found,) = [span for span in self.spans if span["name"] == name]
        return found

    def take(self, path: str, body: Any) -> None:
        if path == "/signals":
            self.signals += body
            return
        self.bodies.append(body)
        for resource in body["resourceSpans"]:
            self.resources.append(attributes(resource["resource"]))
            for scope in resource["scopeSpans"]:
                self.spans += scope["spans"]


def attributes(holder: dict[str, Any]) -> dict[str, Any]:
    """Names → values, structures unpacked."""
    found = {}
    for pair in holder["attributes"]:
        ((kind, value),) = pair["value"].items()
        if kind == "intValue":
            value = int(value)
        elif kind == "arrayValue":
            value = [each["stringValue"] for each in value["values"]]
        elif kind == "stringValue" and value[:1] in ("[", "{"):
            value = json.loads(value)
        found[pair["key"]] = value
    return found


@contextmanager
def log_collector() -> Iterator[LogCollector]:
    collector = LogCollector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
            collector.requests.append((self.path, dict(self.headers)))
            status, headers = collector.replies.pop(0) if collector.replies else (200, {})
            if status == 200:
                collector.take(self.path, json.loads(body))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "2"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
