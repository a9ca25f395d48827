"""The verdict as text for a terminal, a pipe or a log: the word first, then why, then the numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.gate import words
from llmops_tui.domain.gate.result import FlipResult, GateResult, LookResult, RuleResult
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report import figures, gate_figures
from llmops_tui.report.shapes import Gated
from llmops_tui.report.text import EMPTY, Line

STYLE = {"pass": "improved", "fail": "regressed", "inconclusive": "error"}
#: Lines of a list before it says how many more there are.
MOST = 40
ID_WIDTH = 40


def gate_lines(gated: Gated, changes: Sequence[PartChange] = (), *, width: int = 100) -> list[Line]:
    """A gate in full.

    Args:
        changes: parts that differ between the two versions.
        width: cells of a line; sentences are wrapped to it.
    """
    result = gated.result
    lines = [verdict_line(gated), *_about(gated, changes)]
    lines += [EMPTY, (("Why", "bold"),), *sentences(result.reasons or ("nothing stands against it",), width)]
    if result.exploratory:
        note = (
            "exploratory: judged on answers that were there, and looking often finds something in the end; "
            "llmops-tui gate --fresh asks both sides anew"
        )
        lines += sentences([note], width)
    lines += sentences(gated.adapted, width)
    if gated.failures:
        lines += [EMPTY, (("Failures", "bold"),), *sentences(gated.failures, width)]
    lines += [EMPTY, *rule_lines(result.rules)]
    if result.flips:
        lines += [EMPTY, (("Flips", "bold"),), *_flips(result.flips)]
    if result.flaky:
        lines += [EMPTY, (("Flaky cases, counted as they are", "bold"),), *_flaky(result)]
    if result.looks:
        lines += [EMPTY, (("Adjudication", "bold"),), *_looks(result.looks)]
    deciding = [(r.rule, r.would_decide) for r in result.rules if r.would_decide and r.ok is not True]
    if deciding and result.verdict == "inconclusive":
        lines += [EMPTY, (("What would decide", "bold"),)]
        lines += sentences([f"{rule}: {would}" for rule, would in deciding], width)
    return lines


def verdict_line(gated: Gated) -> Line:
    """`fail  helpdesk v2 against v1: critical: refund-window`."""
    result, new = gated.result, gated.candidate
    said = f": {result.headline}" if result.headline else ""
    what = f"  {new.config} {new.name} against {gated.baseline.name}{said}"
    return ((result.verdict, STYLE[result.verdict]), (clean_line(what).rjust(len(what)), "bold"))


def _about(gated: Gated, changes: Sequence[PartChange]) -> list[Line]:
    result = gated.result
    same = gated.baseline.id == gated.candidate.id
    names = f"{figures.version_words(gated.baseline)} → {figures.version_words(gated.candidate)}"
    changed = "the same version" if same else f"changed: {figures.changed_words(changes)}"
    lines: list[Line] = [((clean_line(f"{names} · {changed}"), "dim"),)]
    parts = []
    rate = next((r.evidence for r in result.rules if r.rule == "pass_rate"), None)
    seen = gated.comparison.pass_rate
    if rate is not None and seen.n:
        # As it is on screen and in the report; what was accepted counts as wanted in the rules alone.
        moved = f"{fmt.percent(seen.baseline)} → {fmt.percent(seen.candidate)}  {fmt.points(seen.delta)}"
        parts.append(f"pass {moved}")
        parts.append(words.over(rate))
    parts.append(f"{fmt.plural(result.provider_calls, 'request')} sent")
    parts.append("cost not known" if gated.cost_usd is None else fmt.money(gated.cost_usd))
    if result.trials_spent:
        parts.append(f"{fmt.plural(result.trials_spent, 'trial')} beyond the planned ones")
    return [*lines, ((" · ".join(parts), ""),)]


def sentences(said: Iterable[str], width: int) -> list[Line]:
    """Each behind a dash, wrapped."""
    lines: list[Line] = []
    for sentence in said:
        wrapped = textwrap.wrap(clean_line(sentence), width - 4, break_on_hyphens=False)
        lines += [((("- " if i == 0 else "  ") + text, ""),) for i, text in enumerate(wrapped)]
    return lines


def rule_lines(rules: Sequence[RuleResult]) -> list[Line]:
    """A table of rules."""
    head = ["rule", "ok", "limit", "observed", "interval", "p (Holm)", "alpha"]
    rows = [
        [
            clean_line(r.rule),
            gate_figures.result_word(r),
            gate_figures.limit(r),
            gate_figures.observed(r),
            # The unit once, at the end.
            gate_figures.interval(r).replace(" points to ", " to "),
            gate_figures.p_value(r.p_adjusted),
            gate_figures.alpha(r),
        ]
        for r in rules
    ]
    styles = ["regressed" if r.ok is False else "" for r in rules]
    return table(head, rows, styles, right=(5, 6))


def _flips(flips: Sequence[FlipResult]) -> list[Line]:
    shown = flips[:MOST]
    several = len({f.model for f in flips}) > 1
    id_width = min(max(fmt.cell_width(clean_line(f.case_id)) for f in shown), ID_WIDTH)
    lines: list[Line] = []
    for flip in shown:
        change = "regressed" if flip.direction == "pass→fail" else "improved"
        marks = [word for word, on in (("critical", flip.critical), ("flaky", flip.flaky)) if on]
        marks += [flip.decision] if flip.decision else []
        marks += [f"known to fail: {clean_line(flip.known_failing)}"] if flip.known_failing else []
        marks += [clean_line(flip.model)] if several else []
        lines.append(
            (
                (fmt.symbol(change) + " ", change),
                (fmt.pad(clean_line(flip.case_id), id_width), ""),
                (f"   {flip.direction.replace('→', ' → ')}", change),
                (f"   {', '.join(marks)}" if marks else "", "dim"),
            )
        )
    return lines + _more(len(flips))


def _flaky(result: GateResult) -> list[Line]:
    rows = [
        [clean_line(f.case_id), *(f"{p} of {n} passed" for p, n in zip(f.passed, f.trials, strict=True))]
        for f in result.flaky[:MOST]
    ]
    return table(["case", "baseline", "candidate"], rows, [""] * len(rows)) + _more(len(result.flaky))


def _looks(looks: Sequence[LookResult]) -> list[Line]:
    head = ["look", "trials", "verdict", "drop", "interval of the drop", "p", "alpha", "requests", "cost"]
    rows = [
        [
            str(look.look),
            str(look.trials),
            look.verdict,
            fmt.NONE if look.drop is None else words.points(look.drop),
            fmt.NONE if look.interval is None else "{} to {}".format(*map(words.points, look.interval)),
            gate_figures.p_value(look.p_value),
            f"{look.alpha:.3g}",
            fmt.count(look.spent_calls),
            fmt.money(look.cost_usd),
        ]
        for look in looks
    ]
    return table(head, rows, [""] * len(rows), right=(0, 1, 3, 5, 6, 7, 8))


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str], right: Sequence[int] = ()
) -> list[Line]:
    """Rows below a head; columns in `right` are right-aligned."""
    widths = [min(max(fmt.cell_width(row[i]) for row in (head, *rows)), ID_WIDTH) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (fmt.pad(c, widths[i], right=i in right) for i, c in enumerate(cells))
        return "  ".join(padded).rstrip()

    return [((line(head), "dim"),), *(((line(r), s),) for r, s in zip(rows, styles, strict=True))]


def _more(n: int) -> list[Line]:
    return [((f"and {fmt.count(n - MOST)} more; --json has them all", "dim"),)] if n > MOST else []
