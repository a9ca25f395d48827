"""The lines on top as text: what is compared, how it stands, what needs somebody. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.app import verdict_text
from llmops_tui.app.bench_state import BenchState
from llmops_tui.app.lines import Line, Span, cut, ends, line_width, shown_line, wrap
from llmops_tui.app.status import Status
from llmops_tui.domain import format as fmt
from llmops_tui.engine.events import Progress

#: Parts of a line with how soon they go when there is no room: the highest goes first.
Part = tuple[int, list[Span]]


def fitted(parts: Sequence[Part], width: int, gap: str = "") -> list[Span]:
    """As many parts as fit, in order; the highest ranks are left out first."""
    kept = list(parts)
    while kept:
        line: list[Span] = []
        for _, spans in kept:
            if line and gap:
                line.append((gap, "rule"))
            line += spans
        if line_width(line) <= width or len(kept) == 1:
            return line
        worst = max(range(len(kept)), key=lambda k: (kept[k][0], k))
        del kept[worst]
    return []


def top_line(bench: BenchState, status: Status, now: float, width: int, *, chosen: bool = False) -> Line:
    """`helpdesk ▸ configs/helpdesk.yaml   v11 baseline → v12: prompt changed, 4 s ago   ● watching`."""
    watch, watch_style = status.watch_word
    end: list[Span] = [(watch, watch_style), (" ", "")]
    config = status.config or (bench.candidate.config if bench.candidate else "")
    file = status.configuration.file if status.configuration else (f"configs/{config}.yaml" if config else "")
    parts: list[Part] = [
        (1, [(" ", ""), (shown_line(cut(status.workspace_name, 24)), "bold")]),
        (3, [(" ▸ ", "rule"), (shown_line(file), "dim")] if file else []),
        (0, _versions(bench, now)),
        (2, [("   chosen, 0 goes back", "warning")] if chosen else []),
        (4, _models(bench)),
    ]
    room = width - line_width(end) - 2
    return ends(fitted([p for p in parts if p[1]], room), end, width)


def _models(bench: BenchState) -> list[Span]:
    if bench.model is not None:
        return [("   only ", "dim"), (shown_line(bench.model), "warning")]
    models = bench.models
    if not models:
        return []
    text = models[0] if len(models) == 1 else fmt.plural(len(models), "model")
    return [("   ", ""), (shown_line(text), "dim")]


def _versions(bench: BenchState, now: float) -> list[Span]:
    if bench.comparison is None or bench.candidate is None:
        return [("   nothing evaluated yet", "dim")]
    left, right = bench.comparison.baseline.version, bench.candidate
    when = fmt.ago(right.created_at, now)
    if bench.is_alone:
        words = " baseline" if right.is_baseline else ""
        return [("   ", ""), (right.name, "bold"), (f"{words}, {when}", "")]
    return [
        ("   ", ""),
        (left.name, "bold"),
        (" baseline" if left.is_baseline else "", ""),
        (" → ", "dim"),
        (right.name, "bold accent"),
        (f": {what_changed(bench)}", ""),
        (f", {when}", "dim"),
    ]


def what_changed(bench: BenchState) -> str:
    """`prompt changed`, `prompt and params.temperature changed`, `nothing changed`."""
    labels = [shown_line(c.label) for c in bench.changed]
    if not labels:
        return "nothing changed"
    if len(labels) > 3:
        labels = [*labels[:2], f"{len(labels) - 2} more"]
    joined = labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
    return f"{joined} changed"


def counts(bench: BenchState, *, brief: bool = False) -> list[Span]:
    """`▼ 2  ▲ 3  ≈ 15`, with what else there is."""
    count = bench.totals.counts
    if bench.is_alone:
        passed, failed = bench.totals.statuses["passed"], bench.totals.statuses["failed"]
        spans: list[Span] = [(f"✓ {passed}", ""), (f"  ✗ {failed}", "regressed" if failed else "dim")]
        return [*spans, (f"  ! {count['error']} erred", "error")] if count["error"] else spans
    spans = [
        (f"▼ {fmt.count(count['regressed'])}", "bold regressed" if count["regressed"] else "dim"),
        (f"  ▲ {fmt.count(count['improved'])}", "bold improved" if count["improved"] else "dim"),
        (f"  ≈ {fmt.count(count['same'])}", "dim"),
    ]
    if bench.totals.text_changed and not brief:
        spans.append((f" ({fmt.count(bench.totals.text_changed)} reworded)", "dim"))
    for change, style in (("error", "bold error"), ("new", "dim"), ("removed", "dim")):
        if count[change]:
            spans.append((f"  {fmt.symbol(change)} {fmt.count(count[change])}", style))
    if bench.totals.pending and not bench.running:
        word = {"cancelled": ", cancelled", "interrupted": ", interrupted", "failed": ", failed"}
        state = word.get(bench.run.state, "") if bench.run is not None else ""
        spans.append((f"  … {fmt.count(bench.totals.pending)} missing{state}", "warning"))
    return spans


def second_line(bench: BenchState, status: Status, width: int) -> Line:
    """`FAIL critical: refund-window │ ▼ 2  ▲ 3  ≈ 15 │ pass 70.0% → 75.0%  +5.0 pts, these 20 cases │ …`."""
    if bench.comparison is None:
        return ()
    parts = _parts(bench, status, width, brief=False)
    if line_width(fitted([p for p in parts if p[0] < 2], 10_000, gap=" │ ")) > width - 1:
        parts = _parts(bench, status, width, brief=True)
    return tuple(fitted(parts, width - 1, gap=" │ "))


def _parts(bench: BenchState, status: Status, width: int, *, brief: bool) -> list[Part]:
    """The parts of the second line; `brief` leaves out what explains a figure."""
    counted = counts(bench, brief=brief)
    if status.working is not None:
        parts: list[Part] = [*verdict_text.work(status.working), (3, counted)]
    elif bench.running and status.progress is not None:
        parts = [(0, [(" ", ""), *counted])]
    else:
        room = width - 1 - line_width(counted) - len(" │ ")
        if brief and bench.totals.pass_rate is not None:
            # A shorter headline before none of the pass rate.
            less = room - line_width(_pass_rate(bench, brief=True)) - len(" │ ")
            room = less if less >= verdict_text.LEAST else room
        said = verdict_text.verdict(bench, status, width, room)
        parts = [(0, said), (0, counted)] if said else [(0, [(" ", ""), *counted])]
    if bench.totals.pass_rate is not None:
        parts.append((1, _pass_rate(bench, brief=brief)))
    if bench.totals.mean_score is not None:
        parts.append((4, _mean_score(bench)))
    if bench.running and status.progress is not None:
        parts += _progress(status.progress)
    elif status.nothing is not None and not bench.is_alone:
        parts.append((2, [("nothing asked", "accent")]))
    else:
        parts.append((2, _figures(bench)))
    return [p for p in parts if p[1]]


def _pass_rate(bench: BenchState, *, brief: bool) -> list[Span]:
    rate = bench.totals.pass_rate
    assert rate is not None
    before, after = rate
    if bench.is_alone:
        return [("pass ", "dim"), (fmt.percent(after), "bold")]
    return [
        ("pass ", "dim"),
        (f"{fmt.percent(before)} → ", ""),
        (fmt.percent(after), "bold"),
        (f"  {fmt.points(after - before)}", _sign_style(after - before)),
        (verdict_text.interval(bench), ""),
        ("" if brief else f", {these(bench)}", "dim"),
    ]


def these(bench: BenchState) -> str:
    """`these 20 cases`, `these 20 cases × 2 models` (rows that both sides were judged on)."""
    n, models = bench.totals.judged, len(bench.models)
    if models > 1 and bench.totals.judged % models == 0:
        return f"these {fmt.plural(n // models, 'case')} × {models} models"
    return f"these {fmt.plural(n, 'case')}" if n != 1 else "this 1 case"


def _mean_score(bench: BenchState) -> list[Span]:
    score = bench.totals.mean_score
    assert score is not None
    before, after = score
    if bench.is_alone:
        return [("score ", "dim"), (fmt.score(after), "")]
    return [
        ("score ", "dim"),
        (f"{fmt.score(before)} → {fmt.score(after)}", ""),
        (f"  {fmt.delta(after - before)}", _sign_style(round(after - before, 2))),
    ]


def _sign_style(value: float) -> str:
    if abs(value) < 1e-9:
        return "dim"
    return "improved" if value > 0 else "regressed"


def _progress(progress: Progress) -> list[Part]:
    bar = 12
    full = round(bar * progress.done / progress.total) if progress.total else bar
    figures = [f"{fmt.count(progress.done)}/{fmt.count(progress.total)}"]
    if progress.rate > 0:
        figures.append(fmt.rate(progress.rate))
    if progress.left_s is not None and progress.done < progress.total:
        figures.append(f"{fmt.seconds(progress.left_s)} left")
    detail = [fmt.money(progress.cost_usd), f"{progress.in_flight} in flight"]
    if progress.waiting:
        detail.append(f"{progress.waiting} waiting")
    if progress.errors:
        detail.append(f"{progress.errors} failed")
    return [
        (0, [("━" * full, "accent"), ("━" * (bar - full), "rule"), (" " + " · ".join(figures), "")]),
        (3, [(" · ".join(detail), "dim")]),
    ]


def _figures(bench: BenchState) -> list[Span]:
    run = bench.run
    if run is None or run.id == 0:
        return [("not evaluated yet", "warning")]
    total = len(bench.pairs) - bench.totals.counts["removed"]
    there = total - bench.totals.pending
    text = [f"{fmt.count(there)}/{fmt.count(total)}"]
    if run.elapsed_s is not None:
        text.append(fmt.seconds(run.elapsed_s))
    text.append(fmt.money(run.cost_usd))
    if bench.latency_p95 is not None:
        text.append(f"p95 {fmt.seconds(bench.latency_p95)}")
    return [(" · ".join(text), "")]


def alerts(bench: BenchState, status: Status, width: int, most: int = 4) -> list[tuple[Line, str]]:
    """What needs somebody, most pressing first: lines with the style of their bar."""
    found: list[tuple[str, str]] = []
    if status.broken:
        rest = len(status.broken) - 1
        more = f"  (and {rest} more; llmops-tui check lists all)" if rest else ""
        found.append((f"{status.broken[0]}{more}", "problem-bar"))
    elif status.workspace is not None and status.workspace.errors:
        found.append((str(status.workspace.errors[0]), "problem-bar"))
    found += [(text, "problem-bar") for text in status.notices.values()]
    if status.viewing is not None:
        found.append((f"Viewing only: {status.viewing}", "attention-bar"))
    if bench.running and status.progress is not None and status.progress.waiting_for:
        waits = fmt.plural(status.progress.waiting, "request")
        found.append((f"{waits} waiting for {status.progress.waiting_for}", "attention-bar"))
    if not bench.running and status.ended is not None and status.ended.failures:
        erred = fmt.plural(status.ended.tally.errors, "output")
        found.append(
            (
                f"✗ {erred} could not be had: {status.ended.failures[0]} · r asks the case again, F all",
                "problem-bar",
            )
        )
    found += [(f"! {text}", "attention-bar") for text in bench.drift]
    done = verdict_text.done_words(bench)
    if done and status.viewing is None:
        found.append((done, "note-bar"))
    lines: list[tuple[Line, str]] = []
    for text, style in found:
        rows = wrap([(" " + shown_line(text), "")], width - 1, indent=1)
        if len(rows) > 2:
            rows = [rows[0], ((cut("".join(t for t, _ in rows[1]) + " …", width - 1), ""),)]
        lines += [(row, style) for row in rows]
    return lines[:most]


def empty_sentence(status: Status) -> list[str]:
    """What to say, and which command or key mends it, where there is no case to show."""
    if status.broken:
        return ["The workspace can't be read yet.", "Mend the line above; this screen follows by itself."]
    configuration = status.configuration
    if status.workspace is not None and not status.workspace.configurations:
        return ["There is no configuration in configs/.", "llmops-tui init makes a workspace to start from."]
    if configuration is not None and not configuration.cases:
        return [
            f"{configuration.file} has no cases.",
            "Add some to a file of evals/ and name it under evals: (e opens the configuration).",
        ]
    if status.viewing is not None:
        return ["Nothing was evaluated in this workspace yet.", "The app that has it open can."]
    if configuration is not None:
        file = configuration.prompt_file or configuration.file
        return ["Nothing was evaluated yet.", f"Save {file}, or press F to evaluate what is missing."]
    return ["Reading the workspace …"]
