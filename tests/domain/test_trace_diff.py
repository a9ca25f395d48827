"""Two traces held against each other: what is paired, what differs, and where they part."""

from __future__ import annotations

from typing import Any

import made_traces as made
from hypothesis import given
from hypothesis import strategies as st
from made_traces import (
    Node,
    chunk,
    model,
    prompt,
    request,
    retrieval,
    said,
    scorer,
    step,
    tool,
    tool_call,
    trace,
)

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Trace
from llmops_tui.domain.trace_diff import TraceDiff, diff_traces

REFUNDS, ORDERS, SHIPPING = chunk("refunds.md"), chunk("orders.md", 2), chunk("shipping.md", 1)


def compared(before: Node, after: Node) -> TraceDiff:
    return diff_traces(trace(before), trace(after, salt="a"))


def states(diff: TraceDiff) -> list[str]:
    return [f"{pairing.state} {pairing.span.kind}" for pairing in diff.pairings]


def marked(diff: TraceDiff) -> str:
    assert diff.parting is not None
    return diff.parting.span.kind


def names(diff: TraceDiff) -> list[str]:
    assert diff.parting is not None
    return [field.name for field in diff.parting.fields]


def answered(chunks: list[dict[str, Any]], answer: str = "30 days", **with_: Any) -> Node:
    """Retrieval, a prompt that holds what was found, and an answer."""
    context = "\n".join(str(c["content"]) for c in chunks)
    template = with_.pop("template", "user:\nUse only the context.\n{{ context }}\n{{ question }}")
    sent = f"{template}\n{context}"
    find = with_.pop("find", {})
    return request(
        retrieval(*chunks, **find),
        prompt(template, sent, question="How long?", **with_.pop("variables", {})),
        model(sent, answer, **with_),
        scorer("contains", 1.0 if "30" in answer else 0.0),
        **{a.INPUT: {"question": "How long?"}, a.OUTPUT: answer},
    )


# -- where they part


def test_a_trace_beside_one_that_came_about_the_same_way_parts_nowhere() -> None:
    diff = compared(answered([REFUNDS]), answered([REFUNDS]))
    assert (diff.first, diff.parting, diff.headline) == (None, None, "both came about the same way")
    assert {pairing.state for pairing in diff.pairings} == {"same"}


def test_another_chunk_for_the_same_query_is_where_they_part_whatever_follows() -> None:
    diff = compared(answered([REFUNDS, SHIPPING]), answered([ORDERS, SHIPPING], "no idea"))
    assert marked(diff) == "retrieval"
    assert diff.headline == "another chunk retrieved: refunds.md#0 → orders.md#2"
    assert names(diff) == ["chunk 1"]
    assert states(diff) == [
        "changed request",
        "changed retrieval",
        "changed prompt",
        "changed model",
        "changed scorer",
    ]


def test_another_query_is_told_before_the_chunks_that_it_found() -> None:
    diff = compared(answered([REFUNDS]), answered([ORDERS], find={"query": "And then?"}))
    assert diff.headline == "another query: How long? → And then?"
    assert names(diff) == ["query", "chunk 1"]


def test_scores_of_chunks_are_noise_until_their_order_changes() -> None:
    nearer = chunk("refunds.md", score=7.5)
    assert compared(answered([REFUNDS]), answered([nearer])).first is None
    diff = compared(request(retrieval(REFUNDS, ORDERS)), request(retrieval(ORDERS, REFUNDS)))
    assert (
        diff.headline
        == "the same chunks in another order: refunds.md#0, orders.md#2 → orders.md#2, refunds.md#0"
    )


def test_a_chunk_more_a_chunk_less_and_a_chunk_that_reads_otherwise_are_told_apart() -> None:
    def said_of(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> str:
        return compared(request(retrieval(*before)), request(retrieval(*after))).headline

    assert said_of([REFUNDS], [REFUNDS, ORDERS]) == "one more chunk retrieved: orders.md#2"
    assert said_of([REFUNDS, ORDERS], [REFUNDS]) == "a chunk is not retrieved any more: orders.md#2"
    edited = chunk("refunds.md", text="14 days now.")
    assert said_of([REFUNDS, ORDERS], [edited, ORDERS]) == "another text in a chunk: refunds.md#0"


def test_an_edited_prompt_is_where_they_part_and_its_first_changed_line_is_named() -> None:
    edited = "user:\nUse what you like.\n{{ context }}\n{{ question }}"
    diff = compared(answered([REFUNDS]), answered([REFUNDS], "at any time", template=edited))
    assert marked(diff) == "prompt"
    assert diff.headline == "another prompt line: “Use only the context.” → “Use what you like.”"
    assert names(diff)[0] == "prompt"


def test_a_line_added_to_or_taken_from_a_prompt_is_told_as_that() -> None:
    two, one = request(prompt("user:\nBe kind.\nBe short.")), request(prompt("user:\nBe kind."))
    assert compared(one, two).headline == "a new prompt line: “Be short.”"
    assert compared(two, one).headline == "a prompt line is gone: “Be short.”"


def test_a_long_line_is_shown_where_it_differs() -> None:
    one, two = (request(prompt("word " * 60 + end)) for end in ("for thirty days", "for two weeks"))
    told = compared(one, two).headline
    assert "thirty days" in told
    assert "two weeks" in told


def test_a_tool_step_with_another_argument_is_where_they_part() -> None:
    def chain(order: str) -> Node:
        look = step("look", tool("lookup_order", f"order {order}", order=order), **{a.OUTPUT: order})
        return request(look, step("answer", prompt("say", f"say {order}"), model(f"say {order}", order)))

    diff = compared(chain("1001"), chain("1002"))
    assert marked(diff) == "tool"
    assert diff.headline == "another tool argument: order 1001 → 1002"


def loop(
    *orders: str, name: str = "lookup_order", answer: str = "It is on its way.", say: str = "", **with_: Any
) -> Node:
    """The model asks for one order after the other, and then answers."""
    talk: list[dict[str, Any]] = [said("user", "Where is it?")]
    spans: list[Node] = [prompt("Where is it?")]
    for n, order in enumerate(orders):
        call = tool_call(name, f"call_{name}_{order}_{n}", order=order)
        spans.append(model(list(talk), say, call, **with_))
        spans.append(tool(name, f"about {order}", id_=call["id"], order=order))
        response = {"type": "tool_call_response", "id": call["id"], "response": f"about {order}"}
        talk += [{"role": "assistant", "parts": [call]}, {"role": "tool", "parts": [response]}]
    return request(*spans, model(list(talk), answer, **with_), **{a.OUTPUT: answer})


def test_a_model_asked_the_same_that_wants_another_argument_is_marked_at_the_tool() -> None:
    diff = compared(loop("1001"), loop("1002", answer="No such order."))
    assert marked(diff) == "tool"
    assert diff.headline == "another tool argument: order 1001 → 1002"
    asked = diff.pairings[2]
    assert (asked.span.kind, [f.name for f in asked.fields]) == ("model", ["tool calls"])


def test_the_second_tool_call_is_marked_where_the_first_is_the_same() -> None:
    diff = compared(loop("1001", "1002"), loop("1001", "1003"))
    assert diff.parting is not None
    assert diff.parting.span.attributes[a.TOOL_ARGUMENTS] == {"order": "1003"}
    assert states(diff)[1:4] == ["same prompt", "same model", "same tool"]


def test_a_tool_call_is_marked_though_a_later_one_is_equal_to_it() -> None:
    diff = compared(loop("1001", "1002"), loop("1002"))
    assert marked(diff) == "tool"
    assert diff.headline == "another tool argument: order 1001 → 1002"


def test_what_a_model_says_beside_its_tool_call_does_not_draw_the_mark() -> None:
    diff = compared(loop("1001", say="I look at 1001."), loop("1002", say="I look at 1002."))
    assert marked(diff) == "tool"


def test_another_tool_for_the_same_request_is_marked_at_that_tool() -> None:
    diff = compared(loop("1001"), loop("1001", name="cancel_order"))
    assert diff.parting is not None
    assert (diff.parting.state, diff.parting.span.attributes[a.TOOL_NAME]) == ("new", "cancel_order")
    assert diff.headline == "another tool: lookup_order(order=1001) → cancel_order(order=1001)"


def test_an_answer_in_place_of_a_tool_call_is_told_as_a_call_less() -> None:
    diff = compared(loop("1001"), loop())
    assert diff.headline == "same request, a tool call less: lookup_order(order=1001)"
    assert diff.parting is not None
    assert (diff.parting.state, diff.parting.span.kind) == ("gone", "tool")


def test_a_model_that_was_asked_otherwise_is_marked_itself_whatever_it_calls() -> None:
    diff = compared(loop("1001"), loop("1002", temperature=0.7))
    assert (marked(diff), diff.headline) == ("model", "temperature 0 → 0.7")
    tools = [{"type": "function", "function": {"name": "cancel_order"}}]
    diff = compared(loop("1001"), loop("1002", tools=tools))
    assert (marked(diff), diff.headline) == ("model", "other tools: +cancel_order")
    diff = compared(loop("1001"), loop("1002", name="cancel_order"))
    assert marked(diff) == "tool"


def test_another_model_is_the_same_step_and_named_as_the_reason() -> None:
    diff = compared(answered([REFUNDS]), answered([REFUNDS], "14 days", name="cockatoo"))
    assert (marked(diff), diff.headline) == ("model", "another model: parrot → cockatoo")
    assert "new model" not in states(diff)


def test_ids_of_tool_calls_are_no_difference() -> None:
    before, after = (
        request(
            model("Where?", "", tool_call("lookup", id_, order=1)),
            tool("lookup", id_=id_, order=1),
            model([{"role": "assistant", "parts": [tool_call("lookup", id_, order=1)]}], "There."),
        )
        for id_ in ("call_a", "call_b")
    )
    assert compared(before, after).first is None


def test_the_same_request_with_another_answer_is_marked_at_the_model() -> None:
    diff = compared(answered([REFUNDS]), answered([REFUNDS], "14 days"))
    assert (marked(diff), diff.headline, names(diff)) == ("model", "same request, another answer", ["answer"])


def test_a_variable_that_only_carries_what_was_retrieved_is_no_earlier_parting() -> None:
    before, after = (
        answered([found], variables={"context": found["content"]}) for found in (REFUNDS, ORDERS)
    )
    assert marked(compared(before, after)) == "retrieval"


def test_another_variable_of_the_prompt_is_named() -> None:
    diff = compared(request(prompt("Hi {{ who }}", who="Ada")), request(prompt("Hi {{ who }}", who="Bob")))
    assert diff.headline == "another variable: who Ada → Bob"


def test_the_same_tool_call_with_another_result_is_marked_at_the_tool() -> None:
    before, after = (
        request(tool("lookup", result, order=1), model(f"It is {result}", result))
        for result in ("paid", "open")
    )
    assert compared(before, after).headline == "same tool call, another result: lookup paid → open"


def test_an_error_is_named_with_what_it_says() -> None:
    diff = compared(request(tool("lookup", order=1)), request(tool("lookup", error="no such order", order=1)))
    assert diff.headline == "an error: tool call lookup: no such order"
    back = compared(request(tool("lookup", error="no such order", order=1)), request(tool("lookup", order=1)))
    assert back.headline == "no error any more: tool call lookup (was: no such order)"


def test_a_call_that_was_never_answered_is_not_held_to_have_other_settings() -> None:
    diff = compared(request(model("Hi", "Hello")), request(model("Hi", error="the provider is down")))
    assert names(diff) == ["error"]


def test_scorers_are_marked_only_where_no_other_step_differs() -> None:
    diff = compared(request(model("Hi", "A"), scorer("s", 1.0)), request(model("Hi", "A"), scorer("s", 0.25)))
    assert (marked(diff), diff.headline) == ("scorer", "same answer, another score: s 1.00 → 0.25")
    assert marked(compared(answered([REFUNDS]), answered([REFUNDS], "no"))) == "model"


def test_a_step_that_comes_and_goes_is_the_parting_where_all_before_it_is_the_same() -> None:
    short, long = (
        request(step("find", retrieval(REFUNDS)), *extra, step("say", model("Say", "A")))
        for extra in ((), (step("check", tool("verify")),))
    )
    diff = compared(short, long)
    assert (diff.headline, states(diff)[3:5]) == ("a new step: step check", ["new step", "new tool"])
    assert compared(long, short).headline == "a step is gone: step check"


def test_steps_that_run_side_by_side_are_the_same_in_any_order() -> None:
    one, two = step("one", tool("a")), step("two", tool("b"))
    assert compared(request(one, two), request(two, one)).first is None


def test_what_only_a_whole_came_to_is_marked_there() -> None:
    before, after = (request(step("own", **{a.INPUT: 1, a.OUTPUT: out})) for out in ("x", "y"))
    diff = compared(before, after)
    assert (marked(diff), diff.headline) == ("step", "same input, another result: step own")


def test_another_input_of_the_case_comes_before_everything() -> None:
    before, after = (request(model(f"Is it {q}?", q), **{a.INPUT: {"q": q}}) for q in ("hot", "cold"))
    diff = compared(before, after)
    assert (marked(diff), diff.headline) == ("request", "another input: q hot → cold")


def test_a_prompt_that_reads_one_variable_more_is_no_other_input() -> None:
    before = request(prompt("Hi {{ who }}", who="Ada"), **{a.INPUT: {"who": "Ada"}})
    after = request(prompt("Hi {{ who }}, {{ tone }}", who="Ada", tone="kind"))
    after.attributes[a.INPUT] = {"who": "Ada", "tone": "kind"}
    assert marked(compared(before, after)) == "prompt"


def test_times_tokens_costs_and_where_it_came_from_are_no_difference() -> None:
    noise = {a.INPUT_TOKENS: 99, a.COST: 1.0, a.CACHED: True, a.ATTEMPTS: 3, a.RESPONSE_ID: "x"}
    assert compared(request(model("Hi", "A")), request(model("Hi", "A", **noise))).first is None


def test_what_an_old_trace_does_not_know_is_no_difference() -> None:
    bare = Node("prompt", "assemble prompt", {a.INPUT_MESSAGES: [said("user", "Hi")]})
    assert compared(request(bare), request(prompt("Hi", who="Ada"))).first is None


def test_a_headline_is_one_line_that_no_terminal_obeys() -> None:
    evil = "a\x1b[31m\nb" * 100
    diff = compared(request(prompt("x")), request(prompt(evil)))
    assert "\x1b" not in diff.headline
    assert "\n" not in diff.headline
    assert len(diff.headline) < 250


def test_attributes_that_hold_anything_are_compared_without_a_fault() -> None:
    odd: list[Any] = [None, 7, "text", [1], {"a": 2**80}, {"parts": "none"}, ["\ud800"], {"role": 1}]
    known = (a.INPUT_MESSAGES, a.OUTPUT_MESSAGES, a.DOCUMENTS, a.TOOL_ARGUMENTS, a.TOOL_DEFINITIONS)
    for kind in ("model", "prompt", "retrieval", "tool", "scorer", "other"):
        for one in odd:
            for two in odd:
                sides = [
                    request(*[Node(kind, "x", dict.fromkeys((*known, a.VARIABLES, a.SCORE), value))] * 2)
                    for value in (one, two)
                ]
                diff = compared(*sides)
                assert (diff.first is None) == (diff.headline == "both came about the same way")
                assert diff.first is None or one is not two


# -- what is paired

KINDS = st.sampled_from(["model", "tool", "retrieval", "other", "step", "function"])


@st.composite
def nodes(draw: st.DrawFn, depth: int = 0) -> Node:
    kind, name, value = draw(KINDS), draw(st.sampled_from("ab")), draw(st.integers(0, 2))
    children = draw(st.lists(nodes(depth + 1), max_size=3)) if depth < 2 else []
    return Node(kind, name, {a.INPUT: value, a.OUTPUT: value}, tuple(children))


FORESTS = st.lists(nodes(), max_size=5)


@given(FORESTS)
def test_a_trace_beside_itself_is_all_the_same(children: list[Node]) -> None:
    diff = compared(request(*children), request(*children))
    assert {pairing.state for pairing in diff.pairings} == {"same"}
    assert diff.first is None


@given(st.lists(nodes(2), max_size=8), st.lists(st.tuples(st.integers(0, 8), nodes(2)), max_size=5))
def test_spans_put_in_are_just_that_many_new_ones(before: list[Node], put: list[tuple[int, Node]]) -> None:
    after = list(before)
    for at, node in put:
        after.insert(at, node)
    diff = compared(request(*before), request(*after))
    assert [p.state for p in diff.pairings].count("new") == len(put)
    assert [p.state for p in diff.pairings].count("gone") == 0
    back = compared(request(*after), request(*before))
    assert [p.state for p in back.pairings].count("gone") == len(put)


@given(FORESTS, FORESTS)
def test_every_span_of_both_sides_is_there_once_and_parents_come_first(
    old: list[Node], new: list[Node]
) -> None:
    diff = compared(request(*old), request(*new))
    for trace_, spans in (
        (diff.before, [p.before for p in diff.pairings]),
        (diff.after, [p.after for p in diff.pairings]),
    ):
        ids = [span.id for span in spans if span is not None]
        assert sorted(ids) == sorted(span.id for span in trace_.spans)
        seen = {""}
        for span in spans:
            if span is not None:
                assert span.parent_id in seen
                seen.add(span.id)
    assert (diff.first is None) == all(p.state == "same" for p in diff.pairings)


def many(size: int, numbers: int) -> tuple[Trace, Trace]:
    """Many calls of one tool; every tenth has another argument, and one of twenty is gone."""
    before = [tool("lookup", n, order=n % numbers) for n in range(size)]
    after = [
        tool("lookup", k, order=-1) if k % 10 == 0 else node for k, node in enumerate(before) if k % 20 != 5
    ]
    return trace(request(*before)), trace(request(*after), salt="a")


def test_of_thousands_of_calls_those_that_are_equal_find_each_other() -> None:
    before, after = many(5_000, numbers=700)
    diff = diff_traces(before, after)
    found = [pairing.state for pairing in diff.pairings]
    assert (found.count("gone"), found.count("new"), found.count("changed")) == (250, 0, 500)


def test_thousands_of_calls_without_one_in_common_are_paired_in_order() -> None:
    before, after = (
        trace(request(*[tool("lookup", order=base + n) for n in range(3_000)])) for base in (0, 10_000)
    )
    diff = diff_traces(before, after)
    assert [p.state for p in diff.pairings[1:]] == ["changed"] * 3_000
    assert diff.first == 1


def test_a_deep_chain_of_steps_is_no_matter_of_recursion() -> None:
    spans = trace(request()).spans
    for n in range(3_000):
        parent = spans[-1]
        child = Node("other", f"level {n}")
        spans = (
            *spans,
            made.Span(f"d{n:015x}", parent.id, child.name, "other", parent.start, parent.end),
        )
    deep = Trace("0" * 32, "deep", spans)
    assert diff_traces(deep, deep).first is None
