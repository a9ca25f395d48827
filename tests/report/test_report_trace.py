"""A trace, and two held against each other, as text, markdown and JSON."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_traces import (
    Node,
    chunk,
    model,
    prompt,
    request,
    retrieval,
    scorer,
    step,
    tool,
    tool_call,
    trace,
)

from llmops_tui.domain import format as fmt
from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.domain.trace_diff import TraceDiff, diff_traces
from llmops_tui.report.json import dumps
from llmops_tui.report.text import plain, print_lines
from llmops_tui.report.trace_json import MOST_LEVELS, trace_diff_json, trace_json
from llmops_tui.report.trace_markdown import trace_diff_markdown, trace_markdown
from llmops_tui.report.trace_section import MOST, parting_lines
from llmops_tui.report.trace_text import trace_diff_lines, trace_lines
from llmops_tui.report.trace_tree import branches

EVIL = "\x1b[2J[red]x[/red] `a` |<b>@all #1\u202e\n::error::gone"


def answered(found: str = "refunds.md", answer: str = "30 days") -> Node:
    return request(
        retrieval(chunk(found), chunk("shipping.md", 1)),
        prompt("user:\nUse only the context.", f"What {found} says", question="How long?"),
        model(f"What {found} says", answer),
        scorer("contains", 1.0 if answer == "30 days" else 0.0),
        **{a.INPUT: {"question": "How long?"}, a.OUTPUT: answer},
    )


def chained() -> Node:
    look = step("look", tool("lookup", {"status": "packed"}, order=1001))
    return request(look, step("say", prompt("Say it."), model("Say it.", "", tool_call("lookup", order=2))))


def parted() -> TraceDiff:
    return diff_traces(
        trace(answered()), trace(answered("orders.md", "no idea"), salt="a", title="the other")
    )


# -- text


def test_a_trace_is_a_tree_with_time_tokens_and_cost_rolled_up() -> None:
    lines = plain(trace_lines(trace(answered()))).split("\n")
    assert lines[1] == "50 ms · 1 model call · 10 → 5 tokens · $0.001"
    root, asked = (next(line for line in lines if word in line) for word in ("request", "model call parrot"))
    assert root.split() == ["request", "50", "ms", "10", "→", "5", "$0.001"]
    assert asked.startswith("├─ model call parrot")
    assert "│    How long? → refunds.md#0, shipping.md#1" in lines


def test_a_chain_shows_each_step_above_what_it_did() -> None:
    text = plain(trace_lines(trace(chained())))
    assert "├─ step look" in text
    assert "│  └─ tool call lookup" in text
    assert '│       order=1001 → {"status": "packed"}' in text
    assert 'lookup({"order": 2})' in text


def test_full_shows_every_text_whole() -> None:
    text = plain(trace_lines(trace(answered()), full=True))
    for shown in (
        "Use only the context.",
        "What refunds.md says in part 0.",
        "temperature: 0",
        "answer: 30 days",
    ):
        assert shown in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_asked(width: int) -> None:
    long = answered("docs/" + "very-long-name-" * 8 + ".md", "word " * 60)
    both = diff_traces(trace(answered()), trace(long))
    lines = [*trace_lines(trace(long), width=width), *trace_diff_lines(both, width=width)]
    assert max(fmt.cell_width(line) for line in plain(lines).split("\n")) <= width


def test_a_failed_step_says_why() -> None:
    text = plain(trace_lines(trace(request(tool("lookup", error="no such order", order=7)))))
    assert "tool call lookup ✗ failed" in text
    assert "✗ no such order" in text


def test_a_trace_without_steps_says_so() -> None:
    empty = Trace("0" * 32, "nothing", ())
    assert "No step was recorded." in plain(trace_lines(empty))
    assert "No step was recorded." in trace_markdown(empty)
    assert trace_json(empty)["spans"] == []


def test_a_diff_marks_every_step_and_shows_the_first_one_that_differs() -> None:
    text = plain(trace_diff_lines(parted()))
    assert "Another chunk retrieved: refunds.md#0 → orders.md#0\n" in text
    assert "5 steps: 5 changed" in text
    assert "▶~ ├─ retrieval docs  chunk 1" in text
    assert "  - refunds.md#0\n" in text
    assert "model call parrot\n" not in text.partition("first step where they part")[2]


def test_a_full_diff_shows_every_step_that_differs() -> None:
    text = plain(trace_diff_lines(parted(), full=True))
    assert "  - answer: 30 days\n  + answer: no idea\n" in text


def test_a_step_that_only_one_side_has_is_shown_with_what_it_did() -> None:
    before, after = (
        trace(request(model("Hi", "A"))),
        trace(request(tool("lookup", order=7), model("Hi", "A"))),
    )
    text = plain(trace_diff_lines(diff_traces(before, after)))
    assert "▶+ ├─ tool call lookup  new" in text
    assert "  + argument order: 7\n" in text


def test_structured_values_are_compared_as_structure() -> None:
    before, after = (
        trace(request(tool("lookup", {"status": word, "items": list(range(20))}))) for word in ("on", "off")
    )
    text = plain(trace_diff_lines(diff_traces(before, after)))
    assert '-   "status": "[-on-]"' in text
    assert '+   "status": "{+off+}"' in text


# -- untrusted texts


def hostile() -> tuple[Trace, Trace]:
    tree = request(
        retrieval(chunk(EVIL, text=EVIL), query=EVIL),
        prompt(EVIL, EVIL, **{EVIL: EVIL}),
        model(EVIL, EVIL, tool_call(EVIL, **{EVIL: EVIL})),
        tool(EVIL, EVIL, error=EVIL, **{EVIL: EVIL}),
        Node("other", EVIL, {a.INPUT: EVIL, a.OUTPUT: [EVIL]}),
        step(EVIL, **{a.OUTPUT: EVIL}),
    )
    return trace(tree, title=EVIL), trace(answered(), title=EVIL)


def test_nothing_of_what_was_said_is_obeyed_by_a_terminal() -> None:
    one, other = hostile()
    lines = [
        *trace_lines(one),
        *trace_lines(one, full=True),
        *trace_diff_lines(diff_traces(one, other), full=True),
        *trace_diff_lines(diff_traces(other, one), full=True),
    ]
    text = plain(lines) + "\n".join(parting_lines(diff_traces(other, one)))
    assert not {"\x1b", "\u202e", "\r"} & set(text)
    assert "[red]x[/red]" in text


def test_markup_is_printed_as_text_in_colour_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    print_lines(trace_lines(hostile()[0]), stream)
    assert "[red]x[/red]" in stream.getvalue()


def test_markdown_keeps_what_was_said_as_text() -> None:
    one, other = hostile()
    for text in (trace_markdown(one, full=True), trace_diff_markdown(diff_traces(one, other), full=True)):
        assert "\x1b" not in text
        told = re.sub(r"(?ms)^(```+).*?^\1$", "", text)  # fenced, and then within a line
        told = re.sub(r"(`+) ?.*?[^`]\1(?!`)|<code>.*?</code>", "", told)
        assert "red" in told
        assert "<b>" not in told
        assert "@all" not in told


# -- markdown


def test_markdown_of_a_trace_is_a_table_and_unfolds_to_its_texts() -> None:
    text = trace_markdown(trace(answered()), full=True)
    assert "| &emsp;retrieval docs | 10 ms |  |  | `How long? → refunds.md#0, shipping.md#1` |" in text
    assert "<summary>retrieval docs</summary>" in text
    assert "Use only the context." in text


def test_markdown_of_a_diff_begins_with_where_they_part() -> None:
    text = trace_diff_markdown(parted())
    assert (
        text.index("Another chunk retrieved")
        < text.index("```diff")
        < text.index("| ▶~ | &emsp;retrieval docs")
    )
    assert "<details>" not in text
    assert "<summary>~ model call parrot</summary>" in trace_diff_markdown(parted(), full=True)


def test_a_section_of_a_report_names_the_step_and_is_short() -> None:
    lines = parting_lines(parted())
    assert lines[:3] == [
        "# another chunk retrieved: refunds.md#0 → orders.md#0",
        "# at: retrieval docs",
        "  chunk 1:",
    ]
    long = diff_traces(trace(request(prompt("a\n" * 300))), trace(request(prompt("b\n" * 300))))
    assert len(parting_lines(long)) == MOST + 3
    assert parting_lines(diff_traces(trace(answered()), trace(answered()))) == []


# -- JSON


def test_json_of_a_trace_nests_children_and_keeps_attributes() -> None:
    made = trace(chained())
    answer: dict[str, Any] = json.loads(dumps(trace_json(made)))
    (root,) = answer["spans"]
    assert [child["name"] for child in root["children"]] == ["look", "say"]
    (called,) = root["children"][0]["children"]
    assert (called["kind"], called["attributes"][a.TOOL_ARGUMENTS]) == ("tool", {"order": 1001})
    assert set(called) == {
        *("id", "name", "kind", "start", "end", "status", "error", "attributes", "children")
    }


def test_json_of_a_diff_has_every_step_with_its_state_and_fields() -> None:
    answer = json.loads(dumps(trace_diff_json(parted())))
    found = answer["pairings"][answer["first"]]
    assert (found["kind"], found["state"], found["depth"]) == ("retrieval", "changed", 1)
    assert [field["name"] for field in found["fields"]] == ["chunk 1"]
    assert found["fields"][0]["after"]["source"] == "orders.md"
    assert set(answer["before"]) == {"id", "title"}
    assert "spans" in trace_diff_json(parted(), full=True)["before"]


def test_json_of_a_trace_that_is_ever_so_deep_can_be_written_and_read() -> None:
    spans = [Span("r", "", "root", "request", 0.0, 1.0)]
    for n in range(3_000):
        spans.append(Span(f"s{n}", spans[-1].id, f"level {n}", "other", 0.0, 1.0))
    deep = Trace("0" * 32, "deep", tuple(spans))
    node = json.loads(dumps(trace_json(deep)))["spans"][0]
    levels, seen = 1, 1
    while node["children"]:
        seen += len(node["children"])
        node = node["children"][-1]
        levels += 1
    assert (levels, seen) == (MOST_LEVELS + 1, 3_001)
    assert len(trace_lines(deep, width=80)) > 3_000


# -- the tree


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_a_row_is_the_last_of_its_siblings_just_where_the_branch_ends(steps: list[int]) -> None:
    depths: list[int] = []
    for wanted in steps:
        depths.append(min(wanted, depths[-1] + 1) if depths else 0)
    drawn = branches(depths)
    for i, depth in enumerate(depths):
        after = depths[i + 1 :]
        within = next((n for n, d in enumerate(after) if d < depth), len(after))
        is_last = depth not in after[:within]
        if depth:
            assert drawn[i][0].endswith("└─ " if is_last else "├─ ")
        else:
            assert drawn[i] == ("", "")


def test_a_guardrail_says_what_it_did() -> None:
    fired = {a.GUARDRAIL: "injection", a.GUARDRAIL_STAGE: "context", a.TRIGGERED: True, a.ACTION: "block"}
    fired |= {a.GUARDRAIL_SCORE: 0.9, a.GUARDRAIL_THRESHOLD: 0.5, a.GUARDRAIL_REASON: "gives orders"}
    failed = {a.GUARDRAIL: "language", a.GUARDRAIL_STAGE: "output", a.GUARDRAIL_FAILED: "open"}
    looks = (
        Node("guardrail", "injection", fired),
        Node("guardrail", "language", failed, error="took longer than 2 s"),
    )
    lines = trace_lines(trace(request(*looks)))
    told = "\n".join("".join(text for text, _ in line) for line in lines)
    assert "guardrail injection blocked" in told
    assert "context: blocked, 0.90 ≥ 0.5, gives orders" in told
    assert "guardrail language ✗ failed open" in told
    assert "took longer than 2 s" in told
    styles = {text.strip(): style for line in lines for text, style in line}
    assert styles["guardrail language ✗ failed open"] == "warning"
    assert "guardrail injection blocked" in trace_markdown(trace(request(*looks)))
