"""Phoenix, for real: installed, sent our traces, and asked what it has of them. Outside the test suite.

    uv run python tests/real/phoenix_roundtrip.py [--venv DIR] [--workspace DIR [--config NAME]]

Makes a virtual environment (or takes the one of an earlier run), starts Phoenix on loopback with a data
folder of its own, evaluates a small workspace with retrieval, sends its traces and the made-up one of the
tests, and reads every span back through Phoenix's REST API. Exits with 1 where something is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tracing"), str(HERE.parents[1])]

PROJECT = "llmops-tui"
DOCUMENTS = {
    "docs/refunds.md": "# Refunds\n\nA refund is possible within 30 days of the order.\n",
    "docs/hours.md": "# Hours\n\nThe desk is open from 9 to 5.\n",
}
KINDS = {
    "model": "LLM",
    "retrieval": "RETRIEVER",
    "tool": "TOOL",
    "scorer": "EVALUATOR",
    "prompt": "PROMPT",
}
PROMPT = "system:\nAnswer from the documents.\n\n{{ context }}\n\nuser:\n{{ question }}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--venv", type=Path, help="virtual environment with Phoenix; made where it is not there"
    )
    parser.add_argument("--version", default="arize-phoenix", help="what is installed, as pip takes it")
    parser.add_argument("--workspace", type=Path, help="an evaluated workspace of your own")
    parser.add_argument("--config", help="its configuration")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llmops-phoenix-") as folder:
        room = Path(folder)
        python = installed(given.venv or room / "venv", given.version)
        traces = [*made_up(), *recorded(given.workspace or evaluated(room / "workspace"), given.config)]
        with Phoenix(python, room) as phoenix:
            return check(phoenix, traces)


def installed(venv: Path, requirement: str) -> Path:
    """The Python of a virtual environment that has Phoenix."""
    python = venv / "bin" / "python"
    if not python.exists():
        say(f"making {venv} (Phoenix is large: some minutes)")
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", requirement], check=True)
    return python


def evaluated(root: Path) -> Path:
    """A small workspace with retrieval, evaluated by the command line."""
    from small_workspace import write_workspace

    write_workspace(
        root,
        prompt=PROMPT,
        config={"retrieval": {"source": "docs", "top_k": 2, "chunk_words": 20}, "params": {"temperature": 0}},
        cases=[
            {
                "id": "refund",
                "vars": {"question": "refund within how many days"},
                "scorers": [{"contains": "30"}],
            },
            {
                "id": "open",
                "vars": {"question": "when is the desk open"},
                "scorers": [{"contains": "9 to 5"}],
            },
        ],
        files=DOCUMENTS,
    )
    home = {"LLMOPS_TUI_HOME": str(root / "home"), "LLMOPS_TUI_CONFIG": str(root / "home/config")}
    os.environ.update(home)
    subprocess.run(
        [str(Path(sys.executable).parent / "llmops-tui"), "run", "--workspace", str(root)],
        check=True,
        stdout=sys.stderr,
    )
    return root


def recorded(root: Path, config: str | None) -> list[Any]:
    """The traces of the newest version."""
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.traces import Traces

    engine = Engine.open(root, read_only=True)
    try:
        engine.load()
        name = engine.configuration(config).name
        return list(Traces(engine.store).all(engine.queries.resolve(name, "latest")))
    finally:
        engine.close()


def made_up() -> list[Any]:
    """The trace of the tests: tools, reasoning, an error."""
    from sample_traces import whole_trace

    return [whole_trace()]


class Phoenix:
    """A Phoenix on loopback; what it keeps is below `room`."""

    def __init__(self, python: Path, room: Path) -> None:
        self._python = python
        self._room = room
        self.port, self._grpc = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Phoenix:
        environment = {
            **os.environ,
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(self.port),
            "PHOENIX_GRPC_PORT": str(self._grpc),
            "PHOENIX_WORKING_DIR": str(self._room / "phoenix"),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        log = (self._room / "phoenix.log").open("wb")
        command = [str(self._python.parent / "phoenix"), "serve"]
        self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        say(f"Phoenix starts at {self.url} (process {self._process.pid})")
        for _ in range(240):
            if self._process.poll() is not None:
                break
            try:
                get(f"{self.url}/healthz")
                return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        self.__exit__()
        sys.exit(
            "Phoenix did not start:\n" + (self._room / "phoenix.log").read_text("utf-8", "replace")[-3000:]
        )

    def __exit__(self, *_error: object) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def spans(self, wanted: int) -> list[dict[str, Any]]:
        """Every span of the project; Phoenix writes them some moments after it took them."""
        found: list[dict[str, Any]] = []
        for _ in range(60):
            try:
                found = self._pages()
            except urllib.error.HTTPError as error:
                if error.code != 404:  # the project comes with its first span
                    raise
            if len(found) >= wanted:
                break
            time.sleep(0.5)
        return found

    def _pages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = get(f"{self.url}/v1/projects/{PROJECT}/spans?limit=1000{cursor}")
            found += page["data"]
            if not page.get("next_cursor"):
                return found
            cursor = f"&cursor={page['next_cursor']}"


def check(phoenix: Phoenix, traces: list[Any]) -> int:
    from llmops_tui.tracing import Sender

    wanted = {(trace.id, span.id): span for trace in traces for span in trace.spans}
    sent = Sender(phoenix.url, project=PROJECT).send(traces)
    say(f"sent {sent.spans} spans of {len(traces)} traces; {sent.refused} were refused")
    there = {(s["context"]["trace_id"], s["context"]["span_id"]): s for s in phoenix.spans(len(wanted))}
    wrong = [f"{span.name}: is not there" for key, span in wanted.items() if key not in there]
    for key, span in wanted.items():
        if key in there:
            wrong += [f"{span.name}: {what}" for what in compared(span, there[key])]
    say(f"read back {len(there)} spans: " + ", ".join(f"{n} {kind}" for kind, n in kinds(there.values())))
    example = next(s for s in there.values() if s["span_kind"] == "LLM" and "small" not in s["name"])
    say("one of them, as Phoenix has it:\n" + json.dumps(example, indent=1, ensure_ascii=False)[:4000])
    for line in wrong:
        say(f"WRONG {line}")
    say("all there" if not wrong else f"{len(wrong)} differences")
    return 1 if wrong else 0


def compared(span: Any, got: dict[str, Any]) -> list[str]:
    """Where Phoenix differs from what we sent."""
    from llmops_tui.domain import semconv as a

    has, shown = span.attributes, got["attributes"]
    expected: dict[str, Any] = {}
    if span.kind == "model":
        expected["llm.model_name"] = has.get(a.RESPONSE_MODEL) or has[a.MODEL]
        for name, attribute in (("prompt", a.INPUT_TOKENS), ("completion", a.OUTPUT_TOKENS)):
            if attribute in has:
                expected[f"llm.token_count.{name}"] = has[attribute]
        for n, message in enumerate(has[a.INPUT_MESSAGES]):
            expected[f"llm.input_messages.{n}.message.role"] = message["role"]
            texts = [part["content"] for part in message["parts"] if part["type"] == "text"]
            if texts:
                expected[f"llm.input_messages.{n}.message.content"] = "\n".join(texts)
    if span.kind == "retrieval":
        assert has[a.DOCUMENTS], "nothing was retrieved"
        for n, document in enumerate(has[a.DOCUMENTS]):
            for name in ("id", "content", "score"):
                expected[f"retrieval.documents.{n}.document.{name}"] = document[name]
    if span.kind == "tool":
        expected["tool.name"] = has[a.TOOL_NAME]
    wrong = [
        f"{name} is {look_up(shown, name)!r} and not {value!r}"
        for name, value in expected.items()
        if look_up(shown, name) != value
    ]
    if got["span_kind"] != KINDS.get(span.kind, "CHAIN"):
        wrong.append(f"is a {got['span_kind']}")
    if (got["parent_id"] or "") != span.parent_id:
        wrong.append(f"hangs below {got['parent_id']!r} and not {span.parent_id!r}")
    if got["status_code"] != span.status.upper():
        wrong.append(f"has the status {got['status_code']}")
    return wrong


def look_up(shown: Any, name: str) -> Any:
    """A value by its flat name; Phoenix gives some attributes flat and some as trees."""
    if isinstance(shown, dict) and name in shown:
        return shown[name]
    parts = name.split(".")
    for n in range(len(parts) - 1, 0, -1):
        head, rest = ".".join(parts[:n]), ".".join(parts[n:])
        if isinstance(shown, dict) and head in shown:
            return look_up(shown[head], rest)
        if isinstance(shown, list) and head.isdigit() and int(head) < len(shown):
            return look_up(shown[int(head)], rest)
    return None


def kinds(spans: Any) -> list[tuple[str, int]]:
    from collections import Counter

    return sorted(Counter(span["span_kind"] for span in spans).items())


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        body = answer.read()
    return json.loads(body) if body[:1] in (b"{", b"[") else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
