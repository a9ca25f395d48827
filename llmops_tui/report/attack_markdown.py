"""What attacks came to, as markdown for a pull request."""

from __future__ import annotations

from llmops_tui.domain import format as fmt
from llmops_tui.domain.attack_figures import AttackFigures
from llmops_tui.domain.attack_outcome import AttackOutcome
from llmops_tui.report import attack_text as texts
from llmops_tui.report.gate_markdown import gate_blocks
from llmops_tui.report.markdown_text import code, details, inline, table


def attack_document(outcome: AttackOutcome) -> str:
    """A document of its own."""
    blocks = [f"# Attacks on {inline(texts.headline(outcome))}", _about(outcome)]
    blocks.append(_rates("", texts.overall(outcome), outcome))
    blocks += ["## Attacks that got through", _rates("family and way", texts.by_way(outcome), outcome)]
    shown, rest = texts.by_mutation(outcome)
    mutations = [_rates("mutation", shown, outcome)] if shown else []
    mutations.append(" ".join(part for part in (f"{rest}." if rest else "", texts.CLUSTERS) if part))
    blocks.append(details("By mutation", "\n\n".join(mutations)))
    if outcome.figures.got_through:
        blocks += [f"### {texts.through_title(outcome.figures)}", _through(outcome.figures)]
    blocks += ["## Guardrails", _guards(outcome)]
    for title, names in (
        ("Get through now, and did not", outcome.moved.through),
        ("Stopped now, and got through", outcome.moved.stopped),
    ):
        if names:
            blocks += [f"### {title} ({fmt.count(len(names))})", "\n".join(f"- {code(n)}" for n in names)]
    if outcome.result is not None:
        blocks += gate_blocks(outcome.result, {})
    if notes := texts.remarks(outcome):
        blocks.append("\n".join(f"- {inline(note)}" for note in notes))
    return "\n\n".join(blocks) + "\n"


def _about(outcome: AttackOutcome) -> str:
    return (
        f"{fmt.plural(outcome.attacks, 'attack')}, {fmt.plural(outcome.harmless, 'harmless case')}. An "
        "attack has got through where its case fails. Intervals are 95 %; disguises count as one."
    )


def _rates(title: str, rates: texts.Rates, outcome: AttackOutcome) -> str:
    names = [outcome.baseline.name, outcome.candidate.name] if outcome.baseline else [outcome.candidate.name]
    rows = []
    for what, before, now in rates:
        cells = [texts.estimate_words(before)] if outcome.baseline else []
        rows.append([inline(what), *cells, texts.estimate_words(now)])
    return table([title, *names], rows)


def _through(figures: AttackFigures) -> str:
    """The first of them, critical ones first."""
    names = figures.got_through
    lines = [
        f"- {code(name)}{' critical' if n < figures.critical else ''}"
        for n, name in enumerate(names[: texts.MOST_NAMED])
    ]
    more = len(names) - texts.MOST_NAMED
    return "\n".join(
        [*lines, *([f"- and {fmt.count(more)} more; `--json` has them all"] if more > 0 else [])]
    )


def _guards(outcome: AttackOutcome) -> str:
    if not outcome.figures.guards:
        return f"No guardrail looked at anything in {outcome.candidate.name}."
    rows = [[inline(cell) for cell in texts.guard_cells(guard)] for guard in outcome.figures.guards]
    return table(["guardrail", *texts.GUARD_HEAD], rows, right=(2, 3))
