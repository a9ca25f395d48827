"""Figures, money, times and widths as people read them."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops_tui.domain import format as fmt


@pytest.mark.parametrize(
    ("value", "score", "delta"),
    [
        (None, "–", "–"),
        (0.0, "0.00", "0.00"),
        (1.0, "1.00", "+1.00"),
        (0.5, "0.50", "+0.50"),
        (-1.0, "−1.00", "−1.00"),
        (-0.001, "0.00", "0.00"),
        (1e-12, "0.00", "0.00"),
    ],
)
def test_scores_have_two_decimals_and_a_real_minus(value: float | None, score: str, delta: str) -> None:
    assert fmt.score(value) == score
    assert fmt.delta(value) == delta


def test_rates_are_percentages_and_their_differences_points() -> None:
    assert fmt.percent(0.75) == "75.0%"
    assert fmt.points(0.05) == "+5.0 pts"
    assert fmt.points(-0.0123) == "−1.2 pts"
    assert fmt.points(0.0) == "0.0 pts"
    assert (fmt.percent(None), fmt.points(None)) == ("–", "–")


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (None, "–"),
        (0, "$0"),
        (0.0042, "$0.0042"),
        (0.004249, "$0.0042"),
        (0.015, "$0.015"),
        (0.05, "$0.05"),
        (0.5, "$0.50"),
        (1.2, "$1.20"),
        (1234.5, "$1,234.50"),
        (0.000012, "$0.000012"),
        (0.0000001, "<$0.000001"),
        (-1.2, "−$1.20"),
    ],
)
def test_money_has_the_digits_that_matter(usd: float | None, text: str) -> None:
    assert fmt.money(usd) == text


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.35, "350 ms"),
        (0.9996, "1 s"),
        (1.31, "1.3 s"),
        (7.0, "7 s"),
        (9.96, "10 s"),
        (42.4, "42 s"),
        (59.7, "1 min"),
        (125, "2 min 5 s"),
        (3599.8, "1 h"),
        (12_000, "3 h 20 min"),
        (187_200, "2 d 4 h"),
        (-1, "0 s"),
    ],
)
def test_durations_read_as_people_say_them(duration_s: float | None, text: str) -> None:
    assert fmt.seconds(duration_s) == text


def test_how_long_ago_goes_from_seconds_to_a_date() -> None:
    now = time.mktime((2026, 11, 23, 15, 0, 0, 0, 0, -1))
    assert fmt.ago(now + 5, now) == "just now"
    assert fmt.ago(now - 4, now) == "4 s ago"
    assert fmt.ago(now - 59.9, now) == "1 min ago"
    assert fmt.ago(now - 200, now) == "3 min ago"
    assert fmt.ago(now - 5 * 3600, now) == "5 h ago"
    assert fmt.ago(now - 20 * 3600, now) == "yesterday"
    assert fmt.ago(now - 3 * 86_400, now) == "3 days ago"
    assert fmt.ago(now - 21 * 86_400, now) == "2026-11-02"
    assert fmt.ago(None, now) == "–"


def test_an_hour_before_is_not_called_yesterday_just_after_midnight() -> None:
    now = time.mktime((2026, 11, 23, 0, 30, 0, 0, 0, -1))
    assert fmt.ago(now - 2 * 3600, now) == "2 h ago"


def test_counts_sizes_rates_and_plurals() -> None:
    assert fmt.count(12_345) == "12,345"
    assert fmt.plural(1, "case") == "1 case"
    assert fmt.plural(1000, "case") == "1,000 cases"
    assert fmt.plural(2, "reply", "replies") == "2 replies"
    assert [fmt.size(n) for n in (0, 512, 98_100_000, 1_400_000_000, 999_900)] == [
        "0 B",
        "512 B",
        "98 MB",
        "1.4 GB",
        "1 MB",
    ]
    assert fmt.rate(8.23) == "8.2/s"
    assert fmt.rate(140.4, "cases") == "140 cases/s"


def test_every_change_has_a_symbol_of_one_cell() -> None:
    changes = ("regressed", "improved", "same", "new", "removed", "error")
    symbols = [fmt.symbol(c) for c in changes]
    assert len(set(symbols)) == len(changes)
    assert [fmt.cell_width(s) for s in symbols] == [1] * len(changes)


def test_wide_and_combining_characters_count_as_a_terminal_shows_them() -> None:
    assert fmt.cell_width("abc") == 3
    assert fmt.cell_width("日本") == 4
    assert fmt.cell_width("e\u0301") == 1
    assert fmt.cell_width("a\u200bb") == 2


def test_truncating_says_that_something_is_missing() -> None:
    assert fmt.truncate("refund-window", 20) == "refund-window"
    assert fmt.truncate("refund-window", 7) == "refund…"
    assert fmt.truncate("日本語", 4) == "日…"
    assert fmt.truncate("abc", 0) == ""
    assert fmt.pad("7", 3, right=True) == "  7"
    assert fmt.pad("日本語", 5) == "日本…"


@given(st.text(max_size=60), st.integers(0, 40))
def test_padding_gives_exactly_the_width(text: str, width: int) -> None:
    assert fmt.cell_width(fmt.pad(text, width)) == width


@given(st.floats(0, 86_399))
def test_no_duration_shows_sixty_seconds_or_minutes(duration_s: float) -> None:
    words = fmt.seconds(duration_s).split()
    assert ("60", "s") not in pairwise(words)
    assert ("60", "min") not in pairwise(words)
