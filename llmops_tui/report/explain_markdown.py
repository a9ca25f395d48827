"""An explanation in a report: the shares of each part, what works only together, and the cases."""

from __future__ import annotations

from llmops_tui.domain import format as fmt
from llmops_tui.domain.attribution import Attribution, Explanation, Share, moved
from llmops_tui.report.explain_text import (
    basis_words,
    cases_note,
    interaction_words,
    proof_words,
    sentence,
    symbol,
    total_words,
)
from llmops_tui.report.markdown_text import code, details, inline, table

#: Lines of a table.
MOST = 500


def explanation_blocks(explanation: Explanation) -> list[str]:
    """Blocks of markdown."""
    blocks = ["## Explanation", inline(sentence(explanation))]
    for measure in explanation.measures:
        blocks += _measure(measure, explanation)
    if explanation.cases:
        blocks.append(details(f"Case by case ({fmt.count(len(explanation.cases))})", _cases(explanation)))
    if explanation.notes:
        blocks.append("\n".join(f"- {inline(note)}" for note in explanation.notes))
    return blocks


def _measure(measure: Attribution, explanation: Explanation) -> list[str]:
    delta = moved(measure.measure, measure.total.delta)
    about = f"**{inline(total_words(measure))}, {delta}** ({inline(proof_words(measure))})"
    if not measure.shares:
        return [about]
    rows = [
        [code(share.part), moved(measure.measure, share.value), _interval(measure, share)]
        for share in measure.shares
    ]
    rows.append(["total", delta, ""])
    blocks = [f"{about}, {inline(basis_words(measure, explanation))}:"]
    blocks.append(table(["part", "share", "interval"], rows, right=(1, 2)))
    if measure.interactions:
        told = [f"- {inline(interaction_words(one, measure))}" for one in measure.interactions]
        blocks.append("\n".join(told))
    return blocks


def _interval(measure: Attribution, share: Share) -> str:
    if share.low is None or share.high is None:
        return "a fact"
    return f"{moved(measure.measure, share.low)} to {moved(measure.measure, share.high)}"


def _cases(explanation: Explanation) -> str:
    rows = [
        [
            symbol(case),
            inline(case.case_id),
            code(case.model),
            fmt.delta(case.delta),
            ", ".join(f"{code(part)} {fmt.delta(value)}" for part, value in case.shares),
        ]
        for case in explanation.cases[:MOST]
    ]
    shown = table(["", "case", "model", "Δ", "by"], rows, right=(3,))
    rest = len(explanation.cases) - MOST
    said = cases_note(explanation)
    if said:
        shown += f"\n\n{said[:1].upper()}{said[1:]}."
    return shown + (f"\n\nAnd {fmt.plural(rest, 'more case')}, not listed here." if rest > 0 else "")
