"""The cases of the Bench."""

from __future__ import annotations

from llmops_tui.app.arranged import Key
from llmops_tui.app.bench_state import BenchState
from llmops_tui.app.lines import Line, Span, cut, left, right, shown_line
from llmops_tui.app.widgets.row_list import RowList
from llmops_tui.domain import format as fmt
from llmops_tui.domain.comparison import Pair
from llmops_tui.domain.run import Row, VersionInfo

_FIGURE = 6
_MARKS = 5
#: Where a case is in the review → its mark. `✗` is of cases that could not be had.
REVIEW_MARKS = {"accepted": ("✓", "accent"), "rejected": ("⊗", "bold regressed"), "open": ("●", "warning")}


class CaseList(RowList):
    """`▼ refund-window  1.00  0.00  −1.00`: one row a case (and model)."""

    def __init__(self, bench: BenchState, *, id: str) -> None:
        super().__init__(id=id)
        self.bench = bench
        self._several = False

    def set_keys(self, keys: list[Key], *, reset: bool = False) -> None:  # type: ignore[override]
        """Show these rows; a column for the model comes where there is more than one."""
        self._several = self.bench.model is None and len(self.bench.models) > 1
        super().set_keys(keys, reset=reset)

    def _columns(self, width: int) -> tuple[int, int, bool]:
        """Widths of the names of case and model, and whether the left version has a column."""
        both = not self.bench.is_alone and width >= 34
        delta = 0 if self.bench.is_alone else _FIGURE + 1
        room = width - 3 - _FIGURE - delta - (_FIGURE if both else 0) - _MARKS
        if not self._several or room < 24:
            return max(room, 4), 0, both
        model = min(room // 3, 28)
        return room - model - 1, model, both

    def heading(self, width: int) -> Line:
        name, model, both = self._columns(width)
        bench = self.bench
        comparison = bench.comparison
        before, after = "", bench.candidate.name if bench.candidate else ""
        if comparison is not None and bench.candidate is not None:
            before, after = _sides(comparison.baseline.version, bench.candidate)
        text = "   " + left("case", name)
        if model:
            text += " " + left("model", model)
        if both:
            text += right(before, _FIGURE)
        text += right(after, _FIGURE)
        if not bench.is_alone:
            text += right("Δ", _FIGURE + 1)
        return ((text, "dim"),)

    def row(self, key: Key, width: int) -> tuple[Line, str]:
        pair = self.bench.pairs[key]
        name, model, both = self._columns(width)
        alone = self.bench.is_alone
        mark, style = _symbol(pair, alone)
        spans: list[Span] = [(f" {mark} ", style), (left(shown_line(pair.case_id), name), "")]
        if model:
            spans.append((" " + left(_model(shown_line(pair.model), model), model), "dim"))
        if both:
            spans.append((right(_score(pair.baseline), _FIGURE), "dim"))
        stale = key in self.bench.stale
        fresh = "" if pair.change == "same" else "bold"
        spans.append((right(_score(pair.candidate), _FIGURE), "dim" if stale else fresh))
        if not alone:
            spans.append((right(fmt.delta(pair.delta), _FIGURE + 1), "dim" if stale else _delta(pair.delta)))
        spans.append((" " + _flag(pair, stale=stale) + " ", "dim"))
        spans.append(REVIEW_MARKS.get(self.bench.review.standing(key, pair), (" ", "")))
        return tuple(spans), "dim" if pair.pending else ""


def _symbol(pair: Pair, alone: bool) -> tuple[str, str]:
    """One cell that says how the case stands."""
    if pair.pending:
        return "…", "dim"
    if alone and pair.candidate is not None:
        marks = {"passed": ("✓", "improved"), "failed": ("✗", "regressed"), "unscored": ("–", "dim")}
        return marks.get(pair.candidate.status, ("!", "bold error"))
    if pair.change == "error":
        return "✗", "bold error"
    styles = {"regressed": "bold regressed", "improved": "bold improved"}
    return fmt.symbol(pair.change), styles.get(pair.change, "dim")


def _sides(old: VersionInfo, new: VersionInfo) -> tuple[str, str]:
    """Names above the scores; of two models of one version, what tells them apart."""
    if old.id == new.id and old.model and new.model:
        before, after = (" " + cut(_model(shown_line(v.model), _FIGURE - 1), _FIGURE - 1) for v in (old, new))
        return before, after
    before, after = (v.name.partition("@")[0] for v in (old, new))
    return before, after


def _model(name: str, width: int) -> str:
    """The name of a model; without its provider where there is no room for both."""
    return name if len(name) <= width else name.partition("/")[2] or name


def _score(row: Row | None) -> str:
    if row is not None and row.status == "error":
        return "err"
    return fmt.score(row.score if row is not None else None)


def _delta(delta: float | None) -> str:
    if delta is None or abs(delta) < 1e-9:
        return "dim"
    return "regressed" if delta < 0 else "improved"


def _flag(pair: Pair, *, stale: bool) -> str:
    """Marks behind the figures: still to come, or reworded at the same score."""
    if stale:
        return "…"
    return "≠" if pair.change == "same" and pair.output_changed else " "
