"""Large comparisons: how long until they are judged and painted, and how the screen answers meanwhile.

    python tests/benchmarks/large.py                 # as in docs/benchmarks.md
    python tests/benchmarks/large.py --cases 2000    # a quick look

Two versions of made-up answers are put into the database of a real workspace; nothing is asked. The app is
driven through a terminal of its own: a key is sent, and what is waited for is the next thing it paints.
"""

from __future__ import annotations

import argparse
import json
import random
import select
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from measure import Terminal
from workspaces import environment

BATCH = 20_000


class Setting(msgspec.Struct, frozen=True):
    cases: int
    trials: int

    @property
    def title(self) -> str:
        return f"{self.cases:,} cases × {self.trials}"


def build(root: Path, setting: Setting) -> None:
    """A workspace of two versions: one answer in five wrong before, somewhat more after."""
    from llmops_tui.engine.engine import Engine

    for folder in ("configs", "prompts", "evals"):
        (root / folder).mkdir(parents=True)
    config = {
        "prompt": "prompts/bench.md",
        "models": ["fake/small"],
        "trials": setting.trials,
        "evals": ["evals/bench.jsonl"],
    }
    settings = {"providers": {"fake": {"base_url": "http://127.0.0.1:9/v1"}}}
    (root / "llmops.yaml").write_text(json.dumps(settings))
    (root / "configs/bench.yaml").write_text(json.dumps(config))
    with (root / "evals/bench.jsonl").open("w") as file:
        for i in range(setting.cases):
            case = {
                "id": f"case-{i:06d}",
                "vars": {"question": f"What is {i}?"},
                "scorers": [{"contains": "right"}],
                "tags": [f"tag-{i % 7}"],
            }
            file.write(json.dumps(case) + "\n")
    engine = Engine.open(root)
    try:
        for words, wrong in (("Be brief.", 0.2), ("Be short.", 0.205)):
            (root / "prompts/bench.md").write_text(f"system:\n{words}\n\nuser:\n{{{{ question }}}}\n")
            engine.load()
            answer(engine, wrong)
    finally:
        engine.close()


def answer(engine: Any, wrong: float) -> None:
    """Record a complete run of the version on disk."""
    from llmops_tui.engine.plan import Subset, eval_hash, slots

    configuration = engine.configuration("bench")
    version, store = engine.version(configuration), engine.store
    places = slots(
        configuration.manifest, configuration.models, configuration.cases, configuration.trials, Subset(), {}
    )
    run = store.runs.start(
        version.id,
        "save",
        total=len(places),
        asked_total=len(places),
        eval_hash=eval_hash(places),
        at=time.time(),
    )
    rng = random.Random(version.id)
    for start in range(0, len(places), BATCH):
        part = [made(slot, rng, wrong) for slot in places[start : start + BATCH]]
        store.record(run.id, calls=(), results=part, at=time.time())
    store.runs.finish(
        run.id, state="complete", provider_calls=len(places), cached_outputs=0, elapsed_s=60.0, cost_usd=None
    )
    if version.number == 1:
        store.versions.set_baseline(version.id)


def made(slot: Any, rng: random.Random, wrong: float) -> Any:
    from llmops_tui.domain.model import Usage
    from llmops_tui.domain.output import Output
    from llmops_tui.domain.run import Item
    from llmops_tui.domain.score import Score, combine
    from llmops_tui.store import Result

    word = "wrong" if rng.random() < wrong else "right"
    output = Output(f"The {word} answer to {slot.case.id}.", usage=Usage(20, 6), latency_s=0.3 + rng.random())
    value = float(word == "right")
    scores = tuple(Score(key, "contains", value, value == 1.0, "") for key in slot.score_keys)
    verdict = combine(scores)
    item = Item(
        slot.case.id, slot.model.id, slot.trial, verdict.status, verdict.score, latency_s=output.latency_s
    )
    return Result(slot.position, slot.key, 0, None, output, scores, None, item, slot.score_keys)


def judged(root: Path) -> dict[str, float]:
    """Seconds of comparing and judging, once everything is imported and the workspace is read."""
    from llmops_tui.engine.engine import Engine
    from llmops_tui.engine.gating import Gate

    engine = Engine.open(root)
    try:
        engine.load()
        engine.queries.compare("bench", None, None)
        started = time.perf_counter()
        comparison, _ = engine.queries.compare("bench", None, None)
        compared = time.perf_counter()
        result = Gate(engine).judged(comparison)
        done = time.perf_counter()
        assert not result.by_fact
        return {"compare": compared - started, "test": done - compared}
    finally:
        engine.close()


def answering(app: Terminal, seconds: float) -> Iterator[float]:
    """A key every few milliseconds; how long each waits for what it paints."""
    deadline = time.perf_counter() + seconds
    down = True
    while time.perf_counter() < deadline:
        app.drain(0.005)
        sent = time.perf_counter()
        app.send("j" if down else "k")
        down = not down
        select.select([app.fd], [], [], 10.0)
        yield time.perf_counter() - sent
        app.drain(0.01)


def painted(root: Path, env: dict[str, str], seconds: float) -> list[float]:
    """How long keys wait from the first paint on, while the verdict is made."""
    app = Terminal(root, env)
    try:
        app.wait_for("case-0")
        return list(answering(app, seconds))
    finally:
        app.close()


def until_verdict(root: Path, env: dict[str, str]) -> tuple[float, float]:
    """Seconds from the start to the list of cases, and to the verdict above it."""
    app = Terminal(root, env)
    try:
        return app.wait_for("case-0"), app.wait_for("PASS", "FAIL", "INCONCLUSIVE")
    finally:
        app.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int)
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    settings = [Setting(10_000, 3), Setting(100_000, 1), Setting(100_000, 3)]
    if given.cases:
        settings = [Setting(given.cases, given.trials)]
    sys.stdout.write(
        "| cases × trials, two versions | compare | test | list on screen | verdict on screen "
        "| keys answered: median / 99 % / longest |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
    )
    for setting in settings:
        work = Path(tempfile.mkdtemp(prefix="llmops-large-"))
        try:
            build(work / "ws", setting)
            sys.stdout.write(row(setting, work / "ws", environment(work), given.runs) + "\n")
            sys.stdout.flush()
        finally:
            shutil.rmtree(work, ignore_errors=True)


def row(setting: Setting, root: Path, env: dict[str, str], runs: int) -> str:
    until_verdict(root, env)  # reads the workspace once; what was read is kept
    times = [judged(root) for _ in range(runs)]
    screens = [until_verdict(root, env) for _ in range(runs)]
    waits = sorted(w for _ in range(runs) for w in painted(root, env, 8.0))
    figures = [f"{statistics.median(t[k] for t in times):.2f} s" for k in ("compare", "test")]
    figures += [f"{statistics.median(s[k] for s in screens):.2f} s" for k in (0, 1)]
    shown = (waits[len(waits) // 2], waits[len(waits) * 99 // 100], waits[-1])
    figures.append(" / ".join(f"{1000 * w:.0f} ms" for w in shown))
    return f"| {setting.title} | {' | '.join(figures)} |"


if __name__ == "__main__":
    main()
