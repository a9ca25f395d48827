"""What guardrails did, in words, and where two traces part because of them."""

from __future__ import annotations

from typing import Any

import pytest

from llmops_tui.domain import semconv as a
from llmops_tui.domain.guardrails.look import Look
from llmops_tui.domain.guardrails.words import did, look_words, outcome, score_words, tone
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.domain.trace_diff import diff_traces


def look(name: str, stage: Any = "input", action: str = "", **more: Any) -> Look:
    return Look(name, stage, bool(action) and "error" not in more, action, **more)


def test_an_output_says_in_a_line_what_guardrails_did() -> None:
    looks = (
        look("injection", "context", "block", score=0.9),
        look("pii", "input", "redact"),
        look("language", "input"),
        look("pii", "output", "redact"),
        look("own", "tool_result", "block", error="it raised"),
        look("slow", "output", error="took longer"),
        look("topic", "input", "fallback"),
    )
    assert did(looks) == (
        "blocked by injection (context)",
        "redacted by pii (input, output)",
        "own failed closed (tool result)",
        "slow failed open (output)",
        "answered by topic (input)",
    )


def test_nothing_is_said_of_looks_that_passed() -> None:
    assert did((look("pii"),)) == ()


def test_names_from_outside_can_not_act_on_a_terminal() -> None:
    (said,) = did((look("x\x1b[2J\n", action="flag"),))
    assert "\x1b" not in said
    assert "\n" not in said


FIRED = {
    a.GUARDRAIL: "injection",
    a.GUARDRAIL_STAGE: "context",
    a.TRIGGERED: True,
    a.ACTION: "block",
    a.GUARDRAIL_SCORE: 0.9,
    a.GUARDRAIL_THRESHOLD: 0.5,
    a.GUARDRAIL_REASON: "gives orders",
    a.GUARDRAIL_WHERE: ["planted#0"],
}
PASSED = {**FIRED, a.TRIGGERED: False, a.GUARDRAIL_SCORE: 0.1, a.ACTION: None, a.GUARDRAIL_REASON: None}
PASSED[a.GUARDRAIL_WHERE] = None
CLOSED = {a.GUARDRAIL_STAGE: "input", a.TRIGGERED: False, a.ACTION: "block", a.GUARDRAIL_FAILED: "closed"}


@pytest.mark.parametrize(
    ("attributes", "done", "how", "score"),
    [
        (FIRED, "blocked", "stopped", "0.90 ≥ 0.5"),
        (PASSED, "passed", "passed", "0.10 < 0.5"),
        ({**FIRED, a.ACTION: "flag"}, "flagged", "seen", "0.90 ≥ 0.5"),
        (CLOSED, "failed closed: blocked", "failed", ""),
        ({a.TRIGGERED: False, a.GUARDRAIL_FAILED: "open"}, "failed open", "failed", ""),
        ({a.TRIGGERED: True}, "fired", "seen", ""),
        ({a.TRIGGERED: True, a.GUARDRAIL_SCORE: "NaN"}, "fired", "seen", ""),
    ],
)
def test_a_span_says_what_was_done(attributes: dict[str, Any], done: str, how: str, score: str) -> None:
    assert (outcome(attributes), tone(attributes), score_words(attributes)) == (done, how, score)


def test_one_line_of_a_span() -> None:
    assert look_words(FIRED) == "context: blocked, 0.90 ≥ 0.5, gives orders (planted#0)"


def trace(*looks: dict[str, Any], answer: str = "yes") -> Trace:
    root = Span("r", "", "case", "request", 0, 9, attributes={a.OUTPUT: answer})
    spans = [
        Span(f"g{n}", "r", str(each[a.GUARDRAIL]), "guardrail", n, n + 1, attributes=each)
        for n, each in enumerate(looks)
    ]
    return Trace("t", "", (root, *spans))


def test_where_a_guardrail_fires_on_one_side_alone_two_traces_part() -> None:
    found = diff_traces(trace(PASSED), trace(FIRED, answer="no"))
    assert found.headline == "another look of a guardrail: injection passed → blocked"


def test_looks_of_one_guardrail_at_other_stages_are_other_steps() -> None:
    at_output = {**PASSED, a.GUARDRAIL_STAGE: "output"}
    found = diff_traces(trace(PASSED, at_output), trace(at_output))
    assert [(p.state, p.span.attributes.get(a.GUARDRAIL_STAGE)) for p in found.pairings[1:]] == [
        ("gone", "context"),
        ("same", "output"),
    ]


def test_a_chunk_that_a_guardrail_left_out_was_retrieved_all_the_same() -> None:
    def retrieved(*names: str) -> Span:
        chunks = [{"source": name, "position": 0, "content": name} for name in names]
        return Span("q", "r", "retrieval docs", "retrieval", 0, 1, attributes={a.DOCUMENTS: chunks})

    def whole(chunks: Span, *looks: dict[str, Any]) -> Trace:
        made = trace(*looks)
        return Trace("t", "", (made.spans[0], chunks, *made.spans[1:]))

    plain = whole(retrieved("planted", "docs/a.md"))
    guarded = whole(retrieved("docs/a.md"), FIRED)
    said = "a chunk is blocked by injection: planted#0"
    assert diff_traces(plain, guarded).headline == said
    assert diff_traces(guarded, plain).headline == said.replace("is", "is no longer", 1)
    assert "not retrieved any more" in diff_traces(plain, whole(retrieved("docs/a.md"), PASSED)).headline


def test_a_guardrail_that_lets_everything_pass_parts_nothing() -> None:
    said = diff_traces(trace(), trace(PASSED, answer="no")).headline
    assert said == "same steps, another answer"
    assert diff_traces(trace(), trace(PASSED)).headline == "a new step: guardrail injection"
    assert diff_traces(trace(), trace(FIRED, answer="no")).headline == "a new step: guardrail injection"
