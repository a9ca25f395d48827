"""What we export comes back in as it was."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_traces import ANSWERED, ASKED, BEGAN, SEARCHED, TRACE_ID, span, whole_trace

from llmops_tui.domain import semconv as a
from llmops_tui.domain.trace import Kind, Span, Trace
from llmops_tui.tracing import attributes, encode, jsonable, request_of
from llmops_tui.tracing.incoming import read_otlp


def back(trace: Trace, *, is_json: bool = False) -> dict[str, Span]:
    """Id → span."""
    request = request_of([trace])
    body = json.dumps(jsonable(request)).encode() if is_json else encode(request)
    batch = read_otlp(body, is_json=is_json)
    assert batch.aside == []
    assert {arrived.trace_id for arrived in batch.spans} == {trace.id}
    return {arrived.span.id: arrived.span for arrived in batch.spans}


def whole() -> dict[str, dict[str, Any]]:
    return {each.name: each.attributes for each in back(whole_trace()).values()}


class TestTheWholeTrace:
    def test_has_ids_names_kinds_and_times(self) -> None:
        found = back(whole_trace())
        for sent in whole_trace().spans:
            came = found[sent.id]
            assert (came.parent_id, came.name, came.kind) == (sent.parent_id, sent.name, sent.kind)
            assert came.start == pytest.approx(sent.start, abs=1e-6)
            assert came.length_s == pytest.approx(sent.length_s, abs=1e-6)
            assert (came.status, came.error) == (sent.status, sent.error)

    def test_json_says_the_same(self) -> None:
        assert back(whole_trace(), is_json=True) == back(whole_trace())

    def test_configuration_and_version(self) -> None:
        root = whole()["refund-window"]
        assert (root[a.CONFIG], root[a.VERSION], root[a.FEATURE]) == ("helpdesk", "v12", "helpdesk")
        assert (root[a.INPUT], root[a.OUTPUT]) == ({"question": "Refund?"}, "Yes, within 30 days.")
        assert root[a.DIALECT] == "llmops"

    def test_what_the_export_says_for_other_tools_is_nobodys_session(self) -> None:
        for has in whole().values():
            assert a.SESSION not in has
            assert not any(name.startswith(("langfuse.", "langsmith.", "evaluation")) for name in has)

    def test_a_real_session_stays(self) -> None:
        sent = Trace(TRACE_ID, "", (span(1, 0, "request", "r", 0, 1, attributes={a.SESSION: "s1"}),))
        (came,) = back(sent).values()
        assert came.attributes[a.SESSION] == "s1"

    def test_a_model_call(self) -> None:
        has = whole()["chat small"]
        assert (has[a.PROVIDER], has[a.MODEL], has[a.RESPONSE_MODEL]) == ("mistral", "small", "small-2506")
        assert (has[a.INPUT_TOKENS], has[a.OUTPUT_TOKENS]) == (120, 9)
        assert (has[a.CACHED_TOKENS], has[a.REASONING_TOKENS], has[a.COST]) == (100, 4, 0.0002)
        assert (has[a.INPUT_MESSAGES], has[a.OUTPUT_MESSAGES]) == (ASKED, ANSWERED)
        assert (has[a.TIME_TO_FIRST_CHUNK], has[a.FINISH_REASONS]) == (0.5, ["stop"])
        assert has[a.RAW_RESPONSE] == {"id": "cmpl-1", "choices": []}
        assert not any(name.startswith(("llm.", "input.", "output.")) for name in has)

    def test_documents_prompt_and_tool(self) -> None:
        by = whole()
        assert by["retrieval"][a.DOCUMENTS] == SEARCHED
        assert (by["retrieval"][a.QUERY], by["retrieval"][a.TOP_K]) == ("Refund?", 2)
        prompt = by["assemble prompt"]
        assert prompt[a.TEMPLATE] == "user:\n{{ question }}"
        assert prompt[a.VARIABLES] == {"question": "Refund?", "lines": 3}
        assert prompt[a.INPUT_MESSAGES] == ASKED[:2]
        tool = by["execute_tool order"]
        assert (tool[a.TOOL_NAME], tool[a.TOOL_CALL_ID]) == ("order", "call_1")
        assert tool[a.TOOL_ARGUMENTS] == {"id": 7}

    def test_a_score_comes_once(self) -> None:
        batch = read_otlp(encode(request_of([whole_trace()])), is_json=False)
        (score,) = batch.scores
        assert (score.scorer, score.value, score.passed, score.reason) == ("contains", 1.0, True, "is there")
        assert (score.trace_id, score.source) == (TRACE_ID, "llmops")

    def test_a_span_around_a_call_is_still_none(self) -> None:
        around = {a.OPERATION: "chat", a.MODEL: "m", a.INPUT_TOKENS: 7}
        sent = Trace(
            TRACE_ID,
            "",
            (
                span(1, 0, "request", "r", 0, 1),
                span(2, 1, "other", "around", 0, 1, attributes=around),
            ),
        )
        assert [came.kind for came in back(sent).values()] == ["request", "other"]


WORDS = st.text("abcdeé .-", min_size=1, max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
#: A text that JSON could be taken for is read as such; nobody can tell.
PLAIN = TEXTS.filter(lambda text: text[0] not in '{["')
FLAT = st.dictionaries(WORDS, st.integers(-9, 9) | PLAIN | st.booleans(), min_size=1, max_size=3)
PART = st.one_of(
    st.builds(lambda text: {"type": "text", "content": text}, TEXTS),
    st.builds(lambda text: {"type": "reasoning", "content": text}, TEXTS),
    st.builds(
        lambda name, arguments: {"type": "tool_call", "id": "c1", "name": name, "arguments": arguments},
        WORDS,
        FLAT,
    ),
    st.builds(
        lambda response: {"type": "tool_call_response", "id": "c1", "response": response}, FLAT | PLAIN
    ),
)
MESSAGES = st.lists(
    st.builds(
        lambda role, parts: {"role": role, "parts": parts},
        st.sampled_from(["system", "user", "assistant", "tool"]),
        st.lists(PART, min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=3,
)
DOCUMENT = st.fixed_dictionaries(
    {"id": WORDS, "source": WORDS, "position": st.integers(0, 99), "score": st.floats(0, 9), "content": TEXTS}
)
COUNT = st.integers(0, 10**9)
NAMED = st.fixed_dictionaries(
    {},
    optional={
        a.CONFIG: WORDS,
        a.VERSION: WORDS,
        a.VERSION_HASH: WORDS,
        a.FEATURE: WORDS,
        a.USER: WORDS,
        a.TAGS: st.lists(WORDS, min_size=1, max_size=3),
        a.METADATA: FLAT,
    },
)
#: Those that the export writes by the conventions' name, and two that have none.
PROVIDERS = [*attributes._PROVIDERS, "openai", "somebody"]
BY_KIND = {
    "model": st.fixed_dictionaries(
        {
            a.OPERATION: st.just("chat"),
            a.MODEL: WORDS,
            a.INPUT_MESSAGES: MESSAGES,
            a.OUTPUT_MESSAGES: MESSAGES,
        },
        optional={
            a.PROVIDER: st.sampled_from(PROVIDERS),
            a.RESPONSE_MODEL: WORDS,
            a.INPUT_TOKENS: COUNT,
            a.OUTPUT_TOKENS: COUNT,
            a.CACHED_TOKENS: COUNT,
            a.REASONING_TOKENS: COUNT,
            a.COST: st.floats(0, 9),
            a.TIME_TO_FIRST_CHUNK: st.floats(0, 9),
            a.FINISH_REASONS: st.lists(st.sampled_from(["stop", "length"]), min_size=1, max_size=2),
            "gen_ai.request.temperature": st.floats(0, 2),
            "gen_ai.request.max_tokens": COUNT,
        },
    ),
    "embedding": st.fixed_dictionaries({a.MODEL: WORDS, a.INPUT_TOKENS: COUNT}),
    "retrieval": st.fixed_dictionaries(
        {a.QUERY: PLAIN, a.DOCUMENTS: st.lists(DOCUMENT, min_size=1, max_size=3)}
    ),
    "tool": st.fixed_dictionaries(
        {a.TOOL_NAME: WORDS, a.TOOL_ARGUMENTS: FLAT | PLAIN, a.TOOL_RESULT: FLAT | PLAIN}
    ),
    "prompt": st.fixed_dictionaries({a.TEMPLATE: TEXTS, a.VARIABLES: FLAT, a.INPUT_MESSAGES: MESSAGES}),
    "guardrail": st.fixed_dictionaries({a.GUARDRAIL: WORDS, a.TRIGGERED: st.booleans(), a.ACTION: WORDS}),
}
ENDS = st.fixed_dictionaries({}, optional={a.INPUT: FLAT | PLAIN, a.OUTPUT: FLAT | PLAIN})


class TestAnySpan:
    @given(st.sampled_from(get_args(Kind)), st.data())
    def test_comes_back(self, kind: str, data: st.DataObject) -> None:
        own = data.draw(BY_KIND.get(kind, ENDS))
        sent = Span("2" * 16, "1" * 16, "s", kind, BEGAN, BEGAN + 1, attributes=own | data.draw(NAMED))
        root = Span("1" * 16, "", "r", "request", BEGAN, BEGAN + 1)
        came = back(Trace(TRACE_ID, "", (root, sent)))[sent.id]
        assert came.kind == kind
        assert {name: came.attributes.get(name) for name in sent.attributes} == sent.attributes
