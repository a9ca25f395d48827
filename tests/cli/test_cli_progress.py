"""Progress of a run: a line on a terminal; in a pipe what needs saying, and now and then how far it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from llmops_tui.cli.progress import SAID_EVERY_S, figures, in_a_pipe, progress_of, work_figures
from llmops_tui.cli.shell import Shell
from llmops_tui.engine.events import Notice, Progress, Working


def progress(**more: object) -> Progress:
    known: dict[str, object] = {
        "run_id": 1,
        "done": 12,
        "total": 20,
        "in_flight": 4,
        "waiting": 0,
        "rate": 2.66,
        "left_s": 3.2,
        "elapsed_s": 5.0,
        "cost_usd": 0.0042,
        "errors": 0,
    }
    return Progress(**{**known, **more})  # type: ignore[arg-type]


def test_it_says_count_rate_time_left_and_cost() -> None:
    assert figures(progress()) == "12/20 · 2.7/s · 3 s left · $0.0042"


def test_it_says_who_is_waited_for_and_what_failed() -> None:
    line = figures(progress(errors=1, waiting_for="gateway: 429\x1b[31m, again in 2 s", cost_usd=None))
    assert line.endswith("cost not known · 1 error · waiting for gateway: 429, again in 2 s")


def test_a_pipe_hears_each_notice_once_and_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    open_app: Callable[..., int] = lambda *_: 0  # noqa: E731
    with progress_of(Shell(open_app)) as listen:
        listen(progress())
        listen(Notice("warning", "The worker process ended (SIGKILL); it was started anew."))
        listen(Notice("warning", "The worker process ended (SIGKILL); it was started anew."))
        listen(Notice("error", "", key="budget"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "warning: The worker process ended (SIGKILL); it was started anew.\n"


def test_a_pipe_hears_now_and_then_how_far_longer_work_is() -> None:
    now = 0.0
    said: list[str] = []
    listen = in_a_pipe(said.append, lambda: now)
    for n in range(10):
        now = n * SAID_EVERY_S / 4
        listen(Working("Attack: v1 and v2\x1b[31m", n, 40, n, 0.0))
    listen(progress())
    now += SAID_EVERY_S
    listen(progress())
    assert said == [
        "Attack: v1 and v2: 4/40 · 4 requests · $0",
        "Attack: v1 and v2: 8/40 · 8 requests · $0",
        "12/20 · 2.7/s · 3 s left · $0.0042",
    ]


def test_longer_work_says_answers_requests_cost_errors_and_who_is_waited_for() -> None:
    event = Working("Look 2 of 3", 12, 40, 9, 0.0042, 1, "gateway: 429\x1b[31m")
    assert work_figures(event) == "12/40 · 9 requests · $0.0042 · 1 error · waiting for gateway: 429"
    assert work_figures(Working("Gate", cost_usd=None)) == "cost not known"
