"""What `llmops_tui.log` costs a program: microseconds a logged call, and milliseconds to import it.

    uv run python tests/benchmarks/log_overhead.py

Nobody listens at the address that is sent to: queue, encoding and back-off are at work all the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ["LLMOPS_TUI_ENDPOINT"] = "http://127.0.0.1:9"

from llmops_tui import log

CALLS, ROUNDS = 5_000, 7


def plain(question: str, k: int = 3) -> str:
    return question


@log.request(feature="refunds")
def decorated(question: str, k: int = 3) -> str:
    return question


def with_steps(question: str) -> None:
    with log.request("answer", feature="refunds", user="u1", session="s1") as r:
        with r.retrieval(question) as found:
            found.output([{"id": str(n), "content": question, "score": 0.5} for n in range(5)])
        with r.model("gpt", [{"role": "user", "content": question}]) as call:
            call.output(question).usage(120, 30)
        r.output(question)


def cost_us(call: Callable[[str], Any]) -> float:
    """The best of several rounds."""
    question = "What is the refund window? " * 20
    found = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(CALLS):
            call(question)
        found.append((time.perf_counter() - begun) / CALLS * 1e6)
    return min(found)


def import_ms() -> float:
    code = (
        "import time; t = time.perf_counter(); import llmops_tui.log; print((time.perf_counter() - t) * 1e3)"
    )
    return min(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5))


def main() -> None:
    base = cost_us(plain)
    rows = [
        ("decorated function", cost_us(decorated) - base),
        ("request, retrieval and call", cost_us(with_steps)),
    ]
    log.off()
    rows.append(("decorated function, log off", cost_us(decorated) - base))
    for what, microseconds in rows:
        print(f"{what:32} {microseconds:8.1f} µs")
    print(f"{'import':32} {import_ms():8.1f} ms")


if __name__ == "__main__":
    main()
