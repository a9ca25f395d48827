"""An explanation as lines, for a terminal and for the app: part by part, then case by case."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.attribution import MEASURES, Attribution, CaseShares, Explanation, Interaction, moved
from llmops_tui.domain.gate import words
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report.text import EMPTY, Line, Piece

#: Cells of the bar: an odd number, so that 0 has one of its own.
BAR = 21
MOST_CASES = 50
MOST_INTERACTIONS = 3
#: Cells of a share, and of its interval.
_VALUE, _INTERVAL = 11, 22


def explanation_lines(explanation: Explanation, *, width: int = 100, most: int = MOST_CASES) -> list[Line]:
    """What came of it, the shares of each measure with bars, what works only together, and the cases.

    Args:
        width: cells of a line.
        most: cases that are listed; the others are counted.
    """
    a, b = explanation.baseline, explanation.candidate
    head: Line = ((f"{clean_line(b.config)}  {a.name} → {b.name}", "bold"),)
    lines: list[Line] = [head, *_wrapped(sentence(explanation), width)]
    for n, measure in enumerate(explanation.measures):
        lines += [EMPTY, *_measure(measure, explanation, width, with_cases=n == 0)]
        if n == 0:  # those of the mean score say the same once more
            lines += _interactions(measure, width)
    if explanation.cases:
        lines += [EMPTY, *_cases(explanation, width, most)]
    if explanation.notes:
        lines.append(EMPTY)
        for note in explanation.notes:
            lines += _wrapped(note, width, "dim")
    return lines


def sentence(explanation: Explanation) -> str:
    """The sentence that everything begins with, as one: `Two parts changed; …`."""
    text = clean_line(explanation.sentence)
    return text[:1].upper() + text[1:] + "."


def total_words(measure: Attribution) -> str:
    """`pass rate 75.0% → 50.0%`."""
    figure = fmt.percent if measure.measure == "pass_rate" else fmt.score
    name = MEASURES[measure.measure]
    return f"{name} {figure(measure.total.baseline)} → {figure(measure.total.candidate)}"


def proof_words(measure: Attribution) -> str:
    """How the total stands: a fact, tested, or not proven and what would prove it."""
    total = measure.total
    if total.by_fact:
        return "a fact: the runtime repeats itself exactly"
    p = words.p_text(min(total.p_drop, total.p_rise))
    if measure.proven:
        return f"{p} by the {total.test}"
    would = f"; {measure.would_prove}" if measure.would_prove else ""
    return f"not proven: {p} by the {total.test}{would}"


def basis_words(measure: Attribution, explanation: Explanation) -> str:
    """`16 cases, 3 trials each; all intervals are right together with 95 %`."""
    text = words.over(measure.total)
    if any(share.low is not None for share in measure.shares):
        text += f"; all intervals are right together with {100 * explanation.level:g} %"
        if explanation.estimand == "population":
            text += ", about the population"
    return text


def interaction_words(one: Interaction, measure: Attribution) -> str:
    """Two parts whose effects don't add up, as a sentence without a full stop."""
    first, second = one.parts
    figures = [moved(measure.measure, v) for v in (*one.alone, one.together)]
    together = f"together {figures[2]}"
    if one.only_together:
        return f"{first} and {second} do it only together: {together}, alone {figures[0]} and {figures[1]}"
    kind = "more" if abs(one.together) > abs(sum(one.alone)) else "less"
    return (
        f"{first} and {second} do {kind} together than apart: {together}, alone {figures[0]} and {figures[1]}"
    )


def took_words(provider_calls: int, cost_usd: float | None, explanation: Explanation) -> str:
    """`6 versions in between, 96 requests, $0.12`."""
    cost = fmt.money(cost_usd) if cost_usd is not None else "at a price that is not known"
    between = fmt.plural(explanation.corners, "version")
    asked = fmt.plural(provider_calls, "request") if provider_calls else "nothing asked"
    return f"{between} in between, {asked}" + (f", {cost}" if provider_calls else "")


# -- the parts


def _measure(measure: Attribution, explanation: Explanation, width: int, *, with_cases: bool) -> list[Line]:
    delta = measure.total.delta
    head: Line = (
        (total_words(measure) + "  ", "bold"),
        (moved(measure.measure, delta), _style(delta)),
    )
    lines: list[Line] = [head, *_wrapped(proof_words(measure), width, "dim")]
    if not measure.shares:
        return lines
    lines += _wrapped(basis_words(measure, explanation), width, "dim")
    wants = max(fmt.cell_width(clean_line(s.part)) for s in measure.shares)
    room = width - _VALUE - _INTERVAL - 4
    label = min(max(wants, 5), max(room - BAR, 14))
    cells = min(BAR, room - label - 1 + (room - label) % 2)
    scale = max([abs(v) for s in measure.shares for v in (s.value, s.low, s.high) if v is not None] + [1e-9])
    for share in measure.shares:
        name = clean_line(share.part)
        style = _style(share.value) if share.is_shown else "dim"
        if fmt.cell_width(name) > label:
            lines += _wrapped(name, width, indent="  ")
            name = ""
        lines.append(
            (
                ("  " + fmt.pad(name, label), ""),
                (fmt.pad(moved(measure.measure, share.value), _VALUE, right=True), style),
                (fmt.pad(_interval(measure, share.low, share.high), _INTERVAL, right=True) + "  ", "dim"),
                (bar(share.value, share.low, share.high, scale, cells), style),
            )
        )
        if with_cases:
            lines += _cases_of(explanation, share.part, width)
    return lines


def _cases_of(explanation: Explanation, part: str, width: int) -> list[Line]:
    """The cases that a part moved most: on one line where they fit."""
    found = [
        f"{fmt.symbol(change)} {words.names([(clean_line(case), '') for case in cases])}"
        for change, cases in zip(("regressed", "improved"), moved_by(explanation, part), strict=True)
        if cases
    ]
    whole = "   ".join(found)
    if fmt.cell_width(whole) <= width - 4:
        found = [whole] if found else []
    return [((f"    {fmt.truncate(text, width - 4)}", "dim"),) for text in found]


def moved_by(explanation: Explanation, part: str) -> tuple[list[str], list[str]]:
    """Ids of cases in which no part did more than this one: those that it made worse, and better."""
    worse: list[str] = []
    better: list[str] = []
    for case in explanation.cases:
        most = abs(case.shares[0][1])
        value = dict(case.shares).get(part, 0.0)
        if abs(value) >= most - 1e-9:
            (worse if value < 0 else better).append(case.case_id)
    return worse, better


def _interactions(measure: Attribution, width: int) -> list[Line]:
    lines: list[Line] = []
    for one in measure.interactions[:MOST_INTERACTIONS]:
        lines += _wrapped(interaction_words(one, measure), width, "warning", indent="  ")
    rest = len(measure.interactions) - MOST_INTERACTIONS
    if rest > 0:
        lines.append(((f"  and {fmt.plural(rest, 'smaller interaction')}", "dim"),))
    return lines


def _interval(measure: Attribution, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    if measure.measure == "score":
        return f"{fmt.delta(low)} to {fmt.delta(high)}"
    return f"{fmt.points(low).removesuffix(' pts')} to {fmt.points(high)}"


def bar(value: float, low: float | None, high: float | None, scale: float, cells: int = BAR) -> str:
    """A share on an axis from −scale to scale: a bar where it is a fact, else its interval around it.

    `cells` is odd; too few give nothing.
    """
    if cells < 5:
        return ""
    middle = cells // 2

    def at(x: float) -> int:
        return middle + round(max(min(x / scale, 1.0), -1.0) * middle)

    drawn = [" "] * cells
    drawn[middle] = "│"
    if low is None or high is None:
        for i in range(min(at(value), middle), max(at(value), middle) + 1):
            if i != middle:
                drawn[i] = "█"
        return "".join(drawn)
    for i in range(at(low), at(high) + 1):
        drawn[i] = "┼" if i == middle else "─"
    drawn[at(value)] = "●"
    return "".join(drawn)


# -- the cases


def _cases(explanation: Explanation, width: int, most: int) -> list[Line]:
    cases = explanation.cases
    said = cases_note(explanation)
    lines = _wrapped(f"Case by case{', ' if said else ''}{said}", width, "bold")
    label = min(max(fmt.cell_width(clean_line(c.case_id)) for c in cases[:most]), 36)
    several = len({c.model for c in cases}) > 1
    for case in cases[:most]:
        style = _style(case.delta)
        pieces: list[Piece] = [
            (f"{symbol(case)} ", style),
            (fmt.pad(clean_line(case.case_id), label), ""),
            (fmt.pad(fmt.delta(case.delta), 8, right=True) + "  ", style),
        ]
        room = width - label - 12
        text = case_words(case.shares)
        if several:
            text += f"  {clean_line(case.model)}"
        pieces.append((fmt.truncate(text, max(room, 12)), ""))
        lines.append(tuple(pieces))
    if len(cases) > most:
        lines.append(((f"and {fmt.plural(len(cases) - most, 'more case')}", "dim"),))
    return lines


def cases_note(explanation: Explanation) -> str:
    """How sure the figures of single cases are, as a clause; empty where they are facts."""
    said = ["on the mean of the drawn orders"] if explanation.orders else []
    if not all(measure.total.by_fact for measure in explanation.measures):
        said.append("as they were seen: the noise of one case is not taken off")
    return ", ".join(said)


def symbol(case: CaseShares) -> str:
    """Which way a case went."""
    return fmt.symbol("regressed" if case.delta < 0 else "improved" if case.delta > 0 else "same")


def case_words(shares: Sequence[tuple[str, float]]) -> str:
    """`prompt −1.00, params.temperature +0.50`."""
    return ", ".join(f"{clean_line(part)} {fmt.delta(value)}" for part, value in shares)


def _style(value: float) -> str:
    return "dim" if abs(value) < 1e-9 else "improved" if value > 0 else "regressed"


def _wrapped(text: str, width: int, style: str = "", *, indent: str = "") -> list[Line]:
    """A sentence on as many lines as it takes."""
    lines: list[Line] = []
    line = indent
    for word in clean_line(text).split(" "):
        if line.strip() and fmt.cell_width(f"{line} {word}") > width:
            lines.append(((line, style),))
            line = indent + word
        else:
            line = f"{line} {word}" if line.strip() else line + word
    return [*lines, ((fmt.truncate(line, width), style),)]
