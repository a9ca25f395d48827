"""The progress of a run, on stderr: a bar on a terminal; elsewhere a line now and then."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llmops_tui.cli.shell import Shell
from llmops_tui.domain import format as fmt
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.engine.events import Event, Notice, Progress, RunStarted, Working

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

#: How often a pipe hears how far it is.
SAID_EVERY_S = 30.0
OnEvent = Callable[[Event], None]


@contextmanager
def progress_of(shell: Shell) -> Iterator[OnEvent]:
    """A listener for one run."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _bar() as bar:
            yield _on_terminal(bar)
    else:
        yield in_a_pipe(shell.say)


@contextmanager
def working_on(shell: Shell) -> Iterator[OnEvent]:
    """A listener for longer work: a bar on a terminal; elsewhere a line now and then."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield in_a_pipe(shell.say)
        return
    with _bar() as bar:
        task = bar.add_task("starting", total=None, figures="")
        notices = _on_terminal(bar)

        def listen(event: Event) -> None:
            if not isinstance(event, Working):
                notices(event)
            elif event.what:
                cost = fmt.money(event.cost_usd) if event.cost_usd is not None else "cost not known"
                bar.update(
                    task,
                    description=clean_line(event.what),
                    completed=event.done,
                    total=event.total or None,
                    figures=f"{fmt.plural(event.calls, 'request')} · {cost}",
                )

        yield listen


def in_a_pipe(say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> OnEvent:
    """A listener that says each notice once, and of what takes long now and then how far it is.

    Args:
        clock: seconds.
    """
    said: set[str] = set()
    told_at = clock()
    name = ""

    def listen(event: Event) -> None:
        nonlocal told_at, name
        line = ""
        match event:
            case Notice() if event.text and event.text not in said:
                said.add(event.text)
                say(f"{event.level}: {clean_line(event.text)}")
            case RunStarted():
                name = f"{event.version.config} {event.version.name}"
            case Progress():
                line = f"{name}: {figures(event)}" if name else figures(event)
            case Working() if event.what:
                line = f"{event.what}: {work_figures(event)}"
        if line and clock() - told_at >= SAID_EVERY_S:
            told_at = clock()
            say(clean_line(line))

    return listen


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    return Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[figures]}", markup=False),
        console=Console(stderr=True, highlight=False),
        transient=True,
        refresh_per_second=8,
    )


def _on_terminal(bar: Bar) -> OnEvent:
    task = bar.add_task("starting", total=None, figures="")
    said: set[str] = set()

    def listen(event: Event) -> None:
        match event:
            case RunStarted():
                name = f"{event.version.config} {event.version.name}"
                bar.update(task, description=clean_line(name), total=event.run.asked_total)
            case Progress():
                bar.update(task, completed=event.done, total=event.total, figures=figures(event))
            case Working() if event.what:
                what, total = clean_line(event.what), event.total or None
                bar.update(
                    task, description=what, completed=event.done, total=total, figures=work_figures(event)
                )
            case Notice() if event.text and event.text not in said:
                said.add(event.text)
                bar.console.print(clean_line(f"{event.level}: {event.text}"), markup=False)

    return listen


def figures(event: Progress) -> str:
    """`12/20 · 2.7/s · 3 s left · $0.0042 · 1 error · waiting for gateway: 429`."""
    parts = [f"{fmt.count(event.done)}/{fmt.count(event.total)}"]
    if event.rate > 0:
        parts.append(fmt.rate(event.rate))
    if event.left_s is not None and event.done < event.total:
        parts.append(f"{fmt.seconds(round(event.left_s))} left")
    parts.append(fmt.money(event.cost_usd) if event.cost_usd is not None else "cost not known")
    if event.errors:
        parts.append(fmt.plural(event.errors, "error"))
    if event.waiting_for:
        parts.append(f"waiting for {clean_line(event.waiting_for)}")
    return " · ".join(parts)


def work_figures(event: Working) -> str:
    """`12/40 · 12 requests · $0.0042 · 1 error · waiting for gateway: 429`."""
    parts = [f"{fmt.count(event.done)}/{fmt.count(event.total)}"] if event.total else []
    if event.calls:
        parts.append(fmt.plural(event.calls, "request"))
    parts.append(fmt.money(event.cost_usd) if event.cost_usd is not None else "cost not known")
    if event.errors:
        parts.append(fmt.plural(event.errors, "error"))
    if event.waiting_for:
        parts.append(f"waiting for {clean_line(event.waiting_for)}")
    return " · ".join(parts)
