"""The verdict unfolded to its numbers, as lines. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from llmops_tui.app.lines import EMPTY, Line, Span, cut, cut_line, left, right, shown, shown_line, wrap
from llmops_tui.app.verdict_text import STYLES, WORDS
from llmops_tui.domain import format as fmt
from llmops_tui.domain.gate import words
from llmops_tui.domain.gate.result import (
    FlakyResult,
    FlipResult,
    GateResult,
    LookResult,
    RuleResult,
    SliceResult,
)
from llmops_tui.domain.review import Decision, PairKey
from llmops_tui.report import gate_figures

#: Rows of one list, and cases named in one rule.
MOST = 200
_MARKS = {
    "passed": ("✓", "improved"),
    "failed": ("✗", "bold regressed"),
    "open": ("●", "warning"),
    "not judged": ("–", "dim"),
}
_LABEL = 11


def lines(
    gate: GateResult, names: tuple[str, str], decisions: Mapping[PairKey, Decision], width: int
) -> list[Line]:
    """All of it.

    Args:
        names: of baseline and candidate.
    """
    several = len({f.model for f in gate.flips}) > 1 or len({f.model for f in gate.flaky}) > 1
    parts = [
        _head(gate, names, width),
        _section("Why", [row for reason in gate.reasons for row in _bullet(reason, width)]),
        _section("Rules", [row for rule in gate.rules for row in _rule(rule, width)]),
        _section(
            f"Flips · {fmt.count(len(gate.flips))}",
            _many(gate.flips, lambda f: _flip(f, decisions, several, width)),
        ),
        _section(
            f"Flaky cases · {fmt.count(len(gate.flaky))}: labelled, and counted as they are",
            _many(gate.flaky, lambda f: _flaky(f, several, width)),
        ),
        _section("By tag", _slices(gate.slices, width)),
        _section("Looks of the newest adjudication", _looks(gate.looks, width)),
        _section("Settings, as applied", _settings(gate, width)),
    ]
    found: list[Line] = []
    for part in parts:
        if part:
            found += [EMPTY, *part] if found else part
    return [cut_line(line, width) for line in found]


def _section(title: str, rows: Sequence[Line]) -> list[Line]:
    return [((title, "bold accent"),), *rows] if rows else []


def _head(gate: GateResult, names: tuple[str, str], width: int) -> list[Line]:
    first: Line = (
        (f" {WORDS[gate.verdict]} ", STYLES[gate.verdict]),
        (f" {shown_line(gate.headline)}", "bold"),
    )
    judged = fmt.plural(gate.rows, "row")
    if gate.clusters != gate.rows:
        judged += f" in {fmt.plural(gate.clusters, 'cluster')}"
    trials = f"{gate.trials:.3g} trial{'' if gate.trials == 1 else 's'} a row and side"
    facts = [f"{names[0]} → {names[1]}", judged, trials]
    if gate.trials_spent:
        facts.append(f"{fmt.plural(gate.trials_spent, 'trial')} added by adjudication")
    if gate.by_fact:
        facts.append("a fact: the runtime repeats itself exactly")
    out = [*wrap(first, width, 2), *wrap(((" · ".join(facts), "dim"),), width)]
    if gate.exploratory:
        text = "Exploratory: made on answers that were there. ! asks both sides anew"
        text += ", J adjudicates." if gate.verdict == "inconclusive" else "."
        out += wrap(((text, "warning"),), width)
    if gate.verdict == "inconclusive" and gate.exit_code == 0:
        out += wrap(
            (("An inconclusive verdict is let pass here (on_inconclusive: pass).", "warning"),), width
        )
    return out


def _bullet(text: str, width: int) -> list[Line]:
    return wrap((("  · ", "dim"), (shown_line(text), "")), width, 4)


# -- rules


def _rule(rule: RuleResult, width: int) -> list[Line]:
    word = gate_figures.result_word(rule)
    mark, style = _MARKS[word]
    head: Line = ((f"  {mark} ", style), (shown_line(rule.rule), "bold"), (f"  {word}", style))
    if rule.evidence is None and rule.p_value is None and (rule.ok or not rule.judged):
        return wrap((*head, (f"  {shown_line(rule.why)}", "dim")), width, 4)
    rows: list[Line] = [head]

    def fact(label: str, text: str) -> None:
        rows.extend(wrap(((left(f"    {label}", _LABEL + 4), "dim"), (text, "")), width, _LABEL + 4))

    fact("why", shown_line(rule.why))
    fact("observed", gate_figures.observed(rule))
    fact("limit", gate_figures.limit(rule))
    if rule.interval is not None:
        fact("interval", gate_figures.interval(rule))
    if rule.p_value is not None:
        corrected = gate_figures.p_value(rule.p_adjusted)
        text = (
            f"{gate_figures.p_value(rule.p_value)}, corrected {corrected}, alpha {gate_figures.alpha(rule)}"
        )
        fact("p", text)
    if rule.evidence is not None or rule.by_fact:
        fact("method", gate_figures.method(rule))
    found = rule.evidence
    if found is not None:
        counted = f"{fmt.plural(found.rows, 'row')} in {fmt.plural(found.clusters, 'cluster')}"
        fact("counted", f"{counted}; {found.lost} went down, {found.won} went up")
        fact("means", f"baseline {words.share(found.baseline)}, candidate {words.share(found.candidate)}")
    if found is not None and not found.by_fact:
        no_drop, no_rise = gate_figures.p_value(found.p_drop), gate_figures.p_value(found.p_rise)
        fact("chance", f"p of no drop {no_drop}, p of no rise {no_rise}")
    if rule.would_decide:
        fact("decides", shown_line(rule.would_decide))
    if rule.cases:
        names = list(dict.fromkeys(shown_line(case) for case, _ in rule.cases))
        more = f" and {fmt.count(len(names) - MOST)} more" if len(names) > MOST else ""
        fact("cases", ", ".join(names[:MOST]) + more)
    return rows


# -- cases


def _many(found: Sequence[object], rows_of: Callable[..., list[Line]]) -> list[Line]:
    rows = [row for each in found[:MOST] for row in rows_of(each)]
    if len(found) > MOST:
        rows.append(((f"   and {fmt.count(len(found) - MOST)} more; the report (E) lists them", "dim"),))
    return rows


def _name(case_id: str, model: str, several: bool) -> str:
    return shown_line(case_id) + (f" on {shown_line(model)}" if several else "")


def _flip(flip: FlipResult, decisions: Mapping[PairKey, Decision], several: bool, width: int) -> list[Line]:
    down = flip.direction == "pass→fail"
    style = "regressed" if down else "improved"
    before, after = (words.share(share) for share in flip.shares)
    marks = [word for word, on in (("critical", flip.critical), ("flaky", flip.flaky)) if on]
    if flip.known_failing:
        marks.append(f"known to fail: {shown_line(flip.known_failing)}")
    spans: list[Span] = [
        (f"  {'▼' if down else '▲'} ", f"bold {style}"),
        (_name(flip.case_id, flip.model, several), ""),
        (f"  {flip.direction.replace('→', ' → ')}, passed {before} → {after}", "dim"),
    ]
    if marks:
        spans.append((f"  {', '.join(marks)}", "warning"))
    decision = decisions.get((flip.case_id, flip.model))
    if flip.decision:
        spans.append((f"  {flip.decision}", "accent" if flip.decision == "accepted" else "regressed"))
    if decision is not None and decision.note:
        spans.append((f"{'' if flip.decision else '  note'}: {shown_line(decision.note)}", ""))
    return wrap(spans, width, 4)


def _flaky(found: FlakyResult, several: bool, width: int) -> list[Line]:
    before, now = (f"{n} of {of}" for n, of in zip(found.passed, found.trials, strict=True))
    name = _name(found.case_id, found.model, several)
    return wrap(((f"   {name}  ", ""), (f"passed {before} before, {now} now", "dim")), width, 5)


# -- tables


def _slices(found: Iterable[SliceResult], width: int) -> list[Line]:
    rows = [
        [
            shown_line(s.tag),
            fmt.count(s.rows),
            words.share(s.evidence.baseline),
            words.share(s.evidence.candidate),
            fmt.points(s.evidence.delta).removesuffix(" pts"),
            "a fact" if s.evidence.by_fact else _span(s.evidence.low, s.evidence.high),
            gate_figures.p_value(s.q_value),
        ]
        for s in found
    ]
    if not rows:
        return []
    note = "No slice decides. Differences are points; q is corrected over these slices (Benjamini, Hochberg)."
    head = ["tag", "rows", "before", "now", "Δ", "interval", "q"]
    return [*_table(head, rows, width), *wrap(((f"   {note}", "dim"),), width, 3)]


def _looks(found: Iterable[LookResult], width: int) -> list[Line]:
    rows = [
        [
            look.verdict,
            fmt.count(look.look),
            fmt.count(look.trials),
            fmt.points(-look.drop).removesuffix(" pts") if look.drop is not None else fmt.NONE,
            _span(-look.interval[1], -look.interval[0]) if look.interval else fmt.NONE,
            gate_figures.p_value(look.p_value),
            f"{look.alpha:.3g}",
            fmt.count(look.spent_calls),
            fmt.money(look.cost_usd),
        ]
        for look in found
    ]
    head = ["verdict", "look", "trials", "Δ", "interval", "p", "alpha", "calls", "cost"]
    return _table(head, rows, width) if rows else []


def _span(low: float, high: float) -> str:
    return " to ".join(fmt.points(v).removesuffix(" pts") for v in (low, high))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[Line]:
    """The first column at the left and cut where there is no room; figures at the right."""
    wide = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    wide[0] = max(min(wide[0], width - 3 - sum(w + 2 for w in wide[1:])), 6)

    def line(row: Sequence[str]) -> str:
        cells = [left(cut(row[0], wide[0]), wide[0])]
        return "   " + cells[0] + "".join("  " + right(row[k], wide[k]) for k in range(1, len(row)))

    return [((line(head), "dim"),), *(((line(row), ""),) for row in rows)]


def _settings(gate: GateResult, width: int) -> list[Line]:
    rows = gate_figures.setting_rows(gate.settings)
    wide = max(len(shown_line(name)) for name, _ in rows) + 5
    return [
        line
        for name, value in rows
        for line in wrap(
            ((left(f"   {shown_line(name)}", wide), "dim"), (shown_line(value), "")), width, wide
        )
    ]


def as_text(found: Sequence[Line]) -> str:
    """The lines without colours, for the clipboard."""
    return "\n".join("".join(shown(text) for text, _ in line).rstrip() for line in found) + "\n"
