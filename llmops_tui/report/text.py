"""The comparison as text, for a terminal or a pipe: lines of styled pieces, and how they are printed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TextIO

from llmops_tui.domain import format as fmt
from llmops_tui.domain.comparison import Comparison, Pair
from llmops_tui.domain.guardrails.failures import GuardFailures
from llmops_tui.domain.manifest import PartChange
from llmops_tui.domain.safe_text import clean_line, no_commands
from llmops_tui.report import figures
from llmops_tui.report.case_markdown import telling_trial
from llmops_tui.report.diff_lines import output_diff, output_text, text_diff
from llmops_tui.report.shapes import Detail, DetailOf, Side, Texts

#: (text, style); a style is a key of `STYLES` or empty.
Piece = tuple[str, str]
Line = tuple[Piece, ...]

#: Rich styles. Orange and blue can be told apart by everyone, and a symbol or a sign always says it too.
STYLES = {
    "bold": "bold",
    "dim": "dim",
    "regressed": "dark_orange",
    "improved": "dodger_blue1",
    "error": "red",
    "warning": "yellow",
    "removed": "dark_orange",
    "added": "dodger_blue1",
}

ID_WIDTH = 40
EMPTY: Line = ()


def comparison_lines(
    comparison: Comparison,
    changes: Sequence[PartChange],
    texts: Sequence[Texts],
    detail_of: DetailOf,
    *,
    width: int = 100,
    full: int = 20,
    drift: Sequence[str] = (),
    guard_failures: Sequence[GuardFailures] = (),
) -> list[Line]:
    """The comparison: the two lines that say it all, what changed, then case by case.

    Args:
        width: cells of a line; outputs are wrapped to it.
        full: cases of one kind that are shown with their outputs; the others have one line.
        drift: sentences about models that changed under their pin.
        guard_failures: guardrails that failed themselves, of the baseline and of the candidate.
    """
    told = [*drift, *figures.guard_sentences(comparison, guard_failures)]
    drifted: list[Line] = [((clean_line(sentence), "error"),) for sentence in told]
    lines = [*_head(comparison, changes), *drifted, *_changed(texts, width)]
    id_width = _id_width(comparison.pairs)
    several = len({p.model for p in comparison.pairs}) > 1
    shown = False
    for change in ("regressed", "improved", "error", "new", "removed"):
        for n, pair in enumerate(figures.of_change(comparison, change)):
            if not shown:
                lines += [EMPTY, _columns(comparison, id_width)]
                shown = True
            lines.append(_case_line(pair, id_width, several))
            if n < full and change in ("regressed", "improved", "error"):
                lines += _case_body(change, detail_of(pair), width)
    return [*lines, *_same(comparison, width)]


def case_lines(pair: Pair, detail: Detail, *, width: int = 100) -> list[Line]:
    """One case: scores on both sides, the outputs as a diff, and why scores moved."""
    return [_case_line(pair, _id_width([pair]), several=True), *_case_body(pair.change, detail, width)]


def _head(comparison: Comparison, changes: Sequence[PartChange]) -> list[Line]:
    old, new = comparison.baseline.version, comparison.candidate.version
    what = "the same version" if comparison.is_alone else f"changed: {figures.changed_words(changes)}"
    models = ", ".join(comparison.candidate.models)
    first: Line = (
        (clean_line(new.config), "bold"),
        (f"  {clean_line(figures.version_words(old))} → {clean_line(figures.version_words(new))}", "bold"),
    )
    about: Line = ((clean_line(f"{what} · {models}" if models else what), "dim"),)
    second: list[Piece] = []
    for change, words in figures.count_words(comparison):
        second += [(words, change if change in STYLES else ""), ("   ", "")]
    rate, score = comparison.pass_rate, comparison.mean_score
    third: list[Piece] = []
    if rate.n:
        third.append((f"pass {fmt.percent(rate.baseline)} → {fmt.percent(rate.candidate)}  ", ""))
        third.append((fmt.points(rate.delta) + "   ", _sign_style(rate.delta)))
    if score.n:
        third.append((f"score {fmt.score(score.baseline)} → {fmt.score(score.candidate)}  ", ""))
        third.append((fmt.delta(score.delta), _sign_style(score.delta)))
    lines: list[Line] = [first, about, tuple(second), *([tuple(third)] if third else [])]
    if figures.is_unchanged(comparison) and comparison.pairs:
        lines.append((("Nothing differs: every output and every score is the same.", ""),))
    return lines + [((sentence, "error"),) for sentence in figures.unfinished(comparison)]


def _sign_style(value: float | None) -> str:
    if value is None or abs(value) < 1e-9:
        return "dim"
    return "improved" if value > 0 else "regressed"


def _changed(texts: Sequence[Texts], width: int) -> list[Line]:
    lines: list[Line] = []
    for text in texts:
        title: Piece = (f"What changed · {clean_line(text.title)}", "bold")
        values = figures.small_change(text)
        if values is not None:
            before, after = (clean_line(value) or "not set" for value in values)
            lines += [EMPTY, (title, (f"  {before} → {after}", ""))]
            continue
        lines += [EMPTY, (title,)]
        lines += [_diff_line(line, "  ") for line in text_diff(text.before, text.after, width=width - 2)]
    return lines


def _id_width(pairs: Sequence[Pair]) -> int:
    return min(max((fmt.cell_width(clean_line(p.case_id)) for p in pairs), default=4), ID_WIDTH)


def _columns(comparison: Comparison, id_width: int) -> Line:
    names = (comparison.baseline.version.name, comparison.candidate.version.name, "Δ")
    return (("  " + fmt.pad("case", id_width) + "".join(fmt.pad(n, 8, right=True) for n in names), "dim"),)


def _case_line(pair: Pair, id_width: int, several: bool) -> Line:
    style = pair.change if pair.change in STYLES else ""
    scores = [fmt.score(side.score if side else None) for side in (pair.baseline, pair.candidate)]
    return (
        (fmt.symbol(pair.change) + " ", style),
        (fmt.pad(clean_line(pair.case_id), id_width), ""),
        ("".join(fmt.pad(s, 8, right=True) for s in scores), ""),
        (fmt.pad(fmt.delta(pair.delta), 8, right=True), style),
        (f"   {pair.flip.replace('→', ' → ')}" if pair.flip else "", style),
        (f"   {clean_line(pair.model)}" if several else "", "dim"),
    )


def _case_body(change: str, detail: Detail, width: int) -> list[Line]:
    trial = telling_trial(detail)
    old, new = _at(detail.baseline, trial), _at(detail.candidate, trial)
    if change == "error":
        sides = (("baseline", side) for side in detail.baseline), (("candidate", s) for s in detail.candidate)
        said = [f"{name}: {clean_line(text)}" for group in sides for name, s in group for text in _errors(s)]
        return [((f"    {text}", "error"),) for text in dict.fromkeys(said)]
    before, after = output_text(old), output_text(new)
    lines = [_diff_line(line, "    ") for line in output_diff(before, after, width=width - 4)]
    known = {s.label: s for s in old.scores} if old else {}
    for score in new.scores if new else ():
        was = known.get(score.label)
        if was is None or (was.value, was.passed) != (score.value, score.passed):
            reason = clean_line(f"{score.label}: {score.error or score.reason}")
            lines.append(((f"      {fmt.truncate(reason, width - 6)}", "dim"),))
    return lines


def _errors(side: Side) -> list[str]:
    told = [side.failure] if side.failure else []
    return told + [f"{s.label}: {s.error}" for s in side.scores if s.error]


def _at(sides: Sequence[Side], n: int) -> Side | None:
    return sides[n] if n < len(sides) else None


def _diff_line(line: str, indent: str) -> Line:
    style = {"-": "removed", "+": "added"}.get(line[:1], "dim")
    return ((indent + line, style),)


def _same(comparison: Comparison, width: int) -> list[Line]:
    same = figures.of_change(comparison, "same")
    lines: list[Line] = []
    groups = (
        ("≈", "the same", [p for p in same if not p.output_changed]),
        ("≈", "the same score in other words", [p for p in same if p.output_changed]),
        (" ", "not evaluated", figures.pending(comparison)),
    )
    for symbol, title, pairs in groups:
        if pairs:
            names = ", ".join(dict.fromkeys(clean_line(p.case_id) for p in pairs[:200]))
            text = f"{symbol} {fmt.count(len(pairs))} {title}: {names}"
            lines.append(((fmt.truncate(text, width), "dim"),))
    return [EMPTY, *lines] if lines else []


# -- printing


def plain(lines: Iterable[Line]) -> str:
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)


def in_colour(stream: TextIO) -> bool:
    """A terminal that takes colours, and a person who wants them (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def for_log(text: str) -> str:
    """The text as it may stand on the output: in a job of GitHub Actions nothing in it is a command."""
    return no_commands(text) if os.environ.get("GITHUB_ACTIONS") == "true" else text


def print_lines(lines: Iterable[Line], stream: TextIO) -> None:
    """Print in colour on a terminal, plainly elsewhere."""
    if not in_colour(stream):
        stream.write(for_log(plain(lines)))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    for line in lines:
        text = Text.assemble(*((piece, STYLES.get(style, "")) for piece, style in line))
        console.print(text, soft_wrap=True)
