"""Lines are measured, cut and wrapped by cells, whatever is in them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from llmops_tui.app.lines import cut, cut_line, ends, left, line_width, pad_line, right, shown, wrap

TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab [/]日本👩‍👧\u0301\u200d\u05d0\t \n"), st.characters(codec="utf-8")
    ),
    max_size=120,
)


@given(st.lists(st.tuples(TEXT, st.sampled_from(["", "dim"])), max_size=4), st.integers(6, 60))
@settings(max_examples=150)
def test_wrapped_rows_are_never_wider_than_the_pane_and_lose_no_word(
    spans: list[tuple[str, str]], width: int
) -> None:
    line = [(shown(text).replace("\n", " "), style) for text, style in spans]
    rows = wrap(line, width)
    assert all(line_width(row) <= width for row in rows)
    before = "".join("".join(text for text, _ in line).split())
    after = "".join("".join("".join(text for text, _ in row) for row in rows).split())
    assert after == before


@given(TEXT, st.integers(1, 40))
@settings(max_examples=150)
def test_columns_have_exactly_their_width(text: str, width: int) -> None:
    clean = shown(text).replace("\n", " ")
    assert cell_len(left(clean, width)) == width
    assert cell_len(right(clean, width)) == width
    assert line_width(pad_line([(clean, "")], width)) == width
    assert line_width(cut_line([(clean, "a"), (clean, "b")], width)) <= width


def test_words_stay_whole_and_rows_hang() -> None:
    rows = wrap([("− ", "regressed"), ("You have 30 days to ask", "")], 20, 2)
    assert ["".join(text for text, _ in row).rstrip() for row in rows] == ["− You have 30 days", "  to ask"]


def test_a_word_of_two_colours_is_not_broken_between_them() -> None:
    rows = wrap([("about re", ""), ("funds", "bold")], 10)
    assert ["".join(text for text, _ in row).strip() for row in rows] == ["about", "refunds"]


def test_what_does_not_fit_ends_in_an_ellipsis() -> None:
    assert cut("configuration", 8) == "configu…"
    assert line_width(ends([("helpdesk", "")], [("watching", "")], 12)) == 12


def test_a_line_of_a_hundred_thousand_characters_is_wrapped() -> None:
    rows = wrap([("x" * 100_000, "")], 40)
    assert len(rows) == 2500
    assert sum(line_width(row) for row in rows) == 100_000


def test_control_characters_and_escapes_are_not_shown() -> None:
    assert shown("\x1b[31mred\x1b[0m\x07 a\tb") == "red a   b"
