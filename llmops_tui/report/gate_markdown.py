"""The verdict in a report: what was decided and why, unfolding down to the numbers behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from llmops_tui.domain import format as fmt
from llmops_tui.domain.gate import words
from llmops_tui.domain.gate.result import FlakyResult, GateResult, LookResult, RuleResult, SliceResult
from llmops_tui.domain.review import Decision, PairKey
from llmops_tui.report import gate_figures
from llmops_tui.report.markdown_text import code, details, inline, table
from llmops_tui.report.shapes import Gated

#: Lines of a table.
MOST = 500


def gate_document(gated: Gated, decisions: Mapping[PairKey, Decision], *, brief: bool = False) -> str:
    """A gate as a document of its own.

    Args:
        decisions: as in `gate_blocks`.
        brief: verdict, reasons and rules alone.
    """
    old, new = gated.baseline.name, gated.candidate.name
    blocks = gate_blocks(gated.result, decisions)
    if brief:
        reasons = _reasons(msgspec.structs.replace(gated.result, reasons=gated.result.reasons[:20]))
        blocks = [*blocks[:2], reasons, "### Rules", _rules(gated.result.rules)]
    said = [f"- {_begun(sentence)}" for sentence in (*gated.adapted, *gated.failures)]
    notes = ["\n".join(said)] if said else []
    return "\n\n".join([f"# {inline(_title(gated.candidate.config, old, new))}", *blocks, *notes]) + "\n\n"


def _title(config: str, old: str, new: str) -> str:
    return f"{config}: {old} → {new}" if old != new else f"{config}: {new}"


def gate_blocks(result: GateResult, decisions: Mapping[PairKey, Decision]) -> list[str]:
    """Blocks of markdown.

    Args:
        decisions: those that are about these outputs (`review.decisions_of`).
    """
    head = f": {inline(result.headline)}" if result.headline else ""
    blocks = [f"## Verdict: {result.verdict}", f"**{result.verdict}{head}**", _reasons(result)]
    if result.exploratory:
        blocks.append(
            "This verdict is exploratory: it was made on answers that were there. "
            "`llmops-tui gate --fresh` asks both sides anew."
        )
    blocks += ["### Rules", _rules(result.rules)]
    blocks += [details("The numbers behind the rules", "\n\n".join(_numbers(r) for r in result.rules))]
    if result.flips:
        blocks += [f"### Flips ({fmt.count(len(result.flips))})", _flips(result, decisions)]
    if decisions:
        blocks.append(details(f"Decisions ({fmt.count(len(decisions))})", _decisions(decisions)))
    if result.flaky:
        title = f"Flaky cases ({fmt.count(len(result.flaky))}): labelled, and counted as they are"
        blocks.append(details(title, _flaky(result.flaky)))
    if result.slices:
        blocks.append(details("The pass rate by tag", _slices(result.slices)))
    if result.looks:
        blocks.append(details(f"Adjudication: {fmt.plural(len(result.looks), 'look')}", _looks(result.looks)))
    return blocks


def _reasons(result: GateResult) -> str:
    said = result.reasons or ("nothing stands against it",)
    return "\n".join(f"- {_begun(reason)}" for reason in said)


def _begun(text: str) -> str:
    """Text at the start of a block: what makes a heading or a list there must not."""
    shown = inline(text)
    return shown if shown[:1].isalpha() else f"&#8203;{shown}"


def _rules(rules: Sequence[RuleResult]) -> str:
    head = ["rule", "result", "limit", "observed", "interval", "p", "p corrected", "alpha", "method"]
    rows = [
        [
            code(rule.rule),
            "**failed**" if rule.judged and rule.ok is False else gate_figures.result_word(rule),
            gate_figures.limit(rule),
            gate_figures.observed(rule),
            gate_figures.interval(rule),
            _p(rule.p_value),
            _p(rule.p_adjusted),
            gate_figures.alpha(rule),
            inline(gate_figures.method(rule)),
        ]
        for rule in rules
    ]
    return table(head, rows, right=(2, 3, 5, 6, 7))


def _p(value: float | None) -> str:
    return gate_figures.p_value(value).replace("<", "&lt;")


def _numbers(rule: RuleResult) -> str:
    lines = [f"**{code(rule.rule)}**: {inline(rule.why)}."]
    found = rule.evidence
    if found is not None:
        lines.append(
            f"- {fmt.plural(found.rows, 'row')} in {fmt.plural(found.clusters, 'cluster')}, "
            f"{found.trials:.3g} trials a row and side; {found.lost} went down, {found.won} went up"
        )
        lines.append(
            f"- baseline {words.share(found.baseline)}, candidate {words.share(found.candidate)}, "
            f"p of no drop {_p(found.p_drop)}, p of no rise {_p(found.p_rise)}"
        )
    if rule.would_decide:
        lines.append(f"- what would decide: {inline(rule.would_decide)}")
    if rule.cases:
        named = ", ".join(f"{inline(case)} on {code(model)}" for case, model in rule.cases[:MOST])
        lines.append(f"- cases: {named}{_and_more(len(rule.cases))}")
    return lines[0] + "".join(f"\n{line}" if i else f"\n\n{line}" for i, line in enumerate(lines[1:]))


def _flips(result: GateResult, decisions: Mapping[PairKey, Decision]) -> str:
    rows = []
    for flip in result.flips[:MOST]:
        decision = decisions.get((flip.case_id, flip.model))
        marks = [word for word, on in (("critical", flip.critical), ("flaky", flip.flaky)) if on]
        if flip.known_failing:
            marks.append(f"known to fail: {inline(flip.known_failing)}")
        rows.append(
            [
                inline(flip.case_id),
                code(flip.model),
                flip.direction.replace("→", " → "),
                *(words.share(share) for share in flip.shares),
                ", ".join(marks),
                flip.decision,
                inline(decision.note) if decision is not None else "",
            ]
        )
    head = ["case", "model", "flip", "passed before", "passed now", "", "decision", "note"]
    return table(head, rows, right=(3, 4)) + _and_more(len(result.flips))


def _decisions(decisions: Mapping[PairKey, Decision]) -> str:
    rows = [
        [inline(d.case_id), code(d.model), d.choice or "note", inline(d.by), inline(d.at), inline(d.note)]
        for d in list(decisions.values())[:MOST]
    ]
    return table(["case", "model", "decision", "who", "when", "note"], rows) + _and_more(len(decisions))


def _flaky(found: Sequence[FlakyResult]) -> str:
    rows = [
        [
            inline(f.case_id),
            code(f.model),
            *(f"{passed} of {of}" for passed, of in zip(f.passed, f.trials, strict=True)),
        ]
        for f in found[:MOST]
    ]
    return table(["case", "model", "baseline passed", "candidate passed"], rows, right=(2, 3)) + _and_more(
        len(found)
    )


def _slices(found: Sequence[SliceResult]) -> str:
    rows = [
        [
            code(s.tag),
            fmt.count(s.rows),
            words.share(s.evidence.baseline),
            words.share(s.evidence.candidate),
            fmt.points(s.evidence.delta),
            "a fact"
            if s.evidence.by_fact
            else f"{fmt.points(s.evidence.low)} to {fmt.points(s.evidence.high)}",
            _p(s.q_value),
        ]
        for s in found
    ]
    head = ["tag", "rows", "baseline", "candidate", "Δ", "interval", "q"]
    note = (
        "For display: no slice decides. q is the p-value of a change in either direction, corrected over "
        "these slices (Benjamini and Hochberg)."
    )
    return table(head, rows, right=(1, 2, 3, 4, 6)) + "\n\n" + note


def _looks(found: Sequence[LookResult]) -> str:
    rows = [
        [
            str(look.look),
            str(look.trials),
            look.verdict,
            words.points(look.drop) if look.drop is not None else fmt.NONE,
            "{} to {}".format(*map(words.points, look.interval)) if look.interval else fmt.NONE,
            _p(look.p_value),
            f"{look.alpha:.3g}",
            fmt.count(look.spent_calls),
            fmt.money(look.cost_usd),
        ]
        for look in found
    ]
    head = ["look", "trials", "verdict", "drop", "interval of the drop", "p", "alpha", "calls", "cost"]
    return table(head, rows, right=(0, 1, 3, 5, 6, 7, 8))


def _and_more(n: int) -> str:
    return f"\n\nAnd {fmt.count(n - MOST)} more, not listed here." if n > MOST else ""
