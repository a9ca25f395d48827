"""The comparison as text: complete without colours, safe on a terminal, within its width."""

from __future__ import annotations

import io

import pytest
from sample_comparison import Sample

from llmops_tui.domain import format as fmt
from llmops_tui.domain.output import Output
from llmops_tui.engine.events import OutputDetail
from llmops_tui.report import text as report
from llmops_tui.report.diff_lines import MOST_LINES, output_diff, output_text, text_diff


def lines(sample: Sample, width: int = 80) -> list[str]:
    made = report.comparison_lines(
        sample.comparison, sample.changes, sample.texts, sample.detail, width=width
    )
    return report.plain(made).splitlines()


def test_it_says_the_same_as_the_screen_without_any_colour() -> None:
    text = "\n".join(lines(Sample()))
    assert text.startswith("helpdesk  v11 (baseline, shipped) → v12\n")
    assert "▼ 1 regressed   ▲ 1 improved   ✗ 1 could not be compared   ≈ 2 the same" in text
    assert "pass 75.0% → 75.0%  0.0 pts" in text
    assert "What changed · params.temperature  0 → 0.7" in text
    assert "▼ refund-window    1.00    0.00   −1.00   pass → fail" in text
    assert 'contains: "30 days" is not in the output' in text
    assert "candidate: the provider said 500" in text
    assert "\x1b" not in text


def test_columns_stand_under_each_other() -> None:
    table = [line for line in lines(Sample()) if line[:2] in ("  ", "▼ ", "▲ ", "✗ ") and "    " in line]
    head = next(line for line in table if line.startswith("  case"))
    rows = [line for line in table if line[0] in "▼▲"]
    assert len(rows) == 2
    for row in rows:
        assert row[: head.index("Δ") + 1].endswith(("−1.00", "+1.00"))


def test_long_outputs_are_wrapped_to_the_width() -> None:
    sample = Sample({"refund-window": "word " * 200})
    assert max(fmt.cell_width(line) for line in lines(sample)) <= 80


def test_terminal_escapes_of_a_model_do_nothing() -> None:
    sample = Sample({"bad\x1b[2J": "\x1b]0;title\x07\x1b[31mred"})
    text = "\n".join(lines(sample))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "red" in text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_only_on_a_terminal_and_not_against_the_persons_will(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample = Sample()
    made = report.comparison_lines(sample.comparison, sample.changes, sample.texts, sample.detail)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, piped = Terminal(), io.StringIO()
    report.print_lines(made, coloured)
    report.print_lines(made, piped)
    assert "\x1b[" in coloured.getvalue()
    assert "\x1b" not in piped.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    report.print_lines(made, plain)
    assert plain.getvalue() == piped.getvalue()


def test_equal_outputs_are_shown_once_and_unmarked() -> None:
    assert output_diff("the same\ntext", "the same\ntext") == ["  the same", "  text"]


def test_an_answer_where_there_was_none_is_all_new() -> None:
    assert output_diff("", "a\nb") == ["+ a", "+ b"]
    assert output_diff("a", "") == ["- a"]
    assert output_diff("", "") == ["  (empty)"]


def test_json_outputs_are_compared_as_structure() -> None:
    diff = output_diff('{"b": 1, "a": 2}', '{"a": 2, "b": 3}')
    assert diff == ["  {", '    "a": 2,', '-   "b": [-1-]', '+   "b": {+3+}', "  }"]


def test_lines_far_from_a_change_are_counted_and_not_shown() -> None:
    before = "\n".join(f"line {n}" for n in range(50))
    diff = text_diff(before, before.replace("line 25", "other 25"))
    assert diff[0] == "  … 22 lines the same"
    assert "- [-line-] 25" in diff
    assert "+ {+other+} 25" in diff
    assert diff[-1] == "  … 21 lines the same"


def test_a_diff_without_end_is_cut_and_says_so() -> None:
    diff = text_diff("", "\n".join(str(n) for n in range(MOST_LINES + 7)))
    assert len(diff) == MOST_LINES + 1
    assert diff[-1] == "# … 7 more lines, not shown"


def test_tool_calls_are_part_of_what_was_answered() -> None:
    side = OutputDetail(Output("", tool_calls=({"name": "refund", "arguments": {"days": 30}},)), ())
    assert '"days": 30' in output_text(side)
