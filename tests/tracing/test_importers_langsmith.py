"""Runs of LangSmith: whole, as a post and a later patch, nested; and what was said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imported import all_of, spans_of, text, written

from llmops_tui.domain import semconv as a

ROOT, CALL = "1b64098b-4ab7-43f6-afee-992304f198d8", "809ed3a2-0172-4f4d-8a02-a64e9b7a0f8a"
ORDER = f"20260301T100000000Z{ROOT}"
POST = {
    "id": ROOT,
    "trace_id": ROOT,
    "dotted_order": ORDER,
    "name": "RefundChain",
    "run_type": "chain",
    "start_time": "2026-03-01T10:00:00.000000",
    "inputs": {"question": "Refund?"},
    "extra": {"metadata": {"thread_id": "s-1", "user_id": "u-1", "revision_id": "v7"}},
    "tags": ["eu"],
}
PATCH = {
    "id": ROOT,
    "trace_id": ROOT,
    "dotted_order": ORDER,
    "end_time": "2026-03-01T10:00:02.000000",
    "outputs": {"output": "14 days"},
    "inputs": None,
    "extra": {"metadata": {"plan": "pro"}},
}


def _lc(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", kind], "kwargs": kwargs}


RUN = {
    "id": CALL,
    "trace_id": ROOT,
    "parent_run_id": ROOT,
    "name": "ChatOpenAI",
    "run_type": "llm",
    "start_time": "2026-03-01T10:00:00.500000",
    "end_time": "2026-03-01T10:00:01.500000",
    "inputs": {
        "messages": [[_lc("SystemMessage", content="Be brief."), _lc("HumanMessage", content="Refund?")]]
    },
    "outputs": {
        "generations": [
            [
                {
                    "text": "14 days",
                    "generation_info": {"finish_reason": "stop"},
                    "message": _lc(
                        "AIMessage",
                        content="14 days",
                        tool_calls=[{"name": "look", "args": {"order": 1}, "id": "c1", "type": "tool_call"}],
                        usage_metadata={"input_tokens": 21, "output_tokens": 4, "total_tokens": 25},
                    ),
                }
            ]
        ],
        "llm_output": None,
    },
    "extra": {
        "invocation_params": {"model": "gpt-4o", "temperature": 0.2},
        "metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4o"},
    },
    "events": [{"name": "start"}, {"name": "new_token", "time": "2026-03-01T10:00:00.750000+00:00"}],
    "total_cost": "0.0003",
}


def test_a_post_and_its_patch_are_one_run_in_either_order(tmp_path: Path) -> None:
    one = all_of(written(tmp_path, "one.jsonl", [POST, RUN, PATCH]))
    two = all_of(written(tmp_path, "two.jsonl", [PATCH, RUN, POST]))
    assert one.aside == []
    assert spans_of(one) == spans_of(two)
    root = spans_of(one)["RefundChain"]
    assert (root.kind, root.length_s) == ("request", 2.0)
    has = root.attributes
    assert (has[a.INPUT], has[a.OUTPUT]) == ("Refund?", "14 days")
    assert [has[n] for n in (a.SESSION, a.USER, a.VERSION, a.TAGS)] == ["s-1", "u-1", "v7", ["eu"]]
    assert has[a.METADATA]["plan"] == "pro"


def test_a_call_in_langchains_messages(tmp_path: Path) -> None:
    batch = all_of(written(tmp_path, "runs.jsonl", [POST, PATCH, RUN]))
    spans = spans_of(batch)
    call = spans["ChatOpenAI"]
    assert call.parent_id == spans["RefundChain"].id
    assert {arrived.trace_id for arrived in batch.spans} == {ROOT.replace("-", "")}
    has = call.attributes
    assert has[a.INPUT_MESSAGES] == [text("system", "Be brief."), text("user", "Refund?")]
    (said,) = has[a.OUTPUT_MESSAGES]
    assert said["parts"][1] == {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"order": 1}}
    assert (has[a.INPUT_TOKENS], has[a.OUTPUT_TOKENS], has[a.COST]) == (21, 4, 0.0003)
    assert (has[a.MODEL], has[a.PROVIDER], has[a.FINISH_REASONS]) == ("gpt-4o", "openai", ["stop"])
    assert has[a.TIME_TO_FIRST_CHUNK] == 0.25


def test_a_call_in_openais_messages(tmp_path: Path) -> None:
    run = {
        **RUN,
        "inputs": {"messages": [{"role": "user", "content": "Refund?"}], "model": "gpt-4o"},
        "outputs": {
            "choices": [{"message": {"role": "assistant", "content": "14 days"}, "finish_reason": "stop"}],
            "usage_metadata": {"input_tokens": 21, "output_tokens": 4},
        },
    }
    has = spans_of(all_of(written(tmp_path, "runs.jsonl", [run])))["ChatOpenAI"].attributes
    assert has[a.INPUT_MESSAGES] == [text("user", "Refund?")]
    assert has[a.OUTPUT_MESSAGES] == [text("assistant", "14 days")]
    assert has[a.INPUT_TOKENS] == 21


def test_runs_within_runs_and_batches_of_the_api(tmp_path: Path) -> None:
    retriever = {
        "id": "5f1b2c3d-0000-4000-8000-000000000001",
        "name": "Retriever",
        "run_type": "retriever",
        "start_time": "2026-03-01T10:00:00.100000",
        "end_time": "2026-03-01T10:00:00.200000",
        "inputs": {"query": "Refund?"},
        "outputs": {
            "documents": [
                {"page_content": "14 days.", "metadata": {"source": "terms.md"}, "type": "Document"}
            ]
        },
    }
    whole = {**POST, **{k: v for k, v in PATCH.items() if v}, "child_runs": [retriever]}
    nested = spans_of(all_of(written(tmp_path, "nested.jsonl", [whole])))
    assert nested["Retriever"].parent_id == nested["RefundChain"].id
    (document,) = nested["Retriever"].attributes[a.DOCUMENTS]
    assert (document["source"], document["content"]) == ("terms.md", "14 days.")
    assert nested["Retriever"].attributes[a.QUERY] == "Refund?"
    batch = spans_of(all_of(written(tmp_path, "batch.jsonl", [{"post": [POST, RUN], "patch": [PATCH]}])))
    assert batch.keys() == {"RefundChain", "ChatOpenAI"}
    assert batch["RefundChain"].attributes[a.OUTPUT] == "14 days"


def test_what_never_ended_is_kept_and_a_patch_alone_is_set_aside(tmp_path: Path) -> None:
    alone = {"id": "c0ffee00-0000-4000-8000-000000000001", "end_time": "2026-03-01T10:00:02"}
    batch = all_of(written(tmp_path, "runs.jsonl", [POST, alone]))
    assert [arrived.span.name for arrived in batch.spans] == ["RefundChain"]
    (aside,) = batch.aside
    assert "patch" in aside.why


def test_feedback_is_a_signal_of_a_user_or_a_score(tmp_path: Path) -> None:
    about = {"run_id": CALL, "trace_id": ROOT, "created_at": "2026-03-01T11:00:00"}
    batch = all_of(
        written(
            tmp_path,
            "feedback.jsonl",
            [
                {**about, "id": "f1", "key": "user_score", "score": 0, "comment": "wrong"},
                {**about, "id": "f2", "key": "correctness", "score": 0.5, "comment": "half"},
                {**about, "id": "f3", "key": "tone", "score": None, "value": "curt"},
            ],
        )
    )
    (signal,) = batch.signals
    assert (signal.id, signal.kind, signal.value, signal.comment) == ("f1", "thumb", 0.0, "wrong")
    assert {s.scorer: (s.value, s.reason) for s in batch.scores} == {
        "correctness": (0.5, "half"),
        "tone": (None, "curt"),
    }


def test_a_runs_mean_of_feedback_is_no_second_signal(tmp_path: Path) -> None:
    run = {**RUN, "feedback_stats": {"user_score": {"n": 1, "avg": 0.0}}}
    feedback = {"id": "f1", "run_id": CALL, "trace_id": ROOT, "key": "user_score", "score": 0}
    batch = all_of(written(tmp_path, "runs.jsonl", [run, feedback]))
    assert [signal.id for signal in batch.signals] == ["f1"]
    assert [(score.scorer, score.value) for score in batch.scores] == [("user_score", 0.0)]


def test_a_run_that_failed_says_with_what(tmp_path: Path) -> None:
    run = {**RUN, "error": "RateLimitError('slow down')Traceback (most recent call last): …", "outputs": None}
    span = spans_of(all_of(written(tmp_path, "runs.jsonl", [run])))["ChatOpenAI"]
    assert (span.status, span.attributes[a.ERROR_TYPE]) == ("error", "RateLimitError")
