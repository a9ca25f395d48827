"""What checks of plain guardrails cost: microseconds a look, each kind and all together; hostile megabytes.

    uv run python tests/benchmarks/guardrails_overhead.py

All together are to stay under 1 ms for an answer of 2,000 characters. Times are CPU times, so that what else
the machine does is hardly in them: on a busy one caches are cold, and they grow by half. Kinds that run in a
process of their own are not plain, nor is `grounded`, which reads what was retrieved as well; it has a row of
its own. The customers' questions are those of the tests that come close to an injection, in a row: the
dearest that is harmless. What a program waits for, with all that is around a check: `guard_overhead.py`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "guardrails"))

from hostile_texts import megabytes
from labelled import texts

from llmops_tui.domain.guardrails.catalogue import GUARDRAILS
from llmops_tui.guardrails.checks import prepare
from llmops_tui.guardrails.registry import About, CannotCheck, Deadline, TooSlow

LENGTHS, ROUNDS = (200, 2_000, 20_000), 200
LIMIT_S = 0.5

OPTIONS: dict[str, dict[str, Any]] = {
    "pii": {},
    "secrets": {},
    "injection": {},
    "regex": {"value": [r"\bconfidential\b", r"https?://(?!shop\.example)"]},
    "max_length": {"value": 100_000, "words": 20_000},
    "refusal": {},
    "topic": {"denied": ["legal advice", "medicine", "gambling"]},
    "json_schema": {"value": {"type": "object"}},
}
ABOUT = About("output")

ANSWER = (
    "You can return any lamp within 30 days of delivery, in its original packaging. Our support team "
    "sends you a label by e-mail, and the refund of 49.99 is paid to your account within 5 working days. "
    "If the lamp arrived damaged, please attach a photo of the parcel: it helps us to talk to the "
    "carrier. Bulbs, fuses and batteries are not part of the warranty, unless they were broken when you "
    "opened the box. To change the address, open 'My orders', choose the order and follow the link; after "
    "6 pm it has left Utrecht. "
)
CONTEXT = tuple((ANSWER * 2)[start : start + 1_000] for start in (0, 200))
RUSSIAN = "Вы можете вернуть лампу в течение 30 дней. Мы отправим вам этикетку, и деньги вернутся на счёт. "
CHINESE = "您可以在三十天内退货。我们会通过电子邮件向您发送标签，退款将在五个工作日内到账。"
TYPED = ANSWER.replace("'", "’").replace("e-mail, and", "e‑mail — and").replace("carrier", "größte Spediteur")


def long(text: str, length: int) -> str:
    return "".join(islice(cycle(text), length))


def main() -> None:
    checks = {
        kind: prepare(kind, GUARDRAILS[kind].options.model_validate(options).model_dump(mode="json"))
        for kind, options in OPTIONS.items()
    }
    print(f"load of the machine, {os.cpu_count()} cores: {os.getloadavg()[0]:.1f}")
    grounded = prepare("grounded", GUARDRAILS["grounded"].options().model_dump(mode="json"))
    customers = " ".join(text for text in texts("harmless") if len(text) < 90)
    rows = {
        **{"ASCII prose": ANSWER, "with ’ — ö": TYPED, "customers' questions": customers},
        **{"Russian": RUSSIAN, "Chinese": CHINESE},
    }
    for name, text in rows.items():
        print(f"\n{name}: median and p95, µs of CPU")
        print(f"{'':12}" + "".join(f"{length:>16,}" for length in LENGTHS))
        for kind, check in checks.items():
            print(f"{kind:12}" + "".join(_costs([check], long(text, length)) for length in LENGTHS))
        print(f"{'together':12}" + "".join(_costs([*checks.values()], long(text, n)) for n in LENGTHS))
        print(f"{'grounded':12}" + "".join(_costs([grounded], long(text, n)) for n in LENGTHS))
    _hostile(checks)


def _costs(checks: list[Any], text: str) -> str:
    about = About("output", context=CONTEXT)

    def look() -> None:
        for check in checks:
            check(text, about, Deadline(10))

    times = sorted(_cpu_us(look) for _ in range(max(ROUNDS // (1 + len(text) // 4_000), 30)))
    return f"{median(times):>9,.0f} {times[int(0.95 * len(times))]:>6,.0f}"


def _cpu_us(look: Callable[[], None]) -> float:
    begun = time.process_time_ns()
    look()
    return (time.process_time_ns() - begun) / 1e3


def _hostile(checks: dict[str, Any]) -> None:
    print(f"\na megabyte of hostile text, limit {LIMIT_S} s: longest look, CPU, and how many gave up")
    for kind, check in checks.items():
        longest, cpu, gave_up, looks = 0.0, 0.0, 0, 0
        for text in megabytes():
            begun, begun_cpu = time.perf_counter(), time.process_time()
            try:
                check(text, ABOUT, Deadline(LIMIT_S))
            except (TooSlow, CannotCheck):
                gave_up += 1
            longest, cpu = (
                max(longest, time.perf_counter() - begun),
                max(cpu, time.process_time() - begun_cpu),
            )
            looks += 1
        print(f"{kind:12} {longest:6.2f} s   CPU {cpu:6.2f} s   {gave_up} of {looks}")


if __name__ == "__main__":
    main()
