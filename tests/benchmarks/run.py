"""The figures of the README, measured: `uv run python tests/benchmarks/run.py [--runs 5]`.

Prints a markdown table. Whole processes against a fake server on loopback; medians of several runs.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measure import Terminal, pss_mb, timed
from workspaces import environment, fake_server, forget, server_stats, write

Rows = list[tuple[str, str, list[float], str]]


def repeat(runs: int, once: Callable[[], float]) -> list[float]:
    return [once() for _ in range(runs)]


def start_up(rows: Rows, runs: int, work: Path) -> None:
    env = environment(work)
    timed(["--version"], env)
    rows.append(("`--version`", "s", repeat(runs, lambda: timed(["--version"], env)[0]), "0.10"))


def cold_and_again(
    rows: Rows, runs: int, work: Path, *, cases: int, latency: int, at_once: int, litellm: bool
) -> None:
    """Runs of a new workspace, then the same again, then with one case edited."""
    env = environment(work)
    title = f"{cases:,} cases, {latency} ms server, {at_once} at once"
    via = " (litellm)" if litellm else ""
    cold, again, edited = [], [], []
    with fake_server(latency) as url:
        for i in range(runs):
            root = write(work / f"ws{cases}-{latency}-{litellm}-{i}", cases, url, at_once, litellm=litellm)
            took, result = timed(["run", "--json", "--workspace", str(root)], env)
            assert result["provider_calls"] == cases, result
            assert result["errors"] == 0, result
            cold.append(took)
            took, result = timed(["run", "--json", "--workspace", str(root)], env)
            assert result["provider_calls"] == 0, result
            again.append(took)
            file = root / "evals/bench.yaml"
            file.write_text(file.read_text().replace("question 7?", "question seven?"))
            took, result = timed(["run", "--json", "--workspace", str(root)], env)
            assert result["provider_calls"] == 1, result
            edited.append(took)
            shutil.rmtree(root)
    goals = {(100, 50): "1.0", (1000, 0): "2.5", (1000, 50): "3.5"}
    rows.append((title + via, "s", cold, "" if litellm else goals.get((cases, latency), "")))
    if cases == 1000 and latency == 0:
        rows.append((f"the same again, all cached{via}", "s", again, "" if litellm else "0.4"))
        rows.append(
            (f"one case edited among {cases:,}, one call{via}", "s", edited, "" if litellm else "0.5")
        )


def the_app(rows: Rows, runs: int, work: Path) -> None:
    """First paint of a stored comparison; from a save to its first request; memory meanwhile."""
    env = environment(work)
    paints, requests, memory = [], [], []
    with fake_server(0) as url:
        root = write(work / "app", 1000, url, 20)
        timed(["run", "--workspace", str(root)], env)
        prompt = root / "prompts/bench.md"
        text = prompt.read_text()
        for i in range(runs):
            app = Terminal(root, env)
            paints.append(app.wait_for("case-000000"))
            app.drain(4.0)  # the worker is up and watching
            forget(url)
            saved = time.time()
            prompt.write_text(text.replace("one word", f"{i + 2} words"))
            peak = 0.0
            for _ in range(40):
                app.drain(0.2)
                peak = max(peak, pss_mb(app.pid))
                if server_stats(url)["requests"] >= 1000:
                    break
            requests.append(server_stats(url)["first_at"] - saved)
            memory.append(peak)
            app.close()
            time.sleep(1.0)  # its worker ends; the next start is not to be measured against that
    rows.append(("first paint of the app, 1,000 cases stored", "s", paints, "0.4"))
    rows.append(("save to first request", "s", requests, "0.15"))
    rows.append(("memory while at it: app and worker together, PSS", "MB", memory, "150"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=("start", "runs", "litellm", "app"))
    options = parser.parse_args()
    rows: Rows = []
    work = Path(tempfile.mkdtemp(prefix="llmops-bench-"))
    try:
        if options.only in (None, "start"):
            start_up(rows, options.runs, work)
        if options.only in (None, "app"):
            the_app(rows, options.runs, work)
        for litellm in (False, True):
            if options.only in (None, "litellm" if litellm else "runs"):
                for cases, latency, at_once in ((100, 50, 20), (1000, 0, 100), (1000, 50, 20)):
                    cold_and_again(
                        rows,
                        options.runs,
                        work,
                        cases=cases,
                        latency=latency,
                        at_once=at_once,
                        litellm=litellm,
                    )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(
        f"{platform.machine()}, Python {platform.python_version()}, "
        f"medians of {options.runs} runs (lowest–highest)\n"
    )
    print("| work | goal | llmops-tui |\n| --- | --- | --- |")
    for title, unit, values, goal in rows:
        digits = 0 if unit == "MB" else 2
        low, middle, high = min(values), statistics.median(values), max(values)
        print(
            f"| {title} | {'≤ ' + goal + ' ' + unit if goal else ''} "
            f"| {middle:.{digits}f} {unit} ({low:.{digits}f}–{high:.{digits}f}) |"
        )


if __name__ == "__main__":
    main()
