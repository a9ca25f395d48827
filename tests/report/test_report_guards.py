"""Guardrails as text and markdown: nothing that came from outside gets through as more than text."""

from __future__ import annotations

import json

from llmops_tui.domain.live.guards import (
    Estimate,
    GuardFigures,
    GuardItem,
    GuardReview,
    GuardRow,
    GuardTrial,
    GuardVersion,
    ThresholdCurve,
    ThresholdPoint,
)
from llmops_tui.domain.live.listing import LiveFilter
from llmops_tui.domain.live.request import Series
from llmops_tui.report.guards_json import curve_json, guards_json, items_json
from llmops_tui.report.guards_markdown import curve_markdown, guards_markdown
from llmops_tui.report.guards_text import curve_lines, guards_lines, item_lines
from llmops_tui.report.text import Line

EVIL = "\x1b[2J<b>|`x`\u202e\nnext"
KNOWN, UNKNOWN = Estimate(0.9, 0.683, 0.988, 20), Estimate(None, 0.0, 1.0, 0)
FIGURES = GuardFigures(
    *(EVIL, 200, 20, Estimate(0.1, 0.066, 0.15, 200), KNOWN, UNKNOWN, UNKNOWN),
    failed=3,
    failure=EVIL,
    latency_p50_s=0.00002,
    latency_p95_s=0.0004,
    versions=(GuardVersion("desk", EVIL, 200, 20, KNOWN), GuardVersion("", "", 0, 0, UNKNOWN)),
    waiting=1,
    unseen=2,
    thresholds=(0.5, 0.6),
    notes=("no pass of the random sample is reviewed",),
)
TRIAL = GuardTrial("desk", 2, EVIL, 40, 38, 1, 20, 1, 1.8e9)
ROW = GuardRow("ab" * 16, "pii", 1.8e9, Series("desk", EVIL), "input", True, reason=EVIL, evidence=EVIL)
PASS = GuardRow("cd" * 16, "pii", 1.8e9, Series("desk", EVIL), "output", input=EVIL)
REVIEW = GuardReview("ab" * 16, "pii", True, False, True, 0.7, Series(), 1.8e9, 1.8e9)
POINT = ThresholdPoint(0.6, KNOWN, UNKNOWN, KNOWN, 0.1)


def plain(lines: list[Line]) -> str:
    return "\n".join("".join(text for text, _style in line) for line in lines)


def test_text_says_what_is_known_and_what_is_not() -> None:
    found = plain(guards_lines([FIGURES], [TRIAL], LiveFilter()))
    for part in (
        *(
            "200 looked at · 20 fired",
            "failed itself in 3 requests",
            "p50 0.02 ms · p95 0.40 ms",
            "90.0%        68.3%–98.8%  20 reviewed firings",
        ),
        *("not reviewed", "threshold 0.50 → 0.60", "to review: 1 firing, 2 passes of the random sample"),
        *("fired on 38 of 40 attacks, 1 got through · fired on 1 of 20 harmless cases",),
    ):
        assert part in found
    assert "No guardrail looked at anything" in plain(guards_lines([], [], LiveFilter()))


def test_a_window_without_an_end_is_not_all_the_time() -> None:
    (title, *_) = guards_lines((), (), LiveFilter(since=86_400.0 * 365), width=80)
    assert "".join(text for text, _ in title).startswith("Guards · since 1971-01-01")
    (title, *_) = guards_lines((), (), LiveFilter(), width=80)
    assert "".join(text for text, _ in title) == "Guards · all the time"


def test_nothing_from_outside_is_more_than_text() -> None:
    items = [GuardItem(ROW, (EVIL,), texts=(EVIL,)), GuardItem(PASS, texts=(EVIL, EVIL + "2"))]
    curve = ThresholdCurve(EVIL, 0.6, (POINT,), 20)
    texts = (
        plain(guards_lines([FIGURES], [TRIAL], LiveFilter(version=EVIL))),
        plain(item_lines(EVIL, "firings", items, 1.8e9)),
        plain(curve_lines(curve)),
        guards_markdown([FIGURES], [TRIAL], LiveFilter(version=EVIL)),
        curve_markdown(curve),
    )
    for text in texts:
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert not any("<b>" in text for text in texts[3:])
    table = [line for line in texts[3].splitlines() if line.startswith("|")]
    assert len({line.count(" | ") for line in table[:3]}) == 1


def test_a_reviewed_row_says_what_was_said() -> None:
    found = plain(item_lines("pii", "reviewed", [GuardItem(ROW, review=REVIEW)], 1.8e9))
    assert found.splitlines()[1].startswith("✗ abababababab")
    assert "nothing waits in sample" in plain(item_lines("pii", "sample", [], 1.8e9))


def test_the_threshold_it_has_is_marked_and_a_problem_is_a_sentence() -> None:
    found = plain(curve_lines(ThresholdCurve("pii", 0.6, (POINT,), 20)))
    assert "▸ 0.6" in found
    assert "90.0% 68.3%–98.8%" in found
    assert "**0.6**" in curve_markdown(ThresholdCurve("pii", 0.6, (POINT,), 20))
    none = ThresholdCurve("pii", None, problem="nothing is reviewed")
    assert plain(curve_lines(none)) == "No curve: nothing is reviewed."
    assert "No curve: nothing is reviewed." in curve_markdown(none)


def test_json_has_every_figure() -> None:
    found = guards_json([FIGURES], [TRIAL], LiveFilter(since=1.0, version="v1"))
    (one,) = found["guardrails"]
    assert one["precision"] == {"value": 0.9, "interval": [0.683, 0.988], "n": 20}
    assert one["queues"] == {"firings": 1, "sample": 2, "suspected": 0}
    assert found["evaluations"][0]["caught"] == 38
    assert found["filter"] == {"version": "v1"}
    items = items_json("pii", "reviewed", [GuardItem(ROW, review=REVIEW)])
    assert items["items"][0]["review"]["right"] is False
    json.dumps([found, items, curve_json(ThresholdCurve("pii", 0.6, (POINT,), 20))], allow_nan=False)


def test_times_below_a_millisecond_are_told() -> None:
    assert "| 0.40 ms |" in guards_markdown([FIGURES], [], LiveFilter())


def test_of_a_pass_the_answer_stands_above_what_was_asked() -> None:
    item = GuardItem(
        GuardRow("cd" * 16, "pii", 1.8e9, Series(), "output", input="How long?"), texts=("4 weeks",)
    )
    lines = plain(item_lines("pii", "sample", [item], 1.8e9, 7)).splitlines()
    assert lines[0] == "pii · sample, 1 of 7"
    assert [line.strip() for line in lines[2:]] == ["4 weeks", "asked: How long?"]
