"""Variants that were tried, as a table and what can be concluded from it."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.ranking import Ranked, Ranking
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report.shapes import Tried
from llmops_tui.report.text import EMPTY, Line

SYMBOLS = {
    "better": "▲",
    "worse": "▼",
    "equal": "=",
    "not told apart": "≈",
    "not ranked": "✗",
    "on disk": " ",
}
STYLES = {"better": "improved", "worse": "regressed", "not ranked": "error", "on disk": "bold"}
#: Failures that are printed; the rest are counted.
SHOWN_FAILURES = 5


def ranking_lines(tried: Tried) -> list[Line]:
    """The table, best first, and the sentences."""
    ranking = tried.ranking
    head, rows = table(ranking)
    lines = [
        ((heading(tried), "bold"),),
        EMPTY,
        ((head, "dim"),),
        *(((line, STYLES.get(row.claim, "")),) for row, line in rows),
        EMPTY,
    ]
    lines += [((clean_line(sentence), ""),) for sentence in tried.conclusion]
    lines += [((f"✗ {clean_line(text)}", "error"),) for text in tried.failures[:SHOWN_FAILURES]]
    if (more := len(tried.failures) - SHOWN_FAILURES) > 0:
        lines.append(((f"✗ and {fmt.plural(more, 'more failure')}", "error"),))
    return [*lines, ((footing(tried), "dim"),)]


def heading(tried: Tried) -> str:
    """`helpdesk: 6 variants on 16 cases, by pass rate`."""
    count = len(tried.ranking.rows) - 1
    by = "pass rate" if tried.ranking.metric == "pass_rate" else "mean score"
    return f"{tried.config}: {fmt.plural(count, 'variant')} on {fmt.plural(tried.cases, 'case')}, by {by}"


def footing(tried: Tried) -> str:
    """What it took, and how to look at one of them."""
    cost = fmt.money(tried.cost_usd) if tried.cost_usd is not None else "cost not known"
    took = f"{fmt.plural(tried.provider_calls, 'request')} sent · {cost}"
    ranking = tried.ranking
    other = next((r for r in ranking.rows if r.claim != "on disk"), None)
    if other is None:
        return took
    names = f"{ranking.on_disk.version.name} {other.version.name}"
    return f"{took} · look at one: llmops-tui compare {names}"


def table(ranking: Ranking) -> tuple[str, list[tuple[Ranked, str]]]:
    """(the heading, each row with its line), columns under each other."""
    head = _heads(ranking)
    cells = [(row, _cells(row, ranking)) for row in ranking.rows]
    widths = [max(fmt.cell_width(c[i]) for c in [head, *(c for _, c in cells)]) for i in range(len(head))]
    left = {0, 1, 2}

    def line(of: Sequence[str]) -> str:
        padded = [fmt.pad(c, w, right=i not in left) for i, (c, w) in enumerate(zip(of, widths, strict=True))]
        return "  ".join(padded).rstrip()

    return line(head), [(row, line(c)) for row, c in cells]


def _heads(ranking: Ranking) -> tuple[str, ...]:
    metric = "pass" if ranking.metric == "pass_rate" else "score"
    return (
        "",
        "variant",
        "version",
        metric,
        "Δ on disk",
        f"{100 * (1 - ranking.alpha):.3g}% jointly",
        "answer",
        "p50",
        "p95",
        "errors",
    )


def _cells(row: Ranked, ranking: Ranking) -> tuple[str, ...]:
    standing, evidence = row.standing, row.evidence
    figure, delta = (fmt.percent, fmt.points) if ranking.metric == "pass_rate" else (fmt.score, fmt.delta)
    best = "◆" if row.is_best else " "
    return (
        f"{best}{SYMBOLS[row.claim]}",
        clean_line(variant_name(row)),
        standing.version.name,
        figure(standing.value),
        delta(evidence.delta) if evidence is not None else fmt.NONE,
        interval(row, ranking),
        fmt.money(standing.cost_usd),
        fmt.seconds(standing.p50_s),
        fmt.seconds(standing.p95_s),
        fmt.count(standing.errors) if standing.errors else fmt.NONE,
    )


def variant_name(row: Ranked) -> str:
    """What it changes, and why it is not ranked where it is not."""
    standing = row.standing
    name = standing.label or "on disk"
    if standing.same_as:
        name += f" (= {', '.join(standing.same_as)})"
    if row.claim == "not ranked":
        name += f": not ranked, {standing.unranked or 'nothing is judged'}"
    elif standing.unranked:
        name += f": {standing.unranked}"
    return name


def interval(row: Ranked, ranking: Ranking) -> str:
    """`−12.5 to +3.0`; a fact has none."""
    evidence = row.evidence
    if evidence is None:
        return ""
    if evidence.by_fact:
        return "a fact"
    if ranking.metric == "pass_rate":
        low, high = fmt.points(evidence.low), fmt.points(evidence.high)
        return f"{low.removesuffix(' pts')} to {high.removesuffix(' pts')}"
    return f"{fmt.delta(evidence.low)} to {fmt.delta(evidence.high)}"
