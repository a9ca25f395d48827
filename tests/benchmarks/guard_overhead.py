"""What guardrails cost a program: milliseconds that it waits for a look at an answer of 2,000 characters.

    uv run python tests/benchmarks/guard_overhead.py

The time on the clock, with the load of the machine; what the checks alone cost: `guardrails_overhead.py`.
Every plain kind that may look at an answer, each by itself and all together, through `llmops_tui.guard`; a
function of `guardrails.py`, in its process; and the log. Nobody listens at the address that is sent to.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

os.environ["LLMOPS_TUI_ENDPOINT"] = "http://127.0.0.1:9"

from llmops_tui import log
from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.guard.guarding import Guarding
from llmops_tui.guardrails.apart import Apart

CALLS = 2_000
SENTENCE = "You can ask for a refund within 30 days: open your orders, choose one and press Refund. "
ANSWER = (SENTENCE * 40)[:2_000]
CONTEXT = [SENTENCE * 5, "Refunds are paid within a week to the card that was used. " * 8]
OPTIONS: dict[str, dict[str, Any]] = {
    "topic": {"denied": ["politics", "weapons"]},
    "max_length": {"value": 4_000},
    "regex": {"value": r"\bforbidden\b"},
}


def plain() -> list[GuardrailUse]:
    """Every built-in kind that looks at once, with its defaults."""
    uses = []
    for name, kind in GUARDRAILS.items():
        if kind.apart or "output" not in kind.may or name == "json_schema":
            continue
        options = kind.options.model_validate(OPTIONS.get(name, {})).model_dump()
        uses.append(GuardrailUse(name, name, ("output",), kind.action, options, kind.threshold))
    return uses


def took_ms(look: Callable[[], Any], calls: int = CALLS) -> tuple[float, float]:
    """Median and 95th percentile."""
    for _ in range(50):
        look()
    found = []
    for _ in range(calls):
        begun = time.perf_counter()
        look()
        found.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(found), sorted(found)[int(calls * 0.95)]


def guarding(uses: Sequence[GuardrailUse], apart: Apart | None = None) -> Guarding:
    made = Guarding("helpdesk", "0" * 64, uses, apart)
    if made.broken:
        raise SystemExit(f"can't be made: {made.broken}")
    return made


def main() -> None:
    print(f"load of the machine, {os.cpu_count()} cores: {os.getloadavg()[0]:.1f}")
    uses = plain()
    log.off()
    rows = []
    for use in uses:
        one = guarding([use])
        rows.append((use.name, took_ms(lambda one=one: one.output(ANSWER, context=CONTEXT))))  # type: ignore[misc]
    everything = guarding(uses)
    rows.append(("all of them", took_ms(lambda: everything.output(ANSWER, context=CONTEXT))))
    log.on()

    def logged() -> None:
        with log.request("answer"):
            everything.output(ANSWER, context=CONTEXT)

    rows.append(("all of them, logged", took_ms(logged)))
    log.off()
    apart = Apart({"guardrails.py": "def passes(text): return False\n"})
    function = guarding(
        [GuardrailUse("passes", "passes", ("output",), timeout_s=2.0, revision="0" * 64)], apart
    )
    rows.append(("a function, in its process", took_ms(lambda: function.output(ANSWER))))
    apart.close()
    for what, (median, p95) in rows:
        print(f"{what:28} {median:8.3f} ms   95 %: {p95:.3f} ms")


if __name__ == "__main__":
    main()
