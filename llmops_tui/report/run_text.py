"""What a run came to, versions and one version, as text."""

from __future__ import annotations

import json
from collections.abc import Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.comparison import Comparison
from llmops_tui.domain.guardrails.failures import NO_FAILURES, GuardFailures
from llmops_tui.domain.manifest import Manifest, Part
from llmops_tui.domain.prompt import prompt_text
from llmops_tui.domain.run import RunInfo, Tally, VersionInfo
from llmops_tui.domain.safe_text import clean, clean_line
from llmops_tui.report import figures
from llmops_tui.report.shapes import Summary
from llmops_tui.report.text import STYLES, Line, Piece

#: Failures that are printed; the rest are counted.
SHOWN_FAILURES = 5


def run_lines(
    version: VersionInfo,
    run: RunInfo | None,
    tally: Tally,
    failures: Sequence[str],
    comparison: Comparison | None,
    guard_failures: GuardFailures = NO_FAILURES,
) -> list[Line]:
    """How a run went, and how the version stands against the baseline.

    Args:
        run: None where nothing was to do.
        comparison: against the baseline; None or the version itself is left out.
        guard_failures: guardrails that failed themselves.
    """
    lines: list[Line] = [((clean_line(figures.version_words(version)), "bold"), *_counts(tally))]
    lines.append(((_took(run), "dim"),))
    for text in failures[:SHOWN_FAILURES]:
        lines.append(((f"✗ {clean_line(text)}", "error"),))
    if len(failures) > SHOWN_FAILURES:
        lines.append(((f"✗ and {fmt.plural(len(failures) - SHOWN_FAILURES, 'more failure')}", "error"),))
    if guard_failures.cases:
        lines.append(((f"✗ {guard_failures.sentence}; the next run looks again", "error"),))
    if comparison is not None and comparison.baseline.version.id != comparison.candidate.version.id:
        against: list[Piece] = [(f"against {comparison.baseline.version.name}: ", "")]
        for change, words in figures.count_words(comparison):
            against += [(words, change if change in STYLES else ""), ("   ", "")]
        lines.append((*against, ("see: llmops-tui compare", "dim")))
    return lines


def _counts(tally: Tally) -> list[Piece]:
    words = [f"  {fmt.plural(tally.cases, 'case')}: {fmt.count(tally.passed)} passed"]
    words.append(f", {fmt.count(tally.failed)} failed")
    for n, word in ((tally.unscored, "unscored"), (tally.missing, "not evaluated")):
        words += [f", {fmt.count(n)} {word}"] if n else []
    pieces: list[Piece] = [("".join(words), "")]
    if tally.errors:
        pieces.append((f", {fmt.plural(tally.errors, 'error')}", "error"))
    figures_ = f"   pass rate {fmt.percent(tally.pass_rate)}   mean score {fmt.score(tally.mean_score)}"
    return [*pieces, (figures_, "")]


def _took(run: RunInfo | None) -> str:
    if run is None:
        return "nothing changed, nothing asked"
    parts = [
        f"{fmt.plural(run.provider_calls, 'request')} sent",
        f"{fmt.count(run.cached_outputs)} known before",
        fmt.seconds(run.elapsed_s),
        fmt.money(run.cost_usd) if run.cost_usd is not None else "cost not known",
    ]
    return " · ".join([*([run.state] if run.state != "complete" else []), *parts])


def version_table(summaries: Sequence[Summary], now: float) -> list[Line]:
    """One line a version, columns under each other."""
    head = ("version", "seen", "commit", "pass", "score", "cost", "state", "changed")
    rows = [_version_cells(s, now) for s in summaries]
    widths = [max(fmt.cell_width(row[i]) for row in [head, *rows]) for i in range(len(head))]
    right = {3, 4, 5}

    def line(cells: Sequence[str], style: str) -> Line:
        padded = [fmt.pad(c, w, right=i in right) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return (("  ".join(padded), style),)

    lines = [line(head, "dim")]
    for summary, row in zip(summaries, rows, strict=True):
        lines.append(line(row, "bold" if summary.version.is_baseline else ""))
        lines += [((f"  {clean_line(warning)}", "error"),) for warning in summary.warnings]
    return lines


def _version_cells(summary: Summary, now: float) -> tuple[str, ...]:
    version, tally = summary.version, summary.tally
    commit = (version.git_commit or "")[:7] + ("+" if version.git_dirty else "")
    return (
        clean_line(figures.version_words(version)),
        fmt.ago(version.created_at, now),
        commit or fmt.NONE,
        fmt.percent(tally.pass_rate if tally else None),
        fmt.score(tally.mean_score if tally else None),
        fmt.money(summary.cost_usd),
        _state(summary),
        clean_line(", ".join(summary.changed)) or fmt.NONE,
    )


def _state(summary: Summary) -> str:
    """How far the newest run of a version got."""
    if summary.run is None or summary.tally is None:
        return "not evaluated"
    known = summary.tally.cases
    return f"{known} of {known + summary.tally.missing}" if summary.tally.missing else summary.run.state


def version_lines(summary: Summary, manifest: Manifest) -> list[Line]:
    """One version: where it is from, how it did, and its parts in full."""
    version, run = summary.version, summary.run
    lines: list[Line] = [
        ((clean_line(f"{version.config} {figures.version_words(version)}"), "bold"),),
        ((f"hash    {version.hash}", ""),),
        ((f"seen    {fmt.moment(version.created_at)}", ""),),
        ((f"commit  {figures.commit_words(version)}", ""),),
    ]
    if summary.tally is not None:
        lines.append((("result", ""), *_counts(summary.tally)))
        lines.append(((f"run     {_took(run)}", ""),))
    else:
        lines.append((("result  not evaluated", ""),))
    lines += [((clean_line(warning), "error"),) for warning in summary.warnings]
    for part in manifest.parts:
        lines += [(), ((clean_line(part.label), "bold"), (f"  {part.hash[:10]}", "dim"))]
        lines += [((f"  {text}", ""),) for text in clean(_part_text(part)).rstrip("\n").split("\n")]
    return lines


def _part_text(part: Part) -> str:
    if part.kind == "prompt":
        return prompt_text(part.value)
    return json.dumps(part.value, indent=2, ensure_ascii=False, sort_keys=True)
