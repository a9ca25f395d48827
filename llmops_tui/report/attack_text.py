"""What attacks came to, as text: the verdict where there is one, then the rates, then names."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.attack_figures import AttackFigures, GuardRate
from llmops_tui.domain.attack_outcome import AttackOutcome
from llmops_tui.domain.live.guards import Estimate
from llmops_tui.domain.safe_text import clean_line
from llmops_tui.report.gate_text import MOST, STYLE, rule_lines, sentences, table
from llmops_tui.report.text import EMPTY, Line

#: Attacks that got through which are named in a text.
MOST_NAMED = 20
#: Cases of a mutation below which it has no row of its own, unless something got through.
FEW = 5
#: What must be known of the rows by mutation.
CLUSTERS = "The variants of one attack count as one cluster in every interval."
#: Rows of a report: (what, before, now); before is None where nothing is held against it.
Rates = list[tuple[str, Estimate | None, Estimate]]


def attack_lines(outcome: AttackOutcome, *, width: int = 100) -> list[Line]:
    """In full.

    Args:
        width: cells of a line; sentences are wrapped to it.
    """
    lines = [*_head(outcome), EMPTY, *_rates("", overall(outcome), outcome)]
    lines += [EMPTY, *_rates("attacks that got through", by_way(outcome), outcome)]
    shown, rest = by_mutation(outcome)
    lines += [EMPTY, *(_rates("by mutation", shown, outcome) if shown else ())]
    lines += sentences([*([rest] if rest else []), CLUSTERS], width)
    if outcome.figures.got_through:
        lines += [EMPTY, ((through_title(outcome.figures), "bold"),), *_through(outcome.figures)]
    lines += [EMPTY, *_guards(outcome)]
    for title, names, style in (
        ("Get through now, and did not", outcome.moved.through, "regressed"),
        ("Stopped now, and got through", outcome.moved.stopped, "improved"),
    ):
        if names:
            lines += [EMPTY, ((title, "bold"),), *_names(names, style)]
    for guard in outcome.figures.guards:
        if guard.fired_on:
            title = f"Harmless, and {clean_line(guard.name)} fired"
            lines += [EMPTY, ((title, "bold"),), *_names(guard.fired_on, "regressed")]
    if outcome.result is not None:
        lines += [EMPTY, (("Why", "bold"),), *sentences(outcome.result.reasons, width)]
        lines += [EMPTY, *rule_lines(outcome.result.rules)]
    if notes := remarks(outcome):
        lines += [EMPTY, *sentences(notes, width)]
    return lines


def headline(outcome: AttackOutcome) -> str:
    """`helpdesk v2 against v1: …`."""
    new = outcome.candidate
    if outcome.baseline is None or outcome.result is None:
        return f"{new.config} {new.name}"
    said = f": {outcome.result.headline}" if outcome.result.headline else ""
    return f"{new.config} {new.name} against {outcome.baseline.name}{said}"


def overall(outcome: AttackOutcome) -> Rates:
    """The rates that say it all. Where no guardrail looked there is nothing that could have fired."""
    now, before = outcome.figures, outcome.before
    rates: Rates = [
        ("attacks got through", before.success if before else None, now.success),
        ("harmless cases failed", before.harmless if before else None, now.harmless),
    ]
    if now.guards:
        looked = before.alarms if before and before.guards else None
        rates.append(("a guardrail fired on harmless cases", looked, now.alarms))
    return rates


def by_way(outcome: AttackOutcome) -> Rates:
    """Success by family and way."""

    def named(figures: AttackFigures | None) -> dict[str, Estimate]:
        return {f"{r.family} by {r.way}": r.success for r in figures.by_way} if figures else {}

    return _beside(named(outcome.before), named(outcome.figures))


def by_mutation(outcome: AttackOutcome) -> tuple[Rates, str]:
    """Success by mutation, and of the others in one sentence, empty where there are none: those of which few
    were tried, and none got through on either side."""

    def named(figures: AttackFigures | None) -> dict[str, Estimate]:
        return {r.mutation: r.success for r in figures.by_mutation} if figures else {}

    rates = _beside(named(outcome.before), named(outcome.figures))
    shown = [(n, old, new) for n, old, new in rates if new.n >= FEW or _any(old) or _any(new)]
    few = [new.n for n, old, new in rates if (n, old, new) not in shown]
    others = f"{fmt.plural(len(few), 'other')}: 0 of {fmt.count(sum(few))} got through"
    return shown, others if few else ""


def _any(rate: Estimate | None) -> bool:
    return rate is not None and bool(rate.value)


def through_title(figures: AttackFigures) -> str:
    """`Got through (12, of which 2 critical)`."""
    critical = f", of which {fmt.count(figures.critical)} critical" if figures.critical else ""
    return f"Got through ({fmt.count(len(figures.got_through))}{critical})"


def _through(figures: AttackFigures) -> list[Line]:
    """The first of them; critical ones stand first, and are marked."""
    lines = _names(figures.got_through, "regressed", MOST_NAMED)
    return [
        (*line, ("  critical", "regressed")) if n < min(figures.critical, MOST_NAMED) else line
        for n, line in enumerate(lines)
    ]


def _beside(before: dict[str, Estimate], now: dict[str, Estimate]) -> Rates:
    return [(name, before.get(name), rate) for name, rate in now.items()]


def estimate_words(rate: Estimate | None) -> str:
    """`25.0% (12.0% to 41.0%) of 40`."""
    if rate is None or rate.value is None:
        return fmt.NONE
    return f"{fmt.percent(rate.value)} ({fmt.percent(rate.low)} to {fmt.percent(rate.high)}) of {rate.n:,}"


def remarks(outcome: AttackOutcome) -> list[str]:
    """What a person must know to believe the figures, as sentences."""
    now = outcome.figures
    said = [*outcome.adapted, *outcome.failures]
    if now.unjudged:
        said.append(f"{fmt.plural(now.unjudged, 'attack')} nobody judges: give the attack a scorer")
    if now.errors:
        said.append(f"{fmt.plural(now.errors, 'case')} without an answer, in no rate")
    if now.missing:
        said.append(f"{fmt.plural(now.missing, 'case')} not asked yet")
    for guard in now.guards:
        if guard.failed:
            said.append(f"{clean_line(guard.name)} failed itself on {fmt.plural(guard.failed, 'case')}")
    if outcome.result is not None and outcome.result.exploratory:
        said.append(
            "exploratory: judged on answers that were there; llmops-tui attack --fresh asks both sides anew"
        )
    return said


def _head(outcome: AttackOutcome) -> list[Line]:
    parts = [
        fmt.plural(outcome.attacks, "attack"),
        fmt.plural(outcome.harmless, "harmless case"),
        f"{fmt.plural(outcome.provider_calls, 'request')} sent",
        "cost not known" if outcome.cost_usd is None else fmt.money(outcome.cost_usd),
    ]
    about: Line = ((" · ".join(parts), "dim"),)
    text = clean_line(headline(outcome))
    if outcome.result is None:
        return [((text, "bold"),), about]
    verdict = outcome.result.verdict
    return [((verdict, STYLE[verdict]), (f"  {text}", "bold")), about]


def _rates(title: str, rates: Rates, outcome: AttackOutcome) -> list[Line]:
    names = [outcome.baseline.name, outcome.candidate.name] if outcome.baseline else [outcome.candidate.name]
    rows = []
    for what, before, now in rates:
        cells = [estimate_words(before)] if outcome.baseline else []
        rows.append([clean_line(what), *cells, estimate_words(now)])
    return table([title, *names], rows, [""] * len(rows))


def _guards(outcome: AttackOutcome) -> list[Line]:
    if not outcome.figures.guards:
        return [((f"No guardrail looked at anything in {outcome.candidate.name}.", "dim"),)]
    rows = [guard_cells(guard) for guard in outcome.figures.guards]
    return table(
        ["guardrail", *GUARD_HEAD],
        rows,
        [""] * len(rows),
        right=(2, 3),
    )


#: Of the attacks that it saw: the share it fired on, how many of these it stopped, and what it passed that
#: got through.
GUARD_HEAD = ("fired on attacks", "stopped", "passed, got through", "false alarms on harmless cases")


def guard_cells(guard: GuardRate) -> list[str]:
    """A guardrail as a row: its name, and what `GUARD_HEAD` says."""
    return [
        clean_line(guard.name),
        estimate_words(guard.fired),
        fmt.count(guard.stopped),
        fmt.count(guard.through),
        estimate_words(guard.alarms),
    ]


def _names(names: Sequence[str], style: str, most: int = MOST) -> list[Line]:
    change = fmt.symbol(style)
    lines: list[Line] = [((f"{change} {clean_line(name)}", style),) for name in names[:most]]
    if len(names) > most:
        lines.append(((f"and {fmt.count(len(names) - most)} more; --json has them all", "dim"),))
    return lines
