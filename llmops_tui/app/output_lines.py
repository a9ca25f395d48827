"""Compared outputs → lines: side by side or inline, wrapped at words. Pure."""

from __future__ import annotations

from itertools import zip_longest

import msgspec

from llmops_tui.app.lines import EMPTY, Line, Span, cut_line, line_width, pad_line, wrap
from llmops_tui.app.output_text import OutputDoc, TrialDiff
from llmops_tui.domain.prose_diff import Diff, DiffLine, Segment

#: Before what guardrails did; a trace has it before each of them.
GUARD = "◈"
_REMARKS = {"accepted": "accent", "rejected": "bold regressed", "note": "bold"}
_WORD_STYLES = {"same": "", "removed": "removed-word", "added": "added-word"}


class Side(msgspec.Struct, frozen=True):
    """How a side is headed: `v11`, and its result (text, style)."""

    name: str
    result: str = ""
    style: str = ""


class Layout(msgspec.Struct, frozen=True):
    """Lines to draw, and where the hunks begin among them."""

    lines: tuple[Line, ...]
    hunks: tuple[int, ...] = ()


def layout(
    doc: OutputDoc, left: Side, right: Side, width: int, *, split: bool, wrapped: bool = True
) -> Layout:
    """The whole pane.

    Args:
        width: cells of a line.
        split: side by side; inline else.
        wrapped: break long lines at words; cut them else (the inline view then scrolls sideways).
    """
    page = _Page(width, wrapped)
    for name, value in doc.inputs:
        page.add(cut_line([(f"{name}  ", "dim"), (value, "")], width))
    for label, text in doc.remarks:
        for row in wrap([(f"{label}  ", _REMARKS.get(label, "warning")), (text, "")], width, 2):
            page.add(row)
    if doc.inputs or doc.remarks:
        page.add(EMPTY)
    for k, trial in enumerate(doc.trials):
        if k:
            page.add(EMPTY)
        if trial.title:
            page.add(((f"── {trial.title} ", "dim"),))
        _add_trial(page, trial, left, right, split)
    if not doc.trials:
        page.add((("No output yet.", "dim"),))
    return Layout(tuple(page.lines), tuple(page.hunks))


class _Page:
    def __init__(self, width: int, wrapped: bool) -> None:
        self.width, self.wrapped = width, wrapped
        self.lines: list[Line] = []
        self.hunks: list[int] = []

    def add(self, line: Line) -> None:
        self.lines.append(line)

    def rows(self, line: Line, width: int, indent: int = 0) -> list[Line]:
        if self.wrapped:
            return wrap(line, width, indent)
        return [line]

    def guards(self, said: str) -> None:
        """What guardrails did, where they did something."""
        if said:
            self.add(cut_line([guard_span(said)], self.width))

    def hunk(self) -> None:
        self.hunks.append(len(self.lines))


def _add_trial(page: _Page, trial: TrialDiff, left: Side, right: Side, split: bool) -> None:
    if trial.diff is not None and trial.diff.identical:
        page.add(_heading(right, trial.right_facts, page.width))
        page.guards(trial.right_guards)
        page.add((("identical to ", "dim"), (left.name, "dim bold")))
        _add_text(page, trial.right or "")
    elif trial.diff is not None and split and page.width >= 60:
        _add_split(page, trial, trial.diff, left, right)
    elif trial.diff is not None:
        page.add(_heading(left, trial.left_facts, page.width))
        page.guards(trial.left_guards)
        page.add(_heading(right, trial.right_facts, page.width))
        page.guards(trial.right_guards)
        _add_note(page, trial.diff)
        _add_inline(page, trial.diff)
    else:
        _add_single(page, left, trial.left, trial.left_facts, trial.left_failure, trial.left_guards)
        _add_single(page, right, trial.right, trial.right_facts, trial.right_failure, trial.right_guards)


def _heading(side: Side, facts: str, width: int) -> Line:
    spans: list[Span] = [(side.name, "bold")]
    if side.result:
        spans.append((f"  {side.result}", side.style))
    words = facts.split(" · ") if facts else []
    while words and line_width(spans) + 2 + len(" · ".join(words)) > width:
        words.pop()
    if words:
        spans.append(("  " + " · ".join(words), "dim"))
    return cut_line(spans, width)


def guard_span(said: str) -> Span:
    """What guardrails did, as it is drawn."""
    return (f"{GUARD} {said}" if said else "", "warning")


def _add_note(page: _Page, compared: Diff) -> None:
    if compared.note:
        page.add(((compared.note, "dim"),))


def _add_text(page: _Page, text: str) -> None:
    if not text:
        page.add((("(empty)", "dim"),))
        return
    for line in text.split("\n"):
        page.lines += page.rows(((line, ""),), page.width)


def _add_single(page: _Page, side: Side, text: str | None, facts: str, failure: str, guards: str) -> None:
    """A side that has no partner to be compared with."""
    if text is None and not failure:
        return
    page.add(_heading(side, facts, page.width))
    page.guards(guards)
    if failure:
        page.lines += page.rows(((f"✗ {failure}", "error"),), page.width, 2)
    if text is not None:
        _add_text(page, text)


def _spans(segments: tuple[Segment, ...] | None) -> Line:
    return tuple((s.text, _WORD_STYLES[s.kind]) for s in segments or ())


def _add_split(page: _Page, trial: TrialDiff, compared: Diff, left: Side, right: Side) -> None:
    half = (page.width - 3) // 2
    rest = page.width - 3 - half
    bar: Span = (" │ ", "rule")
    page.add(
        (
            *pad_line(_heading(left, trial.left_facts, half), half),
            bar,
            *_heading(right, trial.right_facts, rest),
        )
    )
    if trial.left_guards or trial.right_guards:
        one, two = guard_span(trial.left_guards), guard_span(trial.right_guards)
        page.add((*pad_line(cut_line([one], half), half), bar, *cut_line([two], rest)))
    _add_note(page, compared)
    hunks = set(compared.hunks)
    for k, line in enumerate(compared.lines):
        if k in hunks:
            page.hunk()
        # Cut and not scrolled where lines are not wrapped: the halves stand beside each other.
        sides = zip_longest(
            wrap(_spans(line.left), half) if page.wrapped else [cut_line(_spans(line.left), half)],
            wrap(_spans(line.right), rest) if page.wrapped else [cut_line(_spans(line.right), rest)],
            fillvalue=EMPTY,
        )
        for a, b in sides:
            page.add((*pad_line(a, half), bar, *b))


def _add_inline(page: _Page, compared: Diff) -> None:
    hunks = set(compared.hunks)
    run: list[DiffLine] = []
    for k, line in enumerate(compared.lines):
        if line.change == "same":
            _flush(page, run)
            run = []
            page.lines += page.rows((("  ", ""), *_spans(line.right)), page.width, 2)
        else:
            if k in hunks:
                page.hunk()
            run.append(line)
    _flush(page, run)


def _flush(page: _Page, run: list[DiffLine]) -> None:
    """Changed lines that stand together: what was there, then what is."""
    for line in run:
        if line.left is not None:
            page.lines += page.rows((("− ", "regressed"), *_spans(line.left)), page.width, 2)
    for line in run:
        if line.right is not None:
            page.lines += page.rows((("+ ", "improved"), *_spans(line.right)), page.width, 2)


def change_lines(title: str, before: str, after: str, compared: Diff, width: int) -> list[Line]:
    """What changed in one part: `temperature  0 → 0.7`, or its lines with `−` and `+`."""
    if "\n" not in before + after and len(before) + len(after) < width - len(title) - 6:
        old = before.partition(": ")[2] or before
        new = after.partition(": ")[2] or after
        spans: list[Span] = [(title, "bold"), ("  ", "")]
        if not before:
            spans += [("added ", "dim"), (new, "improved")]
        elif not after:
            spans += [("removed ", "dim"), (old, "regressed")]
        else:
            spans += [(old, "regressed"), (" → ", "dim"), (new, "improved")]
        return wrap(spans, width, 2)
    page = _Page(width, True)
    word = "added" if not before else "removed" if not after else ""
    page.add(((title, "bold"), (f"  {word}", "dim")))
    _add_note(page, compared)
    keep = _near_changes(compared)
    skipped = False
    for k, line in enumerate(compared.lines):
        if k not in keep:
            skipped = True
            continue
        if skipped:
            page.add((("  ⋯", "dim"),))
            skipped = False
        if line.change == "same":
            page.lines += wrap((("  ", ""), *((t, "dim") for t, _ in _spans(line.right))), width, 2)
        else:
            _flush(page, [line])
    return page.lines


def _near_changes(compared: Diff, around: int = 1) -> set[int]:
    keep: set[int] = set()
    for k, line in enumerate(compared.lines):
        if line.change != "same":
            keep.update(range(k - around, k + around + 1))
    return keep
