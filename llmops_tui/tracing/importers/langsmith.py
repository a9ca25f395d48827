"""LangSmith: runs as its API and SDK give them, posts and the patches that come later, feedback.

Source: langchain-ai/langsmith-sdk, `Run`, `RunBase` and `Feedback` (python/langsmith/schemas.py), and how the
SDK itself merges a post and its patch: what a patch says holds, where it says something.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.importers import answers, ids
from llmops_tui.tracing.importers.answers import first
from llmops_tui.tracing.importers.formats import Importer, Options, importer
from llmops_tui.tracing.importers.portion import Portion, raw_span
from llmops_tui.tracing.incoming.problems import BadSpan
from llmops_tui.tracing.incoming.reading import count, mapping, number, texts, word
from llmops_tui.tracing.incoming.safe import decoded

KINDS = {
    "llm": "model",
    "tool": "tool",
    "retriever": "retrieval",
    "embedding": "embedding",
    "prompt": "prompt",
}
#: Runs that may wait for their patch, and bytes of them: beyond, the oldest goes as it is.
_WAITING, _WAITING_SIZE = 50_000, 256 << 20
_ERROR = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Timeout|Interrupt))\b")
_FEEDBACK = ("key", "run_id")


@importer("langsmith", "runs of LangSmith")
class Langsmith(Importer):
    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._waiting: dict[str, tuple[dict[str, Any], int]] = {}
        self._size = 0

    @classmethod
    def recognised(cls, record: Mapping[str, Any]) -> str:
        if "run_type" in record:
            return "it has a run_type"
        if "dotted_order" in record:
            return "it has a dotted_order"
        if all(name in record for name in _FEEDBACK) and ("score" in record or "value" in record):
            return "it is feedback on a run"
        if isinstance(record.get("post"), list) or isinstance(record.get("patch"), list):
            return "it has posts and patches"
        runs = record.get("runs")
        return (
            cls.recognised(runs[0]) if isinstance(runs, list) and runs and isinstance(runs[0], dict) else ""
        )

    def read(self, record: dict[str, Any], into: Portion) -> None:
        groups = [record.get(name) for name in ("post", "patch", "runs", "feedback")]
        if "id" not in record and any(isinstance(group, list) for group in groups):
            for group in groups:
                for each in group if isinstance(group, list) else ():
                    if isinstance(each, dict):
                        self.read(each, into)
        elif "run_type" not in record and all(name in record for name in _FEEDBACK):
            self._feedback(record, into)
        else:
            self._run(record, into)

    def _run(self, record: dict[str, Any], into: Portion) -> None:
        own = word(record.get("id"))
        if not own:
            raise BadSpan("the run has no id")
        children = record.get("child_runs")
        record = {name: value for name, value in record.items() if name != "child_runs"}
        for child in children if isinstance(children, list) else ():
            if isinstance(child, dict):
                self._run({"parent_run_id": own, "trace_id": record.get("trace_id") or own, **child}, into)
        before = self._waiting.pop(own, None)
        if before is not None:
            self._size -= before[1]
            record = _merged(before[0], record)
        if _is_over(record):
            self._take(record, into)
            return
        size = into.record_size
        self._waiting[own] = record, size
        self._size += size
        while len(self._waiting) > _WAITING or self._size > _WAITING_SIZE:
            oldest = next(iter(self._waiting))
            held, size = self._waiting.pop(oldest)
            self._size -= size
            self._take(held, into)

    def finish(self, into: Portion) -> None:
        for held, _size in self._waiting.values():
            try:
                self._take(held, into)
            except BadSpan as error:
                into.aside(str(error), msgspec.json.encode(held))
        self._waiting.clear()

    def _take(self, run: dict[str, Any], into: Portion) -> None:
        own = str(run["id"])
        order = [part for part in str(run.get("dotted_order") or "").split(".") if part]
        start = ids.moment(run.get("start_time")) or (ids.moment(order[-1]) if order else None)
        if start is None:
            raise BadSpan("the run has no start_time: a patch whose post is not here")
        parent = word(run.get("parent_run_id")) or (_id_of(order[-2]) if len(order) > 1 else "")
        trace = word(run.get("trace_id")) or (_id_of(order[0]) if order else "") or own
        attributes = _attributes(run, start, is_root=not parent)
        error = word(run.get("error"))
        if error and (kind := _ERROR.match(error)):
            attributes[a.ERROR_TYPE] = kind[1]
        raw = raw_span(
            trace,
            own,
            parent,
            word(run.get("name")) or str(run.get("run_type", "run")),
            start,
            ids.moment(run.get("end_time")),
            attributes,
            error=error or None,
        )
        into.span(raw)
        for key, held in (mapping(run.get("feedback_stats")) or {}).items():
            if isinstance(held, dict) and (mean := number(first(held, "avg", "mean"))) is not None:
                # What users did is in the feedback itself, with ids: as signals both would count.
                into.verdict(raw.trace_id, key, mean, raw.end, source="langsmith", is_mean=True)

    def _feedback(self, record: dict[str, Any], into: Portion) -> None:
        about = word(record.get("trace_id") or record.get("run_id"))
        if not about:
            raise BadSpan("the feedback names no run")
        score, value = record.get("score"), record.get("value")
        source = first(record, "feedback_source.type")
        into.verdict(
            ids.trace_id(about),
            word(record.get("key")) or "feedback",
            score if score is not None else None if isinstance(value, str | dict) else value,
            ids.moment(first(record, "created_at", "modified_at")) or self.options.file_time,
            source="langsmith",
            id=word(record.get("id")) or "",
            label=value if score is None and isinstance(value, str) else "",
            comment=word(record.get("comment")) or "",
            by_user=source == "user",
        )


def _is_over(run: Mapping[str, Any]) -> bool:
    """Nothing more is to come of it: it has begun and ended."""
    has_begun = bool(run.get("start_time") and run.get("run_type"))
    return has_begun and bool(run.get("end_time") or run.get("status") in ("success", "error"))


def _merged(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    """A post and its patch, whichever came first: what either says; of both, the one that has ended."""
    before, after = (one, two) if two.get("end_time") or not one.get("end_time") else (two, one)
    said = {name: value for name, value in after.items() if value not in (None, "", {}, [])}
    merged = {**before, **said}
    if isinstance(was := before.get("extra"), dict) and isinstance(now := said.get("extra"), dict):
        metadata = {**(mapping(was.get("metadata")) or {}), **(mapping(now.get("metadata")) or {})}
        merged["extra"] = {**was, **now, "metadata": metadata}
    return merged


def _id_of(part: str) -> str:
    """`20230914T223155647Z` and the run's id."""
    return part.partition("Z")[2]


def _attributes(run: dict[str, Any], start: float, *, is_root: bool) -> dict[str, Any]:
    extra = mapping(run.get("extra")) or {}
    metadata = mapping(extra.get("metadata")) or mapping(run.get("metadata")) or {}
    kind = KINDS.get(str(run.get("run_type")), "request" if is_root else "step")
    found: dict[str, Any] = {a.KIND: kind, a.DIALECT: "langsmith"}
    if is_root:
        found |= {
            a.SESSION: word(first(metadata, "session_id", "thread_id", "conversation_id")),
            a.USER: word(first(metadata, "user_id", "user")),
            a.FEATURE: word(metadata.get("feature")),
            a.VERSION: word(first(metadata, "revision_id", "version")),
            a.ENVIRONMENT: word(first(metadata, "environment", "env")),
            a.TAGS: texts(run.get("tags")),
            a.METADATA: {name: value for name, value in metadata.items() if not name.startswith("ls_")},
        }
    inputs, outputs = decoded(run.get("inputs")), decoded(run.get("outputs"))
    match kind:
        case "model":
            found |= _call(run, extra, metadata, inputs, outputs, start)
        case "retrieval":
            found |= {a.QUERY: _only(inputs, "query", "question", "input"), a.DOCUMENTS: _documents(outputs)}
        case "tool":
            name = word(run.get("name"))
            found |= {
                a.TOOL_NAME: name,
                a.TOOL_ARGUMENTS: _only(inputs, "input"),
                a.TOOL_RESULT: _only(outputs),
            }
        case _:
            found |= {a.INPUT: _only(inputs), a.OUTPUT: _only(outputs)}
    return found


def _only(held: Any, *names: str) -> Any:
    """The one thing that a mapping holds, or one of these names."""
    if isinstance(held, dict):
        for name in (*names, "output", "input"):
            if name in held and len(held) == 1:
                return held[name]
        if len(held) == 1 and isinstance(only := next(iter(held.values())), str):
            return only
    return held


def _documents(outputs: Any) -> Any:
    held = outputs.get("documents", outputs.get("output")) if isinstance(outputs, dict) else outputs
    if not isinstance(held, list):
        return None
    found = []
    for n, each in enumerate(held):
        about = each if isinstance(each, dict) else {"page_content": str(each)}
        about = mapping(about.get("kwargs")) or about
        more = mapping(about.get("metadata")) or {}
        document = {
            "id": word(first(about, "id")) or word(first(more, "id", "doc_id")),
            "source": word(first(more, "source", "file", "url")),
            "position": n,
            "score": number(first(more, "score", "relevance_score")),
            "content": word(first(about, "page_content", "content", "text")),
        }
        found.append({name: value for name, value in document.items() if value is not None})
    return found


def _call(
    run: dict[str, Any],
    extra: dict[str, Any],
    metadata: dict[str, Any],
    inputs: Any,
    outputs: Any,
    start: float,
) -> dict[str, Any]:
    params = mapping(extra.get("invocation_params")) or {}
    asked = inputs if isinstance(inputs, dict) else {"input": inputs}
    sent = first(asked, "messages", "prompts", "prompt", "input")
    found = answers.request({**params, "messages": sent if sent is not None else asked})
    found[a.MODEL] = word(first(params, "model", "model_name") or metadata.get("ls_model_name"))
    found["gen_ai.system"] = word(metadata.get("ls_provider"))
    if metadata.get("ls_temperature") is not None:
        found[f"{a.REQUEST}temperature"] = metadata["ls_temperature"]
    told, used = _answered(outputs)
    used = first(metadata, "usage_metadata") or used
    tokens = answers.usage(used)
    for name, field in ((a.INPUT_TOKENS, "prompt_tokens"), (a.OUTPUT_TOKENS, "completion_tokens")):
        if tokens.get(name) is None:
            tokens[name] = count(run.get(field)) or told.get(name)
    found |= {**told, **{name: value for name, value in tokens.items() if value is not None}}
    found[a.COST] = number(first(run, "total_cost") or first(used or {}, "total_cost"))
    first_at = ids.moment(run.get("first_token_time")) or _first_token(run.get("events"))
    if first_at is not None and first_at >= start:
        found[a.TIME_TO_FIRST_CHUNK] = first_at - start
    return found


def _answered(outputs: Any) -> tuple[dict[str, Any], Any]:
    """Attributes of what came back, and the tokens as it tells them."""
    if not isinstance(outputs, dict):
        return answers.answer(outputs), None
    used = first(outputs, "usage_metadata", "llm_output.token_usage", "llm_output.usage", "usage")
    generations = outputs.get("generations")
    if isinstance(generations, list) and generations:
        inner = generations[0] if isinstance(generations[0], list) else generations
        said = [each for each in inner if isinstance(each, dict)]
        found = answers.chat([first(each, "message", "text") or "" for each in said], "assistant")
        reasons = [word(first(each, "generation_info.finish_reason")) for each in said]
        if used is None and said:
            used = first(said[0], "message.kwargs.usage_metadata", "message.usage_metadata")
        return {a.OUTPUT_MESSAGES: found, a.FINISH_REASONS: [reason for reason in reasons if reason]}, used
    if "choices" in outputs:
        return answers.answer(outputs), used
    said = first(outputs, "messages", "message", "output", "content")
    whole = outputs if "role" in outputs or said is None else said
    return {a.OUTPUT_MESSAGES: answers.chat(whole, "assistant")}, used


def _first_token(events: Any) -> float | None:
    for event in events if isinstance(events, list) else ():
        if isinstance(event, dict) and event.get("name") == "new_token":
            return ids.moment(event.get("time"))
    return None
