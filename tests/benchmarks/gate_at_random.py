"""The gate from end to end against a server that answers wrongly at random: false alarms and power.

    python tests/benchmarks/gate_at_random.py                # as in docs/statistics.md
    python tests/benchmarks/gate_at_random.py --gates 20     # a quick look

Every gate asks both sides anew through the worker, the client, the scorers and the store, and is judged by
what `llmops-tui gate --fresh --adjudicate` is judged by. Prints markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import msgspec
from workspaces import fake_server, write

from llmops_tui.domain.statistics.proportion import clopper_pearson_lower, clopper_pearson_upper

CASES = 60


class Setting(msgspec.Struct, frozen=True):
    """How often the answers of both sides are wrong, and how many gates are held."""

    before: float
    after: float
    gates: int


async def hold(root: Path, setting: Setting) -> tuple[Counter[str], int, int]:
    """Verdicts, requests, and gates that went beyond the first look."""
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.events import AskFirst, GateRequest
    from llmops_tui.engine.gating import Gate

    engine = Engine.open(root)
    try:
        sides = [_version(engine, root, f"random-{wrong}", word) for wrong, word in _sides(setting)]
        verdicts: Counter[str] = Counter()
        calls = further = 0
        request = GateRequest("bench", sides[1], sides[0], fresh=True, adjudicate=True, agreed=True)
        for _ in range(setting.gates):
            outcome = await Gate(engine).gate(request)
            assert not isinstance(outcome, AskFirst)
            assert outcome.result.rows == CASES, outcome.result
            verdicts[outcome.result.verdict] += 1
            calls += outcome.result.provider_calls
            further += len(outcome.result.looks) > 1
        return verdicts, calls, further
    finally:
        engine.close()


def _sides(setting: Setting) -> list[tuple[float, str]]:
    return [(setting.before, "one word"), (setting.after, "a single word")]


def _version(engine: object, root: Path, model: str, words: str) -> str:
    """Write and record a version; gives its name."""
    from llmops_tui.engine.engine import Engine

    assert isinstance(engine, Engine)
    (root / "prompts/bench.md").write_text(f"system:\nAnswer in {words}.\n\nuser:\n{{{{ question }}}}\n")
    file = root / "configs/bench.yaml"
    config = msgspec.json.decode(file.read_bytes())
    file.write_bytes(msgspec.json.encode({**config, "models": [f"fake/{model}"]}))
    engine.load()
    return engine.version(engine.configuration("bench")).name


def row(setting: Setting, verdicts: Counter[str], calls: int, further: int) -> str:
    n = setting.gates
    failed = verdicts["fail"]
    bound = (
        f"≤ {clopper_pearson_upper(failed, n):.1%}"
        if setting.before == setting.after
        else f"≥ {clopper_pearson_lower(failed, n):.1%}"
    )
    shares = [f"{verdicts[v] / n:.1%}" for v in ("fail", "pass", "inconclusive")]
    cells = [
        f"{setting.before:.0%} → {setting.after:.0%}", f"{n:,}", shares[0], bound, *shares[1:],
        f"{further / n:.0%}", f"{calls / n:,.0f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gates", type=int, help="of each line; by default 1,000 and 200")
    given = parser.parse_args()
    head = ["wrong before → after", "gates", "fail", "exact bound", "pass", "inconclusive", "adjudicated"]
    sys.stdout.write(f"{CASES} cases, α = 0.05, `max_drop: auto`, adjudication on.\n\n")
    sys.stdout.write(
        "| " + " | ".join([*head, "requests a gate"]) + " |\n|" + " --- |" * (len(head) + 1) + "\n"
    )
    for before, after, gates in ((0.2, 0.2, 1000), (0.2, 0.3, 200), (0.2, 0.5, 200)):
        setting = Setting(before, after, given.gates or gates)
        work = Path(tempfile.mkdtemp(prefix="llmops-gate-"))
        try:
            with fake_server(0) as url:
                root = write(work / "ws", CASES, url, 60)
                sys.stdout.write(row(setting, *asyncio.run(hold(root, setting))) + "\n")
                sys.stdout.flush()
        finally:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
