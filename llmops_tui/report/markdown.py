"""The markdown report of a comparison: for a pull request, an issue or a mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from llmops_tui import __version__
from llmops_tui.domain import format as fmt
from llmops_tui.domain.attribution import Explanation
from llmops_tui.domain.comparison import Comparison, Means, Pair
from llmops_tui.domain.gate.result import GateResult
from llmops_tui.domain.guardrails.failures import GuardFailures
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.review import Decision, PairKey
from llmops_tui.domain.run import Row, Snapshot, tally
from llmops_tui.report import figures
from llmops_tui.report.case_markdown import case_section, case_table
from llmops_tui.report.diff_lines import text_diff
from llmops_tui.report.explain_markdown import explanation_blocks
from llmops_tui.report.gate_markdown import gate_blocks
from llmops_tui.report.markdown_text import code, details, fence, inline, table
from llmops_tui.report.shapes import DetailOf, Texts

#: Cases of one kind that are shown in full, and lines of a table. GitHub refuses a comment of more than
#: 65,536 characters, and nobody reads the hundredth diff; what is left out is said.
FULL_CASES = 30
TABLE_ROWS = 500

Figure = Callable[[float | None], str]


def markdown(
    comparison: Comparison,
    changes: Sequence[PartChange],
    texts: Sequence[Texts],
    detail_of: DetailOf,
    *,
    how_to_reproduce: Sequence[str] | None = None,
    written_at: float | None = None,
    drift: Sequence[str] = (),
    gate: GateResult | None = None,
    decisions: Mapping[PairKey, Decision] | None = None,
    explanation: Explanation | None = None,
    parting_of: Callable[[Pair], Sequence[str]] | None = None,
    guard_failures: Sequence[GuardFailures] = (),
) -> str:
    """The report as GitHub's markdown.

    Args:
        changes: parts that differ between the two versions.
        texts: the same as texts to diff.
        detail_of: gives both sides of a case in full; called for the cases that are shown in full.
        how_to_reproduce: commands, one a line; by default `figures.reproduce`.
        written_at: Unix seconds, for the last line; left out without.
        drift: sentences about models that changed under their pin.
        gate: the verdict, told first; without it none is.
        decisions: of people about these outputs, told with the verdict.
        explanation: which changed part did how much, where that was asked.
        parting_of: lines about the first step where the traces of a regressed case part; may be none.
        guard_failures: guardrails that failed themselves, of the baseline and of the candidate.
    """
    commands = figures.reproduce(comparison) if how_to_reproduce is None else how_to_reproduce
    blocks = [
        *_head(comparison),
        *(f"**{inline(sentence)}.**" for sentence in drift),
        *(f"**{inline(said)}.**" for said in figures.guard_sentences(comparison, guard_failures)),
        *(gate_blocks(gate, decisions or {}) if gate is not None else ()),
        "## What was compared",
        _compared(comparison),
        "## What changed",
        *_changed(changes, texts),
        *(explanation_blocks(explanation) if explanation is not None else ()),
        "## Summary",
        _summary(comparison),
        *_cases_in_full(comparison, "regressed", "Regressed", detail_of, parting_of),
        *_cases_in_full(comparison, "improved", "Improved", detail_of),
        *_errors(comparison, detail_of),
        *_rest(comparison, detail_of),
        "## How to reproduce",
        fence(commands, "sh"),
        _foot(written_at),
    ]
    return "\n\n".join(blocks) + "\n"


def _head(comparison: Comparison) -> list[str]:
    old, new = comparison.baseline.version, comparison.candidate.version
    words = " · ".join(text for _, text in figures.count_words(comparison))
    lines = [f"# {inline(new.config)}: {inline(old.name)} → {inline(new.name)}", f"**{words}**"]
    if figures.is_unchanged(comparison):
        lines.append("Nothing differs: every output and every score is the same on both sides.")
    lines += [f"**{sentence}.**" for sentence in figures.unfinished(comparison)]
    return lines


def _compared(comparison: Comparison) -> str:
    sides = (comparison.baseline, comparison.candidate)
    rows: list[list[str]] = [
        ["version", *(inline(figures.version_words(s.version)) for s in sides)],
        ["hash", *(code(s.version.hash[:10]) for s in sides)],
        ["first seen", *(fmt.moment(s.version.created_at) for s in sides)],
        ["commit", *(inline(figures.commit_words(s.version)) for s in sides)],
        ["models", *(", ".join(code(m) for m in s.models) or fmt.NONE for s in sides)],
        ["evaluated", *(f"{fmt.moment(s.run.started_at)}, {s.run.state}" for s in sides)],
        ["cases", *(fmt.count(len({r.case_id for r in s.rows})) for s in sides)],
    ]
    return table(["", "baseline", "candidate"], rows)


def _changed(changes: Sequence[PartChange], texts: Sequence[Texts]) -> list[str]:
    if not changes:
        return ["Nothing: both are the same configuration."]
    small, blocks = [], []
    for text in texts:
        values = figures.small_change(text)
        if values is None:
            blocks += [f"### {inline(text.title)}", fence(text_diff(text.before, text.after), "diff")]
        else:
            before, after = (code(value) or "not set" for value in values)
            small.append(f"- {inline(text.title)}: {before} → {after}")
    shown = {t.label for t in texts}
    small += [f"- {inline(c.label)}" for c in changes if c.label not in shown]
    return (["\n".join(small)] if small else []) + blocks


def _summary(comparison: Comparison) -> str:
    old, new = tally(comparison.baseline.rows), tally(comparison.candidate.rows)
    rows = [
        ["pass rate", *_means(comparison.pass_rate, fmt.percent, fmt.points)],
        ["mean score", *_means(comparison.mean_score, fmt.score, fmt.delta)],
    ]
    for name in ("passed", "failed", "errors", "unscored", "missing"):
        before, after = getattr(old, name), getattr(new, name)
        if before or after or name in ("passed", "failed"):
            rows.append([name, fmt.count(before), fmt.count(after), _count_delta(after - before)])
    rows += _took(comparison.baseline.rows, comparison.candidate.rows)
    n = fmt.plural(comparison.pass_rate.n, "row")
    note = f"Pass rate and mean score are over what both sides have a result for ({n} judged on both sides)."
    return table(["", "baseline", "candidate", "Δ"], rows, right=(1, 2, 3)) + "\n\n" + note


def _means(means: Means, figure: Figure, difference: Figure) -> list[str]:
    return [figure(means.baseline), figure(means.candidate), difference(means.delta)]


def _count_delta(difference: int) -> str:
    return ("+" if difference > 0 else "") + fmt.count(difference)


def _took(old: Sequence[Row], new: Sequence[Row]) -> list[list[str]]:
    before, after = figures.latency_p95(old), figures.latency_p95(new)
    cost_before, cost_after = figures.cost_usd(old), figures.cost_usd(new)
    return [
        ["latency, p95", fmt.seconds(before), fmt.seconds(after), ""],
        ["cost of the outputs", fmt.money(cost_before), fmt.money(cost_after), ""],
    ]


def _cases_in_full(
    comparison: Comparison,
    change: str,
    title: str,
    detail_of: DetailOf,
    parting_of: Callable[[Pair], Sequence[str]] | None = None,
) -> list[str]:
    pairs = figures.of_change(comparison, change)
    if not pairs:
        return []
    blocks = [f"## {fmt.symbol(change)} {title} ({fmt.count(len(pairs))})"]
    several = _several_models(comparison)
    sides = (comparison.baseline.version.name, comparison.candidate.version.name)
    for pair in pairs[:FULL_CASES]:
        blocks += case_section(pair, detail_of(pair), sides, with_model=several)
        if parting_of is not None and (lines := parting_of(pair)):
            blocks += ["The first step where they part:", fence(lines, "diff")]
    if len(pairs) > FULL_CASES:
        rest = pairs[FULL_CASES:]
        blocks.append(f"And {fmt.plural(len(rest), 'more case')}:")
        blocks.append(_table(rest, sides, several))
    return blocks


def _errors(comparison: Comparison, detail_of: DetailOf) -> list[str]:
    pairs = figures.of_change(comparison, "error")
    if not pairs:
        return []
    lines = []
    for pair in pairs[:TABLE_ROWS]:
        detail = detail_of(pair)
        said = [(side.failure, "baseline") for side in detail.baseline if side.failure]
        said += [(side.failure, "candidate") for side in detail.candidate if side.failure]
        said += [
            (f"{score.label}: {score.error}", "scoring")
            for side in (*detail.candidate, *detail.baseline)
            for score in side.scores
            if score.error
        ]
        why = "; ".join(dict.fromkeys(f"{where}: {inline(text)}" for text, where in said)) or "no result"
        lines.append(f"- **{inline(pair.case_id)}** on {code(pair.model)}: {why}")
    return [
        f"## {fmt.symbol('error')} Errors ({fmt.count(len(pairs))})",
        "These could not be compared; they are not regressions.",
        "\n".join(lines),
        *_left_out(len(pairs) - TABLE_ROWS),
    ]


def _rest(comparison: Comparison, detail_of: DetailOf) -> list[str]:
    """What needs nobody, folded: other words with the same score, new and removed cases, and the others."""
    several = _several_models(comparison)
    sides = (comparison.baseline.version.name, comparison.candidate.version.name)
    same = figures.of_change(comparison, "same")
    reworded = [p for p in same if p.output_changed]
    groups = [
        ("new", "new cases", figures.of_change(comparison, "new")),
        ("removed", "removed cases", figures.of_change(comparison, "removed")),
        ("pending", "not evaluated", figures.pending(comparison)),
        ("same", "the same", [p for p in same if not p.output_changed]),
    ]
    blocks = []
    if reworded:
        sections = [
            block
            for pair in reworded[:FULL_CASES]
            for block in case_section(pair, detail_of(pair), sides, with_model=several)
        ]
        if reworded[FULL_CASES:]:
            sections.append(_table(reworded[FULL_CASES:], sides, several))
        title = f"{fmt.symbol('same')} the same score in other words ({fmt.count(len(reworded))})"
        blocks.append(details(title, "\n\n".join(sections)))
    for change, title, pairs in groups:
        if pairs:
            heading = f"{fmt.symbol(change)} {title} ({fmt.count(len(pairs))})".strip()
            blocks.append(details(heading, _table(pairs, sides, several)))
    return ["## The rest", *blocks] if blocks else []


def _table(pairs: Sequence[Pair], sides: tuple[str, str], several: bool) -> str:
    shown = case_table(pairs[:TABLE_ROWS], sides, with_model=several)
    return "\n\n".join([shown, *_left_out(len(pairs) - TABLE_ROWS)])


def _left_out(n: int) -> list[str]:
    return [f"And {fmt.plural(n, 'more case')}, not listed here."] if n > 0 else []


def _several_models(comparison: Comparison) -> bool:
    return len(_models(comparison.candidate) | _models(comparison.baseline)) > 1


def _models(snapshot: Snapshot) -> set[str]:
    return set(snapshot.models)


def _foot(written_at: float | None) -> str:
    when = f", {fmt.moment(written_at)}" if written_at is not None else ""
    return f"Written by llmops-tui {__version__}{when}."
