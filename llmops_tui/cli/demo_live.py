"""`demo --live`: a day of live traffic, what was noticed of what went wrong in it, and what came of that."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops_tui.cli.attack import exit_code
from llmops_tui.cli.demo_wave import wave_json, wave_lines
from llmops_tui.cli.gate import PIPE_WIDTH
from llmops_tui.cli.progress import progress_of
from llmops_tui.cli.shell import Shell, with_engine
from llmops_tui.cli.weights import fetch_weights

if TYPE_CHECKING:
    from llmops_tui.engine.demo_live import LiveDay
    from llmops_tui.engine.engine import Engine

#: Requests of the queue that are shown.
SHOWN = 5


def live_folder(demo: Path) -> Path:
    """Beside the demo, which stays as it is."""
    return demo.with_name(f"{demo.name}-live")


def show_live(shell: Shell, demo: Path) -> int:
    """Send the day through a workspace made anew beside the demo in `demo`; gives the exit code."""
    from llmops_tui.engine import demo_live

    root = live_folder(demo)
    demo_live.make(demo, root)
    shell.say(f"A day of live traffic, in the workspace {root}")

    async def body(engine: Engine) -> int:
        await fetch_weights(shell, engine)
        with progress_of(shell) as on_event:
            day = await demo_live.live_day(engine, shell.say, on_event)
        if shell.as_json:
            shell.print_json(_json(engine, day))
        else:
            _print(engine, day, root)
        return 0

    return with_engine(root, body, writing=True, evaluating=True)


def _print(engine: Engine, day: LiveDay, root: Path) -> None:
    from llmops_tui.domain import format as fmt
    from llmops_tui.domain.safe_text import clean_line
    from llmops_tui.report.gate_text import gate_lines
    from llmops_tui.report.rollout_text import rollout_lines
    from llmops_tui.report.text import EMPTY, Line, print_lines

    lines: list[Line] = [(("── 1. The day", "bold"),), EMPTY]
    counts = (
        fmt.plural(day.requests, "request"),
        fmt.plural(day.spans, "span"),
        fmt.plural(day.signals, "signal"),
    )
    lines += [((f"{', '.join(counts)}. Planted, and told to nobody:", ""),)]
    lines += [((f"  {sentence}", ""),) for sentence in day.planted]
    lines += [EMPTY, (("── 2. What was noticed, and when", "bold"),), EMPTY]
    for event in day.events:
        at = fmt.moment(event.at)
        lines += [((clean_line(f"  {at}  {event.what:<8} {event.rule}: {event.sentence}"), ""),)]
    lines += [EMPTY, ((f"── 3. Whose doing it was: {day.bad.name} before it was taken back", "bold"),), EMPTY]
    lines += rollout_lines(day.rollout, width=PIPE_WIDTH)
    lines += [EMPTY, (("── 4. What is most worth a look", "bold"),), (("$ llmops-tui queue", ""),), EMPTY]
    for each in day.queued[:SHOWN]:
        why = "; ".join(reason.sentence for reason in each.reasons)
        lines += [((clean_line(f"  {each.listed.request.input}"), ""),), ((clean_line(f"    {why}"), "dim"),)]
    lines += [EMPTY, (("── 5. Three of them are cases now", "bold"),), EMPTY]
    lines += [((f"  {kept.id} in {kept.file}", ""),) for kept in day.cases]
    lines += [
        EMPTY,
        ((f"── 6. The gate on {day.bad.name}, with them", "bold"),),
        (("$ llmops-tui gate", ""),),
        EMPTY,
    ]
    changes = engine.queries.changes(day.outcome.baseline, day.outcome.candidate)
    lines += gate_lines(day.outcome, changes, width=PIPE_WIDTH)
    lines += [EMPTY, ((f"exit code {day.outcome.result.exit_code}", "bold"),)]
    lines += wave_lines(day.wave, PIPE_WIDTH)
    lines += [EMPTY, ((f"exit code {exit_code(day.wave.outcome)}", "bold"),), EMPTY]
    lines += [((f"Look at it: llmops-tui --workspace {root}, then 5 and 6; w shows more days.", ""),)]
    print_lines(lines, sys.stdout)


def _json(engine: Engine, day: LiveDay) -> dict[str, Any]:
    from llmops_tui.report.alerts_json import event_json
    from llmops_tui.report.gate_json import gate_json
    from llmops_tui.report.rollout_json import rollout_json

    changes = engine.queries.changes(day.outcome.baseline, day.outcome.candidate)
    outcome = day.wave.outcome
    tried = engine.queries.changes(outcome.baseline, outcome.candidate) if outcome.baseline else ()
    return {
        "good": day.good.name,
        "bad": day.bad.name,
        "midnight": day.midnight,
        "requests": day.requests,
        "spans": day.spans,
        "signals": day.signals,
        "planted": list(day.planted),
        "events": [event_json(event) for event in day.events],
        "rollout": rollout_json(day.rollout),
        "queue": [
            {
                "trace_id": each.listed.request.trace_id,
                "input": each.listed.request.input,
                "worth": each.worth,
                "reasons": [reason.sentence for reason in each.reasons],
            }
            for each in day.queued
        ],
        "cases": [{"id": kept.id, "file": kept.file} for kept in day.cases],
        "gate": gate_json(day.outcome, changes, day.outcome.result.exit_code),
        "wave": wave_json(day.wave, tried, exit_code(day.wave.outcome)),
    }
