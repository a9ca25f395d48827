"""One case in the markdown report: the outputs as a diff, and who judged them how."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.domain import format as fmt
from llmops_tui.domain.comparison import Pair
from llmops_tui.domain.score import Score
from llmops_tui.report.diff_lines import output_diff, output_text
from llmops_tui.report.markdown_text import code, fence, inline, table
from llmops_tui.report.shapes import Detail, Side

#: Characters of an output that a report shows.
SHOWN_CHARACTERS = 6_000


def case_section(pair: Pair, detail: Detail, sides: tuple[str, str], *, with_model: bool) -> list[str]:
    """Blocks of markdown for one case.

    Args:
        sides: names of the two versions.
        with_model: say the model, where a configuration has several.
    """
    trial = telling_trial(detail)
    old, new = _at(detail.baseline, trial), _at(detail.candidate, trial)
    title = inline(pair.case_id) + (f" on {code(pair.model)}" if with_model else "")
    return [
        f"### {title}",
        _moved(pair, trial, detail),
        *_outputs(old, new),
        *_scores(old, new, sides),
    ]


def case_table(pairs: Sequence[Pair], sides: tuple[str, str], *, with_model: bool) -> str:
    """One line a case."""
    head = ["case", *(["model"] if with_model else []), *sides, "Δ", ""]
    first = 2 if with_model else 1
    rows = []
    for pair in pairs:
        before = fmt.score(pair.baseline.score) if pair.baseline else fmt.NONE
        after = fmt.score(pair.candidate.score) if pair.candidate else fmt.NONE
        model = [code(pair.model)] if with_model else []
        note = "other words" if pair.output_changed else ""
        rows.append([inline(pair.case_id), *model, before, after, fmt.delta(pair.delta), note])
    return table(head, rows, right=range(first, first + 3))


def telling_trial(detail: Detail) -> int:
    """The first trial whose outputs differ, else the first."""
    for n, (old, new) in enumerate(zip(detail.baseline, detail.candidate, strict=False)):
        if old.output is not None and new.output is not None and old.output.text != new.output.text:
            return n
    return 0


def _at(sides: Sequence[Side], n: int) -> Side | None:
    return sides[n] if n < len(sides) else None


def _moved(pair: Pair, trial: int, detail: Detail) -> str:
    before = fmt.score(pair.baseline.score) if pair.baseline else fmt.NONE
    after = fmt.score(pair.candidate.score) if pair.candidate else fmt.NONE
    words = f"{before} → {after} ({fmt.delta(pair.delta)})"
    if pair.flip is not None:
        words = f"**{pair.flip.replace('→', ' → ')}**, {words}"
    trials = max(len(detail.baseline), len(detail.candidate))
    return f"{words}; shown is trial {trial + 1} of {trials}" if trials > 1 else words


def _outputs(old: Side | None, new: Side | None) -> list[str]:
    before, cut_before = _text(old)
    after, cut_after = _text(new)
    lines = output_diff(before, after)
    note = f"Only the first {fmt.count(SHOWN_CHARACTERS)} characters of each output are shown."
    return [fence(lines, "diff"), *([note] if cut_before or cut_after else [])]


def _text(side: Side | None) -> tuple[str, bool]:
    text = output_text(side)
    return text[:SHOWN_CHARACTERS], len(text) > SHOWN_CHARACTERS


def _scores(old: Side | None, new: Side | None, sides: tuple[str, str]) -> list[str]:
    before = {s.label: s for s in old.scores} if old else {}
    after = {s.label: s for s in new.scores} if new else {}
    labels = dict.fromkeys([*after, *before])
    rows = [_score_row(label, before.get(label), after.get(label)) for label in labels]
    return [table(["scorer", *sides, "Δ", "reason"], rows, right=(1, 2, 3))] if rows else []


def _score_row(label: str, old: Score | None, new: Score | None) -> list[str]:
    before, after = (old.value if old else None), (new.value if new else None)
    moved = after - before if before is not None and after is not None else None
    told = new or old
    reason = inline(told.error or told.reason) if told else ""
    return [code(label), fmt.score(before), fmt.score(after), fmt.delta(moved), reason]
