"""Workspaces of any size against a fake server, for the benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [str(Path(sys.executable).parent / "llmops-tui")]


def environment(home: Path) -> dict[str, str]:
    """As a person has it: bytecode is written and used, the user's folders are the benchmark's own."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env["LLMOPS_TUI_HOME"] = str(home / "data")
    env["LLMOPS_TUI_CONFIG"] = str(home / "config")
    env["OPENAI_API_KEY"] = "none-needed"
    return env


@contextmanager
def fake_server(latency_ms: float) -> Iterator[str]:
    """The fake OpenAI-compatible server in a process of its own; gives its base URL."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/fake_openai.py"), "--port", "0", "--latency-ms", str(latency_ms)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip().rstrip("/")
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def server_stats(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats") as answer:
        stats: dict[str, Any] = json.load(answer)
    return stats


def forget(url: str) -> None:
    """Set the server's counts back to nothing."""
    request = urllib.request.Request(url.removesuffix("/v1") + "/reset", method="POST")
    urllib.request.urlopen(request).close()


def write(root: Path, cases: int, url: str, concurrency: int, *, litellm: bool = False) -> Path:
    """A workspace `bench` of so many cases with two scorers each."""
    for folder in ("configs", "prompts", "evals"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    provider = "openai" if litellm else "fake"
    settings: dict[str, Any] = {"concurrency": concurrency}
    if not litellm:
        settings["base_url"] = url
    config: dict[str, Any] = {
        "prompt": "prompts/bench.md",
        "models": [f"{provider}/gpt-4o-mini" if litellm else "fake/small"],
        "params": {"temperature": 0, **({"api_base": url} if litellm else {})},
        "evals": ["evals/bench.yaml"],
    }
    (root / "llmops.yaml").write_text(json.dumps({"providers": {provider: settings}}))
    (root / "configs/bench.yaml").write_text(json.dumps(config))
    (root / "prompts/bench.md").write_text("system:\nAnswer in one word.\n\nuser:\n{{ question }}\n")
    lines = ["cases:"]
    for i in range(cases):
        lines += [
            f"  - id: case-{i:06d}",
            "    vars:",
            f"      question: What is the answer to question {i}?",
            f"    expected: answer {i}",
            "    scorers:",
            "      - contains: answer",
            "      - max_words: 60",
            "    tags: [bench]",
        ]
    (root / "evals/bench.yaml").write_text("\n".join(lines) + "\n")
    return root
