"""OpenAI's shapes: conversations for fine-tuning, requests and answers of the batch API, stored completions.

Source: platform.openai.com/docs: "Fine-tuning" (`{"messages": […]}` a line), "Batch API" (`custom_id`,
`body`; `custom_id`, `response`, `error`), "Chat completion object", "Response object".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from llmops_tui.domain import semconv as a
from llmops_tui.tracing.importers import answers, ids
from llmops_tui.tracing.importers.answers import first
from llmops_tui.tracing.importers.formats import Importer, Options, importer
from llmops_tui.tracing.importers.portion import Portion, raw_span
from llmops_tui.tracing.incoming.problems import BadSpan
from llmops_tui.tracing.incoming.reading import mapping, word

_OBJECTS = ("chat.completion", "text_completion", "response")
#: Halves of a batch that may wait for the other.
_WAITING = 200_000


@importer("openai", "chat in OpenAI's shapes")
class OpenaiChat(Importer):
    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._asked: dict[str, dict[str, Any]] = {}
        self._answered: dict[str, dict[str, Any]] = {}

    @classmethod
    def recognised(cls, record: Mapping[str, Any]) -> str:
        if "custom_id" in record and ("body" in record or "response" in record):
            return "it has a custom_id"
        if record.get("object") in _OBJECTS:
            return f"its object is {record['object']}"
        data = record.get("data")
        if record.get("object") == "list" and isinstance(data, list) and data and isinstance(data[0], dict):
            return cls.recognised(data[0])
        if isinstance(record.get("request"), dict) and isinstance(record.get("response"), dict):
            return "it has a request and a response"
        messages = record.get("messages")
        if (
            isinstance(messages, list)
            and messages
            and isinstance(messages[0], dict)
            and "role" in messages[0]
        ):
            return "it has messages with roles"
        return ""

    def read(self, record: dict[str, Any], into: Portion) -> None:
        if record.get("object") == "list" and isinstance(record.get("data"), list):
            for each in record["data"]:
                if isinstance(each, dict):
                    self.read(each, into)
        elif "custom_id" in record:
            self._half(record, into)
        elif record.get("object") in _OBJECTS:
            asked = {"messages": record.get("messages"), "input": record.get("input"), **_meta(record)}
            self._take(record, asked, record, into)
        elif isinstance(record.get("request"), dict) and isinstance(record.get("response"), dict):
            self._take(record, record["request"], record["response"], into)
        else:
            self._conversation(record, into)

    def finish(self, into: Portion) -> None:
        for name, held in {**self._asked, **self._answered}.items():
            if name not in self._answered:
                into.aside("a request of a batch whose answer is not here: give both files", _json(held))
                continue
            try:
                self._pair(name, {}, held, into)
            except BadSpan as error:
                into.aside(str(error), _json(held))
        self._asked.clear()
        self._answered.clear()

    def _half(self, record: dict[str, Any], into: Portion) -> None:
        """A request and its answer are in two files, in any order."""
        name = str(record["custom_id"])
        own, other = (self._answered, self._asked) if "response" in record else (self._asked, self._answered)
        held = other.pop(name, None)
        if held is not None:
            asked, answered = (held, record) if "response" in record else (record, held)
            self._pair(name, asked, answered, into)
            return
        own[name] = record
        if len(own) > _WAITING:
            oldest = next(iter(own))
            gone = own.pop(oldest)
            if own is self._answered:
                self._pair(oldest, {}, gone, into)
            else:
                into.aside("a request of a batch whose answer came too late or never", _json(gone))

    def _pair(self, name: str, asked: dict[str, Any], answered: dict[str, Any], into: Portion) -> None:
        response = mapping(answered.get("response")) or {}
        told = mapping(answered.get("error")) or {}
        body = mapping(response.get("body")) or {}
        error = first(told, "message", "code") or first(body, "error.message")
        status = response.get("status_code")
        if error is None and isinstance(status, int) and status >= 400:
            error = f"HTTP {status}"
        own = word(answered.get("id")) or ids.digest("openai batch", name, body)
        request = {**(mapping(asked.get("body")) or {})}
        self._take({"id": own, "custom_id": name}, request, body, into, error=word(error))

    def _take(
        self,
        record: dict[str, Any],
        asked: dict[str, Any],
        answered: dict[str, Any],
        into: Portion,
        *,
        error: str | None = None,
    ) -> None:
        own = word(first(record, "id")) or word(answered.get("id")) or ids.digest("openai", asked, answered)
        start = ids.moment(first(record, "created", "created_at", "timestamp", "time"))
        start = start or ids.moment(first(answered, "created", "created_at")) or self.options.file_time
        about = {**(mapping(asked.get("metadata")) or {}), **(mapping(record.get("metadata")) or {})}
        told = {name: value for name, value in answers.answer(answered).items() if value is not None}
        attributes = {
            **answers.request(asked),
            **told,
            a.KIND: "model",
            a.DIALECT: "openai",
            a.USER: word(asked.get("user") or about.get("user_id")),
            a.SESSION: word(about.get("session_id")),
            a.FEATURE: word(about.get("feature")),
            a.METADATA: {**about, **_custom(record)} or None,
        }
        if (
            attributes.get(a.INPUT_MESSAGES) is None
            and attributes.get(a.OUTPUT_MESSAGES) is None
            and not error
        ):
            raise BadSpan("the record has neither messages nor an answer")
        attributes[a.MODEL] = attributes.get(a.MODEL) or told.get(a.RESPONSE_MODEL)
        name = f"chat {attributes[a.MODEL] or ''}".strip()
        into.span(raw_span(own, own, "", name, start, None, attributes, error=error))

    def _conversation(self, record: dict[str, Any], into: Portion) -> None:
        """The last message is the answer, where it is the assistant's; what came before went in."""
        said = record["messages"]
        reply = first(record, "response", "completion", "output")
        last = said[-1] if isinstance(said, list) and said else None
        if reply is None and isinstance(last, dict) and last.get("role") == "assistant":
            said, reply = said[:-1], last
        if reply is None:
            raise BadSpan("the conversation has no answer: its last message is not the assistant's")
        body = {**record, "messages": said}
        answered = reply if isinstance(reply, dict) and "choices" in reply else {}
        if not answered:
            answered = {"choices": [{"message": reply if isinstance(reply, dict) else {"content": reply}}]}
        self._take(
            {"id": word(record.get("id")) or ids.digest("openai", record), **_times(record)},
            body,
            answered,
            into,
        )


def _meta(record: dict[str, Any]) -> dict[str, Any]:
    return {
        name: record[name]
        for name in ("model", "metadata", "tools", "temperature", "top_p")
        if name in record
    }


def _times(record: dict[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in ("created", "created_at", "timestamp", "time") if name in record}


def _custom(record: dict[str, Any]) -> dict[str, Any]:
    return {"custom_id": record["custom_id"]} if record.get("custom_id") else {}


def _json(record: dict[str, Any]) -> bytes:
    return msgspec.json.encode(record)
