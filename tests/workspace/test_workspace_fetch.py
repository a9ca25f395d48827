"""Weights are fetched from a hub once, with progress; against a small hub of our own on loopback."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from llmops_tui.domain.errors import ModelError
from llmops_tui.workspace import local_models
from llmops_tui.workspace.weights import EMBEDDED, KNOWN

CONTENT = b"GGUF" + bytes(3_000_000)


class _Hub(BaseHTTPRequestHandler):
    """Answers for the one file `owner/name:tiny.gguf`."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        if self._answer():
            self.wfile.write(CONTENT)

    def _answer(self) -> bool:
        found = self.path == "/owner/name/resolve/main/tiny.gguf"
        self.send_response(200 if found else 404)
        self.send_header("ETag", '"0123456789abcdef"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", str(len(CONTENT) if found else 0))
        self.end_headers()
        return found

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(endpoint: str, file: str, home: str) -> str:
    """In a process of its own: the hub's client reads its settings when it is imported."""
    code = (
        "from llmops_tui.workspace import local_models\n"
        "from llmops_tui.workspace.weights import Weights\n"
        "from llmops_tui.domain.errors import ModelError\n"
        "seen = []\n"
        f"weights = Weights('tiny', hub='owner/name', hub_file={file!r})\n"
        "try:\n"
        "    path = local_models.fetch(weights, lambda done, total: seen.append((done, total)))\n"
        "    print(path.stat().st_size, path == weights.downloaded(), seen[-1] if seen else None)\n"
        "except ModelError as error:\n"
        "    print(error)\n"
    )
    environment = {
        **{"LLMOPS_TUI_HOME": home, "HF_HOME": home, "HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1"},
        **{"HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1", "PATH": ""},
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


def test_a_file_is_fetched_once_with_progress(hub: str, tmp_path: object) -> None:
    size = len(CONTENT)
    assert fetch(hub, "tiny.gguf", str(tmp_path)) == f"{size} True ({size}, {size})"
    assert fetch(hub, "tiny.gguf", str(tmp_path)) == f"{size} True None"


def test_a_file_that_is_not_there_says_what_to_do(hub: str, tmp_path: object) -> None:
    said = fetch(hub, "gone.gguf", str(tmp_path))
    assert said.startswith("gone.gguf can't be fetched from huggingface.co/owner/name: ")
    assert said.endswith("(providers.local.models.tiny.path)")
    assert "\n" not in said


def test_without_a_network_it_is_said_at_once_and_nothing_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from huggingface_hub import constants

    tried: list[object] = []
    monkeypatch.setattr(constants, "ENDPOINT", "https://hub.invalid")
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *_, **__: tried.append(1))
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ModelError, match=r"can't be fetched .*; be online"):
        local_models.fetch(KNOWN[EMBEDDED], lambda _done, _all: None)
    assert not tried
