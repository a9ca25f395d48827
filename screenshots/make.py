"""Remake the pictures: `uv run python screenshots/make.py`.

Evaluates the demo on the embedded model, shows it in the real app, and writes one SVG a scene.
What the app was told is kept in `demo.json`, so that a test can say when the pictures no longer
match the app; `--again` redraws them from it without asking the model.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from guards_day import guards_day
from live_day import live_day
from recording import RecordedSession, Recording

from llmops_tui.app.app import LlmopsApp
from llmops_tui.app.arranged import arrange
from llmops_tui.app.settings import Settings
from llmops_tui.domain.comparison import Comparison
from llmops_tui.engine import demo
from llmops_tui.engine.doctor import doctor
from llmops_tui.engine.engine import Engine
from llmops_tui.engine.events import Compared, NothingToDo, WorkspaceLoaded
from llmops_tui.engine.export import verdict_in_full
from llmops_tui.engine.playground import Playground
from llmops_tui.engine.playground_events import Answered, Answering, PlaygroundRequest
from llmops_tui.engine.session_traces import view_of
from llmops_tui.engine.trace_events import TraceView

HERE = Path(__file__).parent

#: Edits after the demo's, so that there is something to look back on: file, before, after.
LATER = (
    ("configs/helpdesk.yaml", "top_k: 1", "top_k: 2"),
    ("configs/helpdesk.yaml", "max_tokens: 60", "max_tokens: 20"),
    ("configs/helpdesk.yaml", "top_k: 2", "top_k: 1"),
)
#: File → (columns, lines, theme, keys pressed first).
SCENES: dict[str, tuple[int, int, str, tuple[str, ...]]] = {
    "bench.svg": (120, 40, "llmops-dark", ()),
    "bench-light.svg": (120, 40, "llmops-light", ("n", "n")),
    "bench-80x24.svg": (80, 24, "llmops-dark", ()),
    "case-80x24.svg": (80, 24, "llmops-dark", ("enter",)),
    "history.svg": (120, 40, "llmops-dark", ("2",)),
    "help.svg": (120, 40, "llmops-dark", ("question_mark",)),
    "verdict.svg": (120, 40, "llmops-dark", ("V",)),
    "matrix.svg": (120, 40, "llmops-dark", ("3",)),
    "playground.svg": (120, 40, "llmops-light", ("i", "ctrl+s")),
    "trace.svg": (120, 40, "llmops-dark", ("t",)),
    "trace-80x24.svg": (80, 24, "llmops-light", ("t",)),
    "live.svg": (120, 40, "llmops-dark", ("5",)),
    "live-80x24.svg": (80, 24, "llmops-light", ("5", "enter")),
    "guards.svg": (120, 40, "llmops-dark", ("6",)),
    "guards-80x24.svg": (80, 24, "llmops-light", ("6", "enter")),
    "threshold.svg": (120, 40, "llmops-dark", ("6", "T", *("l",) * 6)),
    "doctor.svg": (120, 40, "llmops-dark", ("D",)),
}


async def record(folder: Path) -> Recording:
    """The demo, evaluated now."""
    demo.create(folder, reset=False)
    engine = Engine.open(folder)
    try:
        await demo.evaluate(engine, lambda _event: None)
        demo.edit(folder)
        await demo.evaluate(engine, lambda _event: None)
        queries = engine.queries
        comparison, changed = queries.compare(demo.CONFIG, None, None)
        before, after = comparison.baseline.version, comparison.candidate.version
        result = await engine.evaluate(_request())
        assert isinstance(result, NothingToDo)
        gate, decisions = verdict_in_full(engine, comparison)
        sides = Playground(engine).sides(demo.CONFIG)
        answering, answered = await _asked(engine, comparison)
        traces = _traces(engine, comparison)
        at = time.time()
        live = live_day(engine, comparison, folder, at)
        guards = guards_day(engine, folder, at)
        # Paths of this machine are nobody's business.
        workspace = msgspec.structs.replace(engine.workspace, root="/home/you/helpdesk")
        models = {
            name: msgspec.structs.replace(
                c, models=tuple(msgspec.structs.replace(m, path=None) for m in c.models)
            )
            for name, c in workspace.configurations.items()
        }
        workspace = msgspec.structs.replace(workspace, configurations=models)
        details = {p.case_id: queries.detail(p) for p in comparison.pairs}
        texts = queries.texts(before, after)
        for file, old, new in LATER:
            path = folder / file
            path.write_text(path.read_text().replace(old, new))
            await demo.evaluate(engine, lambda _event: None)
        cases = engine.workspace.configurations[demo.CONFIG].cases
        history = queries.history(demo.CONFIG, cases)
        newest, _ = queries.compare(demo.CONFIG, None, None)
        return Recording(
            at=at,
            loaded=WorkspaceLoaded(workspace, demo.CONFIG, after),
            compared=Compared(comparison, changed, gate=gate, decisions=tuple(decisions.values())),
            nothing=result,
            details=details,
            texts=texts,
            history=history,
            versions=tuple(queries.snapshot(summary.version) for summary in reversed(history)),
            cells={p.case_id: queries.detail(p).candidate for p in newest.pairs},
            sides=sides,
            answering=answering,
            answered=answered,
            traces=traces,
            live=live,
            guards=guards,
            ladder=doctor(folder, demo.CONFIG, at),
        )
    finally:
        engine.close()


def _traces(engine: Engine, comparison: Comparison) -> dict[str, TraceView]:
    """How both sides came about, of the case that the Bench opens on."""
    first = arrange(comparison, "regressed first")
    assert first is not None
    case_id, model = first.keys[0]
    before, after = comparison.baseline.version, comparison.candidate.version
    return {case_id: view_of(engine, demo.CONFIG, before, after, case_id, model)}


async def _asked(engine: Engine, comparison: Comparison) -> tuple[tuple[Answering, ...], Answered]:
    """What the playground answers to the inputs of the first case of the Bench."""
    heard: list[Any] = []
    first = arrange(comparison, "regressed first")
    assert first is not None
    cases = {case.id: case for case in engine.workspace.configurations[demo.CONFIG].cases}
    request = PlaygroundRequest(demo.CONFIG, cases[first.keys[0][0]].vars, agreed=True)
    answered = await Playground(engine).ask(request, heard.append)
    assert isinstance(answered, Answered)
    return tuple(event for event in heard if isinstance(event, Answering)), answered


def _request() -> Any:
    from llmops_tui.engine.events import RunRequest

    return RunRequest(demo.CONFIG, "demo")


async def draw(recording: Recording, scene: str) -> str:
    """One picture, as SVG."""
    columns, lines, theme, keys = SCENES[scene]
    app = LlmopsApp(RecordedSession(recording), Settings(theme=theme), clock=lambda: recording.at)  # type: ignore[arg-type]
    async with app.run_test(size=(columns, lines)) as pilot:
        await _settle(pilot)
        for key in keys:
            await pilot.press(key)
            await _settle(pilot)
        return plain(app.export_screenshot(title="llmops-tui"))


async def _settle(pilot: Any) -> None:
    for _ in range(20):
        await pilot.pause()
        if all(worker.is_finished for worker in pilot.app.workers):
            return
        await pilot.app.workers.wait_for_complete()


def plain(svg: str) -> str:
    """The SVG with names that do not depend on anything but the picture."""
    return re.sub(r"terminal-\d+", "terminal", svg)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true", help="redraw from demo.json; ask no model")
    if parser.parse_args().again:
        recording = msgspec.json.decode((HERE / "demo.json").read_bytes(), type=Recording)
    else:
        with tempfile.TemporaryDirectory() as folder:
            recording = asyncio.run(record(Path(folder) / "helpdesk"))
        (HERE / "demo.json").write_bytes(
            msgspec.json.format(msgspec.json.encode(recording), indent=1) + b"\n"
        )
    for scene in SCENES:
        (HERE / scene).write_text(asyncio.run(draw(recording, scene)), encoding="utf-8")


if __name__ == "__main__":
    main()
