"""The lines on top of the Guards screen: what is shown, how much was looked at, what waits. Pure."""

from __future__ import annotations

from llmops_tui.app.guard_figures import to_review
from llmops_tui.app.guards_state import GuardsState
from llmops_tui.app.header_text import Part, fitted
from llmops_tui.app.lines import Line, Span, cut, ends, line_width, shown_line
from llmops_tui.app.live_filter import text_of
from llmops_tui.domain import format as fmt
from llmops_tui.engine.guard_events import GuardsView

#: Seconds for which traffic is called fresh.
_FRESH_S = 300


def guards_line(workspace: str, state: GuardsState, view: GuardsView | None, now: float, width: int) -> Line:
    """`helpdesk ▸ guards   last 24 h   only version:v12            ● newest 12 s ago`."""
    newest = view.newest_at if view is not None else None
    end: list[Span] = [("nothing collected", "dim") if view is not None else ("", "")]
    if newest is not None:
        fresh = now - newest < _FRESH_S
        end = [(f"{'●' if fresh else '○'} newest {fmt.ago(newest, now)}", "accent" if fresh else "warning")]
    end.append((" ", ""))
    typed = shown_line(text_of(state.wanted))
    parts: list[Part] = [
        (2, [(" ", ""), (shown_line(cut(workspace, 24)), "bold"), (" ▸ guards", "dim")]),
        (0, [("   last ", "dim"), (state.window, "bold accent")]),
        (1, [("   only ", "dim"), (cut(typed, max(width - 45, 12)), "warning")] if typed else []),
    ]
    return ends(fitted([p for p in parts if p[1]], width - line_width(end) - 1), end, width)


def counts_line(view: GuardsView | None, width: int) -> Line:
    """`5 guardrails │ 148 firings │ failed in 2 requests │ to review: 23 firings, 4 suspected`."""
    if view is None or not view.figures:
        return ()
    figures = view.figures
    fired, failed = sum(g.fired for g in figures), sum(g.failed for g in figures)
    parts: list[Part] = [
        (2, [(fmt.plural(len(figures), "guardrail"), "bold")]),
        (1, [(fmt.count(fired), "bold"), (" firing" if fired == 1 else " firings", "")]),
    ]
    if failed:
        parts.append((0, [(f"failed in {fmt.plural(failed, 'request')}", "warning")]))
    waits = [
        (sum(g.waiting for g in figures), "firings"),
        (sum(g.unseen for g in figures), "of the sample"),
        (sum(g.suspected for g in figures), "suspected"),
    ]
    if any(to_review(g) for g in figures):
        said = ", ".join(f"{fmt.count(n)} {what}" for n, what in waits if n)
        parts.append((0, [("to review: ", "accent"), (said, "")]))
    else:
        parts.append((3, [("nothing to review", "dim")]))
    return ((" ", ""), *fitted(parts, width - 2, gap=" │ "))
