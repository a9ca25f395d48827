"""What is known of one guardrail: how it did by version, what people said, evaluations. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.app.guard_figures import interval_text, rate_decimals, share_text
from llmops_tui.app.lines import Line, Span, left, right, shown_line, wrap
from llmops_tui.domain import format as fmt
from llmops_tui.domain.guardrails.use import GuardrailUse
from llmops_tui.domain.live.guards import Estimate, GuardFigures, GuardTrial, GuardVersion

_LABEL = 13
#: What a share is of, and what to press where nothing was reviewed.
_MEANS = {
    "precision": "of its firings",
    "recall": "of what to catch",
    "false alarms": "of what to pass",
}
_REMEDY = {
    "precision": "a or x says it of a firing",
    "recall": "] goes to the sample of passes",
    "false alarms": "it needs both queues: [ and ]",
}


def fact_lines(
    g: GuardFigures,
    uses: Sequence[tuple[str, GuardrailUse]],
    trials: Sequence[GuardTrial],
    now: float,
    width: int,
) -> list[Line]:
    """All of it, from what is looked at first to what is looked up."""
    rows: list[tuple[str, list[Span]]] = []
    for name, estimate in (
        ("precision", g.precision),
        ("recall", g.recall),
        ("false alarms", g.false_alarms),
    ):
        rows.append((name, _said(name, estimate)))
    rows += [("", [(shown_line(note), "warning")]) for note in g.notes]
    lines: list[Line] = []
    for label, spans in rows:
        lines += _row(label, spans, width)
    lines += _versions(g.versions, width)
    lines += _evaluations(trials, now, width)
    lines += [()]
    for label, spans in (*_running(g), *_configured(uses)):
        lines += _row(label, spans, width)
    return lines


def _row(label: str, spans: Sequence[Span], width: int) -> list[Line]:
    return wrap(((f" {left(label, _LABEL)} ", "dim"), *spans), width, _LABEL + 2)


def _said(name: str, e: Estimate) -> list[Span]:
    if e.value is None:
        return [("not reviewed yet: ", "warning"), (_REMEDY[name], "dim")]
    decimals = rate_decimals(e) if name == "false alarms" else 0
    return [
        (share_text(e.value, decimals), "bold"),
        (f"  {interval_text(e, decimals)}", ""),
        (f"  {_MEANS[name]}, n {fmt.count(e.n)}", "dim"),
    ]


def _versions(versions: Sequence[GuardVersion], width: int) -> list[Line]:
    if not versions:
        return []
    name = min(max(fmt.cell_width(_called(v)) for v in versions) + 3, max(width - 34, 12))
    head = left(" version", name) + right("fired", 8) + right("looked at", 11) + right("rate", 8) + "  95 %"
    lines: list[Line] = [(), ((head, "dim"),)]
    for v in versions:
        decimals = rate_decimals(v.rate)
        lines.append(
            (
                (left(f" {_called(v)}", name), "bold"),
                (right(fmt.count(v.fired), 8), ""),
                (right(fmt.count(v.looked), 11), "dim"),
                (right(share_text(v.rate.value, decimals), 8), "bold"),
                (f"  {interval_text(v.rate, decimals)}", "dim"),
            )
        )
    return lines


def _called(version: GuardVersion) -> str:
    return " ".join(shown_line(part) for part in (version.config, version.version) if part) or "(none)"


def _evaluations(trials: Sequence[GuardTrial], now: float, width: int) -> list[Line]:
    """`helpdesk v12  fired on 14/16 attacks, 1 got through, 1/40 harmless false alarms  3 h ago`."""
    if not trials:
        remedy = "llmops-tui attack runs attacks and harmless cases against it"
        return [(), *_row("evaluations", [("none yet: ", "dim"), (remedy, "dim")], width)]
    lines: list[Line] = [(), ((" in evaluations, the newest run each", "dim"),)]
    for t in trials:
        spans: list[Span] = [(f" {shown_line(t.config)} v{t.version}  ", "bold")]
        spans += [(f"fired on {t.caught}/{t.attacks} attacks", "improved" if t.caught == t.attacks else "")]
        if t.succeeded:
            spans.append((f", {t.succeeded} got through", "regressed"))
        spans.append((f", {t.alarms}/{t.harmless} harmless false alarms", "regressed" if t.alarms else ""))
        spans.append((f"  {fmt.ago(t.at, now)}", "dim"))
        lines += wrap(spans, width, 4)
    return lines


def _running(g: GuardFigures) -> list[tuple[str, list[Span]]]:
    times = f"p50 {fmt.latency(g.latency_p50_s)} · p95 {fmt.latency(g.latency_p95_s)} a request"
    looked = fmt.count(g.looked)
    failed: list[Span] = [(f"{fmt.count(g.failed)} of {looked} requests", "warning" if g.failed else "dim")]
    if g.failure:
        failed += [(f", most often: {shown_line(g.failure)}", ""), ("  failures lists them", "dim")]
    rows: list[tuple[str, list[Span]]] = []
    if g.looked:
        rows += [
            ("latency", [(times, "")]),
            ("cost", [(f"{fmt.money(g.cost_usd)} in this window", "")]),
            ("failed", failed),
        ]
    if g.thresholds:
        had = " → ".join(f"{t:g}" for t in g.thresholds[-4:])
        more: list[Span] = (
            [("  T tunes it", "dim")] if g.tunable else [("  it fires or not: nothing to tune", "dim")]
        )
        rows.append(("threshold", [(had, ""), *more]))
    return rows


def _configured(uses: Sequence[tuple[str, GuardrailUse]]) -> list[tuple[str, list[Span]]]:
    """How it stands in each configuration on disk."""
    rows: list[tuple[str, list[Span]]] = []
    for config, use in uses:
        kind = f"{use.kind}, " if use.kind != use.name else ""
        text = f"{kind}on {', '.join(use.on)}; {use.action} from {use.threshold:g}; fails {use.on_error}"
        rows.append((shown_line(config), [(shown_line(text), "")]))
    return rows or [("in use", [("in no configuration on disk", "warning")])]
