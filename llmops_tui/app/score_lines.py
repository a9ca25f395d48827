"""The scores of a case as a table: scorer, both sides, difference, reason. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llmops_tui.app.lines import Line, Span, left, line_width, right, shown_line, wrap
from llmops_tui.domain import format as fmt
from llmops_tui.domain.score import Score
from llmops_tui.engine.events import OutputDetail, PairDetail

_FIGURE = 7


def lines(detail: PairDetail, names: tuple[str, str], width: int, *, alone: bool = False) -> list[Line]:
    """One row a scorer; reasons are wrapped in their column.

    Args:
        names: of the versions, as column heads.
        alone: there is only one side.
    """
    before = {} if alone else _by_label(detail.baseline, detail)
    after = _by_label(detail.candidate, detail)
    labels = list(dict.fromkeys([*after, *before]))
    if not labels:
        return [
            (("No scorer judges this case: it is shown and compared, and outside the pass rate.", "dim"),)
        ]
    wide = min(max((len(shown_line(x)) for x in labels), default=6), max(width // 4, 8))
    wide = max(wide, len("scorer"))
    out = [_heading(names, wide, alone)]
    for label in labels:
        out += _row(shown_line(label), before.get(label, []), after.get(label, []), wide, width, alone)
    return out


def _heading(names: tuple[str, str], wide: int, alone: bool) -> Line:
    figures = right(names[1], _FIGURE)
    if not alone:
        figures = right(names[0], _FIGURE) + figures + right("Δ", _FIGURE)
    return ((f"  {left('scorer', wide)}{figures}  reason", "dim"),)


def _by_label(side: Sequence[OutputDetail], detail: PairDetail) -> dict[str, list[Score]]:
    """Scores of the planned trials of one side, by label."""
    found: dict[str, list[Score]] = {}
    row = detail.pair.baseline if side is detail.baseline else detail.pair.candidate
    planned = len(row.planned) if row is not None else 0
    for entry in side[: planned or None]:
        for score in entry.scores:
            found.setdefault(score.label, []).append(score)
    return found


def _mean(scores: list[Score]) -> float | None:
    values = [s.value for s in scores if s.value is not None]
    return sum(values) / len(values) if values else None


def _row(
    label: str, before: list[Score], after: list[Score], wide: int, width: int, alone: bool
) -> list[Line]:
    old, new = _mean(before), _mean(after)
    delta = new - old if new is not None and old is not None else None
    mark, style = _mark(after)
    spans: list[Span] = [(f"{mark} ", style), (left(label, wide), "")]
    if not alone:
        spans.append((right(fmt.score(old), _FIGURE), "dim"))
    spans.append((right(fmt.score(new), _FIGURE), "" if old == new else "bold"))
    if not alone:
        sign = "dim" if not delta else "improved" if delta > 0 else "regressed"
        spans.append((right(fmt.delta(delta), _FIGURE), sign))
    indent = line_width(spans) + 2
    reason = _reason(after or before, only_before=not after)
    if width - indent < 20:
        return [tuple(spans), *wrap([("    ", ""), reason], width, 4)]
    return wrap([*spans, ("  ", ""), reason], width, indent)


def _mark(scores: list[Score]) -> tuple[str, str]:
    if not scores:
        return "–", "dim"
    if any(s.error is not None for s in scores):
        return "!", "error"
    passes = [s.passed for s in scores if s.passed is not None]
    if not passes:
        return "–", "dim"
    return ("✓", "improved") if all(passes) else ("✗", "regressed")


def _reason(scores: list[Score], *, only_before: bool) -> Span:
    """The reason; of several trials that of the first that failed, with the spread and the n."""
    worst = next((s for s in scores if s.error is not None), None)
    worst = worst or next((s for s in scores if s.passed is False), None) or (scores[0] if scores else None)
    if worst is None:
        return ("", "dim")
    text = shown_line(worst.error or worst.reason)
    values = [s.value for s in scores if s.value is not None]
    if len(scores) > 1 and values:
        spread = fmt.score(values[0])
        if max(values) > min(values):
            spread = f"{fmt.score(min(values))} to {fmt.score(max(values))}"
        text = f"n={len(values)}, {spread} · {text}"
    if only_before:
        text = f"only in the left version · {text}"
    return (text, "error" if worst.error is not None else "")
