"""The day of the demo's shop: what is planted is there, and nothing else is."""

from __future__ import annotations

from statistics import median

from llmops_tui.domain import semconv as a
from llmops_tui.domain.output import Output
from llmops_tui.domain.run import VersionInfo
from llmops_tui.domain.trace import Span, Trace
from llmops_tui.engine.demo_answers import Answered
from llmops_tui.engine.demo_questions import QUESTIONS
from llmops_tui.engine.demo_traffic import DAY_S, HOUR_S, Deployment, Slowdown, day

MIDNIGHT = 1_800_000_000.0


def answers(version: str, right: bool) -> tuple[Answered, ...]:
    info = VersionInfo(1, "helpdesk", int(version[1:]), "h", 0.0)
    made = []
    for question in QUESTIONS[:5]:
        about = {a.VERSION: version, a.CASE_ID: question.id, a.OUTPUT: "x"}
        spans = (
            Span("1" * 16, "", "request", "request", 10.0, 12.1, attributes=about),
            Span("2" * 16, "1" * 16, "find", "retrieval", 10.0, 10.1),
            Span("3" * 16, "1" * 16, "chat", "model", 10.1, 12.1, attributes={a.TIME_TO_FIRST_CHUNK: 0.5}),
        )
        made.append(Answered(question, info, Output("x"), Trace("a" * 32, "", spans), right))
    return tuple(made)


GOOD, BAD = answers("v1", True), answers("v2", False)


def version_of(trace: Trace) -> str:
    return str(trace.root.attributes[a.VERSION])


def test_a_deployment_holds_from_its_hour_to_the_next_one_s() -> None:
    sent = day(MIDNIGHT, [Deployment(0, GOOD), Deployment(12, BAD), Deployment(14, GOOD)])
    assert len(sent) == 2400
    for each in sent:
        hour = (each.trace.root.start - MIDNIGHT) / HOUR_S
        assert version_of(each.trace) == ("v2" if 12 <= hour < 14 else "v1")


def test_a_slowdown_makes_the_model_slower_and_nothing_else() -> None:
    sent = day(MIDNIGHT, [Deployment(0, GOOD)], [Slowdown(18, 20, 4.0)])
    slow, usual = [], []
    for each in sent:
        root, find, call = each.trace.spans
        hour = (root.start - MIDNIGHT) / HOUR_S
        (slow if 18 <= hour < 20 else usual).append(call.length_s)
        assert abs(find.length_s - 0.1) < 1e-6
        assert abs(root.end - call.end) < 1e-6
    assert 3.2 < median(slow) / median(usual) < 5


def test_every_request_has_ids_of_its_own_and_no_case() -> None:
    sent = day(MIDNIGHT, [Deployment(0, GOOD)], requests=300)
    assert len({each.trace.id for each in sent}) == 300
    assert len({span.id for each in sent for span in each.trace.spans}) == 900
    for each in sent:
        root = each.trace.root
        assert a.CASE_ID not in root.attributes
        assert root.attributes[a.USER].startswith("customer-")
        assert all(span.parent_id in ("", root.id) for span in each.trace.spans)


def test_customers_mind_wrong_answers() -> None:
    right = day(MIDNIGHT, [Deployment(0, GOOD)])
    wrong = day(MIDNIGHT, [Deployment(0, BAD)])
    bad_of = [sum(s.is_bad for each in sent for s in each.signals) for sent in (right, wrong)]
    assert bad_of[0] < 60
    assert bad_of[1] > 800
    assert all(s.trace_id == each.trace.id and s.at > each.at for each in wrong for s in each.signals)


def test_the_same_day_comes_out_the_same_and_in_order() -> None:
    one, two = day(MIDNIGHT, [Deployment(0, GOOD)]), day(MIDNIGHT, [Deployment(0, GOOD)])
    assert one == two
    assert [x.at for x in one] == sorted(x.at for x in one)
    assert all(MIDNIGHT <= x.trace.root.start < MIDNIGHT + DAY_S for x in one)
