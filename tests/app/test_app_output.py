"""Outputs, scores and changes as lines."""

from __future__ import annotations

from typing import Any

from made_up import Answers

from llmops_tui.app.lines import Line
from llmops_tui.app.output_lines import Layout, Side, change_lines, layout
from llmops_tui.app.output_text import build, tool_call_text
from llmops_tui.app.score_lines import lines as score_lines
from llmops_tui.domain.case import Case
from llmops_tui.domain.comparison import make_pair
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.model import Usage
from llmops_tui.domain.output import Output
from llmops_tui.domain.prose_diff import diff_words
from llmops_tui.domain.run import make_row
from llmops_tui.domain.score import Score
from llmops_tui.engine.events import OutputDetail, PairDetail

LEFT, RIGHT = Side("v1", "1.00 pass"), Side("v2", "0.00 fail")


def text_of(lines: list[Line] | tuple[Line, ...]) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def styled(lines: tuple[Line, ...], style: str) -> str:
    return "|".join(text for line in lines for text, s in line if s == style)


def detail(left: list[OutputDetail], right: list[OutputDetail], extra: int = 0) -> PairDetail:
    answers = Answers()

    def row(side: list[OutputDetail]) -> Any:
        n = len(side)
        return (
            make_row([answers.item("c", "t", 1.0, trial=k, extra=k >= n - extra) for k in range(n)])
            if side
            else None
        )

    old, new = row(left), row(right)
    return PairDetail(make_pair(old, new), tuple(left), tuple(right))


def said(text: str, *scores: Score, **how: Any) -> OutputDetail:
    return OutputDetail(Output(text, usage=Usage(10, 5), latency_s=1.3, **how), scores)


def shown(left: str, right: str, width: int = 80, *, split: bool = False) -> Layout:
    doc = build(detail([said(left)], [said(right)]), None)
    return layout(doc, LEFT, RIGHT, width, split=split)


def test_words_are_marked_and_not_characters() -> None:
    laid = shown("You have 30 days to ask.", "You have 14 days to ask.")
    assert styled(laid.lines, "removed-word") == "30"
    assert styled(laid.lines, "added-word") == "14"


def test_side_by_side_puts_lines_that_belong_together_next_to_each_other() -> None:
    laid = shown("same\nold line\nend", "same\nnew line\nend", 63, split=True)
    rows = text_of(laid.lines)
    assert rows[1:] == [
        f"{'same':<30} │ same",
        f"{'old line':<30} │ new line",
        f"{'end':<30} │ end",
    ]
    assert laid.hunks == (2,)


def test_identical_outputs_say_so_in_one_line_and_are_shown_once() -> None:
    rows = text_of(shown("The same answer.", "The same answer.").lines)
    assert rows.count("The same answer.") == 1
    assert "identical to v1" in rows


def test_json_is_compared_as_structure_with_its_keys_aligned() -> None:
    laid = shown('{"b": 1, "a": "x"}', '{"a":"y","b":1}')
    assert styled(laid.lines, "removed-word") == "x"
    assert styled(laid.lines, "added-word") == "y"
    assert '    "b": 1' in text_of(laid.lines)


def test_tool_calls_are_compared_as_calls() -> None:
    call = {"function": {"name": "search", "arguments": '{"top": 3, "query": "refund"}'}}
    other = {"function": {"name": "search", "arguments": '{"query": "returns", "top": 3}'}}
    doc = build(detail([said("", tool_calls=(call,))], [said("", tool_calls=(other,))]), None)
    laid = layout(doc, LEFT, RIGHT, 80, split=False)
    assert styled(laid.lines, "removed-word") == "refund"
    assert styled(laid.lines, "added-word") == "returns"
    assert tool_call_text({"name": "f", "arguments": "not json ["}) == "→ f(not json [)"
    assert tool_call_text({"function": {"name": "f", "arguments": {}}}) == "→ f"


def test_inputs_and_what_is_expected_stand_above_the_outputs() -> None:
    case = Case("c", {"question": "How many\ndays?"}, expected=["30", "thirty"])
    doc = build(detail([said("30")], [said("31")]), case)
    rows = text_of(layout(doc, LEFT, RIGHT, 80, split=False).lines)
    assert rows[0] == "question  How many⏎days?"
    assert rows[1] == 'expected  ["30", "thirty"]'


def test_an_output_that_could_not_be_had_shows_why_beside_the_one_that_was() -> None:
    doc = build(detail([said("30 days")], [OutputDetail(None, (), "gateway: 503; r asks again")]), None)
    rows = text_of(layout(doc, LEFT, RIGHT, 80, split=True).lines)
    assert "30 days" in rows
    assert "✗ gateway: 503; r asks again" in rows


def test_trials_are_shown_one_after_the_other_and_further_ones_are_told_apart() -> None:
    side = [said("a"), said("b"), said("c")]
    doc = build(detail(side, side, extra=1), None)
    titles = [trial.title for trial in doc.trials]
    assert titles == ["trial 1 of 2", "trial 2 of 2", "asked again"]


def test_an_answer_that_was_cut_off_or_refused_says_so() -> None:
    doc = build(detail([said("x", finish_reason="length")], [said("y", refused=True)]), None)
    rows = "\n".join(text_of(layout(doc, LEFT, RIGHT, 100, split=False).lines))
    assert "cut off at max_tokens" in rows
    assert "refused" in rows


def test_work_that_nobody_waits_for_any_more_is_left() -> None:
    side = [said("a")] * 50
    assert len(build(detail(side, side), None, cancelled=lambda: True).trials) == 0


# -- scores


def score(label: str, value: float | None, passed: bool | None, reason: str = "because", **how: Any) -> Score:
    return Score("k", label, value, passed, reason, **how)


def test_scores_show_both_sides_the_difference_and_the_reason() -> None:
    pair = detail([said("a", score("contains", 1.0, True))], [said("b", score("contains", 0.0, False))])
    head, row = text_of(score_lines(pair, ("v1", "v2"), 80))
    assert head.split() == ["scorer", "v1", "v2", "Δ", "reason"]
    assert row.split() == ["✗", "contains", "1.00", "0.00", "−1.00", "because"]


def test_columns_of_numbers_end_in_the_same_cell() -> None:
    both = [said("a", score("contains", 1.0, True), score("a_longer_name", 0.25, None))]
    head, *rows = text_of(score_lines(detail(both, both), ("v1", "v2"), 90))
    ends = {row.index("0.00") + 4 for row in rows}
    assert len(ends) == 1
    assert head.index("Δ") + 1 in ends


def test_a_score_that_one_side_lacks_is_a_dash_and_neither_error_nor_zero() -> None:
    pair = detail([said("a")], [said("b", score("new_one", 0.5, None))])
    row = text_of(score_lines(pair, ("v1", "v2"), 80))[1]
    assert row.split()[:5] == ["–", "new_one", "–", "0.50", "–"]


def test_a_scorer_that_failed_shows_its_error() -> None:
    pair = detail([said("a")], [said("b", score("mine", None, None, error="scorers.py:3 division by zero"))])
    row = text_of(score_lines(pair, ("v1", "v2"), 90))[1]
    assert row.startswith("! mine")
    assert "scorers.py:3 division by zero" in row


def test_several_trials_show_mean_spread_and_number() -> None:
    right = [said("a", score("s", v, v == 1.0, f"got {v}")) for v in (1.0, 0.5, 0.0)]
    row = text_of(score_lines(detail(right, right), ("v1", "v2"), 100))[1]
    assert "0.50" in row
    assert "n=3, 0.00 to 1.00 · got 0.5" in row


def test_long_reasons_hang_in_their_column_and_narrow_panes_put_them_below() -> None:
    pair = detail([], [said("b", score("contains", 0.0, False, "a reason of many words " * 5))])
    wide = text_of(score_lines(pair, ("v1", "v2"), 80))
    column = wide[1].index("a reason")
    assert all(row[:column].strip() == "" for row in wide[2:])
    assert all(len(row) <= 40 for row in text_of(score_lines(pair, ("v1", "v2"), 40)))


def test_a_case_without_a_scorer_is_said_to_be_outside_the_pass_rate() -> None:
    assert (
        "outside the pass rate" in text_of(score_lines(detail([said("a")], [said("b")]), ("v1", "v2"), 99))[0]
    )


# -- what changed


def changed(before: str, after: str, title: str = "params.temperature") -> list[str]:
    return text_of(change_lines(title, before, after, diff_words(before, after), 80))


def test_a_parameter_changes_in_one_line() -> None:
    assert changed("temperature: 0", "temperature: 0.7") == ["params.temperature  0 → 0.7"]
    assert changed("", "seed: 7", "params.seed") == ["params.seed  added 7"]
    assert changed("seed: 7", "", "params.seed") == ["params.seed  removed 7"]


def test_a_long_text_shows_its_changes_with_a_line_around_them() -> None:
    before = "\n".join(f"line {k}" for k in range(30))
    rows = changed(before, before.replace("line 20", "line twenty"), "docs/refunds.md")
    assert rows == [
        "docs/refunds.md",
        "  ⋯",
        "  line 19",
        "− line 20",
        "+ line twenty",
        "  line 21",
    ]


def test_what_guardrails_did_stands_in_a_line_below_the_version() -> None:
    blocked = said("No.", guardrails=(Look("injection", "context", True, "block", 0.9),))
    doc = build(detail([said("30 days")], [blocked]), None)
    inline = text_of(layout(doc, LEFT, RIGHT, 80, split=False).lines)
    place = next(n for n, row in enumerate(inline) if row.startswith("v2"))
    assert inline[place + 1] == "◈ blocked by injection (context)"
    beside = text_of(layout(doc, LEFT, RIGHT, 80, split=True).lines)
    assert beside[1] == f"{'':<38} │ ◈ blocked by injection (context)"
    assert styled(layout(doc, LEFT, RIGHT, 80, split=False).lines, "warning").startswith("◈ blocked")
    alone = build(detail([], [blocked]), None, alone=True)
    assert "◈ blocked by injection (context)" in text_of(layout(alone, LEFT, RIGHT, 80, split=True).lines)
